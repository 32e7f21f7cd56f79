//! The Dockerfiles with BuildKit, where the engine's client has it: the other tests build as the client does by itself.

use drydock_tests::buildkit::BuildKit;
use drydock_tests::process::{BUILD_TIMEOUT, run_with};
use drydock_tests::session::LEGACY;
use drydock_tests::wrapped::{self, Kind};
use drydock_tests::{engine_or_skip, full_or_skip, skip};

#[test]
fn packages_and_bases_build_with_buildkit_too() {
    let engine = engine_or_skip!();
    full_or_skip!();
    let buildkit = match BuildKit::find(&engine) {
        Ok(buildkit) => buildkit,
        Err(why) => skip!("{why}"),
    };
    for (kind, server, base) in
        [(Kind::Node, "sequential-thinking", "node"), (Kind::Python, "time", "python")]
    {
        let env = match wrapped::test_env(&engine, kind, &format!("buildkit-{base}")) {
            Ok(env) => env,
            Err(why) => skip!("{why}"),
        };
        let mut build = env.xtask(&["build-images", server, base, "--profile", "quick", "--no-cache"]);
        run_with(buildkit.for_command(&mut build), &[], BUILD_TIMEOUT).ok();
        env.ok(&["up", server, base]);
        let mut session = wrapped::session(&engine, &env.container(server));
        session.open(LEGACY[1]);
        assert!(!session.tools().is_empty());
    }
}
