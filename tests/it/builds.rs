//! Builds of servers that are not ours: what is kept for the next one, the lock, the trial, and what a killed one leaves.
//!
//! A server's folder -> what its builds fetch, write and refuse. Invariant: an image has its name only when it starts.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use drydock_tests::engine::Engine;
use drydock_tests::process::{BUILD_TIMEOUT, CommandOutput, TIMEOUT, command, run, run_with, wait_until};
use drydock_tests::test_env::{TestEnv, copy_workspace};
use drydock_tests::wrapped::{self, Kind};
use drydock_tests::{engine_or_skip, full_or_skip, skip};
use serde_json::{Value, json};

use crate::images::files;
use crate::node::row;
use crate::own;

const MANIFEST: &str = r#"{"name": "own", "version": "1.0.0", "bin": "server.js"}"#;
/// It answers once.
const SERVER: &str = r#"
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, params } = JSON.parse(line);
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result:
    { protocolVersion: params.protocolVersion, capabilities: {}, serverInfo: { name: 'own', version: '1' } } }));
});
"#;

fn own_package(name: &str) -> Value {
    json!({ "registryType": "npm", "identifier": name, "version": "1.0.0", "transport": { "type": "stdio" } })
}

/// An environment with a clone of its own, whose servers can be changed, and an id of its own: `prune` goes by that.
struct Clone {
    env: TestEnv,
    engine: Engine,
    folder: tempfile::TempDir,
    id: String,
    label: String,
}

impl Clone {
    fn new(engine: &Engine, kind: Kind, name: &str) -> Result<Self, String> {
        drop(wrapped::test_env(engine, kind, &format!("{name}-base"))?);
        let folder = tempfile::tempdir().map_err(|err| err.to_string())?;
        copy_workspace(folder.path(), &format!("0.1.1-{name}"));
        let env = TestEnv::on(engine, name).with_root(folder.path());
        let seed = u64::from(std::process::id());
        let number = name.bytes().fold(seed, |sum, it| sum.wrapping_mul(31).wrapping_add(u64::from(it)));
        let id = format!("{:016x}", number ^ 0xb011_d000_0000_0000);
        fs::write(env.state().join("workspace-id"), &id).map_err(|err| err.to_string())?;
        let label = format!("label=dev.drydock.workspace={id}");
        Ok(Self { env, engine: engine.clone(), folder, id, label })
    }

    fn server(&self, name: &str) -> PathBuf {
        self.folder.path().join("servers").join(name)
    }

    fn add(&self, name: &str, files: &[(&str, &str)]) {
        own::add(self.folder.path(), name, &own_package(name), files);
    }

    /// The id of the image that this clone built, or nothing. (The tag for people is whose clone built last.)
    fn image(&self, name: &str) -> String {
        let tag = format!("drydock/{name}/{}", self.id);
        self.engine.ok(&["image", "ls", "--quiet", "--no-trunc", &tag])
    }

    fn build(&self, name: &str) -> CommandOutput {
        run_with(&mut self.build_command(name), &[], BUILD_TIMEOUT)
    }

    fn build_command(&self, name: &str) -> Command {
        wrapped::build_in_copy(&self.env, name)
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        let images = self.engine.ok(&["image", "ls", "--quiet", "--no-trunc", "--filter", &self.label]);
        for id in images.lines() {
            self.engine.run(&["rmi", "--force", id]);
        }
    }
}

#[test]
fn a_lock_of_npm_is_written_once_and_nothing_is_fetched_twice() {
    a_lock_is_written_once(Kind::Node, "sequential-thinking", "package-lock.json", "2026.8.31");
}

#[test]
fn a_lock_of_pypi_is_written_once_and_nothing_is_fetched_twice() {
    full_or_skip!(); // npm's stands for it in the usual run, which has 45 minutes
    a_lock_is_written_once(Kind::Python, "time", "requirements.lock", "2026.10.19");
}

