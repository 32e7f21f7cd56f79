//! `quickstart` in a fresh copy of the workspace, with and without an engine: the README's first command.

use drydock_tests::process::{BUILD_TIMEOUT, CommandOutput, run_with};
use drydock_tests::test_env::{TestEnv, copy_workspace};
use drydock_tests::{engine_or_skip, full_or_skip, weather};

/// Runs it in a copy, then asks through the entries that it wrote there.
#[track_caller]
fn quickstart(env: TestEnv, version: &str) -> CommandOutput {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy_workspace(folder.path(), version);
    let env = env.with_root(folder.path());
    let done = run_with(&mut env.xtask(&["quickstart"]), &[], BUILD_TIMEOUT).ok();
    let screen = &done.stdout;
    for tool in weather::TOOLS {
        assert!(screen.contains(tool), "{tool} is not on the last screen: {done}");
    }
    assert!(screen.contains("Reykjavík"), "no answer on the last screen: {done}");
    for client in ["cursor", "claude-code"] {
        let rows = env.ok(&["check", "--client", client, "--scope", "project", "--json"]).json();
        assert_eq!(rows[0]["ok"], true, "{rows}");
    }
    // A second time, nothing is in the way of it.
    run_with(&mut env.xtask(&["quickstart"]), &[], BUILD_TIMEOUT).ok();
    done
}

#[test]
fn with_an_engine() {
    let engine = engine_or_skip!();
    full_or_skip!();
    let done = quickstart(TestEnv::on(&engine, "quick"), "0.1.1-quick");
    assert!(!done.stderr.contains("WITHOUT a sandbox"), "{done}");
}

#[test]
fn without_an_engine() {
    full_or_skip!();
    let done = quickstart(TestEnv::without_engine("noengine"), "0.1.1-noengine");
    assert!(done.stderr.contains("WITHOUT a sandbox"), "{done}");
}
