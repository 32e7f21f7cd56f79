//! The command line: help, and what it says when something is wrong.

use drydock_tests::process::{command, run};
use drydock_tests::world::{World, workspace_root};
use expect_test::{Expect, expect};

/// What a command says to a person: exit code, stdout, stderr.
#[track_caller]
fn says(world: &World, args: &[&str], expected: &Expect) {
    let it = world.run(args);
    let text = format!("{}{}exit code {}\n", it.stdout, it.stderr, it.code.unwrap_or(-1));
    expected.assert_eq(&world.normal(&text));
}

#[test]
fn help_lists_every_command() {
    let world = World::without_engine("help");
    let help = world.ok(&["--help"]).stdout;
    let commands =
        help.split("Commands:").nth(1).and_then(|it| it.split("\n\n").next()).expect("a list of commands");
    let names: Vec<_> = commands.lines().filter_map(|it| it.split_whitespace().next()).collect();
    let all = "quickstart doctor build-images up down status logs check tools call \
               install-client uninstall-client clients test ci";
    for name in all.split_whitespace() {
        assert!(names.contains(&name), "{name} is not in the help: {help}");
        let own = world.ok(&[name, "--help"]).stdout;
        assert!(
            own.lines().next().is_some_and(|it| it.len() > 10),
            "{name} does not say what it does: {own}"
        );
        let about = own.split("Usage:").next().unwrap_or_default();
        assert!(about.contains("host"), "{name} does not say what it does under engine `host`: {own}");
    }
}

#[test]
fn xtask_is_quick_to_build_and_speaks_no_mcp() {
    let tree = run(command("cargo")
        .current_dir(workspace_root())
        .args("tree --package xtask --edges normal,build --prefix none --format {p} --locked".split(' ')))
    .ok();
    let mut packages: Vec<&str> = tree.stdout.lines().map(|it| it.trim_end_matches(" (*)")).collect();
    packages.sort_unstable();
    packages.dedup();
    let names: Vec<_> = packages.iter().filter_map(|it| it.split(' ').next()).collect();
    for heavy in ["rmcp", "tokio", "reqwest", "hyper", "drydock-kit", "drydock-connect"] {
        assert!(!names.contains(&heavy), "xtask depends on {heavy}: run it as a program instead");
    }
    assert!(names.contains(&"clap"), "that is not xtask's tree: {names:?}");
    assert!(packages.len() <= 61, "{} packages, the budget is 60 and xtask itself", packages.len());
}
