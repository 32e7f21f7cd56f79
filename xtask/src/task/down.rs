//! `down`: our containers are gone.
//!
//! Names and labels -> no container of ours. Invariants: what is not ours is never touched; a `server.json` that is wrong,
//! or gone, is in no container's way.

use anyhow::Result;
use drydock_engine::Engine;

use crate::batch::try_each;
use crate::ops::down::Down;
use crate::ops::select;
use crate::ui::progress;
use crate::workspace::Workspace;

/// Stop and remove the servers' containers (all of them without names)
///
/// Open sessions end. Volumes stay, and are named, unless `--volumes` is given. Under `--engine host` there is nothing to stop: each server ends with its client.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Servers and runtime images (node, python); without any, all servers of the workspace
    names: Vec<String>,
    /// Also what this clone made before `.drydock` was lost, and what a clone that is gone has left: it is taken over first,
    /// as with `up --adopt`
    #[arg(long)]
    adopt: bool,
    /// Also remove their volumes, with all that is in them
    #[arg(long)]
    volumes: bool,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let cli = match select::engine(ws, &self.names)? {
            Engine::Cli(cli) => cli,
            Engine::Host => {
                drydock_catalog::pick_each_with_runtimes(&ws.root, &self.names)?;
                progress::say("engine host: nothing to stop, each server ends with its client");
                return Ok(());
            }
        };
        let names = match self.names.as_slice() {
            [] => select::all_names(ws, cli)?,
            names => select::names(ws, cli, names)?,
        };
        let down = Down { ws, cli, adopt: self.adopt, named: !self.names.is_empty() };
        try_each(names, "containers were left", |it| {
            if down.container(&it)? { down.volumes(&it, self.volumes) } else { Ok(()) }
        })
    }
}
