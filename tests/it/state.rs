//! Servers that keep something: what they write into a volume is there after a new container, in every kind of image.
//!
//! A server that writes and reads a file -> its text, after `down` and `up`. Invariant: nothing of it runs as root. Python
//! is in `grants`.

use std::fs;
use std::path::Path;

use drydock_tests::engine::Engine;
use drydock_tests::process::{BUILD_TIMEOUT, run_with};
use drydock_tests::session::LEGACY;
use drydock_tests::test_env::{TestEnv, copy_workspace};
use drydock_tests::wrapped::{self, Kind};
use drydock_tests::{engine_or_skip, full_or_skip, skip};
use serde_json::{Value, json};

use crate::own;

const GRANTS: &str = r#"
writable = ["/scratch"]
volumes = [{ name = "notes", path = "/notes" }]
"#;

const NODE_SERVER: &str = r#"
import fs from 'node:fs';
import { createInterface } from 'node:readline';
const tools = { write: (it) => fs.writeFileSync(it.path, it.text) ?? 'written', read: (it) => fs.readFileSync(it.path, 'utf8') };
const call = ({ name, arguments: it }) => {
  try { return tools[name](it); } catch (problem) { return `Error: ${problem.message}`; }
};
const answers = {
  initialize: (it) => ({ protocolVersion: it.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'notes', version: '1' } }),
  'tools/list': () => ({ tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: 'object' } })) }),
  'tools/call': (it) => ({ content: [{ type: 'text', text: call(it) }] }),
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method](params) }));
});
"#;

/// As CONTRIBUTING.md has it.
const RUST_MANIFEST: &str = r#"
[package]
name = "rust-notes"
version = "1.0.0"
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[dependencies]
drydock-kit.workspace = true
serde.workspace = true
"#;

const RUST_SERVER: &str = r#"
use drydock_kit::prelude::*;

#[derive(serde::Deserialize, JsonSchema)]
struct Note {
    path: String,
    #[serde(default)]
    text: String,
}

struct Notes;

#[server]
impl Notes {
    /// Writes a file.
    #[tool]
    async fn write(&self, Parameters(it): Parameters<Note>) -> Result<String, String> {
        std::fs::write(it.path, it.text).map(|()| "written".to_owned()).map_err(|e| format!("Error: {e}"))
    }

    /// Reads a file.
    #[tool]
    async fn read(&self, Parameters(it): Parameters<Note>) -> Result<String, String> {
        std::fs::read_to_string(it.path).map_err(|e| format!("Error: {e}"))
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Notes)
}
"#;

#[test]
fn a_node_server_writes_and_reads_after_a_restart() {
    let engine = engine_or_skip!();
    if let Err(why) = wrapped::test_env(&engine, Kind::Node, "state-base") {
        skip!("{why}")
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy_workspace(folder.path(), "0.1.1-state");
    let env = TestEnv::on(&engine, "state").with_root(folder.path());
    let package = json!({
        "registryType": "npm", "identifier": "node-notes", "version": "1.0.0", "transport": { "type": "stdio" },
    });
    let manifest = r#"{"name": "node-notes", "version": "1.0.0", "type": "module", "bin": "server.js", "dependencies": {}}"#;
    let files = [("package.json", manifest), ("server.js", NODE_SERVER), ("drydock.toml", GRANTS)];
    own::add(folder.path(), "node-notes", &package, &files);
    own::build(&engine, &env, "node-notes", "drydock/node-notes:1.0.0");
    keeps_what_it_wrote(&engine, &env, "node-notes");
}

/// Compiles kit and all below it once more.
#[test]
fn a_rust_server_writes_and_reads_after_a_restart() {
    full_or_skip!();
    let engine = engine_or_skip!();
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy_workspace(folder.path(), "0.1.1-state");
    let env = TestEnv::on(&engine, "ruststate").with_root(folder.path());
    let package = json!({
        "registryType": "oci", "identifier": "drydock/rust-notes:1.0.0", "transport": { "type": "stdio" },
    });
    let files = [("Cargo.toml", RUST_MANIFEST), ("src/main.rs", RUST_SERVER), ("drydock.toml", GRANTS)];
    own::add(folder.path(), "rust-notes", &package, &files);
    add_member(folder.path(), "servers/rust-notes");
    let mut build = wrapped::build_in_copy(&env, "rust-notes");
    run_with(&mut build, &[], BUILD_TIMEOUT).ok();
    keeps_what_it_wrote(&engine, &env, "rust-notes");
}

fn add_member(root: &Path, member: &str) {
    let file = root.join("Cargo.toml");
    let manifest = fs::read_to_string(&file).expect("a manifest");
    let weather = "\"servers/weather\",";
    assert!(manifest.contains(weather), "{file:?} has no {weather} to stand beside");
    fs::write(file, manifest.replacen(weather, &format!("{weather} \"{member}\","), 1)).expect("a manifest");
}

/// In its volume; what is only `writable` is gone, and nothing else can be written.
fn keeps_what_it_wrote(engine: &Engine, env: &TestEnv, name: &str) {
    env.ok(&["up", name, "--no-build"]);
    for path in ["/notes/a", "/scratch/a", "/home/mcp/a"] {
        assert_eq!(
            call(engine, env, name, "write", json!({ "path": path, "text": "kept" })),
            "written",
            "{path}"
        );
    }
    let refused = call(engine, env, name, "write", json!({ "path": "/app", "text": "" }));
    assert!(refused.starts_with("Error: "), "{refused}");
    env.ok(&["down", name]);
    env.ok(&["up", name, "--no-build"]);
    assert_eq!(call(engine, env, name, "read", json!({ "path": "/notes/a" })), "kept");
    for path in ["/scratch/a", "/home/mcp/a"] {
        let gone = call(engine, env, name, "read", json!({ "path": path }));
        assert!(gone.starts_with("Error: "), "{path}: {gone}");
    }
    assert_eq!(call(engine, env, name, "write", json!({ "path": "/notes/a", "text": "again" })), "written");
    env.ok(&["down", name, "--volumes"]);
}

fn call(engine: &Engine, env: &TestEnv, name: &str, tool: &str, arguments: Value) -> String {
    let mut session = wrapped::session(engine, &env.container(name));
    session.open(LEGACY[0]);
    let text = session.call(tool, arguments).text;
    session.close();
    text
}
