//! A `server.json` that is wrong, or gone, is in no other server's way, and in no container's.

use std::fs;
use std::path::Path;

use drydock_tests::engine::Engine;
use drydock_tests::engine_or_skip;
use drydock_tests::test_env::{TestEnv, workspace_root};
use drydock_tests::weather;

/// The workspace's own image of weather, described in a folder of the test's, beside one that is wrong.
fn weather_and_a_wrong_one(engine: &Engine, name: &str, root: &Path) -> TestEnv {
    weather::shared(engine);
    let env = TestEnv::on(engine, name).with_root(root);
    let copy = |from: &str, to: &str| {
        let to = root.join(to);
        fs::create_dir_all(to.parent().expect("a folder")).expect("a new folder");
        fs::copy(workspace_root().join(from), to).expect("a copy");
    };
    copy("servers/weather/server.json", "servers/weather/server.json");
    fs::write(root.join("servers/weather/Cargo.toml"), "").expect("a new file");
    copy("clients/cursor.toml", "clients/cursor.toml");
    let wrong = root.join("servers/a-wrong-one");
    fs::create_dir(&wrong).expect("a new folder");
    fs::write(wrong.join("server.json"), "{").expect("a new file");
    env
}

#[test]
fn the_others_are_worked_on_and_the_wrong_one_is_named() {
    let engine = engine_or_skip!();
    let folder = tempfile::tempdir().unwrap();
    let env = weather_and_a_wrong_one(&engine, "wrong", folder.path());
    let named = "servers/a-wrong-one/server.json: not what a server.json may be";

    let up = env.run(&["up", "--no-build"]).fails();
    assert!(up.stderr.contains(named) && up.stderr.contains("1 of 2 servers are not up"), "{up}");
    let installed = env.run(&["install-client", "cursor"]).fails();
    assert!(
        installed.stderr.contains(named) && installed.stderr.contains("1 servers were left out"),
        "{installed}"
    );
    let entries = fs::read_to_string(env.home().join(".cursor/mcp.json")).unwrap();
    assert!(entries.contains(&env.container("weather")), "{entries}");
    let rows = env.ok(&["status", "--json"]).json();
    assert_eq!((&rows[0]["name"], &rows[0]["health"]), (&"weather".into(), &"ready".into()), "{rows}");
    // One that is named is an error alone.
    assert!(!env.run(&["up", "weather", "--no-build"]).ok().stderr.contains(named));
    assert!(env.run(&["install-client", "cursor", "--server", "a-wrong-one"]).fails().stderr.contains(named));
    env.ok(&["down"]);
    assert!(
        engine.ok(&["ps", "--all", "--quiet", "--filter", &format!("name={}", env.container(""))]).is_empty()
    );
}

#[test]
fn a_container_is_reached_when_its_file_is_wrong_and_when_its_folder_is_gone() {
    let engine = engine_or_skip!();
    let folder = tempfile::tempdir().unwrap();
    let env = weather_and_a_wrong_one(&engine, "gone", folder.path());
    let server = folder.path().join("servers/weather");
    for (names, gone) in [(&["weather"][..], false), (&[], false), (&["weather"], true), (&[], true)] {
        fs::create_dir_all(&server).unwrap();
        fs::write(server.join("Cargo.toml"), "").unwrap();
        fs::copy(workspace_root().join("servers/weather/server.json"), server.join("server.json")).unwrap();
        env.ok(&["up", "weather", "--no-build"]);
        if gone {
            fs::remove_dir_all(&server).unwrap();
        } else {
            fs::write(server.join("server.json"), "{}").unwrap();
        }
        let log = env.ok(&["logs", "weather"]);
        assert!(format!("{log}").contains("serving"), "{log}");
        let down = env.ok(&[&["down"], names].concat());
        assert!(!down.stderr.contains("server.json"), "{down}");
        assert!(
            engine.run(&["container", "inspect", &env.container("weather")]).fails().stdout.contains("[]")
        );
    }
    let unknown = env.run(&["down", "weather"]).fails();
    assert!(unknown.stderr.contains("there is no server \"weather\""), "{unknown}");
}
