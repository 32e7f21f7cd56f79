//! Servers that are not well, people who mistype, and signals.

use std::{
    io::{BufReader, Read},
    path::Path,
    process::Stdio,
};

use serde_json::json;

use crate::{
    connect, fixture,
    fixture::{HttpServer, command, run},
};

#[test]
fn a_silent_server_meets_the_time_limit_of_its_step() {
    for protocol in ["2026-07-28", "2025-11-25", "auto"] {
        let run = connect(&["--timeout", "0.3", "--protocol", protocol, "check"], "silent");
        let expected = "error: handshake failed: no answer within 0.3 s\n\n\
                        the server's last lines on stderr:\n  | thinking\n\n\
                        hint: `--timeout SECS` sets the limit for each step\n";
        assert_eq!((run.err.as_str(), run.code), (expected, 3));
    }
}

#[test]
fn a_slow_call_meets_its_own_limit_and_is_cancelled() {
    let run = connect(&["--timeout", "2", "--json", "call", "slow"], "stdio");
    assert_eq!(run.code, 3);
    let error = &run.json()["error"];
    assert_eq!(error["step"], "call");
    assert_eq!(error["reason"], "no answer within 2 s");
    assert_eq!(error["stderr"], json!(["slow begins", "slow was cancelled"]));
}

#[test]
fn noise_on_stdout_is_named() {
    let run = connect(&["check"], "noise");
    let expected = "error: handshake failed: the server wrote to its stdout what is no MCP message: \
                    `Listening on port 8080\\u{7}`\n\n\
                    hint: a server's stdout is for MCP messages only: its log belongs on stderr\n";
    assert_eq!((run.err.as_str(), run.code), (expected, 3));
}

