//! What others wrote does not drive the terminal: a container's log, the output of a build, the text of a file.

use std::fs;

use drydock_tests::process::{TIMEOUT, wait_until};
use drydock_tests::test_env::{TestEnv, copy_workspace};
use drydock_tests::wrapped::{self, Kind};
use drydock_tests::{engine_or_skip, skip, weather};
use serde_json::json;

use crate::own;

/// A title for the window, the clipboard, C1's CSI, the direction of writing.
const EVIL: &str = "\u{1b}]0;owned\u{7}\u{1b}]52;c;b3duZWQ=\u{7}\u{9b}31m\u{202e}";

#[track_caller]
fn is_harmless(text: &str) {
    let bad = text.chars().find(|it| (it.is_control() && *it != '\n' && *it != '\t') || *it == '\u{202e}');
    assert_eq!(bad, None, "{text:?}");
    assert!(text.contains("\\u{1b}]0;owned\\u{7}"), "it is shown: {text}");
}

#[test]
fn a_log_that_a_session_wrote_into() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "escapes");
    env.ok(&["up", "weather"]);
    let pid = &engine.inspect(&env.container("weather"))["State"]["Pid"];
    // What any program of the same user can do.
    let stderr = format!("/proc/{pid}/fd/2");
    if let Err(why) = fs::OpenOptions::new()
        .append(true)
        .open(&stderr)
        .and_then(|mut it| std::io::Write::write_all(&mut it, format!("{EVIL}\n").as_bytes()))
    {
        skip!("the engine's processes are not ours to write to: {why}");
    }
    let mut log = String::new();
    assert!(wait_until(TIMEOUT, || {
        log = env.ok(&["logs", "weather"]).stderr.clone();
        log.contains("owned")
    }));
    is_harmless(&log);
}

#[test]
fn a_build_that_fails_loudly() {
    let engine = engine_or_skip!();
    if let Err(why) = wrapped::test_env(&engine, Kind::Node, "loud-base") {
        skip!("{why}")
    }
    let folder = tempfile::tempdir().unwrap();
    copy_workspace(folder.path(), "0.1.1-loud");
    let env = TestEnv::on(&engine, "loud").with_root(folder.path());
    let package = json!({ "registryType": "npm", "identifier": "loud", "version": "1.0.0", "transport": { "type": "stdio" } });
    let manifest = json!({
        "name": "loud", "version": "1.0.0", "bin": "loud.js",
        "scripts": { "build": format!("echo '{EVIL}'; exit 1") },
    });
    own::add(folder.path(), "loud", &package, &[("package.json", &manifest.to_string()), ("loud.js", "")]);
    let mut build = wrapped::build_in_copy(&env, "loud");
    let said =
        drydock_tests::process::run_with(&mut build, &[], drydock_tests::process::BUILD_TIMEOUT).fails();
    is_harmless(&said.stderr);
}

#[test]
fn a_file_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let env = TestEnv::without_engine("evil").with_root(folder.path());
    let package = json!({
        "registryType": "npm", "identifier": EVIL, "version": "1.0.0", "transport": { "type": "stdio" },
    });
    own::add(folder.path(), "evil", &package, &[]);
    is_harmless(&env.run(&["up", "evil"]).fails().stderr);
    own::add(folder.path(), "evil", &json!({ EVIL: 1 }), &[]);
    fs::write(folder.path().join("servers/evil/drydock.toml"), format!("\"{}\" = 1", EVIL.escape_default()))
        .unwrap();
    let said = env.run(&["status", "--engine", "host"]);
    assert!(!format!("{said}").contains('\u{1b}'), "{said}");
}
