//! The `shelf` example: settings, resources, and progress, as a client sees them.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Session, example};

fn shelf(words: &[&str]) -> Command {
    let mut command = Command::new(example("shelf"));
    command.arg("stdio").args(words).env("OWNER", "Ana");
    command
}

fn asked(session: &mut Session, method: &str, params: Value) -> Value {
    session.send(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}));
    session.answer()
}

#[test]
fn what_is_listed_can_be_read_and_what_is_not_there_is_told() {
    let mut session = Session::start_command(shelf(&["--books", "2"])).with_handshake();
    let listed = asked(&mut session, "resources/list", json!({}));
    let book = json!({"uri": "shelf://books", "name": "books", "title": "All books",
        "description": "All books, one a line.", "mimeType": "text/plain"});
    assert_eq!(listed["result"]["resources"], json!([book]));
    let templates = asked(&mut session, "resources/templates/list", json!({}));
    assert_eq!(templates["result"]["resourceTemplates"][0]["uriTemplate"], "shelf://book/{number}");
    let mut read = |uri: &str| asked(&mut session, "resources/read", json!({"uri": uri}));
    let contents = json!([{"uri": "shelf://books", "mimeType": "text/plain", "text": "book 1\nbook 2\n"}]);
    assert_eq!(read("shelf://books")["result"]["contents"], contents);
    assert_eq!(read("shelf://book/2")["result"]["contents"][0]["text"], "book 2 of Ana");
    for (uri, expected) in [
        ("shelf://book/3", "there are 2 books"),
        ("shelf://book/x", "`number` in the URI cannot be `x`"),
        ("shelf://book/..", "no resource `shelf://book/..`"),
        ("shelf://", "no resource"),
    ] {
        let error = read(uri)["error"].clone();
        let message = error["message"].as_str().unwrap_or_default();
        assert!(error["code"] == -32002 && message.contains(expected), "{uri}: {error}");
    }
}

#[test]
fn only_a_client_that_asks_is_told_how_far_a_call_is() {
    let mut session = Session::start_command(shelf(&[])).with_handshake();
    let params = json!({"name": "count", "arguments": {}, "_meta": {"progressToken": "t"}});
    session.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
    for book in 1..=3 {
        let told = session.answer();
        let expected =
            json!({"progressToken": "t", "progress": book as f64, "total": 3.0, "message": "books counted"});
        assert_eq!((&told["method"], &told["params"]), (&json!("notifications/progress"), &expected));
    }
    let counted = session.answer();
    assert_eq!(counted["result"]["structuredContent"], json!({"owner": "Ana", "books": 3}));
    assert_eq!(counted["result"]["content"][0]["text"], "owner: Ana\nbooks: 3");
    session.call(2, "count", &json!({}));
    assert_eq!(session.answer()["id"], 2);
}

#[test]
fn what_is_wrong_with_a_setting_is_told_before_a_session_begins() {
    for (words, owner, expected) in [
        (&[][..], None, "`owner` is not set: set the variable OWNER, or give --owner"),
        (&["--books", "51"], Some("Ana"), "`books` must be 1 to 50"),
        (&["--boks", "5"], Some("Ana"), "unknown option `--boks`"),
    ] {
        let mut command = shelf(words);
        match owner {
            Some(owner) => command.env("OWNER", owner),
            None => command.env_remove("OWNER"),
        };
        let ended = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(2) && stderr.contains(expected), "{stderr}");
        assert!(stderr.contains("--owner          Whose shelf it is (required)  (OWNER)"), "{stderr}");
    }
}
