//! However a session ends, nothing is left of it.

use rustix::process::Signal;
use serde_json::json;

use crate::harness::{Held, is_alive, signal, until};

/// Nothing of the held session runs any more.
fn assert_gone(server: u32) {
    until("the server's end", || (!is_alive(server)).then_some(()));
}

#[test]
fn a_client_that_closes_its_end_gets_its_answers() {
    let mut held = Held::desk(&[]);
    held.begin();
    let server = held.server();
    let sheet = held.path("sheet");
    let id = held.call("write", &json!({ "path": sheet, "ms": 500 }));
    drop(held.stdin.take());
    assert_eq!(held.answer(id)["result"]["isError"], false);
    assert!(held.wait().success(), "{}", held.log());
    assert_gone(server);
}

#[test]
fn a_program_that_is_killed_takes_its_server_with_it() {
    let mut held = Held::desk(&[]);
    held.begin();
    let server = held.server();
    held.child.kill().unwrap();
    assert_gone(server);
}

#[test]
fn a_program_that_is_told_to_end_ends_its_server_at_once() {
    let mut held = Held::around(&[], &["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]);
    let server = held.server();
    signal(held.child.id(), Signal::TERM);
    held.wait();
    assert_gone(server);
}

#[test]
fn a_server_has_time_to_end_when_we_are_told_to() {
    let script =
        r#"trap 'sleep 0.1; echo >"$0"; exit' TERM; echo '{"method":"x"}'; while :; do sleep 0.02; done"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ended");
    let mut held = Held::around(&[], &["sh", "-c", script, path.to_str().unwrap()]);
    held.next();
    signal(held.child.id(), Signal::TERM);
    held.wait();
    assert!(path.exists(), "it was killed at once");
}

#[test]
fn what_a_server_leaves_behind_is_ended_and_keeps_nobody() {
    // The first leaves a talker that holds its output; the next ones answer.
    let script = r#"if mkdir "$0" 2>/dev/null; then
        (trap '' TERM; while :; do echo '{"jsonrpc":"2.0","method":"x"}'; done) & echo $! >"$0/pid"; exit 1
    fi
    while read line; do echo '{"jsonrpc":"2.0","id":1,"result":{}}'; done"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("first");
    let mut held = Held::around(&[], &["sh", "-c", script, path.to_str().unwrap()]);
    let talker = until("the talker", || std::fs::read_to_string(path.join("pid")).ok()?.trim().parse().ok());
    assert_gone(talker);
    let id = held.ask("ping", &json!({}));
    while held.next()["id"] != id {} // what it said comes first
    drop(held.stdin.take());
    held.wait();
}

#[test]
fn a_last_answer_without_a_line_break_is_one() {
    let script = r#"read line; printf '{"jsonrpc":"2.0","id":1,"result":{"a":1}}'"#;
    let mut held = Held::around(&[], &["sh", "-c", script]);
    let id = held.ask("prompts/get", &json!({}));
    assert_eq!(held.answer(id)["result"]["a"], 1);
}

#[test]
fn a_server_that_takes_no_more_input_may_still_answer() {
    let script =
        r#"read line; exec <&-; sleep 1; echo '{"jsonrpc":"2.0","id":1,"result":{"a":1}}'; sleep 100"#;
    let mut held = Held::around(&[], &["sh", "-c", script]);
    let id = held.ask("prompts/get", &json!({}));
    let server = held.server();
    until("the end of its input", || {
        let links = std::fs::read_dir(format!("/proc/{server}/fd")).ok()?;
        (!links.flatten().any(|it| it.file_name() == "0")).then_some(())
    });
    held.send(&json!({ "jsonrpc": "2.0", "method": "notifications/roots/list_changed" }));
    assert_eq!(held.answer(id)["result"]["a"], 1);
}

#[test]
fn a_server_that_ignores_its_end_is_killed() {
    let script = "trap '' TERM; while :; do sleep 1; done";
    let mut held = Held::around(&[], &["sh", "-c", script]);
    let server = held.server();
    drop(held.stdin.take());
    held.wait();
    assert_gone(server);
}

#[test]
fn a_server_that_never_stops_talking_is_ended() {
    let script = r#"while :; do echo '{"jsonrpc":"2.0","method":"notifications/message","params":{}}'; done"#;
    let mut held = Held::around(&["--stall-timeout", "2"], &["sh", "-c", script]);
    let server = held.server();
    held.next();
    drop(held.stdin.take());
    held.wait();
    assert_gone(server);
}

#[test]
fn a_client_that_does_not_read_is_not_waited_for() {
    for closes_its_end in [true, false] {
        let script = r#"yes '{"jsonrpc":"2.0","method":"notifications/message","params":{}}'"#;
        let timeout = if closes_its_end { "3600" } else { "2" };
        let mut held = Held::unread(&["--stall-timeout", timeout], &["sh", "-c", script]);
        let server = held.server();
        if closes_its_end {
            drop(held.stdin.take());
        }
        assert!(!held.wait().success());
        assert_gone(server);
    }
}

#[test]
fn a_client_that_is_gone_is_noticed_though_it_never_closed_its_end() {
    let mut held = Held::unread(&[], &["sleep", "1000"]);
    let server = held.server();
    drop(held.child.stdout.take());
    assert!(!held.wait().success());
    assert_gone(server);
}
