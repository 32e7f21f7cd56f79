//! Warm children: how many wait, how they are replaced, and what happens when they die.

use std::io::{Read, Write};

use serde_json::json;

use crate::harness::{Serve, children, health, marker, misbehaving_server, processes_with, until};

#[test]
fn a_warm_child_is_taken_and_replaced() {
    let serve = Serve::misbehaving(&[], &["--warm", "2"]);
    serve.wait_warm(2);
    let waiting = processes_with(&serve.marker);
    let mut session = serve.session(&[]);
    let pid = u32::try_from(session.tool("pid", &json!({}))["pid"].as_u64().unwrap()).unwrap();
    assert!(waiting.contains(&pid), "a session got {pid}, {waiting:?} were waiting");
    serve.wait_warm(2);
    assert_eq!(processes_with(&serve.marker).len(), 3);
    session.close();
    serve.stop();
}

#[test]
fn with_warm_0_nothing_waits_and_sessions_work() {
    let serve = Serve::misbehaving(&[], &["--warm", "0"]);
    assert_eq!(
        serve.health().unwrap(),
        json!({"ready": true, "sessions": 0, "served": 0, "dropped": 0, "warm": 0})
    );
    assert!(processes_with(&serve.marker).is_empty());
    let mut session = serve.session(&[]);
    session.tool("pid", &json!({}));
    session.close();
    serve.wait_clean();
    assert!(processes_with(&serve.marker).is_empty());
    serve.stop();
}

#[test]
fn a_server_that_dies_at_its_start_is_reported_once() {
    let serve = Serve::misbehaving(&["die"], &[]);
    until("several tries", || (serve.log().matches("the next start is in").count() >= 2).then_some(()));
    let log = serve.log();
    for part in [
        "error the server died before it had a session: exit code 3",
        "child one reason",
        "child another reason",
    ] {
        assert_eq!(log.matches(part).count(), 1, "{part}\n{log}");
    }
    assert_eq!(log.matches("another reason").count(), 1, "{log}");
    assert!(log.contains("the next start is in 2 s") && log.contains("the next start is in 4 s"), "{log}");
    let told = serve.health().unwrap();
    assert_eq!((&told["ready"], &told["warm"]), (&json!(false), &json!(0)));
    assert_eq!(told["reason"], "the server died before it had a session: exit code 3");
    let asked = health(&serve.socket());
    let text = String::from_utf8(asked.stderr).unwrap();
    assert_eq!(asked.status.code(), Some(1));
    assert_eq!(text, "error: not ready: the server died before it had a session: exit code 3\n");
    // A session is told the same, with the last lines of stderr.
    let (status, text) = serve.start_session(&[]).ended();
    assert_eq!(status.code(), Some(3), "{text}");
    assert_eq!(text, "error: the server ended: exit code 3\n  one reason\n  another reason\n");
    serve.stop();
}

#[test]
fn a_server_that_cannot_be_started_is_reported() {
    let config = json!({"command": "/nowhere/server", "warm": 1});
    let serve = Serve::start(Some(&config), &[], marker());
    until("not ready", || {
        serve.health()?["reason"].as_str()?.contains("cannot start /nowhere/server").then_some(())
    });
    let (status, text) = serve.start_session(&[]).ended();
    assert_eq!(status.code(), Some(1));
    assert!(
        text.starts_with("error: no session: the server did not start: cannot start /nowhere/server: "),
        "{text}"
    );
    until("supervisors gone", || children(serve.pid()).is_empty().then_some(()));
    serve.stop();
}

#[test]
fn a_warm_child_that_dies_is_replaced_and_serve_is_ready_again() {
    let serve = Serve::misbehaving(&[], &[]);
    serve.wait_warm(1);
    crate::harness::signal(processes_with(&serve.marker)[0], "KILL");
    until("not ready", || (serve.health()?["ready"] == false).then_some(()));
    let mut session = serve.session(&[]);
    session.tool("pid", &json!({}));
    until("ready again", || (serve.health()?["ready"] == true).then_some(()));
    serve.stop();
}

#[test]
fn what_is_wrong_with_the_configuration_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bridge.json");
    std::fs::write(&file, json!({"command": misbehaving_server(), "warm": 9}).to_string()).unwrap();
    let config = ["serve", "--config", file.to_str().unwrap()];
    let (status, text) = crate::harness::Session::start(&config).ended();
    assert_eq!(status.code(), Some(1));
    assert!(text.contains("bridge.json: `warm` is 9, at most 4"), "{text}");
}

#[test]
fn probes_over_http() {
    let serve = Serve::misbehaving(&["die"], &["--http", "127.0.0.1:0"]);
    let address = until("an address", || {
        let log = serve.log();
        let (_, rest) = log.split_once("http://")?;
        Some(rest.split_once('/')?.0.to_owned())
    });
    let get = |path: &str| {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    assert!(get("/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
    until("a reason", || get("/readyz").contains("exit code 3").then_some(()));
    assert!(get("/readyz").starts_with("HTTP/1.1 503 "));
    // Whoever connects and says nothing is not waited for by those who come after, but for a moment.
    let _mute = std::net::TcpStream::connect(&address).unwrap();
    assert!(get("/healthz").ends_with("ok\n"));
    serve.stop();
}

#[test]
fn what_a_server_writes_before_its_session_is_the_sessions() {
    let serve = Serve::misbehaving(&["greet"], &[]);
    serve.wait_warm(1);
    let mut session = serve.start_session(&[]);
    assert_eq!(session.line(), "{\"greeting\": 1}\n");
    assert_eq!(session.ask("initialize", &json!({}))["method"], "initialize");
    session.stdin = None;
    assert_eq!(session.line(), "");
    serve.stop();
}

/// A server may take its first line as a choice: of a version of the protocol, for one.
#[test]
fn nothing_is_said_to_a_server_before_its_session() {
    let serve = Serve::misbehaving(&["strict"], &[]);
    serve.wait_warm(1);
    let mut session = serve.start_session(&[]);
    assert_eq!(session.ask("initialize", &json!({}))["method"], "initialize");
    session.close();
    assert!(!serve.log().contains("exit code 4"), "{}", serve.log());
    serve.stop();
}
