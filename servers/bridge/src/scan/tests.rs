//! The scanner against a parser of whole messages, and against what no parser takes.

use super::*;
use serde_json::{Value, json};

fn frames(scan: &mut Scan, bytes: &[u8]) -> Vec<Frame> {
    let mut found = Vec::new();
    scan.feed(bytes, |it| found.push(it));
    found
}

fn one(text: &str) -> Frame {
    let found = frames(&mut Scan::default(), text.as_bytes());
    assert_eq!(found.len(), 1, "{text}");
    found.into_iter().next().unwrap()
}

fn id(text: &str, is_string: bool) -> Option<Id> {
    Some(Id { text: text.into(), is_string, hash: None })
}

#[test]
fn a_call_in_any_order_and_spacing() {
    let call = Frame {
        method: Some("tools/call".into()),
        id: id("7", false),
        name: Some("roll".into()),
        ..Frame::default()
    };
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"roll","arguments":{"name":"no","id":9}}}"#,
        r#" { "params" : {"arguments":{"a":[{"method":"x"}]}, "name" : "roll" } , "method":"tools/call","id": 7 } "#,
        r#"{"m\u0065thod":"tools\/call","id":7,"params":{"name":"r\u006fll","_meta":{"name":["}"]}}}"#,
    ] {
        assert_eq!(one(text), call, "{text}");
    }
}

#[test]
fn answers() {
    let text = r#"{"id":"a","result":{"content":[{"text":"\"isError\":true"}],"isError":false}}"#;
    assert_eq!(one(text), Frame { id: id("a", true), ..Frame::default() });
    assert!(one(r#"{"id":1,"result":{"isError":true,"content":[]}}"#).is_error);
    assert!(!one(r#"{"id":1,"result":{"x":{"isError":true}}}"#).is_error);
    assert_eq!(one(r#"{"id":1,"error":{"message":"no","code":-32601}}"#).error.as_deref(), Some("-32601"));
    assert_eq!(one(r#"{"error":{},"id":1}"#).error.as_deref(), Some(""));
    assert_eq!(one(r#"{"id":null,"result":{}}"#).id, None);
    assert_ne!(one(r#"{"id":1}"#).id, one(r#"{"id":"1"}"#).id);
}

#[test]
fn a_cancellation_names_its_request() {
    let text = r#"{"method":"notifications/cancelled","params":{"requestId":12,"reason":"x"}}"#;
    assert_eq!(one(text).cancels, id("12", false));
}

#[test]
fn a_batch_is_several_messages() {
    let text = br#"[{"id":1,"method":"a","params":[{"name":"x"}]},{"id":2,"method":"b"}]"#;
    let ids: Vec<_> = frames(&mut Scan::default(), text).into_iter().map(|it| it.id).collect();
    assert_eq!(ids, [id("1", false), id("2", false)]);
}

#[test]
fn rubbish_is_counted_and_the_next_line_read() {
    let mut scan = Scan::default();
    let text = b"Server started\n{\"id\": \"cut \\\n}}}\n\xff\xfe\n\n{\"id\":5}\n";
    assert_eq!(frames(&mut scan, text), [Frame { id: id("5", false), ..Frame::default() }]);
    assert_eq!((scan.take_noise(), scan.take_noise()), (4, 0));
}

#[test]
fn long_ids_are_cut_and_still_told_apart() {
    let text = |end: &str| json!({"id": format!("{}{end}", "x".repeat(10_000))}).to_string();
    let (a, b) = (one(&text("a")).id.unwrap(), one(&text("b")).id.unwrap());
    assert!(a.text.len() <= LONGEST && a != b);
    assert_eq!(Some(a), one(&text("a")).id);
}

#[test]
fn a_huge_message_leaves_nothing_behind() {
    let mut scan = Scan::default();
    let mut found = frames(&mut scan, br#"{"id":1,"method":"m","params":{"name":""#);
    for _ in 0..1000 {
        found.extend(frames(&mut scan, &[b'x'; 5000]));
    }
    assert!(scan.token.capacity() <= 2 * LONGEST);
    found.extend(frames(&mut scan, b"\"}}\n"));
    assert_eq!((found.len(), found[0].name.as_ref().map(String::len)), (1, Some(LONGEST)));
}

/// Any JSON, from a seed: what a scanner gets wrong is what nobody thought of.
fn random(seed: &mut u64, depth: u32) -> Value {
    let keys = ["id", "method", "params", "name", "isError", "result", "error", "code", "x\"}\\"];
    let mut next = |below: u64| {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % below
    };
    match next(if depth > 0 { 8 } else { 5 }) {
        0 => Value::Null,
        1 => json!(next(2) == 0),
        2 => json!(next(1000)),
        3 => json!(["", "tools/call", "é\u{1f600}\n", "{[\"\\", "\\\\\""][usize::try_from(next(5)).unwrap()]),
        4 => json!(-1.5e3),
        5 => (0..next(4)).map(|_| random(seed, depth - 1)).collect(),
        _ => {
            let count = next(6);
            let mut fields = serde_json::Map::new();
            for _ in 0..count {
                let key = keys[usize::try_from(random_below(seed, 9)).unwrap()];
                fields.insert(key.into(), random(seed, depth - 1));
            }
            fields.into()
        }
    }
}

fn random_below(seed: &mut u64, below: u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    (*seed >> 33) % below
}

/// What a parser of the whole message finds.
fn expected(it: &Value) -> Frame {
    let text = |it: &Value| it.as_str().map(str::to_owned);
    let an_id = |it: &Value| match it {
        Value::String(text) => id(text, true),
        Value::Number(_) | Value::Bool(_) => id(&it.to_string(), false),
        _ => None,
    };
    let error = &it["error"];
    Frame {
        method: text(&it["method"]),
        id: an_id(&it["id"]),
        name: text(&it["params"]["name"]),
        cancels: None,
        is_error: it["result"]["isError"] == true,
        error: match &error["code"] {
            code @ (Value::Number(_) | Value::Bool(_) | Value::Null) if error.get("code").is_some() => {
                Some(code.to_string())
            }
            _ => (error.is_object() || error.is_array()).then(String::new),
        },
    }
}

#[test]
fn it_finds_what_a_parser_finds_wherever_the_bytes_are_cut() {
    let mut seed = 42;
    for round in 0..20_000 {
        let mut it = random(&mut seed, 4);
        while !it.is_object() {
            it = random(&mut seed, 4);
        }
        let text = if round % 2 == 0 { it.to_string() } else { serde_json::to_string_pretty(&it).unwrap() };
        let line = text.replace('\n', " ") + "\n";
        let mut scan = Scan::default();
        let (mut found, mut rest) = (Vec::new(), line.as_bytes());
        while !rest.is_empty() {
            let most = u64::try_from(rest.len()).unwrap();
            let size = usize::try_from(1 + random_below(&mut seed, most)).unwrap();
            found.extend(frames(&mut scan, &rest[..size]));
            rest = &rest[size..];
        }
        assert_eq!(found, [expected(&it)], "{line}");
        assert_eq!(scan.take_noise(), 0);
    }
}
