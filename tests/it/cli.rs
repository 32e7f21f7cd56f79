//! The command line: help, and what it says when something is wrong.

use drydock_tests::process::{command, run};
use drydock_tests::test_env::{TestEnv, build, workspace_root};
use expect_test::{Expect, expect};

/// What a command says to a person: exit code, stdout, stderr.
#[track_caller]
fn says(env: &TestEnv, args: &[&str], expected: &Expect) {
    let it = env.run(args);
    let text = format!("{}{}exit code {}\n", it.stdout, it.stderr, it.code.unwrap_or(-1));
    expected.assert_eq(&env.normalize(&text));
}

#[test]
fn help_lists_every_command() {
    let env = TestEnv::without_engine("help");
    let help = env.ok(&["--help"]).stdout;
    let commands =
        help.split("Commands:").nth(1).and_then(|it| it.split("\n\n").next()).expect("a list of commands");
    let names: Vec<_> = commands.lines().filter_map(|it| it.split_whitespace().next()).collect();
    for name in
        "quickstart doctor build-images up down restart status logs prune check tools call install-client"
            .split(' ')
    {
        assert!(names.contains(&name), "{name} is not in the help: {help}");
    }
    for name in names.into_iter().filter(|it| *it != "help") {
        let own = env.ok(&[name, "--help"]).stdout;
        assert!(
            own.lines().next().is_some_and(|it| it.len() > 10),
            "{name} does not say what it does: {own}"
        );
        let about = own.split("Usage:").next().unwrap_or_default();
        assert!(about.contains("engine"), "{name} does not say what it does under engine `host`: {own}");
    }
}

/// xtask checks what it passes on to the client, so that nothing is compiled for a wrong word.
#[test]
fn the_client_and_its_caller_know_the_same_values() {
    let env = TestEnv::without_engine("values");
    let client = build(&["--package", "drydock-connect"], "drydock-connect");
    let versions = |help: &str| {
        let values = help.split("[possible values: ").nth(1).and_then(|it| it.split(']').next());
        values.expect("versions of the protocol").split_whitespace().collect::<String>()
    };
    let its = run(env.command(client).arg("--help")).ok().stdout;
    assert_eq!(versions(&env.ok(&["check", "--help"]).stdout), versions(&its));
    for wrong in ["0", "-1", "86401", "NaN", "soon"] {
        let it = env.run(&["check", "weather", &format!("--timeout={wrong}")]);
        assert!(it.code == Some(2) && it.stderr.contains("--timeout"), "{it}");
    }
}

/// A program that was compiled in another clone must not act on that clone.
#[test]
fn the_workspace_is_the_one_around_the_current_folder() {
    let folder = tempfile::tempdir().unwrap();
    let copied = folder.path().join("xtask");
    std::fs::copy(drydock_tests::test_env::xtask(), &copied).unwrap();
    let env = TestEnv::without_engine("around");
    let outside = run(env.command(&copied).arg("status").current_dir(env.project()));
    let problem = format!("error: there is no Drydock workspace in {}", env.project().display());
    assert!(outside.code == Some(1) && outside.stderr.starts_with(&problem), "{outside}");

    let other = TestEnv::without_engine("other").with_root(folder.path().join("other"));
    let below = folder.path().join("other/servers");
    let inside =
        run(other.command(&copied).args(["--engine", "host", "status", "--json"]).current_dir(below)).ok();
    assert_eq!(inside.stdout.trim(), "[]", "the other workspace has no servers");
}

#[test]
fn xtask_is_quick_to_build() {
    let tree = run(command("cargo")
        .current_dir(workspace_root())
        .args("tree --package xtask --edges normal,build --prefix none --format {p} --locked".split(' ')))
    .ok();
    let mut packages: Vec<&str> = tree.stdout.lines().map(|it| it.trim_end_matches(" (*)")).collect();
    packages.sort_unstable();
    packages.dedup();
    let names: Vec<_> = packages.iter().filter_map(|it| it.split(' ').next()).collect();
    assert!(names.contains(&"clap"), "that is not xtask's tree: {names:?}");
    let budget = 75;
    assert!(
        packages.len() <= budget + 1,
        "{} packages, the budget is {budget} and xtask itself",
        packages.len()
    );
}

