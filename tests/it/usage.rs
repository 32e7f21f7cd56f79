//! What the command line answers where nothing is done: help, the version, exit codes, JSON of a failure, a preview.

use std::process::Stdio;
use std::time::Instant;

use drydock_tests::process::{TIMEOUT, command, run, wait_until};
use drydock_tests::test_env::{TestEnv, workspace_root};
use serde_json::Value;

#[test]
fn help_and_the_version() {
    let env = TestEnv::without_engine("version");
    let version = env.ok(&["--version"]).stdout;
    assert_eq!(version.trim(), format!("cargo xtask {}", env!("CARGO_PKG_VERSION")));
    let help = env.ok(&["--help"]).stdout;
    assert_eq!(env.ok(&["help"]).stdout, help);
    assert!(env.ok(&["help", "up"]).stdout.contains("--no-build"));
    // The prefix is in the environment: that must not count as an argument.
    let bare = env.ok(&[]);
    assert!(bare.stdout.contains("Commands:") && bare.stderr.is_empty(), "{bare}");
}

/// clap puts what it takes from a variable into the usage of an error, as if it were required.
#[test]
fn the_usage_of_an_error_has_no_option_that_nobody_gave() {
    let env = TestEnv::without_engine("usage");
    let it = env.run(&["down", "--nosuch"]);
    assert_eq!(it.code, Some(2), "{it}");
    assert!(it.stderr.contains("Usage: cargo xtask down") && !it.stderr.contains("<PREFIX>"), "{it}");
}

#[test]
fn wrong_usage_is_told_from_failure_by_the_exit_code() {
    let env = TestEnv::without_engine("codes");
    for wrong in [
        &["call", "nosuch", "tool"][..],
        &["tools", "nosuch"],
        &["check", "nosuch"],
        &["up", "nosuch"],
        &["restart", "nosuch"],
        &["logs", "nosuch"],
        &["install-client", "nosuch"],
        &["--engine", "kraken", "status"],
        &["up", "--nosuch"],
        &["logs", "weather", "--since", "soon"],
    ] {
        let it = env.run(wrong);
        assert_eq!(it.code, Some(2), "{it}");
    }
    for failed in [&["status"][..], &["down"], &["check", "weather"], &["prune"]] {
        let it = env.run(failed);
        assert_eq!(it.code, Some(1), "there is no engine: {it}");
    }
    // 1 would be the tool's own error.
    for unanswered in [&["call", "weather", "find_place"][..], &["tools", "weather"]] {
        let it = env.run(unanswered);
        assert_eq!(it.code, Some(3), "there is no engine: {it}");
    }
}

#[test]
fn json_is_printed_also_of_a_failure() {
    let env = TestEnv::without_engine("json");
    for args in [
        &["status", "--json"][..],
        &["check", "weather", "--json"],
        &["tools", "weather", "--json"],
        &["call", "weather", "find_place", "name=Paris", "--json"],
        &["clients", "nosuch", "--json"],
        &["doctor", "--as-client", "nosuch", "--json"],
        &["status", "--json", "--nosuch"],
    ] {
        let it = env.run(args).fails();
        let json = it.json();
        let message = json["error"]["message"].as_str().unwrap_or_else(|| panic!("{it}"));
        assert!(it.stderr.contains(message.lines().next().unwrap_or_default()), "{it}");
        let mut keys: Vec<_> = json["error"].as_object().expect("an object").keys().cloned().collect();
        keys.sort();
        assert_eq!(keys, ["hint", "message"], "{it}");
    }
    let it = env.run(&["status", "--json"]);
    assert!(it.json()["error"]["hint"].as_str().is_some_and(|it| it.contains("--engine host")), "{it}");
    // A listing that says itself what is wrong is the only document.
    assert!(env.run(&["doctor", "--json"]).json().is_array());
}

