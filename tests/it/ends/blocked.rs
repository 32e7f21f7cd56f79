//! Servers whose tools block their thread for ever, in containers: their clients end in every way, and nothing is left.

use std::path::Path;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};

use drydock_tests::test_env::{TestEnv, copy_workspace, workspace_root};
use drydock_tests::wrapped::{self, Kind};
use drydock_tests::{engine_or_skip, full_or_skip, skip};
use serde_json::json;

use super::{count, end_in_every_way, say};
use crate::own::{add, build};

/// Its one tool never gives its thread back: a loop, or a wait.
const NODE: &str = r#"
import { createInterface } from 'node:readline';
const answers = {
  initialize: (it) => ({ protocolVersion: it.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'blocking', version: '1' } }),
  'tools/list': () => ({ tools: [{ name: 'block', inputSchema: { type: 'object' } }] }),
  'tools/call': (it) => {
    if (it.arguments.how === 'loop') for (;;);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  console.log(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method](params) }));
});
"#;

/// One half of the sessions loops, the other sleeps.
fn block(client: &mut Child) {
    static LOOPS: AtomicBool = AtomicBool::new(false);
    let how = if LOOPS.fetch_xor(true, Ordering::Relaxed) { "loop" } else { "sleep" };
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "block", "arguments": {"how": how}}});
    say(client, &format!("{call}\n"));
}

/// kit's example of such a server takes the place of `weather`.
fn server_in_rust(root: &Path) {
    copy_workspace(root, "0.1.1-blocked");
    let example = workspace_root().join("servers/kit/examples/blocking.rs");
    std::fs::copy(example, root.join("servers/weather/src/main.rs")).expect("a copy");
    // What the example names itself, as no server has to that is written with kit's attributes.
    let manifest = root.join("servers/weather/Cargo.toml");
    let text = std::fs::read_to_string(&manifest).expect("weather's manifest");
    let more = "[dependencies]\nrmcp = { workspace = true, features = [\"server\", \"macros\"] }\nschemars.workspace = true\n\
                tokio = { workspace = true, features = [\"rt\", \"time\"] }";
    std::fs::write(&manifest, text.replace("\n[dependencies]", &format!("\n{more}")))
        .expect("weather's manifest");
}

#[test]
fn a_blocked_server_in_rust_leaves_nothing_however_its_client_ends() {
    let engine = engine_or_skip!();
    full_or_skip!(); // it compiles all that kit brings once more
    let folder = tempfile::tempdir().expect("a temporary folder");
    server_in_rust(folder.path());
    let env = TestEnv::on(&engine, "blocked-rust").with_root(folder.path());
    build(&engine, &env, "weather", "drydock/weather:0.1.1-blocked");
    if let Err(why) = end_in_every_way(&engine, &env, "weather", count(), block) {
        skip!("{why}")
    }
}

#[test]
fn a_blocked_server_in_node_leaves_nothing_either() {
    let engine = engine_or_skip!();
    full_or_skip!(); // the usual run, which has 45 minutes, ends clients of servers that are not blocked
    if let Err(why) = wrapped::test_env(&engine, Kind::Node, "blocked-base") {
        skip!("{why}")
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy_workspace(folder.path(), "0.1.1-blocked-node");
    let env = TestEnv::on(&engine, "blocked-node").with_root(folder.path());
    let package = json!({"registryType": "npm", "identifier": "blocked", "version": "1.0.0", "transport": {"type": "stdio"}});
    let manifest = r#"{"name": "blocked", "version": "1.0.0", "type": "module", "bin": "server.js"}"#;
    add(folder.path(), "blocked", &package, &[("package.json", manifest), ("server.js", NODE)]);
    build(&engine, &env, "blocked", "drydock/blocked:1.0.0");
    if let Err(why) = end_in_every_way(&engine, &env, "blocked", count(), block) {
        skip!("{why}")
    }
}
