//! Images of what `new-server` makes: with none, each and all of its parts.
//!
//! Parts -> a container that `check` finds right, and that goes without a trace. Invariant: only drydock.toml, as it was made,
//! grants it anything.

use drydock_tests::engine::Engine;
use drydock_tests::process::{BUILD_TIMEOUT, print_note, run_with};
use drydock_tests::test_env::{TestEnv, copy_workspace};
use drydock_tests::{engine_or_skip, full_or_skip, wrapped};

/// A server's name, and what `--with` names.
const SERVERS: [(&str, &str); 6] = [
    ("with-none", ""),
    ("with-http", "http-client"),
    ("with-state", "state"),
    ("with-files", "resources"),
    ("with-menu", "prompts"),
    ("with-all", "http-client,state,resources,prompts"),
];

#[test]
fn what_is_made_runs_in_its_sandbox_and_passes_check() {
    let engine = engine_or_skip!();
    full_or_skip!(); // six builds of an image
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy_workspace(folder.path(), env!("CARGO_PKG_VERSION"));
    let env = TestEnv::on(&engine, "made").with_root(folder.path());
    for (name, with) in SERVERS {
        let parts = if with.is_empty() { vec![] } else { vec!["--with", with] };
        env.ok(&[&["new-server", name][..], &parts].concat());
        run_with(&mut wrapped::build_in_copy(&env, name), &[], BUILD_TIMEOUT).ok();
        env.ok(&["up", name]);
        let checked = env.ok(&["check", name]);
        let counted = env.ok(&["call", name, "count_words", "text=so it begins"]);
        assert!(counted.stdout.contains('3'), "{counted}");
        let keeps = with.contains("state");
        if keeps {
            a_note_stays(&env, name);
        }
        let said = checked.stdout.lines().last().unwrap_or_default().to_owned();
        print_note(&format!("{name}: {said}"));
        goes(&engine, &env, name, keeps);
    }
}

#[track_caller]
fn a_note_stays(env: &TestEnv, name: &str) {
    env.ok(&["call", name, "keep_note", "name=here", "text=still"]);
    env.ok(&["restart", name]);
    let kept = env.ok(&["call", name, "keep_note", "name=here"]);
    assert!(kept.stdout.contains("still"), "{kept}");
}

#[track_caller]
fn goes(engine: &Engine, env: &TestEnv, name: &str, keeps: bool) {
    let volumes =
        || engine.ok(&["volume", "ls", "--quiet", "--filter", &format!("name={}", env.container(name))]);
    assert_eq!(!volumes().is_empty(), keeps);
    env.ok(&["remove", name, "--yes", "--volumes"]);
    let image = format!("reference=drydock/{name}");
    let left = [volumes(), engine.ok(&["image", "ls", "--quiet", "--filter", &image])];
    assert_eq!(left, ["", ""]);
    engine.run(&["inspect", &env.container(name)]).fails();
}