/// Nothing is written, so nobody has to be asked.
#[test]
fn a_preview_of_entries_needs_no_engine() {
    let env = TestEnv::without_engine("preview");
    const INSTALL: [&str; 4] = ["install-client", "cursor", "--server", "weather"];
    let install = |more: &[&'static str]| [&INSTALL[..], more].concat();
    // Not the clone's own folder: `quickstart` may have written into that.
    let project = env.project();
    let project = ["--project", project.to_str().unwrap()];
    for way in [&[][..], &["--via", "run"], &project] {
        let shown = env.ok(&[&install(&["--dry-run"])[..], way].concat());
        assert!(shown.stdout.contains("+      \"command\": \"docker\""), "{shown}");
        assert!(shown.stderr.contains("no engine was asked"), "{shown}");
    }
    let own = ["install-client", "cursor", "--container", "mcp-node", "--dry-run", "--", "npx", "x"];
    assert!(env.ok(&own).stdout.contains("mcp-node"));
    assert!(env.ok(&install(&["--print"])).stdout.contains("mcp-weather"));
    assert!(env.run(&install(&[])).fails().stderr.contains("is not installed"));
    assert!(!env.home().join(".cursor").exists(), "a preview wrote something");
}

/// A suggested command can be pasted: it means the same containers.
#[test]
fn suggested_commands_keep_the_prefix() {
    let env = TestEnv::without_engine("pasted");
    let manifest = r#"{ "name": "io.github.ana/key", "description": "x", "version": "1.0.0",
        "packages": [{ "registryType": "npm", "identifier": "key", "version": "1.0.0", "transport": { "type": "stdio" },
            "environmentVariables": [{ "name": "REGION", "isRequired": true }] }] }"#;
    let root = tempfile::tempdir().unwrap();
    let env = env.with_root(root.path());
    std::fs::create_dir_all(root.path().join("servers/key")).unwrap();
    std::fs::copy(workspace_root().join("clients/cursor.toml"), root.path().join("clients/cursor.toml"))
        .unwrap();
    std::fs::write(root.path().join("servers/key/server.json"), manifest).unwrap();
    let shown = run(env
        .xtask(&["--name-prefix", "b-", "install-client", "cursor", "--via", "run", "--dry-run"])
        .env("DRYDOCK_NAME_PREFIX", "a-"))
    .fails();
    assert!(shown.stderr.contains("hint: cargo xtask --name-prefix b- up key --env REGION=VALUE"), "{shown}");
}

/// Also where a command has listened for it to clean up.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_130() {
    use std::os::unix::process::CommandExt;

    let env = TestEnv::without_engine("ctrl-c");
    let started = env.project().join("started");
    let entry = serde_json::json!({ "mcpServers": { "slow": {
        "command": "sh", "args": ["-c", format!("touch '{}'; exec sleep 1000", started.display())] } } });
    std::fs::create_dir(env.project().join(".cursor")).unwrap();
    std::fs::write(env.project().join(".cursor/mcp.json"), entry.to_string()).unwrap();
    let project = env.project().display().to_string();
    let words = [
        "check",
        "slow",
        "--client",
        "cursor",
        "--scope",
        "project",
        "--project",
        &project,
        "--force",
        "--json",
    ];
    let mut child = env
        .xtask(&words)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xtask");
    let began = Instant::now();
    // It may have to compile our client first.
    let is_started = wait_until(drydock_tests::process::BUILD_TIMEOUT, || {
        started.exists() || child.try_wait().is_ok_and(|it| it.is_some())
    });
    assert!(is_started && started.exists(), "not started after {:?}", began.elapsed());
    // As a terminal does it: to the whole group.
    run(command("kill").args(["-INT", "--", &format!("-{}", child.id())])).ok();
    let ended = wait_until(TIMEOUT, || child.try_wait().is_ok_and(|it| it.is_some()));
    if !ended {
        child.kill().expect("xtask can be killed");
    }
    let output = child.wait_with_output().expect("xtask's output");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["error"]["message"], "interrupted");
}
