//! `up` and `down`: twice the same, ours alone, whole or not at all.

use drydock_tests::engine::workspace_id;
use drydock_tests::process::{BUILD_TIMEOUT, TIMEOUT, run_with, wait_until};
use drydock_tests::session::LEGACY;
use drydock_tests::test_env::{TestEnv, copy_workspace};
use drydock_tests::{engine_or_skip, weather};

const QUIET: &str = "MCP_LOG=warn";

/// What stands in the environment, as `status` tells.
#[track_caller]
fn state(env: &TestEnv) -> (String, String) {
    let rows = env.ok(&["status", "--json"]).json();
    let rows = rows.as_array().expect("a list of servers");
    let row = rows.iter().find(|it| it["name"] == "weather").expect("weather is in the list");
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    (text("state"), text("health"))
}

#[test]
fn up_and_down_can_be_run_twice() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "twice");
    let container = env.container("weather");
    let identity = || engine.inspect(&container)["Id"].as_str().map(str::to_owned);

    env.ok(&["down", "weather"]);
    env.ok(&["up", "weather"]);
    let first = identity();
    assert_eq!(state(&env), ("running".to_owned(), "ready".to_owned()));

    let again = env.ok(&["up", "weather"]);
    assert!(again.stderr.contains("already up"), "{again}");
    assert_eq!(identity(), first);

    engine.ok(&["stop", &container]);
    assert_eq!(state(&env).0, "exited");
    env.ok(&["up", "weather"]);
    assert_eq!(identity(), first, "a stopped one is started, not made anew");

    env.ok(&["down", "weather"]);
    assert_eq!(engine.run(&["container", "inspect", &container]).code, Some(1), "down left it there");
    env.ok(&["down", "weather"]);
}

#[test]
fn other_settings_make_it_anew_but_not_under_an_open_session() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "anew");
    let container = env.container("weather");
    let identity = || engine.inspect(&container)["Id"].as_str().map(str::to_owned);
    env.ok(&["up", "weather"]);
    let first = identity();

    let mut session = weather::session(&engine, &container);
    session.open(LEGACY[0]);
    let refused = env.run(&["up", "weather", "--env", QUIET]).fails();
    assert!(refused.stderr.contains("1 open session") && refused.stderr.contains("--force"), "{refused}");
    assert_eq!(identity(), first);
    assert_eq!(session.tools(), weather::TOOLS, "the session goes on");

    env.ok(&["up", "weather", "--env", QUIET, "--force"]);
    let second = identity();
    assert_ne!(second, first);
    env.ok(&["up", "weather", "--env", QUIET]);
    assert_eq!(identity(), second);
    env.ok(&["up", "weather"]);
    assert_ne!(identity(), second, "without the variable it is another container");
}

#[test]
fn a_restart_is_a_new_container_but_not_under_an_open_session() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "restart");
    let container = env.container("weather");
    let identity = || engine.inspect(&container)["Id"].as_str().map(str::to_owned);
    assert!(env.ok(&["restart"]).stderr.contains("no container of ours is there"));
    env.ok(&["restart", "weather"]);
    let first = identity();

    let mut session = weather::session(&engine, &container);
    session.open(LEGACY[0]);
    let refused = env.run(&["restart", "weather"]).fails();
    assert!(refused.stderr.contains("1 open session") && refused.stderr.contains("--force"), "{refused}");
    assert_eq!(identity(), first);
    assert_eq!(session.tools(), weather::TOOLS, "the session goes on");

    env.ok(&["restart", "--force"]);
    assert_ne!(identity(), first);
    assert_eq!(state(&env), ("running".to_owned(), "ready".to_owned()));
}

/// What is wrong is seen before anything is stopped for it.
#[test]
fn a_wrong_setting_leaves_the_container_as_it_is() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "wrong-setting");
    let container = env.container("weather");
    env.ok(&["up", "weather"]);
    let before = engine.inspect(&container)["Id"].clone();
    let refused = env.run(&["up", "weather", "--env", "MCP_LOG=everything"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("MCP_LOG must be one of"), "{refused}");
    let after = engine.inspect(&container);
    assert!(after["Id"] == before && after["State"]["Running"] == true, "{}", after["State"]);
}

