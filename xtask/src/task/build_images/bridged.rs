//! Images of servers that are not ours, and of the bases: a runtime, packages, and the bridge as `/mcp`.
//!
//! Server -> image. Invariant: a package is installed at the exact version of its server.json, while the image is built
//! and never when it runs.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::{How, compile_inside, from_environment, stage};
use crate::argv::{self, Origin};
use crate::cargo::{self, Crate, Profile};
use crate::catalog::{self, Kind, Server};
use crate::engine::Cli;
use crate::fixable::fixable;
use crate::progress;
use crate::workspace::Workspace;

/// The bridge is compiled for `target`, or in the engine.
pub(super) fn build(
    ws: &Workspace,
    cli: &Cli,
    server: &Server,
    how: How,
    target: Option<&str>,
) -> Result<()> {
    if !server.program.ignored.is_empty() {
        let words = server.program.ignored.join(" ");
        progress::say(&format!(
            "{}: left out `{words}`, which is for a program that is not used",
            server.name
        ));
    }
    let bridge = catalog::bridge(&ws.root)?;
    let about = cargo::describe(ws, &bridge)?;
    let (binary, _held) = match target {
        Some(target) => (compiled_here(ws, &bridge, how, target)?, None),
        None => {
            let (path, folder) = compiled_inside(ws, cli, &bridge, &about, how)?;
            (path, Some(folder))
        }
    };
    let context = stage::bridged(ws, server, &about, &binary)?;
    let images = base_images(server.kind);
    let build_args: Vec<_> = images.iter().map(|(name, image)| (*name, image.as_str())).collect();
    let workspace = ws.id()?;
    let origin =
        Origin { workspace: &workspace, license: "", profile: how.profile.name(), cached: !how.no_cache };
    let args = argv::build(server, &origin, &build_args, context.path());
    cli.work(&format!("building {}", server.image()), &args).map(drop).map_err(|err| advise(server, err))
}

/// Once for all images of one command.
fn compiled_here(ws: &Workspace, bridge: &Server, how: How, target: &str) -> Result<PathBuf> {
    static DONE: Mutex<Option<(Profile, PathBuf)>> = Mutex::new(None);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((profile, path)) = &*done
        && *profile == how.profile
    {
        return Ok(path.clone());
    }
    let path = cargo::build_static(ws, bridge, how.profile, target)?;
    *done = Some((how.profile, path.clone()));
    Ok(path)
}

/// The bridge out of an image that the engine compiled.
fn compiled_inside(
    ws: &Workspace,
    cli: &Cli,
    bridge: &Server,
    about: &Crate,
    how: How,
) -> Result<(PathBuf, TempDir)> {
    compile_inside(ws, cli, bridge, how)?;
    let folder = stage::folder(about)?;
    let path = folder.path().join("mcp");
    let container = cli.read(&argv::create_bare(&bridge.image()))?;
    let copied = cli.read(&argv::copy_out(container.trim(), &path));
    cli.read(&argv::remove(container.trim())).context("a container of the bridge's image stays behind")?;
    copied?;
    Ok((path, folder))
}

/// Base images that the person chose.
fn base_images(kind: Kind) -> Vec<(&'static str, String)> {
    names(kind).iter().filter_map(|it| Some((*it, from_environment(it)?))).collect()
}

fn names(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Rust => &["RUST_IMAGE"],
        Kind::Node => &["NODE_IMAGE"],
        Kind::Python => &["PYTHON_IMAGE", "UV_IMAGE"],
    }
}

/// An engine that cannot pull says so in many ways: whatever it was, the way out of a registry's silence is the same.
fn advise(server: &Server, err: anyhow::Error) -> anyhow::Error {
    let said = format!("{err:#}");
    let pulled = [
        "pull access denied",
        "failed to resolve",
        "no such host",
        "dial tcp",
        "manifest unknown",
        "i/o timeout",
    ];
    if !pulled.iter().any(|it| said.contains(it)) {
        return err;
    }
    let hint = format!(
        "where no registry of images can be reached, name images that are there in {}, or make stand-ins \
         (tests/standins, see CONTRIBUTING.md)",
        names(server.kind).join(" and ")
    );
    fixable(said, hint)
}
