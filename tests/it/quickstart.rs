//! `quickstart` in a fresh copy of the workspace, with and without an engine: the README's first command, and its picture.

use drydock_tests::process::CommandOutput;
use drydock_tests::test_env::{TestEnv, copy_workspace};
use drydock_tests::{engine_or_skip, full_or_skip, recording, weather};

/// Runs it in a copy, then asks through the entries that it wrote there. Returns the session as a person sees it, too.
#[track_caller]
fn quickstart(env: TestEnv, version: &str) -> (CommandOutput, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy_workspace(folder.path(), version);
    let env = env.with_root(folder.path());
    let done = recording::run(&env);
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
    recording::run(&env);
    let session = recording::session(&done, &env, version);
    (done, session)
}

#[test]
fn with_an_engine() {
    let engine = engine_or_skip!();
    full_or_skip!();
    let (done, session) = quickstart(TestEnv::on(&engine, "quick"), "0.1.1-quick");
    assert!(!done.stderr.contains("WITHOUT a sandbox"), "{done}");
    let recorded = std::fs::read_to_string(recording::path()).expect("the recorded session");
    assert_eq!(
        recording::comparable(&session),
        recording::comparable(&recorded),
        "docs/quickstart.txt is stale: cargo run -p drydock-tests --bin quickstart-svg -- --record"
    );
}

#[test]
fn without_an_engine() {
    full_or_skip!();
    let (done, _) = quickstart(TestEnv::without_engine("noengine"), "0.1.1-noengine");
    assert!(done.stderr.contains("WITHOUT a sandbox"), "{done}");
}