fn a_lock_is_written_once(kind: Kind, server: &str, file: &str, version: &str) {
    let engine = engine_or_skip!();
    let clone = match Clone::new(&engine, kind, &format!("lock-{}", server.len())) {
        Ok(clone) => clone,
        Err(why) => skip!("{why}"),
    };
    let lock = clone.server(server).join(file);
    drop(fs::remove_file(&lock));
    let first = clone.build(server).ok();
    assert!(first.stderr.contains(&format!("wrote servers/{server}/{file}")), "{first}");
    let text = fs::read_to_string(&lock).expect("the lock");
    assert!(text.contains(version) && !text.contains("\"resolved\""), "{text}");
    let second = clone.build(server).ok();
    assert!(!second.stderr.contains("fetching") && !second.stderr.contains("packing"), "{second}");
    assert_eq!(fs::read_to_string(&lock).expect("the lock"), text);
    // With nothing kept, the lock decides.
    let pruned = clone.env.ok(&["prune"]);
    assert!(pruned.stderr.contains("the packages that 1 build have kept"), "{pruned}");
    let third = clone.build(server).ok();
    assert!(third.stderr.contains("fetching") && !third.stderr.contains("looking up"), "{third}");
    assert_eq!(fs::read_to_string(&lock).expect("the lock"), text);

    fs::write(&lock, text.replace(version, "1.0.0")).expect("another lock");
    let again = clone.build(server).ok();
    assert!(again.stderr.contains("locking anew"), "{again}");
    assert_eq!(fs::read_to_string(&lock).expect("the lock"), text);
    // It is one of the sources, and the image that it was written for knows it.
    clone.env.ok(&["up", server, "--no-build"]);
    assert_eq!(row(&clone.env, server)["stale"], json!(false));
}

/// The package's optional peer is jose 5, and what it needs needs jose 6: npm 10 first writes a lock that `npm ci` refuses.
#[test]
fn a_lock_that_npm_would_refuse_is_settled_before_it_is_used() {
    let engine = engine_or_skip!();
    let clone = match Clone::new(&engine, Kind::Node, "peer") {
        Ok(clone) => clone,
        Err(why) => skip!("{why}"),
    };
    let stdio = json!({ "type": "stdio" });
    let package =
        json!({ "registryType": "npm", "identifier": "fastmcp", "version": "4.3.2", "transport": stdio });
    own::add(clone.folder.path(), "peer", &package, &[]);
    let built = clone.build("peer").ok();
    assert!(built.stderr.contains("wrote servers/peer/package-lock.json"), "{built}");
    let lock = fs::read_to_string(clone.server("peer").join("package-lock.json")).expect("the lock");
    let lock: Value = serde_json::from_str(&lock).expect("JSON");
    let all = lock["packages"].as_object().expect("its packages");
    let majors: std::collections::BTreeSet<_> = all
        .iter()
        .filter(|it| it.0.ends_with("node_modules/jose"))
        .filter_map(|it| it.1["version"].as_str()?.split('.').next())
        .collect();
    if majors != ["5", "6"].into() {
        skip!("versions {majors:?} of jose fit today: this package shows nothing any more");
    }

    // One that is there and is refused: what to do is said.
    let file = clone.server("peer").join("package-lock.json");
    let broken =
        fs::read_to_string(&file).expect("the lock").replace("node_modules/undici", "node_modules/undici-x");
    fs::write(&file, broken).expect("a broken lock");
    let refused = clone.build("peer").fails();
    assert!(refused.stderr.contains("git checkout -- servers/peer/package-lock.json"), "{refused}");
}

#[test]
fn a_change_of_sources_alone_fetches_nothing() {
    let engine = engine_or_skip!();
    let clone = match Clone::new(&engine, Kind::Node, "kept") {
        Ok(clone) => clone,
        Err(why) => skip!("{why}"),
    };
    let manifest = MANIFEST.replace("\"bin\"", "\"dependencies\": {\"ms\": \"2.1.3\"}, \"bin\"");
    let files = [("package.json", manifest.as_str()), ("server.js", SERVER)];
    clone.add("kept", &files);
    assert!(clone.build("kept").ok().stderr.contains("fetching the packages of kept"));
    let before = clone.image("kept");
    let file = clone.server("kept").join("server.js");
    fs::write(&file, format!("{SERVER}// changed")).expect("a changed source");
    let second = clone.build("kept").ok();
    assert!(!second.stderr.contains("fetching") && second.stderr.contains("packing"), "{second}");
    assert_ne!(clone.image("kept"), before);
    // As it was: nothing is to be done at all.
    fs::write(&file, SERVER).expect("the first source");
    let third = clone.build("kept").ok();
    assert!(!third.stderr.contains("fetching") && !third.stderr.contains("packing"), "{third}");
}

