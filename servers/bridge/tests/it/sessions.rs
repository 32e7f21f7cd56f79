//! What sessions have of the bridge: a server each, every byte, and a log.

use std::io::{Read, Write};

use serde_json::json;

use crate::harness::{Serve, Session, marker, memory, misbehaving_server, processes_with, until};

#[test]
fn two_sessions_never_see_each_others_thoughts() {
    let serve = Serve::misbehaving(&[], &[]);
    let (mut one, mut two) = (serve.session(&[]), serve.session(&[]));
    assert_ne!(one.tool("pid", &json!({})), two.tool("pid", &json!({})));
    one.tool("think", &json!({"text": "a"}));
    assert_eq!(two.tool("think", &json!({"text": "b"})), json!({"thoughts": ["b"]}));
    assert_eq!(one.tool("think", &json!({"text": "c"})), json!({"thoughts": ["a", "c"]}));
    assert_eq!(serve.health().unwrap()["sessions"], 2);
    let (status, text) = one.close();
    assert!(status.success() && text.is_empty(), "{text}");
    assert_eq!(two.tool("think", &json!({"text": "d"})), json!({"thoughts": ["b", "d"]}));
    two.close();
    // A third one gets neither's server.
    let mut three = serve.session(&[]);
    assert_eq!(three.tool("think", &json!({"text": "e"})), json!({"thoughts": ["e"]}));
    drop(three);
    serve.wait_clean();
    serve.stop();
}

#[test]
fn twenty_at_once() {
    let serve = Serve::misbehaving(&[], &["--warm", "4"]);
    let mut sessions: Vec<Session> = (0..20).map(|_| serve.start_session(&[])).collect();
    for (number, session) in sessions.iter_mut().enumerate() {
        session.call("think", &json!({"text": number.to_string()}));
    }
    for (number, session) in sessions.iter_mut().enumerate() {
        assert_eq!(session.answer(), json!({"thoughts": [number.to_string()]}));
    }
    assert_eq!(serve.health().unwrap()["sessions"], 20);
    drop(sessions);
    until("an end of all", || (serve.health()?["sessions"] == 0).then_some(()));
    serve.wait_warm(4);
    assert_eq!(processes_with(&serve.marker).len(), 4);
    serve.stop();
}

#[test]
fn a_message_of_50_mb_is_intact_and_costs_no_memory() {
    let config = json!({"command": "cat"});
    let serve = Serve::start(Some(&config), &[], marker());
    let mut session = serve.start_session(&[]);
    let mut line = br#"{"id":2,"method":"tools/call","params":{"name":"echo","arguments":{"text":""#.to_vec();
    line.extend((0..50_000_000_u32).map(|it| b"0123456789abcdefghijklmnopqrstuvwxyz"[(it % 36) as usize]));
    line.extend(b"\"}}}\n");
    let mut stdin = session.stdin.take().unwrap();
    let sent = line.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&sent).map(|()| stdin));
    let mut got = vec![0; line.len()];
    session.stdout.as_mut().unwrap().read_exact(&mut got).unwrap();
    assert!(got == line);
    let (ours, serves) = (memory(session.child.id(), "VmHWM"), memory(serve.pid(), "VmHWM"));
    assert!(ours < 8_000 && serves < 8_000, "{ours} kB in the session, {serves} kB in serve");
    drop(writer.join().unwrap().unwrap());
    assert!(session.ended().0.success());
    until("the log", || serve.log().contains("tools/call echo id=2").then_some(()));
    assert!(!serve.log().contains("abcdef"), "arguments are in the log");
}

#[test]
fn bytes_pass_unchanged_whatever_they_are() {
    let config = json!({"command": "cat", "warm": 1});
    let serve = Serve::start(Some(&config), &[], marker());
    let mut session = serve.start_session(&[]);
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|it| (it.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut stdin = session.stdin.take().unwrap();
    let sent = bytes.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&sent).unwrap());
    let mut got = Vec::new();
    session.stdout.as_mut().unwrap().read_to_end(&mut got).unwrap();
    writer.join().unwrap();
    assert!(got == bytes, "{} bytes came of {}", got.len(), bytes.len());
    let (status, text) = session.ended();
    assert!(status.success() && text.is_empty(), "{text}");
}

