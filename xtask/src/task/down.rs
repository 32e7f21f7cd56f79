//! `down`: our containers are gone.
//!
//! Servers -> no container of ours. Invariant: what is not ours is never touched.

use anyhow::{Result, bail};

use crate::catalog::{self, Server};
use crate::container::{self, Owner};
use crate::each::each;
use crate::engine::{self, Cli, Engine};
use crate::progress;
use crate::task::up;
use crate::workspace::Workspace;

/// Stop and remove the servers' containers (all of them without names)
///
/// Open sessions end. What a base has in its volume stays. Under `--engine host` there is nothing to stop: each server ends with its client.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Servers and bases (node, python); without any, all servers of the workspace
    names: Vec<String>,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let servers = catalog::pick_with_bases(&ws.root, &self.names)?;
        let cli = match engine::find(ws)? {
            Engine::Cli(cli) => cli,
            Engine::Host => {
                progress::say("engine host: nothing to stop, each server ends with its client");
                return Ok(());
            }
        };
        each(&servers, "containers were left", |it| down(ws, &cli, it, !self.names.is_empty()))
    }
}

fn down(ws: &Workspace, cli: &Cli, server: &Server, named: bool) -> Result<()> {
    let name = server.container(&ws.global.name_prefix);
    let Some(found) = container::named(cli, &name)? else {
        progress::say(&format!("{name}: not there"));
        return Ok(());
    };
    let whose = match found.owner(&server.name, &ws.id()?) {
        Owner::Us => return progress::step(&format!("stopping {name}"), || up::remove(cli, &found)),
        Owner::Workspace(other) => format!("it belongs to another workspace ({other})"),
        Owner::Stranger => "it is not Drydock's".to_owned(),
    };
    if named {
        bail!("{name} was left as it is: {whose}");
    }
    progress::say(&format!("{name}: left as it is: {whose}"));
    Ok(())
}
