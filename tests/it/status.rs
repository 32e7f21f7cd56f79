//! `status` and `doctor` of an engine: how much they show, and how little they ask.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use drydock_tests::engine::Engine;
use drydock_tests::process::{BUILD_TIMEOUT, TIMEOUT, run_with, wait_until};
use drydock_tests::test_env::TestEnv;
use drydock_tests::{engine_or_skip, weather};

#[test]
fn status_fits_60_columns_and_says_what_a_server_uses() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "narrow");
    env.ok(&["up", "weather"]);
    let listed = env.ok(&["status"]).stdout;
    let is_name_alone = |line: &str| !line.contains(' ');
    for line in listed.lines().filter(|it| !is_name_alone(it)) {
        assert!(line.chars().count() <= 60, "{line:?} of\n{listed}");
    }
    assert!(env.ok(&["status", "--wide"]).stdout.contains("WARM"));

    let row = |args: &[&str]| {
        let rows = env.ok(args).json();
        rows.as_array().and_then(|it| it.iter().find(|it| it["name"] == "weather")).expect("weather").clone()
    };
    if engine.program() == "docker" {
        // The engine's first figures are late on a busy machine, and docker waits 2 s for them.
        let mut measured = row(&["status", "--json"]);
        wait_until(TIMEOUT, || {
            let is_there = measured["memory_bytes"].as_u64() > Some(0) && measured["cpu_percent"].is_number();
            if !is_there {
                measured = row(&["status", "--json"]);
            }
            is_there
        });
        assert!(measured["memory_bytes"].as_u64() > Some(0), "{measured}");
        assert!(measured["cpu_percent"].is_number(), "{measured}");
    }
    let at_once = row(&["status", "--json", "--no-usage"]);
    assert!(at_once["memory_bytes"].is_null() && at_once["health"] == "ready", "{at_once}");
}

#[test]
fn containers_of_others_are_shown_with_all() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "others");
    let theirs = env.container("theirs");
    let labels =
        ["dev.drydock.server=theirs", "dev.drydock.workspace=0123456789abcdef", "dev.drydock.settings=x"];
    let labels: Vec<_> = labels.iter().flat_map(|it| ["--label", it]).collect();
    engine.ok(&[&["create", "--name", &theirs], labels.as_slice(), &[weather::IMAGE]].concat());
    let shows = |args: &[&str]| {
        let rows = env.ok(args).json();
        rows.as_array().is_some_and(|it| it.iter().any(|it| it["container"] == theirs.as_str()))
    };
    assert!(!shows(&["status", "--json", "--no-usage"]));
    assert!(shows(&["status", "--json", "--no-usage", "--all"]));
    let said = env.ok(&["status", "--no-usage"]);
    assert!(said.stderr.contains("more of other workspaces"), "{said}");
}

#[test]
fn the_engine_is_asked_each_kind_of_question_once() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "asked");
    env.ok(&["up", "weather"]);
    let labels =
        ["--label", "dev.drydock.server=theirs", "--label", "dev.drydock.workspace=0123456789abcdef"];
    engine.ok(&[&["create", "--name", &env.container("theirs")], &labels[..], &[weather::IMAGE]].concat());
    for command in ["doctor", "status"] {
        let asked = asked_by(&env, &engine, command);
        let count = |words: &str| asked.iter().filter(|it| it.starts_with(words)).count();
        for kind in ["version", "ps", "container inspect", "image ls", "image inspect", "stats"] {
            assert!(count(kind) <= 1, "{command}: {kind} {}: {asked:#?}", count(kind));
        }
        assert_eq!(count("ps"), 1, "{command}: {asked:#?}");
    }
}

/// The arguments of each program that xtask starts of the engine, which is the real one behind a list.
fn asked_by(env: &TestEnv, engine: &Engine, command: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (list, program) = (folder.path().join("list"), folder.path().join(engine.program()));
    let path = std::env::var("PATH").expect("a path");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> '{}'\nPATH='{path}' exec {} \"$@\"\n",
        list.display(),
        engine.program()
    );
    fs::write(&program, script).expect("a new file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its mode");
    let mut xtask = env.xtask(&[command, "--json"]);
    xtask.env("PATH", format!("{}:{path}", folder.path().display()));
    run_with(&mut xtask, b"", BUILD_TIMEOUT).json();
    fs::read_to_string(list).expect("a list").lines().map(str::to_owned).collect()
}
