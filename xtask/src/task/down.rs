//! `down`: our containers are gone.
//!
//! Names and labels -> no container of ours. Invariants: what is not ours is never touched; a `server.json` that is wrong,
//! or gone, is in no container's way.

use anyhow::{Result, bail};
use drydock_catalog::container_name;
use drydock_engine::{Cli, Container, Engine, Owner};

use crate::batch::try_each;
use crate::ops::adopt::{self, Maker};
use crate::ops::select;
use crate::ui::progress;
use crate::workspace::Workspace;

/// Stop and remove the servers' containers (all of them without names)
///
/// Open sessions end. What a runtime image has in its volume stays. Under `--engine host` there is nothing to stop: each server ends with its client.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Servers and runtime images (node, python); without any, all servers of the workspace
    names: Vec<String>,
    /// Also what this clone made before `.drydock` was lost, and what a clone that is gone has left: it is taken over first,
    /// as with `up --adopt`
    #[arg(long)]
    adopt: bool,
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
        try_each(names, "containers were left", |it| self.down(ws, cli, &it))
    }

    fn down(&self, ws: &Workspace, cli: &Cli, server: &str) -> Result<()> {
        let name = container_name(&ws.global.name_prefix, server);
        let Some(found) = drydock_engine::container(cli, &name)? else {
            progress::say(&format!("{name}: not there"));
            return Ok(());
        };
        let whose = match found.owner(server, &ws.id()?) {
            Owner::ThisWorkspace => return remove(cli, &found),
            Owner::OtherWorkspace(_) => match Maker::of(ws, &found) {
                Maker::Living(_) => adopt::describe(ws, &found),
                _ if self.adopt || !self.names.is_empty() => {
                    adopt::take_over(ws, cli, &found, self.adopt)?;
                    return remove(cli, &found);
                }
                _ => format!("{}; `--adopt` takes it over", adopt::describe(ws, &found)),
            },
            Owner::Unmanaged => "it is not managed by Drydock".to_owned(),
        };
        if !self.names.is_empty() {
            bail!("{name} was left as it is: {whose}");
        }
        progress::say(&format!("{name}: left as it is: {whose}"));
        Ok(())
    }
}

fn remove(cli: &Cli, found: &Container) -> Result<()> {
    progress::step(&format!("stopping {}", found.name()), || Ok(drydock_engine::stop_and_remove(cli, found)?))
}
