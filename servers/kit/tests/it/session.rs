//! Sessions of the `dice` example.

use std::io::{Read, Write};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Serve, Session, health};

#[test]
fn calls_under_way_when_input_ends_are_answered() {
    let mut session = Session::initialized(&[]);
    session.roll(1, &json!({"sides": 6, "shake": 300}));
    session.close();
    let answer = session.answer();
    assert_eq!((&answer["id"], &answer["result"]["isError"]), (&json!(1), &json!(false)));
    let (status, log) = session.ended();
    assert!(status.success() && log.contains("the client closed its end"), "{log}");
}

#[test]
fn every_protocol_version_is_spoken() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut session = Session::start(&[]);
        session.initialize(version);
        for (sides, is_error) in [(6, false), (1, true)] {
            session.roll(1, &json!({"sides": sides}));
            let result = session.answer()["result"].take();
            assert_eq!(
                (&result["isError"], &result["resultType"]),
                (&json!(is_error), &Value::Null),
                "{result}"
            );
        }
    }
    let mut session = Session::start(&[]);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}});
    session.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "server/discover", "params": {"_meta": meta}}));
    assert!(session.answer()["result"]["supportedVersions"].to_string().contains("2026-07-28"));
    for (sides, is_error) in [(6, false), (1, true)] {
        session.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"_meta": meta, "name": "roll", "arguments": {"sides": sides}}}));
        let result = session.answer()["result"].take();
        assert_eq!(
            (&result["isError"], &result["resultType"]),
            (&json!(is_error), &json!("complete")),
            "{result}"
        );
    }
}

#[test]
fn a_late_call_is_answered_with_an_error_at_its_deadline() {
    let mut session = Session::initialized(&["--call-timeout", "1"]);
    session.roll(1, &json!({"sides": 6, "shake": 600_000}));
    let answer = session.answer();
    assert_eq!(answer["result"]["isError"], true);
    assert_eq!(answer["result"]["resultType"], Value::Null, "this revision has none");
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("timed out after 1 s"), "{text}");
    session.close();
    let (_, log) = session.ended();
    assert!(log.contains("tools/call roll id=1") && log.contains("ms timed out"), "{log}");
}

#[test]
fn a_cancelled_call_is_dropped_and_the_session_goes_on() {
    let mut session = Session::initialized(&[]);
    session.roll(1, &json!({"sides": 6, "shake": 600_000}));
    session.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}));
    session.roll(2, &json!({"sides": 6}));
    assert_eq!(session.answer()["id"], 2);
    session.close();
    let (_, log) = session.ended();
    assert!(log.contains("id=1") && log.contains("ms cancelled"), "{log}");
}

#[test]
fn more_calls_than_the_cap_wait_for_their_turn() {
    let mut session = Session::initialized(&["--max-calls", "1"]);
    session.roll(1, &json!({"sides": 6, "shake": 400}));
    session.roll(2, &json!({"sides": 6}));
    assert_eq!((session.answer()["id"].clone(), session.answer()["id"].clone()), (json!(1), json!(2)));
}

#[test]
fn a_signal_ends_a_session_in_the_middle_of_a_call() {
    for name in ["TERM", "INT"] {
        let mut session = Session::initialized(&[]);
        session.roll(1, &json!({"sides": 6, "shake": 600_000}));
        session.roll(2, &json!({"sides": 6}));
        assert_eq!(session.answer()["id"], 2);
        session.signal(name);
        let (status, log) = session.ended();
        assert!(status.success(), "{log}");
        assert!(log.contains(&format!("SIG{name}")) && log.contains("ms cancelled"), "{log}");
    }
}

#[test]
fn a_client_that_stops_reading_is_ended_by_the_stall_timeout() {
    let mut session = Session::initialized(&["--stall-timeout", "1"]);
    session.roll(1, &json!({"sides": 6, "dice": 500_000}));
    let (_, log) = session.ended();
    assert!(log.contains("output was blocked for too long"), "{log}");
}

#[test]
fn a_client_that_is_gone_is_noticed_behind_blocked_output() {
    let mut session = Session::initialized(&["--stall-timeout", "600"]);
    session.roll(1, &json!({"sides": 6, "dice": 500_000}));
    session.close();
    let (_, log) = session.ended();
    assert!(log.contains("the client closed its end") || log.contains("its answers are dropped"), "{log}");
}

