//! A session that goes on.

use std::fs;

use serde_json::json;

use crate::harness::{Held, kill, stop, text};

#[test]
fn a_session_goes_on_when_its_server_is_killed() {
    let mut held = Held::desk(&[]);
    let (initialized, _) = held.begin();
    assert_eq!(initialized["result"]["capabilities"]["tools"]["listChanged"], true, "{initialized}");
    let mut servers = vec![held.who()];
    for _ in 0..3 {
        kill(held.server());
        servers.push(held.who());
    }
    servers.dedup();
    assert_eq!(servers.len(), 4, "{}", held.log());
}

#[test]
fn a_call_under_way_is_repeated_where_its_tool_only_reads() {
    let mut held = Held::desk(&[]);
    held.begin();
    let sheet = held.path("sheet");
    let id = held.call("look", &json!({ "path": sheet, "ms": 20_000 }));
    Held::until_written(&sheet, 1);
    kill(held.server());
    let answer = held.answer(id);
    let calls = fs::read_to_string(&sheet).unwrap();
    assert_eq!(calls.lines().last(), Some(text(&answer)));
    assert_eq!(calls.lines().count(), 2);
}

#[test]
fn a_call_under_way_that_writes_is_answered_and_not_repeated() {
    let mut held = Held::desk(&[]);
    held.begin();
    let sheet = held.path("sheet");
    let id = held.call("write", &json!({ "path": sheet, "ms": 60_000 }));
    Held::until_written(&sheet, 1);
    let server = held.server();
    stop(server);
    let waits = held.call("who", &json!({}));
    kill(server);
    let answer = held.answer(id);
    assert_eq!(answer["result"]["isError"], true);
    assert!(text(&answer).contains("signal 9") && text(&answer).contains("not known"), "{answer}");
    held.answer(waits);
    assert_eq!(fs::read_to_string(&sheet).unwrap().lines().count(), 1);
}

#[test]
fn a_client_is_told_of_a_new_servers_tools() {
    let mut held = Held::desk(&[]);
    let (_, tools) = held.begin();
    assert_eq!(tools["result"]["tools"].as_array().unwrap().len(), 3);
    held.replace("new");
    kill(held.server());
    assert_eq!(held.next()["method"], "notifications/tools/list_changed");
    let id = held.ask("tools/list", &json!({}));
    let tools = held.answer(id);
    let names: Vec<_> = tools["result"]["tools"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["sort", "who"]);
    kill(held.server());
    held.who();
    held.who(); // the next message: nothing has changed this time
}

#[test]
fn a_server_that_never_starts_is_tried_again_and_its_last_words_are_told() {
    let mut held = Held::around(&["--wait", "2"], &["sh", "-c", "echo no such container >&2; exit 3"]);
    let id = held.ask("initialize", &json!({}));
    let answer = held.answer(id);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("exit code 3, last words: no such container"), "{message}");
    let tries = held.log().matches("the server has ended").count();
    assert!((2..10).contains(&tries), "{}", held.log());
    let id = held.ask("ping", &json!({}));
    held.answer(id);
}

#[test]
fn a_program_that_does_not_exist_is_named() {
    let mut held = Held::around(&["--wait", "1"], &["/nowhere/docker"]);
    let id = held.ask("initialize", &json!({}));
    let answer = held.answer(id);
    assert!(
        answer["error"]["message"].as_str().unwrap().contains("/nowhere/docker cannot be started"),
        "{answer}"
    );
}
