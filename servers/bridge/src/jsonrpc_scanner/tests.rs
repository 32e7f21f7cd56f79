//! The scanner against a parser of whole messages, and against what no parser takes.

use super::*;
use serde_json::{Value, json};

fn messages(scanner: &mut Scanner, bytes: &[u8]) -> Vec<Message> {
    let mut found = Vec::new();
    scanner.feed(bytes, |it| found.push(it));
    found
}

fn one(text: &str) -> Message {
    let found = messages(&mut Scanner::default(), text.as_bytes());
    assert_eq!(found.len(), 1, "{text}");
    found.into_iter().next().unwrap()
}

fn id(text: &str, is_string: bool) -> Option<RequestId> {
    Some(RequestId { text: text.into(), is_string, hash: None })
}

#[test]
fn a_call_in_any_order_and_spacing() {
    let call = Message {
        method: Some("tools/call".into()),
        id: id("7", false),
        params_name: Some("roll".into()),
        ..Message::default()
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
    assert_eq!(one(text), Message { id: id("a", true), ..Message::default() });
    assert!(one(r#"{"id":1,"result":{"isError":true,"content":[]}}"#).is_error);
    assert!(!one(r#"{"id":1,"result":{"x":{"isError":true}}}"#).is_error);
    assert_eq!(
        one(r#"{"id":1,"error":{"message":"no","code":-32601}}"#).error_code.as_deref(),
        Some("-32601")
    );
    assert_eq!(one(r#"{"error":{},"id":1}"#).error_code.as_deref(), Some(""));
    assert_eq!(one(r#"{"id":null,"result":{}}"#).id, None);
    assert_ne!(one(r#"{"id":1}"#).id, one(r#"{"id":"1"}"#).id);
}

#[test]
fn a_cancellation_names_its_request() {
    let text = r#"{"method":"notifications/cancelled","params":{"requestId":12,"reason":"x"}}"#;
    assert_eq!(one(text).cancelled_id, id("12", false));
}

#[test]
fn a_batch_is_several_messages() {
    let text = br#"[{"id":1,"method":"a","params":[{"name":"x"}]},{"id":2,"method":"b"}]"#;
    let ids: Vec<_> = messages(&mut Scanner::default(), text).into_iter().map(|it| it.id).collect();
    assert_eq!(ids, [id("1", false), id("2", false)]);
}

#[test]
fn invalid_lines_are_counted_and_the_next_line_read() {
    let mut scanner = Scanner::default();
    let text = b"Server started\n{\"id\": \"cut \\\n}}}\n\xff\xfe\n\n{\"id\":5}\n";
    assert_eq!(messages(&mut scanner, text), [Message { id: id("5", false), ..Message::default() }]);
    assert_eq!((scanner.take_invalid_lines(), scanner.take_invalid_lines()), (4, 0));
}

#[test]
fn long_ids_are_cut_and_still_told_apart() {
    let text = |end: &str| json!({"id": format!("{}{end}", "x".repeat(10_000))}).to_string();
    let (a, b) = (one(&text("a")).id.unwrap(), one(&text("b")).id.unwrap());
    assert!(a.text.len() <= MAX_CAPTURED && a != b);
    assert_eq!(Some(a), one(&text("a")).id);
}

#[test]
fn a_huge_message_leaves_nothing_behind() {
    let mut scanner = Scanner::default();
    let mut found = messages(&mut scanner, br#"{"id":1,"method":"m","params":{"name":""#);
    for _ in 0..1000 {
        found.extend(messages(&mut scanner, &[b'x'; 5000]));
    }
    assert!(scanner.token.capacity() <= 2 * MAX_CAPTURED);
    found.extend(messages(&mut scanner, b"\"}}\n"));
    assert_eq!((found.len(), found[0].params_name.as_ref().map(String::len)), (1, Some(MAX_CAPTURED)));
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
fn expected(it: &Value) -> Message {
    let text = |it: &Value| it.as_str().map(str::to_owned);
    let an_id = |it: &Value| match it {
        Value::String(text) => id(text, true),
        Value::Number(_) | Value::Bool(_) => id(&it.to_string(), false),
        _ => None,
    };
    let error = &it["error"];
    Message {
        method: text(&it["method"]),
        id: an_id(&it["id"]),
        params_name: text(&it["params"]["name"]),
        cancelled_id: None,
        is_error: it["result"]["isError"] == true,
        error_code: match &error["code"] {
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
        let mut scanner = Scanner::default();
        let (mut found, mut rest) = (Vec::new(), line.as_bytes());
        while !rest.is_empty() {
            let most = u64::try_from(rest.len()).unwrap();
            let size = usize::try_from(1 + random_below(&mut seed, most)).unwrap();
            found.extend(messages(&mut scanner, &rest[..size]));
            rest = &rest[size..];
        }
        assert_eq!(found, [expected(&it)], "{line}");
        assert_eq!(scanner.take_invalid_lines(), 0);
    }
}