#[test]
fn without_an_engine() {
    let env = TestEnv::without_engine("none");
    says(
        &env,
        &["up", "weather"],
        &expect![[r#"
        error: `docker` is not installed (not in PATH)

        hint: install one (Debian and Ubuntu: `sudo apt-get install docker.io`, Fedora: `sudo dnf install moby-engine`); or run Rust servers without a sandbox: --engine host
        exit code 1
    "#]],
    );
    says(
        &env,
        &["--engine", "kraken", "status"],
        &expect![[r#"
        error: there is no engine "kraken"

        hint: the engines are docker, podman and host
        exit code 2
    "#]],
    );
}

#[test]
fn names_that_nobody_has() {
    let env = TestEnv::without_engine("names");
    says(
        &env,
        &["up", "nobody"],
        &expect![[r#"
            error: there is no server "nobody"

            hint: the servers of this workspace: context7, python-example, sequential-thinking, time, weather; and the runtime images: node, python
            exit code 2
        "#]],
    );
    says(
        &env,
        &["logs", "--", "-f"],
        &expect![[r#"
            error: there is no server "-f"

            hint: the servers of this workspace: context7, python-example, sequential-thinking, time, weather; and the runtime images: node, python
            exit code 2
        "#]],
    );
    says(
        &env,
        &["call", "../weather", "find_place"],
        &expect![[r#"
            error: there is no server "../weather"

            hint: did you mean `weather`? The servers of this workspace: context7, python-example, sequential-thinking, time, weather
            exit code 2
        "#]],
    );
    let unknown = env.run(&["install-client", "notepad", "--server", "weather"]).fails();
    assert!(unknown.stderr.starts_with("error: there is no client \"notepad\"\n\nhint: "), "{unknown}");
    assert!(unknown.stderr.contains("claude-code, claude-desktop, "), "{unknown}");
    says(
        &env,
        &["--name-prefix=-v", "status"],
        &expect![[r#"
        error: --name-prefix "-v" cannot begin a container's name

        hint: use at most 64 letters, digits, `_`, `.` and `-`, and begin with a letter or digit
        exit code 2
    "#]],
    );
    says(
        &env,
        &["up", "weather", "--env", "PATH"],
        &expect![[r#"
        error: invalid value 'PATH' for '--env <KEY=VALUE>': expected KEY=VALUE

        For more information, try '--help'.
        exit code 2
    "#]],
    );
    says(
        &env,
        &["--engine", "host", "up", "nobody", "weather"],
        &expect![[r#"
            error: there is no server "nobody"

            hint: the servers of this workspace: context7, python-example, sequential-thinking, time, weather; and the runtime images: node, python
            exit code 2
        "#]],
    );
}

#[test]
fn a_manifest_with_a_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let env = TestEnv::without_engine("manifest").with_root(folder.path());
    let good = std::fs::read_to_string(workspace_root().join("servers/weather/server.json")).unwrap();
    let server = folder.path().join("servers/weather");
    std::fs::create_dir_all(&server).unwrap();
    std::fs::create_dir_all(folder.path().join("xtask")).unwrap();
    std::fs::write(server.join("Cargo.toml"), "").unwrap();
    for (from, to, expected) in [
        (
            "\"default\":",
            "\"isSecret\": true, \"default\":",
            expect![[r#"
            error: servers/weather: cannot tell what to run: servers/weather/server.json: `packages[0].environmentVariables[0]` is a secret, so the file must not hold its `value` or `default`
            exit code 1
        "#]],
        ),
        (
            "OPEN_METEO_URL",
            "--privileged",
            expect![[r#"
            error: servers/weather: cannot tell what to run: servers/weather/server.json: `packages[0].environmentVariables[0].name` must not begin with `-`, found "--privileged"
            exit code 1
        "#]],
        ),
        (
            "dev.drydock/weather",
            "weather",
            expect![[r#"
            error: servers/weather/server.json: `name` must be `namespace/name` of letters, digits, dots and dashes, found "weather"
            exit code 1
        "#]],
        ),
        (
            "\"packages\": [",
            "\"packages\": ",
            expect![[r#"
            error: servers/weather/server.json: not what a server.json may be: expected `,` or `}` at line 20 column 3
            exit code 1
        "#]],
        ),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from} is not in the manifest");
        std::fs::write(server.join("server.json"), bad).unwrap();
        says(&env, &["up", "weather"], &expected);
    }
}

#[test]
fn a_drydock_toml_with_a_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let env = TestEnv::without_engine("grants").with_root(folder.path());
    let server = folder.path().join("servers/weather");
    std::fs::create_dir_all(&server).unwrap();
    std::fs::create_dir_all(folder.path().join("xtask")).unwrap();
    std::fs::write(server.join("Cargo.toml"), "").unwrap();
    std::fs::copy(workspace_root().join("servers/weather/server.json"), server.join("server.json")).unwrap();
    for (text, expected) in [
        (
            "network = \"host\"",
            expect![[r#"
            error: servers/weather/drydock.toml:1: `network` must be "none" or "internet", found "host"
            exit code 1
        "#]],
        ),
        (
            "# mine\npriviliged = true",
            expect![[r#"
            error: servers/weather/drydock.toml:2: `priviliged` is unknown; known are network, memory, cpus, pids, sessions, warm, volumes, writable, install-scripts, args and env
            exit code 1
        "#]],
        ),
        (
            "netwrok = \"none\"",
            expect![[r#"
            error: servers/weather/drydock.toml:1: `netwrok` is unknown; known are network, memory, cpus, pids, sessions, warm, volumes, writable, install-scripts, args and env

            hint: did you mean `network`?
            exit code 1
        "#]],
        ),
        (
            "args = [\"-v\"]",
            expect![[r#"
            error: servers/weather/drydock.toml:1: `args` is for programs that Drydock starts; a Rust server takes its settings from variables: `[env]`
            exit code 1
        "#]],
        ),
        (
            "memory = 64m",
            expect![[r#"
                error: servers/weather/drydock.toml:1: string values must be quoted, expected literal string
                exit code 1
            "#]],
        ),
    ] {
        std::fs::write(server.join("drydock.toml"), text).unwrap();
        says(&env, &["up", "weather"], &expected);
    }
}
