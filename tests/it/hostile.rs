//! Packages that attack their build: an install script of npm and a source distribution of PyPI, which try to change what
//! runs in the image, to be root in it, to become `/mcp`, and to reach the network.
//!
//! A hostile package -> refused, or without effect. Invariant: without the grant nothing of it runs; with it, it runs as
//! nobody, and only what was looked at comes out.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;

use drydock_tests::buildkit::BuildKit;
use drydock_tests::engine::Engine;
use drydock_tests::process::{BUILD_TIMEOUT, CommandOutput, command, run, run_with};
use drydock_tests::session::LEGACY;
use drydock_tests::test_env::{TestEnv, copy_workspace};
use drydock_tests::wrapped::{self, Kind};
use drydock_tests::{engine_or_skip, full_or_skip, skip};
use serde_json::{Value, json};

use crate::images::files;
use crate::own;

/// Tries everything, and writes down in its own folder what it could do.
const NODE_ATTACK: &str = r#"
const fs = require('fs'), net = require('net'), os = require('os');
const report = { uid: process.getuid(), done: [] };
const attempt = (name, work) => { try { work(); report.done.push(name); } catch {} };
attempt('node', () => fs.writeFileSync(process.execPath, 'hostile'));
attempt('mcp', () => fs.symlinkSync('/bin/sh', '/mcp'));
attempt('bridge', () => { fs.mkdirSync('/etc/mcp', { recursive: true }); fs.writeFileSync('/etc/mcp/bridge.json', '{}'); });
attempt('root', () => process.setuid(0));
fs.mkdirSync('/work/out', { recursive: true });
fs.writeFileSync('/work/out/plan.json', '{"start":"../../bin/sh","certificates":false}');
fs.mkdirSync('/work/pack', { recursive: true });
fs.writeFileSync('/work/pack/app.mjs', 'process.exit(0)');
EXTRA
report.addresses = Object.values(os.networkInterfaces()).flat().filter((it) => !it.internal).length;
fs.writeFileSync('report.json', JSON.stringify(report));
const socket = net.connect(PORT, 'HOST');
socket.on('connect', () => { report.done.push('network'); fs.writeFileSync('report.json', JSON.stringify(report)); socket.destroy(); });
socket.on('error', () => {});
"#;

const NODE_SERVER: &str = r#"
const fs = require('fs'), path = require('path');
const report = () => { try { return fs.readFileSync(path.join(__dirname, 'node_modules/evil/report.json'), 'utf8'); } catch { return 'none'; } };
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const answers = {
    initialize: () => ({ protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'it', version: '1' } }),
    'tools/list': () => ({ tools: [{ name: 'report', inputSchema: { type: 'object' } }] }),
    'tools/call': () => ({ content: [{ type: 'text', text: report() }] }),
  };
  console.log(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method]() }));
});
"#;

/// The same in the code that builds a source distribution.
const PYTHON_ATTACK: &str = r#"
import json, os, sys
from setuptools import setup
report = {"uid": os.getuid(), "done": []}
def attempt(name, work):
    try:
        work()
        report["done"].append(name)
    except OSError:
        pass
attempt("python", lambda: open(os.path.realpath("/usr/local/bin/python3"), "w"))
attempt("mcp", lambda: os.symlink("/bin/sh", "/mcp"))
attempt("bridge", lambda: (os.makedirs("/etc/mcp", exist_ok=True), open("/etc/mcp/bridge.json", "w")))
attempt("root", lambda: os.setuid(0))
os.makedirs("/work/lib", exist_ok=True)
os.makedirs("/work/out", exist_ok=True)
open("/work/out/plan.json", "w").write('{"module":"os; import pty","certificates":false}')
EXTRA
open("/work/lib/evil_report.json", "w").write(json.dumps(report))
setup(name="evil", version="1.0.0", py_modules=["evil"])
"#;

