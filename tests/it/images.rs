//! Images: what is in them, what is written on them, that they can be made again.

use std::collections::BTreeSet;
use std::fs;

use drydock_tests::engine::Engine;
use drydock_tests::process::{BUILD_TIMEOUT, command, run, run_with};
use drydock_tests::session::LEGACY;
use drydock_tests::test_env::{TestEnv, copy_workspace, workspace_root};
use drydock_tests::weather::IMAGE;
use drydock_tests::{engine_or_skip, full_or_skip, weather};
use serde_json::Value;

const MEBIBYTE: u64 = 1 << 20;

#[track_caller]
pub(crate) fn inspect(engine: &Engine, image: &str) -> Value {
    let all: Value =
        serde_json::from_str(&engine.ok(&["image", "inspect", image])).expect("inspect prints JSON");
    all[0].clone()
}

/// All files of all layers.
#[track_caller]
pub(crate) fn files(engine: &Engine, image: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tarball = folder.path().join("image.tar");
    engine.ok(&["save", "--output", tarball.to_str().expect("a plain path"), image]);
    run(command("tar").arg("--extract").arg("--file").arg(&tarball).arg("--directory").arg(folder.path()))
        .ok();
    let manifest =
        fs::read_to_string(folder.path().join("manifest.json")).expect("a saved image has a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let layers = manifest[0]["Layers"].as_array().expect("layers").iter();
    let list = |layer: &Value| {
        let layer = folder.path().join(layer.as_str().expect("a path"));
        run(command("tar").arg("--list").arg("--file").arg(layer)).ok().stdout
    };
    layers.flat_map(|it| list(it).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[track_caller]
fn is_a_server_image(engine: &Engine, image: &str, version: &str) {
    assert_eq!(
        files(engine, image),
        BTreeSet::from(["mcp".to_owned()]),
        "{image} holds /mcp and nothing else"
    );
    let it = inspect(engine, image);
    let config = &it["Config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], serde_json::json!(["/mcp"]));
    assert_eq!(config["Cmd"], serde_json::json!(["serve"]));
    assert_eq!(config["Healthcheck"]["Test"], serde_json::json!(["CMD", "/mcp", "health"]));
    let label = |name: &str| config["Labels"][name].as_str().unwrap_or_default().to_owned();
    assert_eq!(label("org.opencontainers.image.title"), "Weather");
    assert_eq!(label("org.opencontainers.image.version"), version);
    assert_eq!(label("org.opencontainers.image.licenses"), "MIT OR Apache-2.0");
    assert_eq!(label("io.modelcontextprotocol.server.name"), "dev.drydock/weather");
    assert_eq!(label("dev.drydock.server"), "weather");
    assert_eq!(label("dev.drydock.workspace").len(), 16);
}

#[test]
fn an_image_holds_one_file_and_says_what_it_is() {
    let engine = engine_or_skip!();
    weather::test_env(&engine, "image");
    is_a_server_image(&engine, IMAGE, env!("CARGO_PKG_VERSION"));
    let environment = inspect(&engine, IMAGE)["Config"]["Env"].to_string();
    assert!(!environment.contains("MCP") && !environment.contains("HOME"), "{environment}");
}

#[test]
fn a_second_build_without_a_change_is_the_same_image() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "again");
    let before = inspect(&engine, IMAGE)["RootFS"]["Layers"].clone();
    env.ok(&["build-images", "weather", "--profile", "quick"]);
    assert_eq!(inspect(&engine, IMAGE)["RootFS"]["Layers"], before);
}

/// Builds in a copy of the workspace, with a `target` of its own; returns the layers.
fn build_elsewhere(engine: &Engine, version: &str, args: &[&str]) -> (tempfile::TempDir, TestEnv, Value) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy_workspace(folder.path(), version);
    let env = TestEnv::on(engine, "elsewhere").with_root(folder.path());
    let mut build = env.xtask(&[&["build-images", "weather", "--profile", "quick"], args].concat());
    build.env("CARGO_TARGET_DIR", folder.path().join("target"));
    run_with(&mut build, &[], BUILD_TIMEOUT).ok();
    let layers = inspect(engine, &format!("drydock/weather:{version}"))["RootFS"]["Layers"].clone();
    (folder, env, layers)
}

#[test]
fn two_clean_builds_in_two_places_are_the_same_image() {
    let engine = engine_or_skip!();
    full_or_skip!();
    let (first, _, layers) = build_elsewhere(&engine, "0.1.1-twins", &[]);
    drop(first);
    let id = inspect(&engine, "drydock/weather:0.1.1-twins")["Id"].as_str().expect("an id").to_owned();
    engine.ok(&["rmi", "--force", &id]); // both of its tags, and with it what the engine would reuse
    let (_, _, again) = build_elsewhere(&engine, "0.1.1-twins", &[]);
    assert_eq!(again, layers);
}

#[test]
fn an_image_compiled_in_the_engine_is_as_good() {
    let engine = engine_or_skip!();
    full_or_skip!();
    let stand_in = workspace_root().join("tests/standins/rust.sh");
    run_with(command(stand_in).env("DRYDOCK_ENGINE", engine.program()), &[], BUILD_TIMEOUT).ok();
    let version = "0.1.1-inside";
    let (_folder, env, _) = build_elsewhere(&engine, version, &["--builder", "docker"]);
    is_a_server_image(&engine, &format!("drydock/weather:{version}"), version);
    env.ok(&["up", "weather"]);
    let mut session = weather::session(&engine, &env.container("weather"));
    assert_eq!(session.open(LEGACY[1])["serverInfo"]["version"], version);
    assert_eq!(session.tools(), weather::TOOLS);
}

#[test]
fn a_release_image_and_its_idle_sessions_are_small() {
    let engine = engine_or_skip!();
    full_or_skip!();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let version = "0.1.1-small";
    copy_workspace(folder.path(), version);
    let env = TestEnv::on(&engine, "small").with_root(folder.path());
    env.ok(&["build-images", "weather"]);
    let size = inspect(&engine, &format!("drydock/weather:{version}"))["Size"].as_u64().unwrap();
    assert!(size <= 5 * MEBIBYTE, "{size} bytes");

    env.ok(&["up", "weather"]);
    let container = env.container("weather");
    let mut session = weather::session(&engine, &container);
    session.open(LEGACY[1]);
    session.tools();
    let top = engine.ok(&["top", &container, "-eo", "pid,rss,args"]);
    let row = top.lines().find(|it| it.ends_with("/mcp stdio")).expect("the session's process");
    // Most of it is the binary, shared by all; `figures` measures without the log and the way to `serve`.
    let kibibytes: u64 = row.split_whitespace().nth(1).expect("a column").parse().expect("a number");
    assert!(kibibytes * 1024 <= 4 * MEBIBYTE, "an idle session has {kibibytes} KiB");
}