#[test]
fn a_build_has_development_packages_and_the_image_does_not() {
    let engine = engine_or_skip!();
    let clone = match Clone::new(&engine, Kind::Node, "development") {
        Ok(clone) => clone,
        Err(why) => skip!("{why}"),
    };
    let manifest = MANIFEST.replace(
        "\"bin\"",
        "\"dependencies\": {\"ms\": \"2.1.3\"}, \"devDependencies\": {\"is-number\": \"7.0.0\"}, \
         \"scripts\": {\"build\": \"node build.js\"}, \"bin\"",
    );
    let script = "if (!require('is-number')(5)) process.exit(1); require('fs').copyFileSync('source.js', 'server.js');";
    let source = format!("require('ms');{SERVER}");
    clone.add("developed", &[("package.json", &manifest), ("build.js", script), ("source.js", &source)]);
    let built = clone.build("developed").ok();
    assert!(!built.stderr.contains("started once"), "{built}");
    let files = files(&engine, &clone.image("developed"));
    let has = |part: &str| files.iter().any(|it| it.contains(part));
    assert!(has("app/node_modules/ms/") && has("app/server.js") && !has("is-number"), "{files:?}");
    // Neither npm's own lists nor what it wrote on the way.
    assert!(!has(".package-lock.json") && !has("_cacache") && !has("home/mcp/."), "{files:?}");
}

#[test]
fn what_cannot_start_gets_no_name_and_what_lacks_a_key_does() {
    let engine = engine_or_skip!();
    let clone = match Clone::new(&engine, Kind::Node, "trial") {
        Ok(clone) => clone,
        Err(why) => skip!("{why}"),
    };
    clone.add("tried", &[("package.json", MANIFEST), ("server.js", SERVER)]);
    let first = clone.build("tried").ok();
    assert!(!first.stderr.contains("started once"), "{first}");
    let before = clone.image("tried");
    // An engine without BuildKit keeps the stage that each build begins with.
    let nameless = ["image", "ls", "--quiet", "--filter", "dangling=true", "--filter", &clone.label];
    let stages = engine.ok(&nameless);
    let file = clone.server("tried").join("server.js");
    fs::write(&file, "require('./security.js');").expect("a changed source");
    let refused = clone.build("tried").fails();
    assert!(refused.stderr.contains("it lacks the module `./security.js`"), "{refused}");
    assert_eq!(clone.image("tried"), before, "the old image lost its name");
    assert_eq!(engine.ok(&nameless), stages, "{refused}");

    for (source, said) in [
        (
            "require('child_process').spawn('git').on('error', (e) => { throw e; });",
            "it lacks the program `git`",
        ),
        (
            "throw new Error('libgomp.so.1: cannot open shared object file: No such file')",
            "it lacks the library `libgomp.so.1`",
        ),
    ] {
        fs::write(&file, source).expect("a changed source");
        let refused = clone.build("tried").fails();
        assert!(refused.stderr.contains(said), "{refused}");
    }
    fs::write(&file, "console.error('set API_KEY'); process.exit(1)").expect("a changed source");
    let noted = clone.build("tried").ok();
    assert!(noted.stderr.contains("started once") && noted.stderr.contains("set API_KEY"), "{noted}");
    assert_ne!(clone.image("tried"), before);
}