/// Nobody knows whether sessions are open in it: it is neither stopped nor made anew.
#[test]
fn a_container_that_does_not_answer_is_left_as_it_is() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "mute");
    let container = env.container("weather");
    env.ok(&["up", "weather"]);
    let before = engine.inspect(&container)["Id"].clone();
    let mut session = weather::session(&engine, &container);
    session.open(LEGACY[0]);

    // The engine gives up when a process starts at that moment, as the health check does.
    assert!(wait_until(TIMEOUT, || engine.run(&["pause", &container]).code == Some(0)), "it does not pause");
    for settings in [&[][..], &["--env", QUIET]] {
        let refused = env.run(&[&["up", "weather"][..], settings].concat()).fails();
        assert!(refused.stderr.contains("it was left as it is"), "{refused}");
    }
    engine.ok(&["unpause", &container]);

    let after = engine.inspect(&container);
    assert!(after["Id"] == before && after["State"]["Running"] == true, "{}", after["State"]);
    assert_eq!(session.tools(), weather::TOOLS, "the session goes on");
}

#[test]
fn an_unmanaged_container_of_the_same_name_is_left_alone() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "unmanaged");
    let container = env.container("weather");
    // Made by hand, from our own image: it carries the image's labels, and is not ours for that.
    engine.ok(&["create", "--name", &container, weather::IMAGE]);
    let before = engine.inspect(&container);
    for args in [&["up", "weather"][..], &["up", "weather", "--adopt"], &["up", "weather", "--force"]] {
        let refused = env.run(args).fails();
        assert!(refused.stderr.contains("is not managed by Drydock"), "{refused}");
        assert!(refused.stderr.contains("--name-prefix"), "{refused}");
    }
    let down = env.run(&["down", "weather"]).fails();
    assert!(down.stderr.contains("left as it is"), "{down}");
    // It is in nobody else's way.
    let both = env.run(&["down", "weather", "node"]).fails();
    assert!(both.stderr.contains("mcp-node: not there") && both.stderr.contains("1 of 2"), "{both}");
    assert_eq!(engine.inspect(&container), before);
}

#[test]
fn another_workspaces_container_is_taken_over_only_on_demand() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "adopt");
    let container = env.container("weather");
    let mut create = vec!["create", "--name", &container];
    create.extend([
        "--label",
        "dev.drydock.server=weather",
        "--label",
        "dev.drydock.workspace=00000000deadbeef",
    ]);
    create.extend(["--label", "dev.drydock.settings=0000000000000000", weather::IMAGE]);
    engine.ok(&create);
    let before = engine.inspect(&container);

    let refused = env.run(&["up", "weather"]).fails();
    assert!(refused.stderr.contains("00000000deadbeef") && refused.stderr.contains("--adopt"), "{refused}");
    env.run(&["down", "weather"]);
    assert_eq!(engine.inspect(&container), before);

    env.ok(&["up", "weather", "--adopt"]);
    assert_ne!(engine.inspect(&container)["Id"], before["Id"]);
    assert_eq!(state(&env), ("running".to_owned(), "ready".to_owned()));
}

#[test]
fn a_server_that_does_not_come_up_is_stopped_and_keeps_its_log() {
    let engine = engine_or_skip!();
    drop(weather::test_env(&engine, "broken-image")); // the image that ours is made from
    let folder = tempfile::tempdir().expect("a temporary folder");
    let version = "0.1.1-broken";
    copy_workspace(folder.path(), version);
    let env = TestEnv::on(&engine, "broken").with_root(folder.path());
    let image = format!("drydock/weather/{}:{version}", workspace_id());
    let dockerfile = format!("FROM {}\nENV MCP_LOG=loud\n", weather::IMAGE);
    let mut build = engine.command(&["build", "--quiet", "--tag", &image, "-"]);
    run_with(&mut build, dockerfile.as_bytes(), BUILD_TIMEOUT).ok();
    let failed = env.run(&["up", "weather", "--no-build"]).fails();
    assert!(
        failed.stderr.contains("MCP_LOG") && failed.stderr.contains("loud"),
        "its own words are shown: {failed}"
    );
    let left = &engine.inspect(&env.container("weather"))["State"];
    assert_eq!(left["Running"], false, "{left}");
    assert!(env.ok(&["logs", "weather"]).stderr.contains("loud"));
    env.ok(&["up", "weather", "--no-build", "--env", "MCP_LOG=info"]);
    assert_eq!(state(&env), ("running".to_owned(), "ready".to_owned()));
    env.ok(&["down", "weather"]);
    engine.ok(&["rmi", &image]);
}

