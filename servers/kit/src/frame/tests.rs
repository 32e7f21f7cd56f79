//! Lines that clients send, and lines that they should not.

use super::*;

fn refusal(line: &str) -> (Vec<String>, i32, String) {
    match read(line.as_bytes()) {
        Frame::Refused { ids, code, reason } => (ids, code.0, reason),
        other => panic!("{line}: {other:?}"),
    }
}

fn request(line: &str) -> (Id, ClientRequest) {
    match read(line.as_bytes()) {
        Frame::Request { id, request } => (id, *request),
        other => panic!("{line}: {other:?}"),
    }
}

fn ping(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)
}

fn call(params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{params}}}"#)
}

#[test]
fn an_id_is_kept_byte_for_byte() {
    for id in ["7", "-1", "0", "9223372036854775807", r#""a""#, r#""""#, "\"\u{1f600}\""] {
        let Id::Plain(plain) = request(&ping(id)).0 else { panic!("{id}") };
        assert_eq!(serde_json::to_string(&plain).unwrap(), id);
    }
    for id in ["1.5", "1.0", "1e2", "-0", "9223372036854775808", "1e999", r#""\u0041""#, r#""\ud83d""#] {
        assert_eq!(request(&ping(id)).0, Id::Raw(id.into()));
    }
    for id in ["null", "true", "[1]", r#"{"a":1}"#] {
        assert_eq!(
            refusal(&ping(id)),
            (vec![id.into()], -32600, "`id` has to be a string or a number".into())
        );
    }
}

#[test]
fn a_lone_surrogate_is_replaced_and_a_pair_is_not() {
    let text = |line: &str| match request(line).1 {
        ClientRequest::CallToolRequest(it) => it.params.arguments.unwrap()["x"].as_str().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    let say = |text: &str| call(&format!(r#"{{"name":"t","arguments":{{"x":"{text}"}}}}"#));
    assert_eq!(text(&say(r"a\ud83d")), "a\u{fffd}");
    assert_eq!(text(&say(r"\uDE00b\ud83d\ud83d\ude00\\ud83d")), "\u{fffd}b\u{fffd}\u{1f600}\\ud83d");
}

#[test]
fn what_is_wrong_with_parameters_is_named() {
    let reason = |line: &str| {
        let (ids, code, reason) = refusal(line);
        assert_eq!((ids, code), (vec!["7".into()], -32602), "{line}");
        reason
    };
    assert_eq!(reason(&call("{}")), "`name` is missing: the name of a tool");
    assert_eq!(reason(&call(r#"{"name":7}"#)), "`name` has to be a string: the name of a tool");
    assert_eq!(reason(&call("[]")), "`params` has to be an object");
    for wrong in [r#""{}""#, "[1]", "7"] {
        let params = format!(r#"{{"name":"t","arguments":{wrong}}}"#);
        assert_eq!(reason(&call(&params)), "`arguments` has to be an object");
    }
    let other = |method: &str, params: &str| {
        reason(&format!(r#"{{"jsonrpc":"2.0","id":7,"method":"{method}","params":{params}}}"#))
    };
    assert!(other("prompts/get", "{}").contains("`name`"));
    assert!(other("resources/read", r#"{"uri":7}"#).contains("`uri`"));
    assert!(other("tools/list", r#"{"cursor":7}"#).contains("`cursor`"));
    assert!(other("initialize", "{}").contains("`protocolVersion`"));
    let client = r#"{"protocolVersion":"2025-11-25","clientInfo":"me"}"#;
    assert!(other("initialize", client).contains("`clientInfo`"));
}

#[test]
fn what_can_be_accepted_is() {
    for arguments in ["null", "[]"] {
        let (_, call) = request(&call(&format!(r#"{{"name":"t","arguments":{arguments}}}"#)));
        assert!(matches!(call, ClientRequest::CallToolRequest(it) if it.params.arguments.is_none()));
    }
    for rest in ["", r#","clientInfo":{"name":"me"}"#, r#","capabilities":null,"clientInfo":{}"#] {
        let params = format!(r#"{{"protocolVersion":"2025-11-25"{rest}}}"#);
        let line = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"initialize","params":{params}}}"#);
        let (_, request) = request(&line);
        assert!(
            matches!(request, ClientRequest::InitializeRequest(it) if it.params.client_info.version == "unknown")
        );
    }
    let (_, listed) = request(r#"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"cursor":null}}"#);
    assert!(matches!(listed, ClientRequest::ListToolsRequest(_)), "{listed:?}");
}

#[test]
fn meta_reaches_rmcp() {
    let line = call(r#"{"name":"t","_meta":{"progressToken":5}}"#);
    let ClientRequest::CallToolRequest(call) = request(&line).1 else { panic!() };
    let meta = call.extensions.get::<rmcp::model::RequestMetaObject>().unwrap();
    assert_eq!(meta.get_progress_token().unwrap().0, RequestId::Number(5));
}

#[test]
fn a_message_that_is_none_is_answered_or_skipped() {
    assert_eq!(refusal(r#"{"id":7,"method":"ping"}"#).2, "`jsonrpc` has to be \"2.0\"");
    assert_eq!(refusal(r#"{"jsonrpc":"2.0","id":7}"#).2, "`method` is missing");
    assert_eq!(refusal(r#"{"jsonrpc":"2.0","id":7,"method":8}"#).2, "`method` has to be a string");
    assert_eq!(refusal(r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":NaN}}"#).1, -32700);
    assert_eq!(
        refusal(r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"id":"x","method":"y"}]"#).0,
        ["1", "\"x\""]
    );
    for skipped in ["no json", r#"{"x":1}"#, r#"{"id":1,"result":7}"#, "[]", "\"text\""] {
        assert!(
            matches!(read(skipped.as_bytes()), Frame::Skipped(_)),
            "{skipped}: {:?}",
            read(skipped.as_bytes())
        );
    }
    for nothing in ["", " ", "\u{feff}\r"] {
        assert!(matches!(read(nothing.as_bytes()), Frame::Nothing), "{nothing}");
    }
    assert!(matches!(
        read(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"),
        Frame::Message(_)
    ));
}
