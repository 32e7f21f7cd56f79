//! From an entry in a client's own file to an answer: install, check through that file, take out again.

use std::fs;
use std::path::PathBuf;

use drydock_tests::process::{LONG_PATIENCE, PATIENCE, eventually, run_with};
use drydock_tests::session::{LEGACY, Session};
use drydock_tests::world::World;
use drydock_tests::{engine_or_skip, weather};
use serde_json::{Value, json};

/// What a person may have in `~/.cursor/mcp.json`.
const CURSOR: &str = r#"// mine
{
    "mcpServers": {
        /* keep */ "notes": { "command": "notes-mcp", "args": [ "--big", "123456789012345678901234567890" ] }, // here
    },
	"future": [1e2, -0]
}
"#;
const CLAUDE: &str = "{\"numStartups\":7,\"projects\":{\"/a\":{\"mcpServers\":{}}}}";

fn cursor(world: &World) -> PathBuf {
    world.home().join(".cursor/mcp.json")
}

fn claude(world: &World) -> PathBuf {
    world.home().join(".claude.json")
}

fn with_clients(world: &World) {
    fs::create_dir_all(cursor(world).parent().expect("a folder")).expect("a new folder");
    fs::write(cursor(world), CURSOR).expect("a new file");
    fs::write(claude(world), CLAUDE).expect("a new file");
}

#[track_caller]
fn entry(world: &World) -> Value {
    let text = fs::read_to_string(claude(world)).expect("Claude Code's file");
    serde_json::from_str::<Value>(&text).expect("strict JSON")["mcpServers"]["weather"].clone()
}

/// The rows of `check --client`, all of which must have got through.
#[track_caller]
fn all_get_through(world: &World, args: &[&str]) {
    let rows = world.ok(&[&["check", "--json"], args].concat()).json();
    let rows = rows.as_array().expect("rows");
    assert!(!rows.is_empty(), "nothing was checked");
    for row in rows {
        assert_eq!(row["ok"], true, "{row}");
        assert_eq!(row["tool_names"], json!(weather::TOOLS), "{row}");
    }
}

#[test]
fn an_entry_leads_into_the_container_and_goes_without_a_trace() {
    let engine = engine_or_skip!();
    let world = weather::world(&engine, "entry");
    world.ok(&["up", "weather"]);
    with_clients(&world);

    let install = ["install-client", "cursor", "claude-code", "--server", "weather"];
    world.ok(&[&install[..], &["--dry-run"]].concat());
    assert_eq!(fs::read_to_string(cursor(&world)).unwrap(), CURSOR, "a dry run wrote");
    world.ok(&install);

    let entry = entry(&world);
    assert_eq!(entry["args"], json!(["exec", "-i", world.container("weather"), "/mcp", "stdio"]));
    assert!(PathBuf::from(entry["command"].as_str().unwrap()).is_absolute(), "{entry}");
    let written = fs::read_to_string(cursor(&world)).unwrap();
    for kept in
        ["// mine", "/* keep */", "// here", "\t\"future\": [1e2, -0]", "123456789012345678901234567890"]
    {
        assert!(written.contains(kept), "{kept:?} is lost in {written}");
    }
    world.ok(&install);
    assert_eq!(fs::read_to_string(cursor(&world)).unwrap(), written, "a second install changed the file");

    all_get_through(&world, &["--client", "cursor"]);
    all_get_through(&world, &["--client", "claude-code"]);
    all_get_through(&world, &["weather"]);
    let found = world.ok(&["doctor", "--as-client", "cursor", "--json"]).json();
    assert_eq!((&found[0]["state"], found.as_array().map(Vec::len)), (&json!("ok"), Some(1)), "{found}");

    world.ok(&["uninstall-client", "cursor", "claude-code", "--server", "weather"]);
    assert_eq!(fs::read_to_string(cursor(&world)).unwrap(), CURSOR);
    assert_eq!(fs::read_to_string(claude(&world)).unwrap(), CLAUDE);
}

