//! Servers from sources of one's own in Node and Python, dropped into `servers/`: they build without a line of Rust, and
//! a change of the sources leaves the layers of the dependencies as they are.

use std::fs;
use std::path::Path;

use drydock_tests::engine::Engine;
use drydock_tests::session::LEGACY;
use drydock_tests::test_env::{TestEnv, copy_workspace};
use drydock_tests::wrapped::{self, Kind};
use drydock_tests::{engine_or_skip, skip};
use serde_json::{Value, json};

use crate::images::inspect;
use crate::node::log;

const NODE_SERVER: &str = r#"
import ms from 'ms';
import { createInterface } from 'node:readline';
const tool = { name: 'milliseconds', inputSchema: { type: 'object', properties: { text: { type: 'string' } } } };
const answers = {
  initialize: (it) => ({ protocolVersion: it.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'own', version: '1' } }),
  'tools/list': () => ({ tools: [tool] }),
  'tools/call': (it) => ({ content: [{ type: 'text', text: `${process.argv.slice(2)} ${ms(it.arguments.text)}` }] }),
};
console.error('own node is ready');
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const answer = answers[method];
  const rest = answer ? { result: answer(params) } : { error: { code: -32601, message: 'no such method' } };
  console.log(JSON.stringify({ jsonrpc: '2.0', id, ...rest }));
});
"#;

const PYTHON_SERVER: &str = r#"
import json, os, sys
def main():
    print("own python is ready", file=sys.stderr, flush=True)
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message: continue
        method, params = message["method"], message.get("params", {})
        if method == "initialize":
            result = {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": {"name": "own", "version": "1"}}
        elif method == "tools/list":
            result = {"tools": [{"name": "greet", "inputSchema": {"type": "object"}}]}
        elif method == "tools/call":
            result = {"content": [{"type": "text", "text": os.environ["GREETING"] + " " + " ".join(sys.argv[1:])}]}
        else:
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "no"}}), flush=True)
            continue
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"#;

const PYPROJECT: &str = r#"
[project]
name = "own-python"
version = "1.0.0"
dependencies = ["typing-extensions==4.16.0"]
[project.scripts]
own-python = "own_python:main"
[build-system]
requires = ["uv_build>=0.9"]
build-backend = "uv_build"
"#;

/// Puts one more server into a workspace.
pub(crate) fn add(root: &Path, name: &str, package: &Value, files: &[(&str, &str)]) {
    let server = root.join("servers").join(name);
    let manifest = json!({
        "name": format!("dev.example/{name}"), "description": "Our own", "version": "1.0.0", "packages": [package],
    });
    write(&server.join("server.json"), &manifest.to_string());
    for (file, text) in files {
        write(&server.join(file), text);
    }
}

fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("it has a folder")).expect("a new folder");
    fs::write(file, text).expect("a new file");
}

/// Builds, and returns the layers.
#[track_caller]
pub(crate) fn build(engine: &Engine, env: &TestEnv, name: &str, image: &str) -> Vec<Value> {
    let mut build = wrapped::build_in_copy(env, name);
    drydock_tests::process::run_with(&mut build, &[], drydock_tests::process::BUILD_TIMEOUT).ok();
    inspect(engine, image)["RootFS"]["Layers"].as_array().expect("layers").clone()
}

/// Of the layers, those of the sources alone are new: nothing was installed again.
#[track_caller]
fn one_differs(before: &[Value], after: &[Value]) {
    assert_eq!(before.len(), after.len());
    let new: Vec<_> = after.iter().filter(|it| !before.contains(it)).collect();
    assert_eq!(new.len(), 1, "of {after:?}, {new:?} are new");
}

