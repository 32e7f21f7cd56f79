//! `down`: our containers are gone.
//!
//! Names and labels -> no container of ours. Invariants: what is not ours is never touched; a `server.json` that is wrong,
//! or gone, is in no container's way.

use anyhow::{Result, bail};
use drydock_catalog::container_name;
use drydock_engine::{Cli, Container, Engine, Owner, docker_args};

use crate::batch::try_each;
use crate::ops::adopt::{self, Maker};
use crate::ops::select;
use crate::ops::up::start;
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
        try_each(names, "containers were left", |it| {
            if self.down(ws, cli, &it)? { self.volumes(ws, cli, &it) } else { Ok(()) }
        })
    }

    /// Those of a server whose container is gone: removed on request, else named.
    fn volumes(&self, ws: &Workspace, cli: &Cli, server: &str) -> Result<()> {
        let container = container_name(&ws.global.name_prefix, server);
        let found = drydock_engine::volumes_of(cli, server, &container, &ws.id()?)?;
        if found.is_empty() {
            return Ok(());
        }
        let names = found.join(", ");
        if self.volumes {
            let removed = || Ok(cli.stdout(&docker_args::remove_volumes(&found)).map(drop)?);
            return progress::step(&format!("removing {names}"), removed);
        }
        let command = ws.command(&format!("down {server} --volumes"));
        progress::say(&format!("kept, with what is in it: {names}; {command} removes it"));
        Ok(())
    }

    /// Whether no container of that name is left.
    fn down(&self, ws: &Workspace, cli: &Cli, server: &str) -> Result<bool> {
        let name = container_name(&ws.global.name_prefix, server);
        start::remove_beside(ws, cli, server)?;
        let Some(found) = drydock_engine::container(cli, &name)? else {
            progress::say(&format!("{name}: not there"));
            return Ok(true);
        };
        let whose = match found.owner(server, &ws.id()?) {
            Owner::ThisWorkspace => return remove(cli, &found).map(|()| true),
            Owner::OtherWorkspace(_) => match Maker::of(ws, &found) {
                Maker::Living(_) => adopt::describe(ws, &found),
                _ if self.adopt || !self.names.is_empty() => {
                    adopt::take_over(ws, cli, &found, self.adopt)?;
                    return remove(cli, &found).map(|()| true);
                }
                _ => format!("{}; `--adopt` takes it over", adopt::describe(ws, &found)),
            },
            Owner::Unmanaged => "it is not managed by Drydock".to_owned(),
        };
        if !self.names.is_empty() {
            bail!("{name} was left as it is: {whose}");
        }
        progress::say(&format!("{name}: left as it is: {whose}"));
        Ok(false)
    }
}

fn remove(cli: &Cli, found: &Container) -> Result<()> {
    progress::step(&format!("stopping {}", found.name()), || Ok(drydock_engine::stop_and_remove(cli, found)?))
}