#[test]
fn check_starts_what_stands_in_the_file_and_nothing_else() {
    let engine = engine_or_skip!();
    let world = weather::world(&engine, "asis");
    world.ok(&["up", "weather"]);
    with_clients(&world);
    world.ok(&["install-client", "claude-code", "--server", "weather"]);
    let text = fs::read_to_string(claude(&world)).unwrap();
    fs::write(claude(&world), text.replace("\"stdio\"", "\"health\"")).unwrap();
    let failed = world.run(&["check", "--client", "claude-code"]).fails();
    assert!(failed.stderr.contains("weather") || failed.stdout.contains("weather"), "{failed}");
    // The server itself is fine.
    all_get_through(&world, &["weather"]);
}

#[test]
fn entries_of_a_project_stand_in_its_folder() {
    let engine = engine_or_skip!();
    let world = weather::world(&engine, "project");
    world.ok(&["up", "weather"]);
    let project = world.project();
    let project = project.to_str().unwrap();
    let scope = ["--project", project];
    world.run(&["install-client", "cursor", "--scope", "user", "--project", project]).fails();
    let missing = format!("{project}/not-there");
    let refused =
        world.run(&["install-client", "cursor", "--server", "weather", "--project", &missing]).fails();
    assert!(refused.stderr.contains("no folder") && !PathBuf::from(&missing).exists(), "{refused}");
    world.ok(&[&["install-client", "cursor", "claude-code", "--server", "weather"], &scope[..]].concat());
    assert!(
        world.project().join(".cursor/mcp.json").is_file() && world.project().join(".mcp.json").is_file()
    );
    all_get_through(&world, &["--client", "cursor", "--project", project]);
    // Only what was asked for goes: neither another project's entries, nor the person's.
    world.ok(&["install-client", "cursor", "--server", "weather"]);
    world.ok(&["uninstall-client", "cursor", "claude-code", "--project", world.home().to_str().unwrap()]);
    all_get_through(&world, &["--client", "cursor", "--project", project]);
    world.ok(&[&["uninstall-client", "cursor", "claude-code", "--server", "weather"], &scope[..]].concat());
    all_get_through(&world, &["--client", "cursor", "--scope", "user"]);
    world.run(&["uninstall-client", "cursor", "--server", "wether"]).fails();
    let left =
        drydock_tests::process::run(drydock_tests::process::command("find").args([project, "-type", "f"]))
            .ok();
    assert_eq!(left.stdout, "", "files that were not there before");
}