/// It has let its answer wait for longer than a client that is gone is waited for, and takes longer over it than a
/// session has for its end.
#[test]
fn a_client_that_closes_its_end_and_reads_slowly_has_its_whole_answer() {
    let mut session = Session::initialized(&["--stall-timeout", "600"]);
    session.roll(1, &json!({"sides": 6, "dice": 250_000}));
    std::thread::sleep(Duration::from_secs(3));
    session.close();
    std::thread::sleep(Duration::from_secs(1));
    let mut stdout = session.stdout.take().unwrap();
    let mut answer = vec![];
    let mut block = vec![0; 32 * 1024];
    loop {
        match stdout.read(&mut block).unwrap() {
            0 => break,
            n => answer.extend(&block[..n]),
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    let (_, log) = session.ended();
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_else(|e| panic!("cut off: {e}: {log}"));
    assert_eq!(answer["id"], 1);
}

#[test]
fn queued_requests_do_not_outlive_their_client() {
    let mut session = Session::initialized(&["--max-calls", "1"]);
    for id in 1..=200 {
        session.roll(id, &json!({"sides": 6, "shake": 50_000}));
    }
    session.close();
    let (_, log) = session.ended();
    assert!(log.contains("the client closed its end"), "{log}");
    assert!(log.contains("id=200") && log.contains("ms cancelled"), "{log}");
}

#[test]
fn a_flood_of_slow_calls_is_told_to_come_again_and_of_fast_ones_is_answered() {
    let mut session = Session::initialized(&["--max-calls", "1"]);
    for id in 1..=300 {
        session.roll(id, &json!({"sides": 6, "shake": 50_000}));
    }
    let answer = session.answer();
    assert!(
        answer["result"]["content"][0]["text"].as_str().unwrap().starts_with("the server is busy"),
        "{answer}"
    );
    let mut session = Session::initialized(&["--max-calls", "1"]);
    let mut stdin = session.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        for id in 1..=3000 {
            let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call",
                "params": {"name": "roll", "arguments": {"sides": 6}}});
            writeln!(stdin, "{call}").unwrap();
        }
        stdin
    });
    for _ in 1..=3000 {
        let answer = session.answer();
        assert_eq!(answer["result"]["isError"], false, "{answer}");
    }
    writer.join().unwrap();
}

#[test]
fn noise_is_skipped_and_a_huge_line_does_not_end_the_session() {
    let mut session = Session::initialized(&[]);
    let stdin = session.stdin.as_mut().unwrap();
    stdin.write_all(b"\n{\"half\": \nnot json\n\xff\xfe\n").unwrap();
    let chunk = vec![b'x'; 1 << 20];
    for _ in 0..17 {
        stdin.write_all(&chunk).unwrap();
    }
    stdin.write_all(b"\n").unwrap();
    session.roll(1, &json!({"sides": 6}));
    assert_eq!(session.answer()["id"], 1);
}

#[test]
fn serve_counts_sessions_and_takes_their_log() {
    let serve = Serve::start(&[]);
    let socket = serve.socket();
    let mut session = Session::initialized(&["--socket", socket.to_str().unwrap()]);
    assert_eq!(serve.health().unwrap(), json!({"ready": true, "sessions": 1, "served": 1, "dropped": 0}));
    session.roll(1, &json!({"sides": 77}));
    session.answer();
    session.close();
    let (_, own) = session.ended();
    assert_eq!(own, "", "a session's log belongs to serve");
    assert_eq!(serve.health().unwrap()["sessions"], 0);
    let log = serve.log();
    assert!(log.contains("[1] tools/call roll id=1") && log.contains("[1] session ended"), "{log}");
    assert!(
        !log.contains("sides") && !log.contains("You rolled"),
        "arguments or results are in the log: {log}"
    );
}

#[test]
fn serve_refuses_one_session_too_many() {
    let serve = Serve::start(&["--max-sessions", "1"]);
    let socket = serve.socket();
    let options = ["--socket", socket.to_str().unwrap()];
    let _first = Session::initialized(&options);
    let (status, text) = Session::start(&options).ended();
    assert!(!status.success());
    assert_eq!(text, "error: no session: all 1 sessions of this server are taken\n");
}

#[test]
fn serve_keeps_its_sessions_when_its_socket_is_deleted_and_is_found_again() {
    let serve = Serve::start(&[]);
    let socket = serve.socket();
    let options = ["--socket", socket.to_str().unwrap()];
    let mut session = Session::initialized(&options);
    std::fs::remove_file(&socket).unwrap();
    while serve.health().is_none() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let _second = Session::initialized(&options);
    assert_eq!(serve.health().unwrap()["sessions"], 2);
    session.roll(1, &json!({"sides": 6}));
    session.answer();
    assert!(serve.log().contains("the control socket was lost or replaced"), "{}", serve.log());
}

#[test]
fn serve_ends_on_sigterm_and_leaves_no_socket() {
    let mut serve = Serve::start(&[]);
    let kill = Command::new("kill").arg(serve.child.id().to_string()).status().unwrap();
    assert!(kill.success() && serve.child.wait().unwrap().success());
    assert!(!serve.socket().exists());
    assert_eq!(health(&serve.socket()).status.code(), Some(1));
}
