//! Engine `host`: the whole way without containers, as a machine without an engine goes it.

use drydock_tests::session::LEGACY;
use drydock_tests::test_env::TestEnv;
use drydock_tests::weather::TOOLS;
use drydock_tests::{process, session::Session};
use serde_json::json;

#[test]
fn from_the_sources_to_an_answer_without_an_engine() {
    let env = TestEnv::without_engine("host");
    let host = |args: &[&str]| env.ok(&[&["--engine", "host"], args].concat());
    let up = host(&["up", "weather"]);
    assert!(up.stderr.contains("without a sandbox"), "{up}");
    assert_eq!(host(&["status", "--json"]).json()[0]["state"], "compiled");
    let doctor = env.run(&["--engine", "host", "doctor", "--json"]).json();
    let state = |server: &str| {
        let check = format!("server {server}");
        let row = doctor.as_array().and_then(|it| it.iter().find(|it| it["check"] == check.as_str()));
        row.unwrap_or_else(|| panic!("no {server} in {doctor}"))["state"].clone()
    };
    assert_eq!([state("weather"), state("context7")], ["ok", "note"], "{doctor}");

    assert_eq!(host(&["check", "weather", "--json"]).json()[0]["tool_names"], json!(TOOLS));
    let tools = host(&["tools", "weather"]).stdout;
    assert!(TOOLS.iter().all(|it| tools.contains(it)), "{tools}");
    let answer = host(&["call", "weather", "find_place", "name=zurich", "limit=1"]).stdout;
    assert!(answer.contains("Zürich, "), "{answer}");
    let wrong = env.run(&["--engine", "host", "call", "weather", "find_place", "name=zurich", "limit=99"]);
    assert_eq!(wrong.code, Some(1), "{wrong}");
    assert!(wrong.stdout.starts_with("`limit` is 99, and must be 1 to "), "{wrong}");
    let nameless = env.run(&["--engine", "host", "call", "weather", "find_place", "nmae=zurich"]);
    assert_eq!(nameless.code, Some(2), "{nameless}");
    assert!(nameless.stderr.contains("hint: did you mean `name`?"), "{nameless}");

    let project = env.project();
    let scope = ["--scope", "project", "--project", project.to_str().unwrap()];
    let entry = ["install-client", "cursor", "--server", "weather"];
    host(&[&entry[..], &scope[..]].concat());
    let rows =
        host(&["check", "--client", "cursor", "--project", project.to_str().unwrap(), "--json"]).json();
    assert_eq!(rows[0]["ok"], true, "{rows}");

    // What stands in the entry is a plain MCP server on stdin and stdout.
    let text = std::fs::read_to_string(project.join(".cursor/mcp.json")).unwrap();
    let entry = &serde_json::from_str::<serde_json::Value>(&text).unwrap()["mcpServers"]["weather"];
    let mut command = env.command(entry["command"].as_str().unwrap());
    command.args(entry["args"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()));
    let mut session = Session::start(command);
    session.open(LEGACY[0]);
    assert_eq!(session.tools(), TOOLS);
    let (status, rest, _) = session.close();
    assert!(status.success() && rest.is_empty(), "{status} {rest:?}");
}

#[test]
fn a_named_engine_that_is_not_there_is_no_reason_to_take_another() {
    let env = TestEnv::without_engine("named");
    for engine in ["docker", "podman"] {
        let refused = env.run(&["--engine", engine, "up", "weather"]).fails();
        assert!(refused.stderr.contains(&format!("`{engine}` is not installed")), "{refused}");
    }
    let unknown = process::run(&mut env.xtask(&["--engine", "kraken", "up", "weather"])).fails();
    assert!(unknown.stderr.contains("docker, podman and host"), "{unknown}");
}