#[test]
fn an_entry_can_start_a_container_for_each_session() {
    let engine = engine_or_skip!();
    let world = weather::world(&engine, "viarun");
    world.ok(&["up", "weather"]);
    world.ok(&["down", "weather"]);
    world.ok(&["install-client", "claude-code", "--server", "weather", "--via", "run"]);
    let entry = entry(&world);
    assert_eq!(entry["args"][0], "run", "{entry}");
    all_get_through(&world, &["--client", "claude-code"]);
    let args: Vec<&str> = entry["args"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let mut command = world.command(entry["command"].as_str().unwrap());
    command.args(&args);
    let mut session = Session::start(command);
    session.open(LEGACY[1]);
    let rows = world.ok(&["status", "--json"]).json();
    let is_it = |it: &Value| {
        args.contains(&it["image"].as_str().unwrap()) && it["owner"] == "ours" && it["health"] == "ready"
    };
    assert!(rows.as_array().unwrap().iter().any(is_it), "{rows}");
    session.finish();
    // It has no name of ours, and other tests have sessions of that kind, too.
    let sessions = || engine.ok(&["ps", "--all", "--quiet", "--filter", "label=dev.drydock.session"]);
    assert!(eventually(PATIENCE, || sessions().trim().is_empty()), "a session's container is still there");
}

#[test]
fn an_entry_for_any_command_in_any_container() {
    let engine = engine_or_skip!();
    let world = weather::world(&engine, "anycmd");
    world.ok(&["up", "weather"]);
    with_clients(&world);
    let container = world.container("weather");
    let name = "Context7 MCP (Docker exec)";
    let form = ["--container", &container, "--name", name, "--", "/mcp", "stdio"];
    world.ok(&[&["install-client", "cursor", "claude-code"], &form[..]].concat());
    for client in ["cursor", "claude-code"] {
        all_get_through(&world, &["--client", client, name]);
    }
    world.ok(&["uninstall-client", "--yes"]);
    assert_eq!(fs::read_to_string(cursor(&world)).unwrap(), CURSOR);
    assert_eq!(fs::read_to_string(claude(&world)).unwrap(), CLAUDE);
}

#[test]
fn all_means_what_is_found_and_nothing_else() {
    let world = World::without_engine("all");
    with_clients(&world);
    let host = ["--engine", "host", "install-client"];
    let unasked = world.run(&[&host[..], &["--server", "weather"]].concat()).fails();
    assert!(unasked.stderr.contains("--yes"), "{unasked}");
    world.ok(&[&host[..], &["--all", "--server", "weather"]].concat());
    assert!(fs::read_to_string(cursor(&world)).unwrap().contains("\"weather\""));
    assert_eq!(entry(&world)["args"], json!(["stdio"]));
    let files = drydock_tests::process::run(
        drydock_tests::process::command("find").arg(world.home()).args(["-type", "f"]),
    );
    assert_eq!(files.ok().stdout.lines().count(), 2, "clients that are not here got a file");
}

#[test]
fn a_server_over_http_has_its_headers_as_references_only() {
    let world = World::without_engine("url");
    with_clients(&world);
    let url = "http://127.0.0.1:9/mcp"; // the port that discards: nobody listens
    let clients = ["install-client", "cursor", "claude-code", "--name", "far", "--url", url];
    let secret = world.run(&[&clients[..], &["--header", "Authorization: Bearer s3cret"]].concat()).fails();
    assert!(secret.stderr.contains("no reference") && !secret.stderr.contains("s3cret"), "{secret}");
    assert_eq!(fs::read_to_string(claude(&world)).unwrap(), CLAUDE);

    world.ok(&[&clients[..], &["--header", "Authorization: Bearer ${FAR_TOKEN}"]].concat());
    let written: Value = serde_json::from_str(&fs::read_to_string(claude(&world)).unwrap()).unwrap();
    let entry = json!({"type": "http", "url": url, "headers": {"Authorization": "Bearer ${FAR_TOKEN}"}});
    assert_eq!(written["mcpServers"]["far"], entry);
    assert!(fs::read_to_string(cursor(&world)).unwrap().contains("Bearer ${env:FAR_TOKEN}"));

    let unset = world.run(&["check", "--client", "cursor"]).fails();
    assert!(unset.stderr.contains("FAR_TOKEN, which is not set"), "{unset}");
    let mut check = world.xtask(&["check", "--client", "cursor"]);
    let silent = run_with(check.env("FAR_TOKEN", "s3cret"), &[], LONG_PATIENCE).fails();
    assert!(silent.stderr.contains("127.0.0.1:9") && !silent.stderr.contains("s3cret"), "{silent}");

    world.ok(&["uninstall-client", "--yes"]);
    assert_eq!(fs::read_to_string(cursor(&world)).unwrap(), CURSOR);
    assert_eq!(fs::read_to_string(claude(&world)).unwrap(), CLAUDE);
}

#[test]
fn an_entry_of_somebody_elses_is_not_replaced() {
    let world = World::without_engine("theirs");
    let theirs = r#"{"mcpServers": {"weather": {"command": "my-own-weather"}}}"#;
    fs::write(claude(&world), theirs).unwrap();
    let refused =
        world.run(&["--engine", "host", "install-client", "claude-code", "--server", "weather"]).fails();
    assert!(refused.stderr.contains("weather") && refused.stderr.contains("--force"), "{refused}");
    assert_eq!(fs::read_to_string(claude(&world)).unwrap(), theirs);
}

#[test]
fn a_file_that_cannot_be_read_is_not_touched() {
    let world = World::without_engine("damaged");
    for damaged in
        ["{", "[]", "{\"mcpServers\": []}", "{\"mcpServers\": {}, \"mcpServers\": {}}", "{\"a\": 1,}"]
    {
        fs::write(claude(&world), damaged).unwrap();
        let refused =
            world.run(&["--engine", "host", "install-client", "claude-code", "--server", "weather"]).fails();
        assert!(refused.stderr.contains(".claude.json"), "{refused}");
        assert_eq!(fs::read_to_string(claude(&world)).unwrap(), damaged);
    }
}
