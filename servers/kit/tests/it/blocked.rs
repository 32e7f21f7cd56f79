//! A tool that blocks the thread of its session: the session ends for certain, its calls are answered, and the log says why.

use std::io::Read;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::Session;

const BLOCKED: &str = "the session's thread is blocked by tools/call block";

fn blocking(options: &[&str]) -> Session {
    Session::initialized_of("blocking", options)
}

/// A FIFO that nobody writes to.
fn fifo() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    (folder, path)
}

type End = (&'static str, fn(&mut Session));

/// What the client does while the thread is blocked.
const ENDS: [End; 4] = [
    ("killed", |session| (session.stdin, session.stdout) = (None, None)),
    ("stdin closed", |session| session.stdin = None),
    ("stdin closed, output blocked", |session| session.stdin = None),
    ("output blocked", |_| {}),
];

#[test]
fn a_blocked_thread_keeps_no_session() {
    let (_folder, fifo) = fifo();
    let mut sessions = Vec::new();
    for how in ["loop", "sleep", fifo.to_str().unwrap()] {
        for (name, end) in ENDS {
            let mut session = blocking(&["--stall-timeout", "3"]);
            if name.ends_with("output blocked") {
                session.call(1, "talk", &json!({"bytes": 200_000}));
                session.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap(); // and no more
            }
            session.call(2, "block", &json!({"how": how}));
            end(&mut session);
            sessions.push((format!("{how}, {name}"), session));
        }
    }
    for (name, session) in sessions {
        let (status, log) = session.ended();
        assert!(!status.success() && log.contains("session ended after"), "{name}: {log}");
        assert!(log.contains(BLOCKED) && log.contains("id=2"), "{name}: {log}");
        assert!(log.matches("tools/call block id=2").count() >= 2, "{name}: the call has no line: {log}");
    }
}

#[test]
fn a_signal_ends_a_session_whose_thread_is_blocked() {
    for name in ["TERM", "INT", "HUP"] {
        let mut session = blocking(&[]);
        session.call(1, "talk", &json!({"bytes": 1}));
        session.answer();
        session.call(2, "block", &json!({"how": "loop"}));
        session.signal(name);
        let (_, log) = session.ended();
        assert!(log.contains(&format!("SIG{name}")), "{log}");
    }
}

fn is_late(answer: &Value, id: u32) -> bool {
    let text = &answer["result"]["content"][0]["text"];
    answer["id"] == id && text.as_str().is_some_and(|it| it.starts_with("the call timed out after 1 s"))
}

#[test]
fn a_call_that_blocks_its_thread_is_answered_at_its_deadline_and_then_the_session_ends() {
    let mut session = blocking(&["--call-timeout", "1"]);
    session.call(1, "block", &json!({"how": "loop"}));
    let answer = session.answer();
    assert!(is_late(&answer, 1), "{answer}");
    assert_eq!(session.line(), "", "one answer, then the end");
    let (status, log) = session.ended();
    assert!(!status.success() && log.contains(BLOCKED), "{log}");
    assert!(log.contains("tools/call block id=1") && log.contains("ms timed out"), "{log}");
    assert!(log.contains("session ended after") && log.contains("blocked for too long"), "{log}");
}

#[test]
fn a_thread_that_comes_free_goes_on_and_answers_nothing_twice() {
    let mut session = blocking(&["--call-timeout", "1"]);
    session.call(1, "block", &json!({"how": "sleep", "ms": 3500}));
    session.call(2, "talk", &json!({"bytes": 3}));
    let answer = session.answer();
    assert!(is_late(&answer, 1), "{answer}");
    assert_eq!(session.answer()["id"], 2);
    session.call(3, "talk", &json!({"bytes": 3}));
    assert_eq!(session.answer()["id"], 3);
    session.close();
    let (status, log) = session.ended();
    assert!(status.success(), "{log}");
    assert_eq!(log.matches("id=1").count(), 2, "named once as blocking, once as a request: {log}");
}

#[test]
fn a_thread_that_is_blocked_outside_of_a_call_is_noticed_too() {
    let mut session = blocking(&["--call-timeout", "1"]);
    session.call(1, "block_later", &json!({}));
    session.answer();
    std::thread::sleep(std::time::Duration::from_millis(300));
    session.call(2, "talk", &json!({"bytes": 1}));
    let (status, log) = session.ended();
    assert!(!status.success() && log.contains("the session's thread is blocked"), "{log}");
}
