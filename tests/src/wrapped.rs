//! The servers of the catalogue that are not ours: base images for them, and their images, built once per run.
//!
//! Engine + kind -> a world in which `up` finds them, or why there can be none here. Invariant: a base image is the real
//! one where a registry answers, else a stand-in out of tests/standins.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use crate::engine::Engine;
use crate::process::{Finished, LONG_PATIENCE, command, run_with};
use crate::session::Session;
use crate::world::{World, workspace_root};

/// What a script of tests/standins ends with where it cannot do its work.
const CANNOT: i32 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Node,
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

    /// Prints a version when the kind's registry of packages answers.
    fn registry(self) -> &'static [&'static str] {
        match self {
            Kind::Node => &["node:22-slim", "npm", "view", "@upstash/context7-mcp", "version"],
            Kind::Python => &["python:3.12-slim", "pip", "index", "versions", "mcp-server-time"],
        }
    }
}

/// A world with an engine that has the base images, or why not.
#[track_caller]
pub fn world(engine: &Engine, kind: Kind, name: &str) -> Result<World, String> {
    once(kind, || base_images(engine, kind))?;
    Ok(World::on(engine, name))
}

/// A world in which `up` finds the catalogue's servers of this kind.
#[track_caller]
pub fn world_with_servers(engine: &Engine, kind: Kind, name: &str) -> Result<World, String> {
    static BUILT: Mutex<BTreeMap<Kind, Finished>> = Mutex::new(BTreeMap::new());
    let world = world(engine, kind, name)?;
    let mut built = BUILT.lock().unwrap_or_else(|it| it.into_inner());
    let build = || {
        let args = [&["build-images"], &kind.servers()[..], &["--profile", "quick"]].concat();
        World::on(engine, "build-wrapped").run(&args)
    };
    let it = built.entry(kind).or_insert_with(build);
    assert_eq!(it.code, Some(0), "{it}");
    Ok(world)
}

/// What a client starts.
pub fn session(engine: &Engine, container: &str) -> Session {
    Session::start(engine.command(&["exec", "-i", container, "/mcp", "stdio"]))
}

/// Where cargo keeps what it has compiled: copies of the workspace may use it too.
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
        let it = run_with(command(path).env("DRYDOCK_ENGINE", engine.program()), &[], LONG_PATIENCE);
        if it.code == Some(CANNOT) {
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
