//! What a server may do beyond the strict default: only what its `drydock.toml` grants, whatever its `server.json` says.

use std::fs;
use std::path::Path;

use drydock_tests::engine::Engine;
use drydock_tests::session::LEGACY;
use drydock_tests::test_env::{TestEnv, copy_workspace, workspace_root};
use drydock_tests::wrapped::{self, Kind};
use drydock_tests::{engine_or_skip, skip, weather};
use serde_json::{Value, json};

use crate::own;

/// Does what it is told with files and its environment.
const PROGRAM: &str = r#"
import json, os, sys
def work(name, it):
    if name == "write":
        with open(it["path"], "a") as file: file.write(it["text"])
        return "written"
    if name == "read": return open(it["path"]).read()
    if name == "eat": return len([b"x" * (1 << 20) for _ in range(1 << 20)])
    return " ".join([os.getcwd(), os.environ["HOME"], os.environ.get("LOG_LEVEL", "-"), *sys.argv[1:]])
if os.environ.get("DIE"): sys.exit("socket.gaierror: [Errno -3] Temporary failure in name resolution")
if os.environ.get("HANG"): print("socket.gaierror: [Errno -3] Temporary failure in name resolution", file=sys.stderr, flush=True)
for line in sys.stdin:
    if os.environ.get("HANG"): continue
    message = json.loads(line)
    if "id" not in message: continue
    method, params = message["method"], message.get("params", {})
    if method == "initialize":
        result = {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": {"name": "it", "version": "1"}}
    elif method == "tools/list":
        result = {"tools": [{"name": it, "inputSchema": {"type": "object"}} for it in ("write", "eat", "where")]}
    else:
        try: text = work(params["name"], params.get("arguments", {}))
        except OSError as problem: text = f"Error: {problem}"
        result = {"content": [{"type": "text", "text": text}]}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"#;

const GRANTS: &str = r#"
network = "internet"
memory = "96m"
writable = ["/app/data"]
volumes = [{ name = "data", path = "/data" }]
args = ["--read-write", "a b"]
[env]
LOG_LEVEL = "debug"
"#;

/// A workspace with this server besides.
fn add(root: &Path) {
    let package = json!({
        "registryType": "pypi", "identifier": "granted", "version": "1.0.0", "transport": { "type": "stdio" },
        "environmentVariables": [{ "name": "LD_PRELOAD", "default": "/evil.so" }],
    });
    own::add(root, "granted", &package, &[("requirements.txt", ""), ("server.py", PROGRAM)]);
    let file = root.join("servers/granted/server.json");
    let mut manifest: Value =
        serde_json::from_str(&fs::read_to_string(&file).expect("a manifest")).expect("a manifest");
    let wishes =
        json!({ "network": "internet", "memory": "1024g", "mounts": [{ "volume": "x", "path": "/data" }] });
    manifest["_meta"] =
        json!({ "io.modelcontextprotocol.registry/publisher-provided": { "dev.drydock": wishes } });
    fs::write(file, manifest.to_string()).expect("a manifest");
}

#[test]
fn the_persons_file_grants_and_the_publishers_does_not() {
    let engine = engine_or_skip!();
    if let Err(why) = wrapped::test_env(&engine, Kind::Python, "granted-base") {
        skip!("{why}")
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy_workspace(folder.path(), "0.1.1-granted");
    let env = TestEnv::on(&engine, "granted").with_root(folder.path());
    add(folder.path());
    own::build(&engine, &env, "granted", "drydock/granted:1.0.0");

    let up = env.ok(&["up", "granted"]);
    let asks = "granted: its server.json asks for memory = \"1024g\", mounts = .., network = \"internet\", \
                env.LD_PRELOAD = \"/evil.so\": not granted, unless servers/granted/drydock.toml says so";
    assert!(up.stderr.contains(asks) && !up.stderr.contains("beyond the default"), "{up}");
    let it = engine.inspect(&env.container("granted"));
    assert_eq!((&it["HostConfig"]["NetworkMode"], &it["Mounts"]), (&json!("none"), &json!([])));
    assert!(!it["Config"]["Env"].to_string().contains("LD_PRELOAD"), "{it}");
    assert_eq!(network(&env), "none");
    strict(&engine, &env);

    fs::write(folder.path().join("servers/granted/drydock.toml"), GRANTS).unwrap();
    let up = env.ok(&["up", "granted"]);
    let beyond = "granted: beyond the default: network = \"internet\", volume data at /data, writable /app/data, \
                  args \"--read-write\" \"a b\", env LOG_LEVEL";
    assert!(up.stderr.contains(beyond) && up.stderr.contains("asks for env.LD_PRELOAD"), "{up}");
    assert_eq!(network(&env), "internet");
    granted(&engine, &env);

    keeps_its_volume_unless_told_otherwise(&engine, &env);
    dies_for_want_of_a_grant(&env, folder.path());
    hangs_for_want_of_a_grant(&env, folder.path());
}

fn call(engine: &Engine, env: &TestEnv, tool: &str, arguments: Value) -> String {
    let mut session = wrapped::session(engine, &env.container("granted"));
    session.open(LEGACY[0]);
    let text = session.call(tool, arguments).text;
    session.close();
    text
}

fn write(engine: &Engine, env: &TestEnv, path: &str) -> String {
    call(engine, env, "write", json!({ "path": path, "text": "kept" }))
}

fn network(env: &TestEnv) -> String {
    let rows = env.ok(&["status", "--json"]).json();
    let row = rows.as_array().expect("rows").iter().find(|it| it["name"] == "granted").expect("its row");
    row["network"].as_str().expect("a string").to_owned()
}

/// Home and working folder can be written, nothing else.
fn strict(engine: &Engine, env: &TestEnv) {
    assert_eq!(call(engine, env, "where", json!({})), "/home/mcp /home/mcp -");
    assert_eq!(write(engine, env, "notes.txt"), "written");
    let refused = write(engine, env, "/app/data.txt");
    assert!(refused.contains("Read-only file system"), "{refused}");
}

/// What is kept is there after a new start, what is private is not.
fn granted(engine: &Engine, env: &TestEnv) {
    assert_eq!(call(engine, env, "where", json!({})), "/home/mcp /home/mcp debug --read-write a b");
    for path in ["/data/kept.txt", "/app/data/private.txt"] {
        assert_eq!(write(engine, env, path), "written", "{path}");
    }
    env.ok(&["down", "granted"]);
    env.ok(&["up", "granted"]);
    assert_eq!(call(engine, env, "read", json!({ "path": "/data/kept.txt" })), "kept");
    assert!(call(engine, env, "read", json!({ "path": "/app/data/private.txt" })).starts_with("Error"));
    assert_eq!(write(engine, env, "/data/kept.txt"), "written", "a second time");
    runs_out_of_memory(env);
}

/// Whoever asked and the log hear it, and the other sessions go on.
fn runs_out_of_memory(env: &TestEnv) {
    let failed = env.run(&["call", "granted", "eat"]).fails();
    let why = "the kernel has ended it for want of memory";
    assert!(failed.stderr.contains(why) && failed.stderr.contains("`memory = "), "{failed}");
    let logs = env.ok(&["logs", "granted"]);
    assert!(logs.stderr.contains(&format!("the server ended: signal 9 (SIGKILL): {why}")), "{logs}");
    env.ok(&["call", "granted", "where"]);
}

fn keeps_its_volume_unless_told_otherwise(engine: &Engine, env: &TestEnv) {
    let volume = format!("{}-data", env.container("granted"));
    let kept = env.ok(&["down", "granted"]);
    let command = "cargo xtask down granted --volumes removes it";
    assert!(kept.stderr.contains(&format!("kept, with what is in it: {volume}; {command}")), "{kept}");
    engine.ok(&["volume", "inspect", &volume]);
    // Also when the container is gone already.
    env.ok(&["down", "granted", "--volumes"]);
    engine.run(&["volume", "inspect", &volume]).fails();
    assert!(!env.ok(&["down", "granted"]).stderr.contains("kept"));
}

fn dies_for_want_of_a_grant(env: &TestEnv, root: &Path) {
    fs::write(root.join("servers/granted/drydock.toml"), "[env]\nDIE = \"1\"\n").expect("a new file");
    let failed = env.run(&["up", "granted"]).fails();
    assert!(failed.stderr.contains("it died twice in the same way"), "{failed}");
    assert!(env.ok(&["logs", "granted"]).stderr.contains("name resolution"), "its log is kept");
    let advice = "hint: if you want to allow that: write `network = \"internet\"` into servers/granted/drydock.toml, then";
    assert!(failed.stderr.contains(advice), "{failed}");
}

/// Its log alone tells.
fn hangs_for_want_of_a_grant(env: &TestEnv, root: &Path) {
    fs::write(root.join("servers/granted/drydock.toml"), "[env]\nHANG = \"1\"\n").expect("a new file");
    env.ok(&["up", "granted"]);
    let advice = "hint: if you want to allow that: write `network = \"internet\"` into servers/granted/drydock.toml, then";
    for command in
        [&["check", "granted", "--timeout", "3"][..], &["call", "granted", "where", "--timeout", "3"]]
    {
        let failed = env.run(command).fails();
        assert!(failed.stderr.contains("no answer within 3 s") && failed.stderr.contains(advice), "{failed}");
    }
}

#[test]
fn a_volume_of_an_image_that_lacks_the_folder_is_its_users_own() {
    let engine = engine_or_skip!();
    weather::shared(&engine);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let env = TestEnv::on(&engine, "volume").with_root(folder.path());
    let server = folder.path().join("servers/weather");
    fs::create_dir(&server).unwrap();
    fs::copy(workspace_root().join("servers/weather/server.json"), server.join("server.json")).unwrap();
    fs::write(server.join("Cargo.toml"), "").unwrap();
    fs::write(server.join("drydock.toml"), "volumes = [{ name = \"data\", path = \"/srv/data\" }]").unwrap();
    env.ok(&["up", "weather", "--no-build"]);
    // A header of tar: the mode at 100, the user at 108, the group at 116, in octal.
    let archive = engine.ok(&["cp", &format!("{}:/srv/data", env.container("weather")), "-"]);
    assert_eq!((&archive[..5], &archive[103..107]), ("data/", "0700"), "{:?}", &archive[..130]);
    assert_eq!((&archive[108..115], &archive[116..123]), ("0177774", "0177774"), "{:?}", &archive[..130]);
    let again = env.ok(&["up", "weather", "--no-build"]);
    assert!(again.stderr.contains("already up"), "{again}");
}
