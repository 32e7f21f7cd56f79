//! What a person writes for one tool with two checked arguments and a structured result, in four ways.
//!
//! The servers in `tests/cases/one_tool` -> their lines, and what a client gets of each. Invariant: only servers that say and do the
//! same are compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use drydock_tests::process::{BUILD_TIMEOUT, command, print_note, run_with};
use drydock_tests::scratch_crate;
use drydock_tests::session::{LEGACY, Session};
use drydock_tests::test_env::workspace_root;
use drydock_tests::wrapped::shared_target_dir;
use drydock_tests::{full_or_skip, skip};
use serde_json::json;

use crate::realclients::packages::{node, npm_libraries, python_libraries};

/// As the docs of rmcp have it.
const FOR_RMCP: &str = "rmcp = { version = \"3.11\", features = [\"server\", \"macros\", \"transport-io\"] }\nschemars = \"1.0\"\n\
     tokio = { version = \"1.40\", features = [\"macros\", \"rt-multi-thread\"] }";

fn case(file: &str) -> PathBuf {
    workspace_root().join("tests/cases/one_tool").join(file)
}

/// Without blank ones.
fn lines(file: &str) -> usize {
    let all = fs::read_to_string(case(file)).expect("a server");
    all.lines().filter(|it| !it.trim().is_empty()).count()
}

fn in_rust(folder: &Path) -> [Command; 2] {
    let files = ["kit.rs", "rmcp.rs"].map(case);
    scratch_crate::make(folder, &files, FOR_RMCP);
    run_with(&mut scratch_crate::cargo(folder, &["build", "--bins", "--offline"]), &[], BUILD_TIMEOUT).ok();
    let built = |name| command(shared_target_dir().join("debug").join(name));
    let mut kit = built("kit");
    kit.arg("stdio");
    [kit, built("rmcp")]
}

/// The package is found beside the program.
fn in_typescript() -> Result<Command, String> {
    let libraries = npm_libraries(&["@modelcontextprotocol/sdk@1.32.2", "zod@4.6.7"])?;
    let program = libraries.join("one_tool.mjs");
    fs::copy(case("sdk.mjs"), &program).map_err(|e| e.to_string())?;
    let mut it = command(node()?);
    it.arg(program);
    Ok(it)
}

fn in_python() -> Result<Command, String> {
    let mut it = command(python_libraries(&["fastmcp==4.2.3"])?);
    it.arg(case("with_fastmcp.py"))
        .env("FASTMCP_CHECK_FOR_UPDATES", "off")
        .env("FASTMCP_SHOW_SERVER_BANNER", "false");
    Ok(it)
}

#[track_caller]
fn rolls_dice(server: Command, name: &str) {
    let mut session = Session::start(server);
    session.open(LEGACY[1]);
    let tools = session.request("tools/list", json!({}))["tools"].clone();
    let [tool] = &tools.as_array().expect("a list")[..] else { panic!("{name}: {tools}") };
    let rules = |argument: &str| {
        let it = &tool["inputSchema"]["properties"][argument];
        (it["minimum"].as_f64(), it["maximum"].as_f64(), it["description"].is_string())
    };
    assert_eq!(rules("sides"), (Some(2.0), Some(100.0), true), "{name}: {tool}");
    assert_eq!(rules("dice"), (Some(1.0), Some(10.0), true), "{name}: {tool}");
    assert!(tool["outputSchema"]["properties"]["points"].is_object(), "{name}: {tool}");
    assert_eq!(tool["annotations"]["readOnlyHint"], true, "{name}: {tool}");
    let roll = |sides| json!({"name": "roll", "arguments": {"sides": sides, "dice": 3}});
    let rolled = session.request("tools/call", roll(6));
    assert_eq!(rolled["structuredContent"], json!({"points": [1, 2, 3]}), "{name}: {rolled}");
    let refused = session.request("tools/call", roll(600));
    assert_eq!(refused["isError"], true, "{name}: {refused}");
    session.finish();
}

#[test]
fn one_tool_takes_the_fewest_lines_of_those_that_are_compiled() {
    full_or_skip!(); // rmcp with a runtime of its own is compiled
    let others = in_typescript().and_then(|typescript| Ok((typescript, in_python()?)));
    let (typescript, python) = match others {
        Ok(both) => both,
        Err(why) => skip!("{why}"),
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [kit, rmcp] = in_rust(folder.path());
    let all = [("kit.rs", kit), ("rmcp.rs", rmcp), ("with_fastmcp.py", python), ("sdk.mjs", typescript)];
    for (file, server) in all {
        rolls_dice(server, file);
        print_note(&format!("{file}: {} lines", lines(file)));
    }
    assert!(lines("kit.rs") < lines("rmcp.rs") && 2 * lines("kit.rs") <= 5 * lines("with_fastmcp.py"));
}