const PYTHON_SERVER: &str = r#"
import json, pathlib, sys
import evil
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message: continue
    method = message["method"]
    if method == "initialize":
        result = {"protocolVersion": message["params"]["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": {"name": "it", "version": "1"}}
    elif method == "tools/list":
        result = {"tools": [{"name": "report", "inputSchema": {"type": "object"}}]}
    else:
        result = {"content": [{"type": "text", "text": pathlib.Path("/app/lib/evil_report.json").read_text()}]}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"#;

/// A place that serves files to containers, as a registry does its archives.
struct Files {
    folder: tempfile::TempDir,
    address: std::net::SocketAddr,
}

impl Files {
    /// On the address that containers reach this machine by.
    fn serve(engine: &Engine) -> Result<Self, String> {
        let format = "{{range .IPAM.Config}}{{.Subnet}} {{end}}";
        let subnet = engine.ok(&["network", "inspect", "bridge", "--format", format]);
        let unreachable = |err| format!("containers do not reach this machine by {subnet}: {err}");
        // The address that this machine has there; nothing is sent.
        let there = subnet.split('/').next().unwrap_or_default().to_owned();
        let socket = UdpSocket::bind("0.0.0.0:0").and_then(|it| it.connect((there, 9)).map(|()| it));
        let here = socket.and_then(|it| it.local_addr()).map_err(unreachable)?.ip();
        let listener = TcpListener::bind((here, 0)).map_err(unreachable)?;
        let address = listener.local_addr().map_err(|err| err.to_string())?;
        let folder = tempfile::tempdir().map_err(|err| err.to_string())?;
        let root = folder.path().to_path_buf();
        std::thread::spawn(move || listener.incoming().flatten().for_each(|it| drop(answer(it, &root))));
        Ok(Self { folder, address })
    }

    fn url(&self, file: &str) -> String {
        format!("http://{}/{file}", self.address)
    }

    /// `NAME.tar.gz` with these files in a folder.
    fn archive(&self, name: &str, top: &str, files: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (file, text) in files {
            let path = folder.path().join(top).join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
            fs::write(path, text).expect("a new file");
        }
        let file = format!("{name}.tar.gz");
        let mut tar = command("tar");
        tar.args(["--create", "--gzip", "--file"]).arg(self.folder.path().join(&file));
        run(tar.arg("--directory").arg(folder.path()).arg(top)).ok();
        self.url(&file)
    }
}

fn answer(mut stream: TcpStream, root: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|it| !it.is_empty()) {}
    let file = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let (status, body) = match fs::read(root.join(file)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let body_of = if request.starts_with("HEAD") { &[][..] } else { &body };
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
    stream.write_all(body_of)
}

/// A clone with a server that depends on the hostile package.
struct HostileEnv {
    engine: Engine,
    env: TestEnv,
    root: PathBuf,
    files: Files,
    kind: Kind,
    _folder: tempfile::TempDir,
}

impl HostileEnv {
    fn new(engine: Engine, kind: Kind, name: &str) -> Result<Self, String> {
        drop(wrapped::test_env(&engine, kind, &format!("{name}-base"))?);
        let files = Files::serve(&engine)?;
        let folder = tempfile::tempdir().map_err(|err| err.to_string())?;
        copy_workspace(folder.path(), "0.1.1-hostile");
        let env = TestEnv::on(&engine, name).with_root(folder.path());
        Ok(Self { engine, env, root: folder.path().to_path_buf(), files, kind, _folder: folder })
    }

    /// A server that depends on the package, which does `extra`, too. With the grant or without it.
    fn add(&self, name: &str, extra: &str, granted: bool) {
        let port = self.files.address.port().to_string();
        let host = self.files.address.ip().to_string();
        let fill = |text: &str| text.replace("EXTRA", extra).replace("PORT", &port).replace("HOST", &host);
        let grant = format!("install-scripts = {granted}\n");
        match self.kind {
            Kind::Node => {
                let about =
                    r#"{"name": "evil", "version": "1.0.0", "scripts": {"install": "node attack.js"}}"#;
                let attack = fill(NODE_ATTACK);
                let evil = [("package.json", about), ("attack.js", attack.as_str()), ("index.js", "")];
                let url = self.files.archive(name, "package", &evil);
                let manifest = json!({ "name": name, "version": "1.0.0", "bin": "server.js", "dependencies": { "evil": url } });
                let manifest = manifest.to_string();
                let files = [
                    ("package.json", manifest.as_str()),
                    ("server.js", NODE_SERVER),
                    ("drydock.toml", &grant),
                ];
                own::add(&self.root, name, &package("npm", name), &files);
            }
            Kind::Python => {
                let attack = fill(PYTHON_ATTACK);
                let evil = [
                    ("setup.py", attack.as_str()),
                    ("evil.py", ""),
                    ("PKG-INFO", "Metadata-Version: 2.1\nName: evil\nVersion: 1.0.0\n"),
                ];
                let url = self.files.archive(name, "evil-1.0.0", &evil);
                let list = format!("evil @ {url}\n");
                let files = [
                    ("requirements.txt", list.as_str()),
                    ("server.py", PYTHON_SERVER),
                    ("drydock.toml", &grant),
                ];
                own::add(&self.root, name, &package("pypi", name), &files);
            }
        }
    }

    fn build(&self, name: &str) -> CommandOutput {
        run_with(&mut self.build_command(name), &[], BUILD_TIMEOUT)
    }

    fn build_command(&self, name: &str) -> Command {
        wrapped::build_in_copy(&self.env, name)
    }

    /// What the package could do when its code ran.
    fn report(&self, name: &str) -> String {
        self.env.ok(&["up", name, "--no-build"]);
        let mut session = wrapped::session(&self.engine, &self.env.container(name));
        session.open(LEGACY[0]);
        let text = session.call("report", json!({})).text;
        session.close();
        text
    }

    /// It ran, as nobody, and could do nothing of what it tried.
    fn has_no_effect(&self, name: &str) {
        let report: Value = serde_json::from_str(&self.report(name)).expect("a report");
        assert_eq!((&report["uid"], &report["done"]), (&json!(65532), &json!([])), "{report}");
        let image = format!("drydock/{name}:1.0.0");
        let container = self.engine.ok(&["create", &image]);
        let bridge = tempfile::tempdir().expect("a temporary folder");
        let file = bridge.path().join("bridge.json");
        self.engine.ok(&[
            "cp",
            &format!("{container}:/etc/mcp/bridge.json"),
            file.to_str().expect("a plain path"),
        ]);
        self.engine.ok(&["rm", &container]);
        let text = fs::read_to_string(file).expect("the bridge's settings");
        assert!(text.contains("/app/") && !text.contains("sh\""), "{text}");
        assert!(files(&self.engine, &image).contains("mcp"));
    }

    /// The build fails and names the path; there is no image.
    fn is_refused(&self, name: &str, named: &str) {
        let refused = self.build(name).fails();
        assert!(refused.stderr.contains(named), "{refused}");
        assert_eq!(self.engine.ok(&["image", "ls", "--quiet", &format!("drydock/{name}")]), "", "{refused}");
    }
}

fn package(registry: &str, name: &str) -> Value {
    json!({ "registryType": registry, "identifier": name, "version": "1.0.0", "transport": { "type": "stdio" } })
}

#[test]
fn an_install_script_of_npm_cannot_change_the_image() {
    let engine = engine_or_skip!();
    let hostile = match HostileEnv::new(engine, Kind::Node, "hostile") {
        Ok(hostile) => hostile,
        Err(why) => skip!("{why}"),
    };
    hostile.add("not-granted", "", false);
    hostile.build("not-granted").ok();
    assert_eq!(hostile.report("not-granted"), "none", "a script ran without the grant");
    hostile.add("granted", "", true);
    hostile.build("granted").ok();
    hostile.has_no_effect("granted");
    let report: Value = serde_json::from_str(&hostile.report("granted")).expect("a report");
    assert_eq!(report["addresses"], 0, "install scripts have a network: {report}");
    hostile.add("out", "fs.mkdirSync('/work/out/deps/etc/mcp', { recursive: true }); fs.writeFileSync('/work/out/deps/etc/mcp/bridge.json', '{}');", true);
    hostile.is_refused("out", "etc");
}

/// `--ignore-scripts` does not keep npm from it where a lock names a folder.
#[test]
fn nothing_is_prepared_while_npm_has_the_network() {
    let engine = engine_or_skip!();
    let hostile = match HostileEnv::new(engine, Kind::Node, "hostile-lock") {
        Ok(hostile) => hostile,
        Err(why) => skip!("{why}"),
    };
    let manifest = json!({ "name": "prepared", "version": "1.0.0", "bin": "server.js", "dependencies": { "me": "file:." },
        "scripts": { "prepare": "touch prepared" } });
    let mut root = manifest.clone();
    root.as_object_mut().expect("an object").remove("scripts");
    let lock = json!({ "name": "prepared", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
        "packages": { "": root, "node_modules/me": { "version": "1.0.0", "resolved": "file:." } } });
    let files = [
        ("package.json", &*manifest.to_string()),
        ("package-lock.json", &lock.to_string()),
        ("server.js", NODE_SERVER),
    ];
    own::add(&hostile.root, "prepared", &package("npm", "prepared"), &files);
    hostile.is_refused("prepared", "/no-scripts-while-packages-are-fetched");
}

#[test]
fn files_that_must_not_come_out_of_npm_are_refused() {
    full_or_skip!();
    let engine = engine_or_skip!();
    let hostile = match HostileEnv::new(engine, Kind::Node, "hostile-files") {
        Ok(hostile) => hostile,
        Err(why) => skip!("{why}"),
    };
    for (name, extra, named) in [
        ("setuid", "fs.copyFileSync('/bin/sh', 'shell'); fs.chmodSync('shell', 0o4755);", "shell"),
        ("link", "fs.symlinkSync('/etc/passwd', 'passwd');", "passwd"),
        ("whiteout", "fs.writeFileSync('.wh...', '');", ".wh..."),
        ("far-link", "fs.symlinkSync('../../../../mcp', 'entry');", "entry"),
        (
            "own-mcp",
            "fs.mkdirSync('/work/out/own', { recursive: true }); fs.copyFileSync('/bin/sh', '/work/out/own/mcp');",
            "mcp",
        ),
        (
            "modules",
            "fs.rmSync('/work/app/node_modules', { recursive: true }); fs.symlinkSync('/etc', '/work/app/node_modules'); process.exit(0);",
            "node_modules",
        ),
        (
            "socket",
            "process.umask(0); net.createServer().listen('socket').unref(); require('child_process').execSync('mkfifo pipe');",
            "pipe",
        ),
    ] {
        hostile.add(name, extra, true);
        hostile.is_refused(name, named);
    }
}

#[test]
fn a_source_distribution_of_pypi_cannot_change_the_image() {
    let engine = engine_or_skip!();
    full_or_skip!(); // npm's stands for it in the usual run, which has 45 minutes
    let hostile = match HostileEnv::new(engine, Kind::Python, "hostile-python") {
        Ok(hostile) => hostile,
        Err(why) => skip!("{why}"),
    };
    hostile.add("py-not", "", false);
    let refused = hostile.build("py-not").fails();
    assert!(refused.stderr.contains("install-scripts = true"), "{refused}");
    let list = hostile.root.join("servers/py-not/requirements.txt");
    let plain = fs::read_to_string(&list).expect("a list");
    fs::write(&list, format!("--no-binary evil\n{plain}")).expect("a changed list");
    hostile.is_refused("py-not", "hold the option \"--no-binary\"");
    hostile.add("py-granted", "", true);
    hostile.build("py-granted").ok();
    hostile.has_no_effect("py-granted");
    hostile.add(
        "py-setuid",
        "import shutil; shutil.copy('/bin/sh', '/work/lib/shell'); os.chmod('/work/lib/shell', 0o4755)",
        true,
    );
    hostile.is_refused("py-setuid", "shell");
}

#[test]
fn the_same_with_buildkit() {
    full_or_skip!();
    let engine = engine_or_skip!();
    let buildkit = match BuildKit::find(&engine) {
        Ok(buildkit) => buildkit,
        Err(why) => skip!("{why}"),
    };
    for (kind, name) in [(Kind::Node, "kit-node"), (Kind::Python, "kit-python")] {
        let hostile = match HostileEnv::new(engine.clone(), kind, &format!("hostile-{name}")) {
            Ok(hostile) => hostile,
            Err(why) => skip!("{why}"),
        };
        hostile.add(name, "", true);
        run_with(buildkit.for_command(&mut hostile.build_command(name)), &[], BUILD_TIMEOUT).ok();
        hostile.has_no_effect(name);
    }
}
