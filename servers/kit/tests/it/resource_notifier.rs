//! What a client is told of resources that change, in each revision's way: the `shelf` example.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Session, example};

const NOTHING: [Value; 0] = [];

fn shelf() -> Session {
    let mut command = Command::new(example("shelf"));
    command.arg("stdio").env("OWNER", "Ana");
    Session::start_command(command)
}

/// What comes before the answer to a request, and the answer.
fn until_answer(session: &mut Session, id: u32) -> (Vec<Value>, Value) {
    let mut told = Vec::new();
    loop {
        let message = session.answer();
        if message["id"] == id {
            return (told, message);
        }
        told.push(message);
    }
}

fn request(session: &mut Session, id: u32, method: &str, params: Value) {
    session.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
}

fn changed() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/resources/list_changed"})
}

fn updated() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": "shelf://books"}})
}

/// Asks for something, and what is told beside the answer when a book is added then.
fn told(session: &mut Session, id: u32, method: Option<&str>) -> Vec<Value> {
    if let Some(method) = method {
        request(session, 100 + id, method, json!({"uri": "shelf://books"}));
        assert_eq!(session.answer()["result"], json!({}), "{method}");
    }
    session.call(id, "add", &json!({}));
    until_answer(session, id).0
}

#[test]
fn a_client_with_a_handshake_is_told_of_the_list_once_it_is_ready_and_of_a_resource_once_it_asks() {
    let mut session = shelf();
    let capabilities = session.initialize("2025-11-25")["capabilities"].clone();
    assert_eq!(capabilities["resources"], json!({"listChanged": true, "subscribe": true}));
    assert_eq!(told(&mut session, 1, Some("resources/subscribe")), NOTHING, "before `initialized`");
    session.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    assert_eq!(told(&mut session, 2, None), [changed(), updated()]);
    assert_eq!(told(&mut session, 3, Some("resources/unsubscribe")), [changed()]);
    request(&mut session, 4, "resources/list", json!({}));
    let listed = session.answer();
    assert_eq!(listed["result"]["resources"].as_array().map(Vec::len), Some(1 + 3 + 3), "{listed}");
}

/// The same, of the subscription of that request.
fn of(id: u32, mut message: Value) -> Value {
    message["params"]["_meta"] = json!({"io.modelcontextprotocol/subscriptionId": id});
    message
}

#[test]
fn from_2026_07_28_on_a_client_is_told_what_it_listens_to_until_it_has_heard_enough() {
    let mut session = shelf();
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}});
    let add = |session: &mut Session, id| {
        request(session, id, "tools/call", json!({"_meta": meta, "name": "add", "arguments": {}}));
        until_answer(session, id).0
    };
    let listen = |session: &mut Session, id, notifications: Value| {
        request(session, id, "subscriptions/listen", json!({"_meta": meta, "notifications": notifications}));
        session.answer()["params"]["notifications"].clone()
    };
    assert_eq!(add(&mut session, 1), NOTHING, "nobody listens");
    let all = json!({"toolsListChanged": true, "resourcesListChanged": true,
        "resourceSubscriptions": ["shelf://books"]});
    let accepted = json!({"resourcesListChanged": true, "resourceSubscriptions": ["shelf://books"]});
    assert_eq!(listen(&mut session, 2, all), accepted);
    assert_eq!(add(&mut session, 3), [of(2, changed()), of(2, updated())]);
    let list = json!({"resourcesListChanged": true});
    assert_eq!(listen(&mut session, 4, list.clone()), list);
    assert_eq!(add(&mut session, 5), [of(2, changed()), of(4, changed()), of(2, updated())]);
    session.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}}));
    assert_eq!(add(&mut session, 6), [of(4, changed())]);
    let start = Instant::now();
    session.close();
    let last = session.answer();
    assert_eq!((&last["id"], &last["result"]["resultType"]), (&json!(4), &json!("complete")), "{last}");
    assert!(session.ended().0.success());
    assert!(start.elapsed() < Duration::from_secs(4), "a client that listens holds nothing up");
}

#[test]
fn after_the_end_of_input_nothing_is_told_and_calls_are_still_answered() {
    for (tool, is_first) in [("add", true), ("count", false)] {
        let mut session = shelf().with_handshake();
        let params = json!({"name": tool, "arguments": {}, "_meta": {"progressToken": "t"}});
        request(&mut session, 1, "tools/call", params);
        session.close();
        let (told, answer) = until_answer(&mut session, 1);
        assert!(answer["result"]["content"].is_array(), "{tool}: {answer}");
        assert!(told.is_empty() || !is_first, "{tool}: {told:?}");
        assert!(session.ended().0.success());
    }
}

#[test]
fn a_server_without_such_a_tool_tells_nothing_and_says_so() {
    let mut session = Session::start_of("dice", &[]);
    assert_eq!(session.initialize("2025-11-25")["capabilities"]["resources"], Value::Null);
    request(&mut session, 1, "resources/subscribe", json!({"uri": "shelf://books"}));
    assert_eq!(session.answer()["error"]["code"], -32601);
}
