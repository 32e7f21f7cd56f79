//! The servers of the catalogue that are not ours: base images for them, and their images, built once per run.
//!
//! Engine + kind -> an environment in which `up` finds them, or why there can be none here. Invariant: a base image is the real
//! one where a registry answers, else a stand-in out of tests/standins.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use crate::engine::Engine;
use crate::process::{BUILD_TIMEOUT, CommandOutput, command, run_with};
use crate::session::Session;
use crate::test_env::{TestEnv, workspace_root};

/// What a script of tests/standins ends with where it cannot do its work.
const EXIT_UNAVAILABLE: i32 = 3;

/// What packages a server comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// From npm.
    Node,
    /// From PyPI.
    Python,
}

impl Kind {
    fn stand_ins(self) -> &'static [&'static str] {
        match self {
            Kind::Node => &["node.sh"],
            Kind::Python => &["python.sh", "uv.sh"],
        }
    }

    fn servers(self) -> [&'static str; 2] {
        match self {
            Kind::Node => ["context7", "sequential-thinking"],
            Kind::Python => ["python-example", "time"],
        }
    }

    /// Prints a version when the kind's registry of packages answers. npm waits 5 minutes for an answer on its own, and
    /// would try again only then.
    fn registry(self) -> &'static [&'static str] {
        match self {
            Kind::Node => {
                &["node:22-slim", "npm", "view", "--fetch-timeout=20000", "@upstash/context7-mcp", "version"]
            }
            Kind::Python => &["python:3.12-slim", "pip", "index", "versions", "mcp-server-time"],
        }
    }
}

/// An environment with an engine that has the base images, or why not.
#[track_caller]
pub fn test_env(engine: &Engine, kind: Kind, name: &str) -> Result<TestEnv, String> {
    once(kind, || base_images(engine, kind))?;
    Ok(TestEnv::on(engine, name))
}

/// An environment in which `up` finds the catalogue's servers of this kind.
#[track_caller]
pub fn env_with_servers(engine: &Engine, kind: Kind, name: &str) -> Result<TestEnv, String> {
    static BUILT: Mutex<BTreeMap<Kind, CommandOutput>> = Mutex::new(BTreeMap::new());
    let env = test_env(engine, kind, name)?;
    let mut built = BUILT.lock().unwrap_or_else(|it| it.into_inner());
    let build = || {
        let args = [&["build-images"], &kind.servers()[..], &["--profile", "quick"]].concat();
        TestEnv::on(engine, "build-wrapped").run(&args)
    };
    let it = built.entry(kind).or_insert_with(build);
    assert_eq!(it.code, Some(0), "{it}");
    Ok(env)
}

/// `cargo xtask build-images NAME` in a copy of the workspace, not started yet.
pub fn build_in_copy(env: &TestEnv, name: &str) -> Command {
    let mut build = env.xtask(&["build-images", name, "--profile", "quick"]);
    build.env("CARGO_TARGET_DIR", shared_target_dir());
    build
}

/// What a client starts.
pub fn session(engine: &Engine, container: &str) -> Session {
    Session::start(engine.command(&["exec", "-i", container, "/mcp", "stdio"]))
}

/// Where copies of the workspace, and crates beside it, compile: in one place, and not in the workspace's own, whose bridge has the
/// same name.
pub fn shared_target_dir() -> PathBuf {
    target_dir().join("own")
}

/// Where cargo keeps what it has compiled.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace_root().join("target"), PathBuf::from)
}

fn once(kind: Kind, make: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    static DONE: Mutex<BTreeMap<Kind, Result<(), String>>> = Mutex::new(BTreeMap::new());
    let mut done = DONE.lock().unwrap_or_else(|it| it.into_inner());
    done.entry(kind).or_insert_with(make).clone()
}

#[track_caller]
fn base_images(engine: &Engine, kind: Kind) -> Result<(), String> {
    for script in kind.stand_ins() {
        let path = workspace_root().join("tests/standins").join(script);
        let it = run_with(command(path).env("DRYDOCK_ENGINE", engine.program()), &[], BUILD_TIMEOUT);
        if it.code == Some(EXIT_UNAVAILABLE) {
            return Err(it.stderr.trim().lines().last().unwrap_or_default().to_owned());
        }
        it.ok();
    }
    let asked = engine.run(&[&["run", "--rm"], kind.registry()].concat());
    if asked.code == Some(0) {
        return Ok(());
    }
    Err(format!("needs a registry of packages, and containers reach none: {}", asked.stderr.trim()))
}
