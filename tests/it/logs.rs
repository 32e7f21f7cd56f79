//! `docker logs` of the one container shows what all sessions did: never what they were told.

use drydock_tests::engine::Engine;
use drydock_tests::process::{TIMEOUT, wait_until};
use drydock_tests::session::LEGACY;
use drydock_tests::{engine_or_skip, weather};
use serde_json::{Value, json};

/// A word that stands in arguments and answers only.
const CANARY: &str = "Kanarienstadt";

/// The log, once `last` stands in it.
#[track_caller]
fn log(engine: &Engine, container: &str, last: &str) -> String {
    let mut log = String::new();
    let complete = wait_until(TIMEOUT, || {
        let it = engine.run(&["logs", container]).ok();
        log = format!("{}{}", it.stdout, it.stderr);
        log.contains(last)
    });
    assert!(complete, "no {last:?} in the log:\n{log}");
    log
}

/// A session with a call that works, one with bad arguments, one of an unknown tool with a hostile name.
fn busy_session(engine: &Engine, container: &str) {
    let mut session = weather::session(engine, container);
    session.open(LEGACY[1]);
    session.call("find_place", json!({"name": CANARY}));
    session.call("find_place", json!({"name": CANARY, "limit": 99}));
    session.call("sun_times", json!({"place": CANARY}));
    let hostile = format!(
        "x\n2026-01-01T00:00:00.000Z info  tools/call forged ok \u{1b}[31m\u{202e}{}",
        "y".repeat(9000)
    );
    session.try_request("tools/call", json!({"name": hostile, "arguments": {}})).expect_err("no such tool");
    session.close();
}

#[test]
fn every_request_of_an_execd_session_is_a_line() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "logs");
    let container = env.container("weather");
    env.ok(&["up", "weather"]);
    busy_session(&engine, &container);
    let log = log(&engine, &container, "session ended");

    let line = |words: &[&str]| log.lines().filter(|line| words.iter().all(|it| line.contains(it))).count();
    assert_eq!(line(&["info", "initialize", " ms ok"]), 1, "{log}");
    assert_eq!(line(&["info", "tools/call find_place", " ms ok"]), 1, "{log}");
    assert_eq!(line(&["warn", "tools/call find_place", " ms tool error"]), 1, "{log}");
    assert_eq!(line(&["warn", "tools/call sun_times", " ms tool error"]), 1, "{log}");
    assert_eq!(line(&["warn", "tools/call x", " ms error -32602"]), 1, "{log}");
    assert!(!log.contains(CANARY), "arguments are in the log: {log}");
    assert!(
        !log.contains('\u{1b}') && !log.contains('\u{202e}'),
        "control characters are in the log: {log:?}"
    );
    assert!(log.lines().all(|it| it.len() < 4096 && it.starts_with("20")), "a line is forged or torn: {log}");

    let shown = env.ok(&["logs", "weather"]);
    for line in log.lines() {
        assert!(
            shown.stdout.contains(line) || shown.stderr.contains(line),
            "`logs` does not show {line}: {shown}"
        );
    }
}

#[test]
fn as_json_every_line_is_an_object() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "json");
    let container = env.container("weather");
    env.ok(&["up", "weather", "--env", "MCP_LOG_FORMAT=json"]);
    busy_session(&engine, &container);
    let log = log(&engine, &container, "session ended");
    let lines: Vec<Value> = log.lines().map(|it| serde_json::from_str(it).expect("a line of JSON")).collect();
    let call = lines.iter().find(|it| it["method"] == "tools/call").expect("a call is logged");
    assert_eq!(call["tool"], "find_place");
    assert_eq!(call["outcome"], "ok");
    assert!(call["ms"].as_f64().is_some_and(|it| it >= 0.0), "{call}");
    assert!(!log.contains(CANARY), "arguments are in the log: {log}");
}

#[test]
fn a_higher_level_leaves_the_good_ones_out() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "level");
    let container = env.container("weather");
    env.ok(&["up", "weather", "--env", "MCP_LOG=warn"]);
    busy_session(&engine, &container);
    let log = log(&engine, &container, "error -32602");
    assert!(log.contains("tool error") && !log.contains(" ms ok"), "{log}");
}

#[test]
fn of_several_servers_each_line_has_its_servers_name() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "several");
    env.ok(&["up", "weather"]);
    // Any container with the labels of one of ours has a log.
    let clock = env.container("clock");
    let labels = ["--label", "dev.drydock.server=clock"];
    let image = weather::IMAGE;
    engine.ok(&[&["create", "--name", &clock][..], &labels, &[image, "health"]].concat());
    engine.run(&["start", "--attach", &clock]);
    busy_session(&engine, &env.container("weather"));
    log(&engine, &env.container("weather"), "session ended");

    let both = env.ok(&["logs", "clock", "weather"]);
    let lines: Vec<_> = both.stdout.lines().chain(both.stderr.lines()).collect();
    assert!(lines.iter().all(|it| it.starts_with("clock   | ") || it.starts_with("weather | ")), "{both}");
    for name in ["clock   | ", "weather | "] {
        assert!(lines.iter().any(|it| it.starts_with(name)), "nothing of {name}: {both}");
    }
    let one = env.ok(&["logs", "weather", "--since", "1h"]);
    assert!(one.stderr.contains("session ended") && !one.stderr.contains("weather | "), "{one}");
    let none = env.ok(&["logs", "weather", "--since", "0s"]);
    assert!(!none.stdout.contains("session ended") && !none.stderr.contains("session ended"), "{none}");
}
