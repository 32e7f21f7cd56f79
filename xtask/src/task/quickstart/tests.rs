//! What is left to do when a client's file is in the way.

use std::fs;
use std::path::Path;

use anyhow::anyhow;

use super::*;
use crate::workspace::Global;

fn cursor() -> Client {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    client::pick(root, &["cursor".to_owned()]).unwrap().remove(0)
}

/// What is to be done when Cursor's file in this folder holds this text.
fn left_with(text: &str) -> String {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join(".cursor")).unwrap();
    fs::write(temp.path().join(".cursor/mcp.json"), text).unwrap();
    let global = Global { engine: None, name_prefix: String::new() };
    let ws = Workspace::at(temp.path().to_path_buf(), temp.path().join("state"), global);
    let err = with_hint("it cannot be", "a hint of install-client's");
    todo(&ws, &cursor(), Via::Exec, &err).unwrap()
}

#[test]
fn each_obstacle_has_a_command_that_exists() {
    let unmanaged = left_with(r#"{"mcpServers": {"weather": {"command": "x"}}}"#);
    let command = "cargo xtask install-client cursor --scope project --server weather";
    assert!(unmanaged.starts_with(&format!("{command} --force ")), "{unmanaged}");
    let broken = left_with("{");
    assert!(broken.starts_with("mend ") && broken.ends_with(": cargo xtask quickstart"), "{broken}");
    assert_eq!(left_with("{}"), "a hint of install-client's");
    assert_eq!(install_command(&cursor(), Via::Host, "t-"), format!("{command} --via host --name-prefix t-"));
}

#[test]
fn the_error_says_what_is_done() {
    let left = Left { client: "Cursor".into(), why: anyhow!("in the way").to_string(), todo: "do it".into() };
    let client = cursor();
    let err = unfinished("mcp-weather", &[(&client, StdioCommand::default())], &[left]);
    assert_eq!(err.to_string(), "Cursor: in the way\ndone: the server, mcp-weather; Cursor wired up");
    assert_eq!(hint::hints(&err), ["do it"]);
}
