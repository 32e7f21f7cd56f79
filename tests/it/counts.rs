//! Entries that stand in the right file and do not count, and engines that a client does not find: said when they are
//! written, and by `doctor` and `check`.

use std::fs;

use drydock_tests::process::{BUILD_TIMEOUT, run_with};
use drydock_tests::test_env::TestEnv;
use drydock_tests::{engine_or_skip, skip, weather};
use serde_json::{Value, json};

const FAR: [&str; 4] = ["--name", "far", "--url", "http://127.0.0.1:9/mcp"]; // the port that discards

#[test]
fn what_is_in_the_way_of_an_entry_is_said_when_it_is_written_and_by_doctor() {
    let env = TestEnv::without_engine("counts");
    let gemini = env.home().join(".gemini/settings.json");
    fs::create_dir(gemini.parent().unwrap()).unwrap();
    fs::write(&gemini, "{\"mcp\": {\"excluded\": [\"far\"]}}").unwrap();
    let installed = env.ok(&[&["install-client", "gemini-cli"], &FAR[..]].concat());
    assert!(installed.stderr.contains("note: `mcp.excluded` in"), "{installed}");
    let printed = env.ok(&[&["install-client", "gemini-cli", "--print"], &FAR[..]].concat());
    assert!(
        printed.stderr.contains("note: `mcp.excluded` in") && !printed.stdout.contains("note"),
        "{printed}"
    );
    let doctor = env.run(&["doctor", "--json"]).json();
    let said = |it: &&Value| it["found"].as_str().is_some_and(|it| it.contains("`mcp.excluded`"));
    let row = doctor.as_array().unwrap().iter().find(said).cloned();
    assert_eq!(row.map(|it| it["state"].clone()), Some(json!("note")), "{doctor}");
    // Another entry of the same client is in nobody's way.
    let other = ["--name", "other", "--url", FAR[3]];
    let installed = env.ok(&[&["install-client", "gemini-cli"], &other[..]].concat());
    assert!(!installed.stderr.contains("note: `mcp.excluded`"), "{installed}");
}

/// Claude Code's file of a project is one of Copilot CLI's, which then reads no other.
#[test]
fn a_new_file_that_hides_another_clients_is_told() {
    let env = TestEnv::without_engine("hides");
    let project = env.home().join("project");
    let theirs = project.join(".github/mcp.json");
    fs::create_dir_all(theirs.parent().unwrap()).unwrap();
    fs::write(&theirs, "{\"mcpServers\": {}}").unwrap();
    let install =
        [&["install-client", "claude-code", "--project", project.to_str().unwrap()][..], &FAR].concat();
    for (more, is_told) in [(&["--dry-run"][..], true), (&[], true), (&[], false)] {
        let output = env.ok(&[&install[..], more].concat());
        let note = format!("note: Copilot CLI reads {} instead of", project.join(".mcp.json").display());
        assert_eq!(output.stderr.contains(&note), is_told, "{output}");
    }
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "{\"mcpServers\": {}}");
}

#[test]
fn a_file_that_is_too_large_is_refused_with_the_reason_and_the_way() {
    let env = TestEnv::without_engine("large");
    let path = env.home().join(".claude.json");
    fs::File::create(&path).unwrap().set_len(70 << 20).unwrap();
    let install = [&["install-client", "claude-code"], &FAR[..]].concat();
    let refused = env.run(&install).fails();
    assert!(refused.stderr.contains("has 70 MiB") && refused.stderr.contains("--print"), "{refused}");
    assert!(!refused.stderr.contains("no configuration"), "{refused}");
    let printed = env.ok(&[&install[..], &["--print"]].concat());
    assert!(printed.stdout.contains("\"far\""), "{printed}");
    let doctor = env.run(&["doctor", "--json"]).json();
    assert!(doctor.to_string().contains("has 70 MiB"), "{doctor}");
    assert_eq!(fs::metadata(&path).unwrap().len(), 70 << 20);
}

#[test]
fn what_says_where_the_engine_is_reaches_a_desktop_client() {
    let engine = engine_or_skip!();
    if engine.program() != "docker" {
        skip!("contexts are Docker's");
    }
    let env = weather::test_env(&engine, "where");
    env.ok(&["up", "weather"]);
    // A context that is known in this folder of Docker's settings alone.
    let settings = env.home().join("docker settings");
    let settings = settings.to_str().unwrap();
    let host = engine.ok(&["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]);
    let endpoint = format!("host={host}");
    engine.ok(&["--config", settings, "context", "create", "mine", "--docker", &endpoint]);
    let with = |args: &[&str]| {
        let mut it = env.xtask(args);
        it.env("DOCKER_CONFIG", settings).env("DOCKER_CONTEXT", "mine").env_remove("DOCKER_HOST");
        run_with(&mut it, b"", BUILD_TIMEOUT)
    };
    with(&["install-client", "cursor", "--server", "weather"]).ok();
    let file = env.home().join(".cursor/mcp.json");
    let text = fs::read_to_string(&file).unwrap();
    let entry = serde_json::from_str::<Value>(&text).unwrap()["mcpServers"]["weather"].clone();
    assert_eq!(entry["env"], json!({"DOCKER_CONTEXT": "mine", "DOCKER_CONFIG": settings}), "{entry}");
    let rows = with(&["check", "--client", "cursor", "--json"]).ok().json();
    assert_eq!((&rows[0]["ok"], &rows[0]["notes"]), (&json!(true), &json!([])), "{rows}");

    // As an entry was written before: the shell has the variable, and Cursor does not.
    let mut older: Value = serde_json::from_str(&text).unwrap();
    older["mcpServers"]["weather"]["env"].as_object_mut().unwrap().remove("DOCKER_CONFIG");
    fs::write(&file, older.to_string()).unwrap();
    let failed = with(&["check", "--client", "cursor", "--force"]).fails();
    assert!(failed.stderr.contains("Cursor gives a server no DOCKER_CONFIG"), "{failed}");
    assert!(failed.stderr.contains("cargo xtask install-client cursor"), "{failed}");
    let doctor = with(&["doctor", "--as-client", "cursor", "--force"]).fails();
    assert!(doctor.stdout.contains("DOCKER_CONFIG"), "{doctor}");
    // What runs in the shell has all of it.
    with(&["check", "weather"]).ok();
}