/// An author's mistakes: what is wrong, in which file, and what to do.
#[test]
fn what_is_wrong_with_a_server_of_ones_own_is_said_with_its_cure() {
    let engine = engine_or_skip!();
    let clone = match Clone::new(&engine, Kind::Node, "author") {
        Ok(clone) => clone,
        Err(why) => skip!("{why}"),
    };
    clone.add("mine", &[("package.json", MANIFEST), ("server.js", "const a = ;")]);
    let build = |file: &str, text: &str| {
        fs::write(clone.server("mine").join(file), text).expect("a changed source");
        clone.build("mine")
    };
    let syntax = clone.build("mine").fails();
    assert!(
        syntax.stderr.contains("its code has a syntax error") && syntax.stderr.contains("\nconst a = ;\n"),
        "{syntax}"
    );
    let module = build("server.js", "require('yaml');").fails();
    assert!(module.stderr.contains("it lacks the module `yaml`"), "{module}");
    assert!(module.stderr.contains("hint: if it is a package: name it in `dependencies`"), "{module}");

    let key = build("server.js", "console.error('Error: MY_KEY is not set'); process.exit(1)").ok();
    assert!(key.stderr.contains("it ended:\n  Error: MY_KEY is not set\n"), "its own words alone: {key}");
    let failed = clone.env.run(&["up", "mine"]).fails();
    assert_eq!(failed.stderr.matches("MY_KEY is not set").count(), 1, "{failed}");
    assert!(failed.stderr.contains("`MY_KEY = \"..\"` under [env]"), "{failed}");

    let noise = build("server.js", &format!("console.log('hello, it runs');{SERVER}")).ok();
    assert!(noise.stderr.contains("no MCP message, as `hello, it runs`"), "{noise}");
    let bin = build("package.json", &MANIFEST.replace("server.js", "dist/it.js")).fails();
    assert!(
        bin.stderr.contains("has no such file") && bin.stderr.contains("see `bin` (or `main`) in"),
        "{bin}"
    );
    let script = MANIFEST.replace('}', r#", "scripts": {"build": "tsc"}}"#);
    let build = build("package.json", &script).fails();
    assert!(
        build.stderr.contains("tsc: not found")
            && build.stderr.contains("hint: `npm run build` has no network"),
        "{build}"
    );
}

/// What comes out may be gigabytes, and what would come after it is not begun.
#[test]
fn ctrl_c_ends_a_build_while_files_come_out() {
    let engine = engine_or_skip!();
    let clone = match Clone::new(&engine, Kind::Node, "stopped") {
        Ok(clone) => clone,
        Err(why) => skip!("{why}"),
    };
    let manifest = MANIFEST.replace("\"bin\"", "\"scripts\": {\"build\": \"truncate -s 4G data\"}, \"bin\"");
    clone.add("stopped", &[("package.json", &manifest), ("server.js", SERVER)]);
    let mut build = clone.build_command("stopped").stderr(Stdio::piped()).spawn().expect("xtask");
    let stderr = BufReader::new(build.stderr.take().expect("a pipe"));
    let (said, lines) = mpsc::channel();
    std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|it| said.send(it)));
    let next = || lines.recv_timeout(BUILD_TIMEOUT).expect("a line");
    while !next().starts_with("packing the files of stopped: ") {}
    run(command("kill").args(["-INT", &build.id().to_string()])).ok();
    let ended = wait_until(TIMEOUT, || build.try_wait().is_ok_and(|it| it.is_some()));
    if !ended {
        build.kill().expect("it runs");
    }
    let rest: Vec<_> = lines.iter().collect();
    assert_eq!(build.wait().expect("an end").code(), Some(130), "{rest:?}");
    assert!(!rest.iter().any(|it| it.starts_with("building")), "{rest:?}");
}

#[test]
fn a_killed_build_leaves_nothing_that_prune_does_not_find() {
    let engine = engine_or_skip!();
    let clone = match Clone::new(&engine, Kind::Node, "killed") {
        Ok(clone) => clone,
        Err(why) => skip!("{why}"),
    };
    let manifest = MANIFEST.replace("\"bin\"", "\"scripts\": {\"build\": \"sleep 300\"}, \"bin\"");
    clone.add("killed", &[("package.json", &manifest), ("server.js", SERVER)]);
    let mut build = clone.build_command("killed").spawn().expect("xtask");
    let own = clone.label.as_str();
    let running = || engine.ok(&["ps", "--quiet", "--filter", own, "--filter", "status=running"]);
    assert!(wait_until(BUILD_TIMEOUT, || !running().is_empty()), "no step runs");
    let list = |kind: &[&str]| engine.ok(&[kind, &["ls", "--quiet", "--filter", own]].concat());
    let shown = clone.env.ok(&["prune", "--dry-run"]);
    assert!(shown.stderr.contains("what a build of killed works with"), "{shown}");
    clone.env.ok(&["prune"]);
    assert!(!running().is_empty(), "a build under way was taken for one that was killed");
    build.kill().expect("it runs");
    build.wait().expect("it ends");
    assert!(!list(&["volume"]).is_empty());
    let pruned = clone.env.ok(&["prune"]);
    assert!(pruned.stderr.contains("it was killed"), "{pruned}");
    let gone =
        || list(&["volume"]).is_empty() && engine.ok(&["ps", "--all", "--quiet", "--filter", own]).is_empty();
    assert!(wait_until(TIMEOUT, gone), "something stays behind");
}