#[test]
fn servers_from_sources_of_ones_own() {
    let engine = engine_or_skip!();
    for kind in [Kind::Node, Kind::Python] {
        if let Err(why) = wrapped::test_env(&engine, kind, "own-base") {
            skip!("{why}")
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy_workspace(folder.path(), "0.1.1-own");
    let env = TestEnv::on(&engine, "own").with_root(folder.path());
    a_package_json(&engine, &env, folder.path());
    a_pyproject(&engine, &env, folder.path());
    a_file_beside_a_requirements_txt(&engine, &env, folder.path());
}

fn a_package_json(engine: &Engine, env: &TestEnv, root: &Path) {
    let package = json!({
        "registryType": "npm", "identifier": "own-node", "version": "1.0.0", "transport": { "type": "stdio" },
        "packageArguments": [{ "type": "named", "name": "--unit", "value": "ms" }],
    });
    // It is compiled, as one in TypeScript would be.
    let manifest = r#"{"name": "own-node", "version": "1.0.0", "type": "module", "bin": "dist/server.js",
        "scripts": {"build": "mkdir -p dist && cp src/server.js dist/"}, "dependencies": {"ms": "2.1.3"}}"#;
    let files = [("package.json", manifest), ("src/server.js", NODE_SERVER)];
    add(root, "own-node", &package, &files);
    let before = build(engine, env, "own-node", "drydock/own-node:1.0.0");
    env.ok(&["up", "own-node"]);
    let mut session = wrapped::session(engine, &env.container("own-node"));
    session.open(LEGACY[0]);
    assert_eq!(session.call("milliseconds", json!({"text": "2s"})).text, "--unit,ms 2000");
    session.close();
    log(env, "own-node", &["own node is ready"]);

    let source = root.join("servers/own-node/src/server.js");
    write(&source, &NODE_SERVER.replace("own node is ready", "own node is better"));
    one_differs(&before, &build(engine, env, "own-node", "drydock/own-node:1.0.0"));
    env.ok(&["up", "own-node"]);
    log(env, "own-node", &["own node is better"]);
}

fn a_pyproject(engine: &Engine, env: &TestEnv, root: &Path) {
    let package = json!({
        "registryType": "pypi", "identifier": "own-python", "version": "1.0.0", "transport": { "type": "stdio" },
        "packageArguments": [{ "type": "positional", "value": "harbour", "valueHint": "place" }],
        "environmentVariables": [{ "name": "GREETING", "default": "Ahoi", "choices": ["Ahoi", "Moin"] }],
    });
    let files = [("pyproject.toml", PYPROJECT), ("src/own_python/__init__.py", PYTHON_SERVER)];
    add(root, "own-python", &package, &files);
    let before = build(engine, env, "own-python", "drydock/own-python:1.0.0");
    env.ok(&["up", "own-python", "--env", "GREETING=Moin"]);
    let mut session = wrapped::session(engine, &env.container("own-python"));
    session.open(LEGACY[0]);
    assert_eq!(session.call("greet", json!({})).text, "Moin harbour");
    session.close();
    log(env, "own-python", &["own python is ready"]);
    let refused = env.run(&["up", "own-python", "--env", "GREETING=Servus"]).fails();
    assert!(refused.stderr.contains("must be one of Ahoi, Moin"), "{refused}");

    let source = root.join("servers/own-python/src/own_python/__init__.py");
    write(&source, &PYTHON_SERVER.replace("own python is ready", "own python is better"));
    one_differs(&before, &build(engine, env, "own-python", "drydock/own-python:1.0.0"));
    env.ok(&["up", "own-python"]);
    log(env, "own-python", &["own python is better"]);
}

fn a_file_beside_a_requirements_txt(engine: &Engine, env: &TestEnv, root: &Path) {
    let server = root.join("servers/python-example");
    let manifest = fs::read_to_string(server.join("server.json")).expect("a manifest");
    write(&server.join("server.json"), &manifest.replace("0.1.0", "0.1.1-own"));
    let image = "drydock/python-example:0.1.1-own";
    let before = build(engine, env, "python-example", image);
    let file = server.join("custom_mcp_server.py");
    let text = fs::read_to_string(&file).expect("the example's source");
    assert!(text.contains("python-example is ready"), "{text}");
    env.ok(&["up", "python-example"]);
    assert_eq!(stale(env, "python-example"), json!(false));
    write(&file, &text.replace("python-example is ready", "a changed example is ready"));
    assert_eq!(stale(env, "python-example"), json!(true));
    let kept = env.ok(&["up", "python-example", "--no-build"]);
    assert!(kept.stderr.contains("not built, as you say") && kept.stderr.contains("already up"), "{kept}");
    built_once(env, image);
    one_differs(&before, inspect(engine, image)["RootFS"]["Layers"].as_array().expect("layers"));
    log(env, "python-example", &["a changed example is ready"]);
    assert_eq!(stale(env, "python-example"), json!(false));
}

/// Two `up` at once: both see an image that is older than its sources, and one builds it.
#[track_caller]
fn built_once(env: &TestEnv, image: &str) {
    let up = || {
        let mut up = env.xtask(&["up", "python-example"]);
        up.env("CARGO_TARGET_DIR", wrapped::shared_target_dir());
        drydock_tests::process::run_with(&mut up, &[], drydock_tests::process::BUILD_TIMEOUT).ok()
    };
    let both = std::thread::scope(|scope| {
        let first = scope.spawn(up);
        [up(), first.join().expect("an `up`")]
    });
    let count = |text: &str| both.iter().filter(|it| it.stderr.contains(text)).count();
    assert!(count("was built from other sources than these: building it") > 0, "{both:?}");
    assert_eq!(count(&format!("building {image} ..")), 1, "{both:?}");
}

/// What `status` says of whether a server's container is older than its sources.
fn stale(env: &TestEnv, name: &str) -> Value {
    let rows = env.ok(&["status", "--json"]).json();
    let row = rows.as_array().and_then(|it| it.iter().find(|it| it["name"] == name)).expect("its row");
    row["stale"].clone()
}
