//! Where we are: the clone's root, its state folder, and the options that every command shares.
//!
//! Environment and global flags -> `Workspace`. Invariant: the state folder is the only place in the clone that
//! commands write to besides `target/` and what the person asked for; it is private (0700) and git-ignored.

use std::path::PathBuf;

use anyhow::{Context, Result};

#[derive(clap::Args, Debug)]
pub(crate) struct Global {
    /// Which engine runs the servers: docker, podman or host (Rust servers as plain processes, no sandbox)
    #[arg(long, global = true, env = "DRYDOCK_ENGINE", value_name = "ENGINE")]
    pub(crate) engine: Option<String>,
    /// Put before every container's name, so that two workspaces can share an engine
    #[arg(long, global = true, env = "DRYDOCK_NAME_PREFIX", value_name = "PREFIX", default_value = "")]
    pub(crate) name_prefix: String,
}

#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder with the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// `.drydock/`, or `DRYDOCK_STATE`.
    pub(crate) state: PathBuf,
    pub(crate) global: Global,
}

impl Workspace {
    pub(crate) fn open(global: Global) -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = PathBuf::from(manifest).parent().context("xtask has no parent folder")?.to_path_buf();
        let state = std::env::var_os("DRYDOCK_STATE").map_or_else(|| root.join(".drydock"), PathBuf::from);
        Ok(Self { root, state, global })
    }
}