/// Also where the volumes of both are the same: one at a time has them.
#[test]
fn what_serves_goes_only_for_what_serves_in_its_place() {
    let engine = engine_or_skip!();
    drop(weather::test_env(&engine, "replaced-image")); // the image that ours is made from
    let folder = tempfile::tempdir().expect("a temporary folder");
    let version = "0.1.1-replaced";
    copy_workspace(folder.path(), version);
    let env = TestEnv::on(&engine, "replaced").with_root(folder.path());
    let (image, container) =
        (format!("drydock/weather/{}:{version}", workspace_id()), env.container("weather"));
    let make = |line: &str| {
        let dockerfile = format!("FROM {}\n{line}\n", weather::IMAGE);
        let mut build = engine.command(&["build", "--quiet", "--tag", &image, "-"]);
        run_with(&mut build, dockerfile.as_bytes(), BUILD_TIMEOUT).ok();
    };
    make("");
    env.ok(&["up", "weather", "--no-build"]);
    let good = engine.inspect(&container);

    make("ENV MCP_LOG=loud");
    let failed = env.run(&["up", "weather", "--no-build"]).fails();
    assert!(
        failed.stderr.contains("loud") && failed.stderr.contains("serves again as it was before"),
        "{failed}"
    );
    let kept = engine.inspect(&container);
    assert!(kept["Id"] == good["Id"] && kept["State"]["Running"] == true, "{}", kept["State"]);
    assert_eq!(state(&env), ("running".to_owned(), "ready".to_owned()));
    let log = failed.stderr.lines().find_map(|it| it.split_once("all of its log: ")?.1.split_once(';'));
    let log = std::fs::read_to_string(log.expect("a file").0).expect("its log");
    assert!(log.contains("loud"), "{log}");
    let beside = format!("{container}.new");
    assert_ne!(engine.run(&["inspect", &beside]).code, Some(0), "it is gone");

    // One that was cut off in the middle has left it.
    for args in [&["up", "weather", "--no-build", "--env", "MCP_LOG=debug"][..], &["down", "weather"]] {
        engine.ok(&[
            "create",
            "--name",
            &beside,
            "--label",
            &format!("dev.drydock.workspace={}", workspace_id()),
            "--label",
            "dev.drydock.server=weather",
            "--label",
            "dev.drydock.settings=0",
            weather::IMAGE,
        ]);
        env.ok(args);
        assert_ne!(engine.run(&["inspect", &beside]).code, Some(0), "{args:?}");
    }
    engine.ok(&["rmi", &image]);
}

#[test]
fn a_container_that_was_killed_comes_back_by_itself() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "killed");
    let container = env.container("weather");
    env.ok(&["up", "weather"]);
    // By its process, as the kernel would: `docker kill` counts as an order, after which engines do not restart it.
    let pid = engine.inspect(&container)["State"]["Pid"].to_string();
    let killed = drydock_tests::process::run(drydock_tests::process::command("kill").args(["-KILL", &pid]));
    if killed.code != Some(0) {
        drydock_tests::skip!("the engine's processes cannot be killed from here");
    }
    let back = drydock_tests::process::wait_until(drydock_tests::process::TIMEOUT, || {
        let now = engine.inspect(&container);
        now["RestartCount"] == 1 && now["State"]["Running"] == true
    });
    assert!(back, "{}", engine.inspect(&container)["State"]);
    env.ok(&["up", "weather"]);
    assert_eq!(state(&env), ("running".to_owned(), "ready".to_owned()));
}
