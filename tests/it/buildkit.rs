//! The Dockerfiles with BuildKit, where the engine's client has it: the other tests build as the client does by itself.

use drydock_tests::process::{BUILD_TIMEOUT, run_with};
use drydock_tests::session::LEGACY;
use drydock_tests::test_env::TestEnv;
use drydock_tests::wrapped::{self, Kind};
use drydock_tests::{engine_or_skip, full_or_skip, skip};

/// As `cargo xtask ARGS`, with BuildKit.
#[track_caller]
fn with_buildkit(env: &TestEnv, args: &[&str]) {
    run_with(env.xtask(args).env("DOCKER_BUILDKIT", "1"), &[], BUILD_TIMEOUT).ok();
}

#[test]
fn packages_and_bases_build_with_buildkit_too() {
    let engine = engine_or_skip!();
    full_or_skip!();
    let mut trial = engine.command(&["build", "--quiet", "-"]);
    let trial = run_with(trial.env("DOCKER_BUILDKIT", "1"), b"FROM scratch\nLABEL trial=1\n", BUILD_TIMEOUT);
    if trial.code != Some(0) {
        skip!("this client has no BuildKit: {}", trial.stderr.trim());
    }
    for (kind, server, base) in
        [(Kind::Node, "sequential-thinking", "node"), (Kind::Python, "time", "python")]
    {
        let env = match wrapped::test_env(&engine, kind, &format!("buildkit-{base}")) {
            Ok(env) => env,
            Err(why) => skip!("{why}"),
        };
        with_buildkit(&env, &["build-images", server, base, "--profile", "quick", "--no-cache"]);
        env.ok(&["up", server, base]);
        let mut session = wrapped::session(&engine, &env.container(server));
        session.open(LEGACY[1]);
        assert!(!session.tools().is_empty());
    }
}
