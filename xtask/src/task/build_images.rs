//! `build-images`: a server's sources become a slim image.
//!
//! Servers -> images on the engine (see `ops/build`).

use anyhow::Result;
use drydock_catalog::Server;
use drydock_engine::Engine;

use crate::batch::try_each;
use crate::ops::build::{BuildOptions, Builder};
use crate::ops::select;
use crate::ui::progress;
use crate::workspace::Workspace;
use crate::{cargo, interrupt};

/// Build the images of servers (all of them without names) and of runtimes
///
/// Servers from npm and PyPI are installed while the image is built, in sandboxed containers, at the versions of their
/// server.json and of the lock beside it, which the first build writes. The base images are node:22-slim, python:3.12-slim
/// and uv's, or those in NODE_IMAGE, PYTHON_IMAGE and UV_IMAGE. Under `--engine host`
/// there are no images: Rust servers are compiled for this machine, which is what clients start.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Servers and runtime images (node, python); without any, all servers of the workspace
    names: Vec<String>,
    #[command(flatten)]
    options: BuildOptions,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        interrupt::arm()?;
        let servers = drydock_catalog::pick_each_with_runtimes(&ws.root, &self.names)?;
        let servers = select::if_any_is_valid(servers, "images were not built")?;
        let engine = ws.engine()?;
        let Engine::Cli(cli) = engine else {
            let servers = select::on_host(servers, !self.names.is_empty())?;
            return try_each(servers, "servers were not compiled", |it| on_host(ws, &it?));
        };
        let builder = Builder::new(ws, cli, self.options);
        try_each(servers, "images were not built", |(_, it)| builder.build(&it?).map(drop))
    }
}

fn on_host(ws: &Workspace, server: &Server) -> Result<()> {
    let path = cargo::build_host(ws, server)?;
    progress::say(&format!("{}: {} (engine host has no images)", server.name, path.display()));
    Ok(())
}
