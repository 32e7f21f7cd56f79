//! Servers from npm: their images, their sessions, and the base that runs any package by hand.

use drydock_tests::engine::Engine;
use drydock_tests::process::{BUILD_TIMEOUT, TIMEOUT, print_note, run_with, wait_until};
use drydock_tests::session::LEGACY;
use drydock_tests::test_env::TestEnv;
use drydock_tests::wrapped::{self, Kind};
use drydock_tests::{engine_or_skip, full_or_skip, skip};
use serde_json::{Value, json};

use crate::images::{files, inspect};

const THINKING: &str = "sequential-thinking";
const PACKAGE: &str = "@modelcontextprotocol/server-sequential-thinking@2026.8.31";
const IMAGES: [&str; 2] = ["drydock/context7:4.1.1", "drydock/sequential-thinking:2026.8.31"];

/// The status row of a container.
#[track_caller]
pub(crate) fn row(env: &TestEnv, server: &str) -> Value {
    let rows = env.ok(&["status", "--json"]).json();
    let rows = rows.as_array().expect("a list");
    let own = |it: &&Value| it["name"] == server && it["container"] == env.container(server);
    rows.iter().find(own).unwrap_or_else(|| panic!("{server} is not in {rows:?}")).clone()
}

/// The container's log, once it holds all of these.
#[track_caller]
pub(crate) fn log(env: &TestEnv, server: &str, wanted: &[&str]) -> String {
    let mut log = String::new();
    let found = wait_until(TIMEOUT, || {
        let it = env.ok(&["logs", server]);
        log = format!("{}{}", it.stdout, it.stderr);
        wanted.iter().all(|it| log.contains(it))
    });
    assert!(found, "the log lacks one of {wanted:?}:\n{log}");
    log
}

#[track_caller]
pub(crate) fn size(engine: &Engine, image: &str) -> u64 {
    inspect(engine, image)["Size"].as_u64().expect("a number of bytes")
}

fn thought(text: &str) -> Value {
    json!({"thought": text, "thoughtNumber": 1, "totalThoughts": 2, "nextThoughtNeeded": true})
}

#[test]
fn packages_from_npm_are_servers_like_any_other() {
    let engine = engine_or_skip!();
    let env = match wrapped::env_with_servers(&engine, Kind::Node, "npm") {
        Ok(env) => env,
        Err(why) => skip!("{why}"),
    };
    env.ok(&["up", "context7", THINKING]);
    let checked = env.ok(&["check", "context7", THINKING, "--json"]).json();
    assert_eq!(checked[0]["tool_names"], json!(["resolve-library-id", "query-docs"]), "{checked}");
    assert_eq!(checked[1]["tool_names"], json!(["sequentialthinking"]), "{checked}");
    assert_eq!(checked[0]["server"]["version"], "4.1.1", "{checked}");

    let it = engine.inspect(&env.container("context7"));
    assert_eq!(it["HostConfig"]["NetworkMode"], "bridge", "its service is on the internet");
    let it = engine.inspect(&env.container(THINKING));
    assert_eq!(it["HostConfig"]["NetworkMode"], "none", "nothing says that it needs a network");
    assert_eq!(
        (&it["HostConfig"]["ReadonlyRootfs"], &it["Config"]["User"]),
        (&json!(true), &json!("65532:65532"))
    );
    let row = row(&env, THINKING);
    assert_eq!(
        (&row["kind"], &row["shell"], &row["health"]),
        (&json!("node"), &json!(false), &json!("ready")),
        "{row}"
    );
    assert!(row["warm"].is_u64(), "{row}");

    let answer = env.ok(&["call", THINKING, "sequentialthinking", &thought("Kanarienvogel").to_string()]);
    assert!(answer.stdout.contains("\"thoughtHistoryLength\": 1"), "{answer}");
    let log = log(
        &env,
        THINKING,
        &["Sequential Thinking MCP Server running on stdio", "tools/call sequentialthinking"],
    );
    assert!(!log.contains("Kanarienvogel"), "thoughts are in the log: {log}");
}

