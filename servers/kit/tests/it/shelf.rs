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
    let all =
        json!({"uri": "shelf://books", "name": "books", "title": "All books", "mimeType": "text/plain"});
    let book = |it: u32| json!({"uri": format!("shelf://book/{it}"), "name": format!("book {it}")});
    assert_eq!(listed["result"]["resources"], json!([all, book(1), book(2)]));
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

/// `completion/complete` for what was typed, with the other arguments.
fn completed(session: &mut Session, of: &Value, argument: &str, typed: &str, others: Value) -> Value {
    let argument = json!({"name": argument, "value": typed});
    let params = json!({"ref": of, "argument": argument, "context": {"arguments": others}});
    asked(session, "completion/complete", params)
}

#[test]
fn what_is_typed_is_completed_and_at_most_a_hundred_values_go_out() {
    let mut session = Session::start_command(shelf(&["--books", "150"])).with_handshake();
    let (book, lend) = (
        json!({"type": "ref/resource", "uri": "shelf://book/{number}"}),
        json!({"type": "ref/prompt", "name": "lend"}),
    );
    let mut completion = |of: &Value, argument: &str, typed: &str| {
        completed(&mut session, of, argument, typed, json!({}))["result"]["completion"].clone()
    };
    let all = completion(&book, "number", "");
    assert_eq!((&all["total"], &all["hasMore"]), (&json!(150), &json!(true)), "{all}");
    assert_eq!((&all["values"][99], &all["values"][100]), (&json!("100"), &json!(null)));
    let few = json!({"values": ["14", "140", "141", "142", "143", "144", "145", "146", "147", "148", "149"],
        "total": 11, "hasMore": false});
    assert_eq!(completion(&book, "number", "14"), few);
    assert_eq!(completion(&lend, "book", "14"), few);
    let none = json!({"values": [], "total": 0, "hasMore": false});
    assert_eq!(completion(&lend, "to", "A"), none, "nothing is known for it");
    let refused = completed(&mut session, &lend, "book", "1", json!({"to": "Ana"}));
    assert_eq!(refused["error"], json!({"code": -32603, "message": "Ana has them all"}));
}

#[test]
fn what_cannot_be_completed_is_an_error_and_a_server_that_completes_nothing_says_so() {
    let mut session = Session::start_command(shelf(&[]));
    assert!(session.initialize("2025-11-25")["capabilities"]["completions"].is_object());
    for (of, argument, expected) in [
        (json!({"type": "ref/prompt", "name": "borrow"}), "book", "no prompt `borrow`"),
        (json!({"type": "ref/prompt", "name": "lend"}), "number", "`lend` has no argument `number`"),
        (
            json!({"type": "ref/resource", "uri": "shelf://book/1"}),
            "number",
            "no resource template `shelf://book/1`",
        ),
        (json!({"type": "ref/resource", "uri": "shelf://books"}), "number", "has no argument `number`"),
        (json!({"type": "ref/tool", "name": "count"}), "book", ""),
    ] {
        let error = completed(&mut session, &of, argument, "", json!({}))["error"].clone();
        let message = error["message"].as_str().unwrap_or_default();
        assert!(error["code"] == -32602 && message.contains(expected), "{of}: {error}");
    }
    let mut dice = Session::start_of("dice", &[]);
    assert_eq!(dice.initialize("2025-11-25")["capabilities"]["completions"], Value::Null);
    let of = json!({"type": "ref/prompt", "name": "lend"});
    assert_eq!(completed(&mut dice, &of, "book", "", json!({}))["error"]["code"], -32601);
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
        (&["--books", "501"], Some("Ana"), "`books` must be 1 to 500"),
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

#[test]
fn which_server_it_is_and_how_it_is_used_is_told_without_settings() {
    for (words, expected) in [
        (["--version"], concat!("drydock-kit ", env!("CARGO_PKG_VERSION"), "\n")),
        (["--help"], "--owner          Whose shelf it is (required)  (OWNER)"),
    ] {
        let ended = Command::new(example("shelf")).args(words).env_remove("OWNER").output().unwrap();
        let stdout = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && stdout.contains(expected), "{ended:?}");
    }
}