#[test]
fn a_server_that_dies_is_quoted() {
    for protocol in ["auto", "2025-06-18"] {
        let run = connect(&["--json", "--protocol", protocol, "check"], "dies");
        let error = &run.json()["error"];
        assert_eq!(error["reason"], "the server ended (exit status: 7) before it answered");
        let lines: Vec<_> =
            error["stderr"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        assert_eq!((lines.len(), lines[0], lines[19]), (20, "line 11\u{1b}[2J", "line 30\u{1b}[2J"));
        assert!(run.err.contains("  | line 30\\u{1b}[2J"), "{}", run.err);
        assert_eq!(run.code, 3);
    }
}

#[test]
fn a_server_that_dies_in_a_call_is_quoted() {
    let run = connect(&["call", "crash"], "stdio");
    let expected = "error: call failed: the server ended (exit status: 9) before it answered\n\n\
                    the server's last lines on stderr:\n  | out of luck\n";
    assert_eq!((run.err.as_str(), run.code), (expected, 3));
}

#[test]
fn a_list_without_end_ends() {
    let run = connect(&["check", "--json"], "circle");
    assert_eq!(run.json()["error"]["reason"], "the list goes in a circle: page `1` came twice");
    assert_eq!(run.code, 3);
}

#[test]
fn a_version_that_the_server_does_not_speak_is_an_error() {
    let run = connect(&["check", "--json", "--protocol", "2026-07-28"], "only-initialize");
    assert_eq!((&run.json()["error"]["step"], run.code), (&json!("handshake"), 3));
}

#[test]
fn what_cannot_be_started_or_reached_is_named() {
    let missing = run(&["check", "--", "no-such-server"]);
    assert!(
        missing.err.starts_with("error: start failed: cannot start `no-such-server`: "),
        "{}",
        missing.err
    );
    assert!(missing.err.contains("\n\nhint: is it installed"), "{}", missing.err);
    assert_eq!(missing.code, 3);

    let url = HttpServer::start().url.clone(); // gone again at the end of this line
    let gone = run(&["check", "--url", &url]);
    assert!(
        gone.err.starts_with("error: handshake failed: ") && gone.err.contains("onnection refused"),
        "{}",
        gone.err
    );
    assert_eq!(gone.code, 3);

    let file = run(&["check", "--url", "file:///etc/hostname"]);
    assert!(file.err.contains("`file` is neither http nor https"), "{}", file.err);
}

#[test]
fn wrong_usage_exits_with_2() {
    let cases: [(&[&str], &str); 10] = [
        (&["call", "ech", "text=x"], "error: the server has no tool `ech`; it has: bare, crash, echo"),
        // No schema is needed for these: the server is called, and refuses.
        (&["call", "ech", "{}"], "error: the server has no tool `ech`; it has: bare, crash, echo"),
        (&["call", "ech"], "error: the server has no tool `ech`; it has: bare, crash, echo"),
        (
            &["call", "echo", "x"],
            "error: `x` is neither `key=value` nor a JSON object (it takes: text, times)",
        ),
        (&["call", "echo", "times=x"], "error: `times`: `x` is not what the tool wants: integer, 1 to 3"),
        (&["call", "echo", "times=2"], "error: the tool needs `text` (string)\n"),
        (&["call", "echo"], "error: the tool needs `text` (string)\n"),
        (&["call", "eco"], "\n\nhint: did you mean `echo`?\n"),
        (&["call", "echo", "{"], "error: the arguments are no JSON: "),
        (&["--timeout", "0", "check"], "must be above 0"),
    ];
    for (words, expected) in cases {
        let run = connect(words, "stdio");
        assert!(run.err.contains(expected), "{words:?}: {}", run.err);
        assert_eq!(run.code, 2, "{words:?}");
    }
}

/// What programs decide by, so that they need not read the words; see src/report.rs.
#[test]
fn every_error_has_a_kind() {
    let cases: [(&[&str], &str, &str, i32); 8] = [
        (&["call", "echo", "times=x"], "stdio", "usage", 2),
        (&["call", "ech", "text=x"], "stdio", "usage", 2),
        (&["call", "ech", "{}"], "stdio", "usage", 2),
        (&["call", "crash"], "stdio", "disconnected", 3),
        (&["check", "--timeout", "0.3"], "silent", "timeout", 3),
        (&["check"], "noise", "protocol", 3),
        (&["check"], "circle", "protocol", 3),
        (&["check"], "dies", "disconnected", 3),
    ];
    for (words, mode, kind, code) in cases {
        let run = connect(&[&["--json"], words].concat(), mode);
        let report = run.json();
        assert_eq!((&report["ok"], &report["error"]["kind"]), (&json!(false), &json!(kind)), "{words:?}");
        assert_eq!(run.code, code, "{words:?}");
    }
    let missing = run(&["--json", "check", "--", "no-such-server"]);
    assert_eq!(missing.json()["error"]["kind"], "cannot-start");
}

/// `error.message` and `error.hint` are what stderr shows: nobody has to take it apart.
#[test]
fn the_report_holds_the_message_and_the_hint_apart() {
    for mode in ["silent", "noise", "dies"] {
        let run = connect(&["--timeout", "0.5", "--json", "check"], mode);
        let error = &run.json()["error"];
        let message = error["message"].as_str().unwrap();
        let shown = match error["hint"].as_str() {
            Some(hint) => format!("error: {message}\n\nhint: {hint}\n"),
            None => format!("error: {message}\n"),
        };
        assert_eq!(run.err, shown);
        assert!(!message.contains('\u{1b}') && !message.contains("hint: "), "{message}");
    }
}

/// A server that takes neither the end of its stdin nor TERM for an answer, and has a child of its own.
#[cfg(unix)]
const STUBBORN: &str =
    "trap '' TERM; sleep 300 & echo $$ $! >&2; echo \"{}\" >/dev/null; while :; do sleep 300; done";

#[cfg(unix)]
#[test]
fn whatever_was_started_is_ended() {
    let run = run(&["--timeout", "0.5", "--json", "check", "--", "sh", "-c", STUBBORN]);
    assert_eq!(run.code, 3);
    let report = run.json();
    let pids = report["error"]["stderr"][0].as_str().unwrap();
    assert_eq!(pids.split(' ').count(), 2, "{pids}");
    for pid in pids.split(' ') {
        assert!(!is_running(pid), "{pid} is still there");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_server_before_us() {
    for (signal, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        let mut ours = command(Path::new(env!("CARGO_BIN_EXE_drydock-connect")))
            .args(["check", "--", "sh", "-c", "echo $$ >\"$0\"; exec \"$1\" silent"])
            .arg(pid_file(signal).as_os_str())
            .arg(fixture())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let server = wait_for(&pid_file(signal));
        assert!(is_running(&server));
        assert!(
            command(Path::new("kill"))
                .args([&format!("-{signal}"), &ours.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        let code = ours.wait().unwrap().code();
        assert_eq!(code, Some(128 + number), "{signal}");
        assert!(!is_running(&server), "{signal}: the server is still there");
        let mut said = String::new();
        BufReader::new(ours.stderr.take().unwrap()).read_to_string(&mut said).unwrap();
        assert!(said.starts_with("error: handshake failed: interrupted"), "{said}");
        std::fs::remove_file(pid_file(signal)).unwrap();
    }
}

#[cfg(unix)]
fn pid_file(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("drydock-connect-{}-{name}", std::process::id()))
}

/// The line that a process is about to write into this file.
#[cfg(unix)]
fn wait_for(file: &Path) -> String {
    for _ in 0..1_000 {
        if let Ok(text) = std::fs::read_to_string(file)
            && let Some(line) = text.strip_suffix('\n')
        {
            return line.into();
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("nothing in {}", file.display());
}

/// A zombie has ended too: nobody here reaps the orphans of others.
#[cfg(unix)]
fn is_running(pid: &str) -> bool {
    let output = command(Path::new("ps")).args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = String::from_utf8(output.stdout).unwrap();
    !state.trim().is_empty() && !state.trim_start().starts_with('Z')
}