#[test]
fn sessions_never_share_a_child() {
    let engine = engine_or_skip!();
    let env = match wrapped::env_with_servers(&engine, Kind::Node, "share") {
        Ok(env) => env,
        Err(why) => skip!("{why}"),
    };
    env.ok(&["up", THINKING]);
    let mut sessions: Vec<_> = (0..2).map(|_| wrapped::session(&engine, &env.container(THINKING))).collect();
    for session in &mut sessions {
        session.open(LEGACY[0]);
    }
    for length in 1..=3 {
        for session in &mut sessions {
            let answer = session.call("sequentialthinking", thought("x"));
            assert_eq!(answer.structured["thoughtHistoryLength"], length, "{answer:?}");
        }
    }
    assert_eq!(row(&env, THINKING)["sessions"], 2);
}

#[test]
fn twenty_sessions_at_once_and_then_no_more() {
    let engine = engine_or_skip!();
    full_or_skip!();
    let env = match wrapped::env_with_servers(&engine, Kind::Node, "twenty") {
        Ok(env) => env,
        Err(why) => skip!("{why}"),
    };
    env.ok(&["up", THINKING, "--env", "MCP_MAX_SESSIONS=20"]);
    let container = env.container(THINKING);
    let mut sessions: Vec<_> = (0..20).map(|_| wrapped::session(&engine, &container)).collect();
    for session in &mut sessions {
        session.open(LEGACY[1]);
    }
    let (status, _, said) = wrapped::session(&engine, &container).close();
    assert!(!status.success() && said.contains("20 sessions"), "{status}: {said}");
    for session in &mut sessions {
        let answer = session.call("sequentialthinking", thought("x"));
        assert_eq!(answer.structured["thoughtHistoryLength"], 1, "{answer:?}");
    }
    assert_eq!(row(&env, THINKING)["sessions"], 20);
    let memory = engine.ok(&[
        "stats",
        "--no-stream",
        "--format",
        "{{.MemUsage}}, {{.PIDs}} processes and threads",
        &container,
    ]);
    print_note(&format!("20 sessions of {THINKING} and one child that waits: {memory}"));
}

#[test]
fn an_image_holds_node_the_server_and_the_bridge() {
    let engine = engine_or_skip!();
    let _world = match wrapped::env_with_servers(&engine, Kind::Node, "slim") {
        Ok(env) => env,
        Err(why) => skip!("{why}"),
    };
    for image in IMAGES {
        let files = files(&engine, image);
        for wanted in ["mcp", "usr/local/bin/node", "etc/mcp/bridge.json"] {
            assert!(files.contains(wanted), "{image} lacks {wanted}");
        }
        let name = |it: &str| it.rsplit('/').next().unwrap_or_default().to_owned();
        for file in &files {
            let tools = ["npm", "npx", "sh", "bash", "dpkg", "apt-get", "cc", "gcc"];
            assert!(!tools.contains(&name(file).as_str()), "{image} holds {file}");
            let unused = [".map", ".d.ts", "/README.md"].iter().any(|it| file.ends_with(it));
            assert!(!unused, "{image} holds {file}");
            assert!(!file.contains("_cacache"), "{image} holds a cache: {file}");
        }
        let config = &inspect(&engine, image)["Config"];
        assert_eq!(config["User"], "65532:65532");
        assert_eq!(config["Entrypoint"], json!(["/mcp"]));
        assert_eq!(config["Healthcheck"]["Test"], json!(["CMD", "/mcp", "health"]));
    }
}

#[test]
fn images_are_a_fraction_of_the_plain_way() {
    let engine = engine_or_skip!();
    full_or_skip!();
    let _world = match wrapped::env_with_servers(&engine, Kind::Node, "sizes") {
        Ok(env) => env,
        Err(why) => skip!("{why}"),
    };
    for (image, package) in IMAGES.iter().zip(["@upstash/context7-mcp@4.1.1", PACKAGE]) {
        let text = format!("FROM node:22-slim\nRUN npm install -g {package}\n");
        let plain = build_plain(&engine, &text);
        check_fraction(image, size(&engine, image), plain);
    }
}