#[test]
fn the_log_has_requests_but_no_arguments() {
    let serve = Serve::misbehaving(&[], &[]);
    let mut session = serve.session(&[]);
    session.tool("think", &json!({"text": "a secret thought"}));
    session.tool("fail", &json!({}));
    session.call("noise", &json!({}));
    assert_eq!(session.line(), "this is no JSON\n", "noise is passed on");
    session.answer();
    drop(session);
    serve.wait_clean();
    let log = serve.log();
    for part in [
        "[1] initialize id=1 ",
        "[1] tools/call think id=2 ",
        "ms ok\n",
        "[1] tools/call fail id=3 ",
        "ms tool error\n",
    ] {
        assert!(log.contains(part), "{part}\n{log}");
    }
    assert!(log.contains("child") && log.contains(&format!("{} is up", serve.marker)), "{log}");
    assert!(!log.contains("secret"), "{log}");
    assert_eq!(log.matches("what is no JSON-RPC").count(), 1, "{log}");
}

#[test]
fn stderr_of_a_server_is_in_the_log_with_its_session() {
    let serve = Serve::misbehaving(&[], &[]);
    let mut one = serve.session(&[]);
    let mut two = serve.session(&[]);
    two.tool("say", &json!({"n": 2}));
    one.tool("say", &json!({"n": 1}));
    until("both", || (serve.log().matches("word 0").count() == 2).then_some(()));
    let log = serve.log();
    assert!(log.contains("child [1] word 0") && log.contains("child [2] word 1"), "{log}");
    assert!(log.lines().all(|it| it.len() < 4096));
}

#[test]
fn one_session_too_many_is_refused_clearly() {
    let serve = Serve::misbehaving(&[], &["--max-sessions", "1"]);
    let mut first = serve.session(&[]);
    let (status, text) = serve.start_session(&[]).ended();
    assert_eq!(
        (status.code(), text.as_str()),
        (Some(1), "error: no session: all 1 sessions of this server are taken\n")
    );
    first.tool("pid", &json!({}));
    // A client that reconnects finds the place that it has just left, though its server is not gone yet.
    drop(first);
    let mut second = serve.session(&[]);
    second.call("sleep", &json!({"n": 300}));
    second.stdin = None;
    serve.session(&[]);
    assert_eq!(serve.health().unwrap()["served"], 3);
}

#[test]
fn without_a_serve_a_session_starts_its_own_server() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("none.sock");
    let marker = marker();
    let exe = misbehaving_server();
    let args = [
        "--socket",
        socket.to_str().unwrap(),
        "stdio",
        "--",
        exe.to_str().unwrap(),
        &marker,
        "leave-orphans",
    ];
    let mut session = Session::start(&args);
    session.tool("think", &json!({"text": "a"}));
    let (status, text) = session.close();
    assert!(status.success() && text.contains("tools/call think id=1"), "{text}");
    until("all gone", || processes_with(&marker).is_empty().then_some(()));
    let (status, text) = Session::start(&["--socket", socket.to_str().unwrap(), "stdio"]).ended();
    assert_eq!(status.code(), Some(1));
    assert_eq!(
        text,
        "error: no session: no server is wrapped here\n\nhint: give a command, `stdio -- CMD`\n"
    );
}

#[test]
fn a_serve_that_wraps_nothing_counts_sessions_with_a_command() {
    let serve = Serve::start(None, &["--max-sessions", "1"], marker());
    assert_eq!(serve.health().unwrap()["ready"], true);
    let (status, text) = serve.start_session(&[]).ended();
    assert!(status.code() == Some(1) && text.contains("no server is wrapped here"), "{text}");
    let exe = misbehaving_server();
    let command = ["--", exe.to_str().unwrap(), &serve.marker];
    let mut session = serve.session(&command);
    session.tool("pid", &json!({}));
    assert_eq!(serve.health().unwrap()["sessions"], 1);
    let (_, text) = serve.start_session(&command).ended();
    assert!(text.contains("all 1 sessions"), "{text}");
    assert!(session.close().0.success());
    serve.wait_clean();
    assert!(serve.log().contains("tools/call pid"), "{}", serve.log());
    serve.stop();
}