/// At most 60 % of the bytes.
#[track_caller]
pub(crate) fn check_fraction(image: &str, ours: u64, plain: u64) {
    assert!(ours * 10 <= plain * 6, "{image} has {ours} bytes, plainly installed it has {plain}");
    let mb = |bytes: u64| bytes as f64 / 1e6;
    print_note(&format!("{image}: {:.0} MB of {:.0}", mb(ours), mb(plain)));
}

/// The size of an image that this Dockerfile makes.
#[track_caller]
pub(crate) fn build_plain(engine: &Engine, dockerfile: &str) -> u64 {
    let label = format!("dev.drydock.workspace={}", drydock_tests::engine::workspace_id());
    let mut build = engine.command(&["build", "--quiet", "--label", &label, "-"]);
    let built = run_with(&mut build, dockerfile.as_bytes(), BUILD_TIMEOUT).ok();
    size(engine, built.line().lines().last().expect("the image's id"))
}

#[test]
fn the_base_runs_any_package_as_the_guide_did_and_the_second_time_without_a_network() {
    let engine = engine_or_skip!();
    let env = match wrapped::test_env(&engine, Kind::Node, "base") {
        Ok(env) => env,
        Err(why) => skip!("{why}"),
    };
    env.ok(&["build-images", "node", "--profile", "quick"]);
    let up = env.ok(&["up", "node"]);
    assert!(up.stderr.contains("has a shell"), "{up}");
    let status = row(&env, "node");
    assert_eq!((&status["shell"], &status["health"]), (&json!(true), &json!("ready")), "{status}");

    let container = env.container("node");
    let command = ["npx", "-y", PACKAGE];
    a_package_runs_twice(&engine, &env, &container, &command, &["sequentialthinking"]);

    let volume = format!("{container}-cache");
    env.ok(&["down", "node"]);
    assert_eq!(engine.ok(&["volume", "ls", "--quiet", "--filter", &format!("name={volume}")]), volume);
}

/// By the entry that the guide writes: the first time from the network, the second time without one.
#[track_caller]
pub(crate) fn a_package_runs_twice(
    engine: &Engine,
    env: &TestEnv,
    container: &str,
    command: &[&str],
    tools: &[&str],
) {
    let project = env.project();
    let project = ["--project", project.to_str().expect("a plain path")];
    let name = "A package (Docker exec)";
    let entry = ["install-client", "cursor", "--scope", "project", "--container", container, "--name", name];
    env.ok(&[&entry[..], &project, &["--"], command].concat());
    let text = std::fs::read_to_string(env.project().join(".cursor/mcp.json")).expect("an entry was written");
    let written: Value = serde_json::from_str(&text).expect("JSON");
    let args = [&["exec", "-i", container], command].concat();
    assert_eq!(written["mcpServers"][name]["args"], json!(args), "{written}");

    // It is asked in one step: this start may take long.
    let check = ["check", "--client", "cursor", "--protocol", "2025-11-25", "--timeout", "120", "--json"];
    let check = [&check[..], &project].concat();
    let first = env.ok(&check).json();
    assert_eq!(first[0]["tool_names"], json!(tools), "{first}");
    engine.ok(&["network", "disconnect", "bridge", container]);
    let second = env.ok(&check).json();
    assert_eq!(second[0]["ok"], true, "{second}");
}

#[test]
fn a_base_is_no_server() {
    let env = TestEnv::without_engine("base-only");
    for args in
        [&["tools", "node"][..], &["check", "python"], &["install-client", "cursor", "--server", "node"]]
    {
        let refused = env.run(args).fails();
        assert!(
            refused.stderr.contains("a runtime image") && refused.stderr.contains("--container"),
            "{refused}"
        );
    }
}
