//! A server's container is gone, and its volumes where that is asked for.
//!
//! A server's name -> no container of ours. Invariant: what is not ours is never touched.

use anyhow::{Result, bail};
use drydock_catalog::container_name;
use drydock_engine::{Cli, Container, Owner, docker_args};

use crate::ops::adopt::{self, Maker};
use crate::ops::up::start;
use crate::ui::progress;
use crate::workspace::Workspace;

/// How containers are taken away.
#[derive(Clone, Copy)]
pub(crate) struct Down<'a> {
    pub(crate) ws: &'a Workspace,
    pub(crate) cli: &'a Cli,
    /// Also what this clone made before its state was lost.
    pub(crate) adopt: bool,
    /// The person has named the servers: what stays is an error.
    pub(crate) named: bool,
}

impl Down<'_> {
    /// The volumes of a server whose container is gone: removed on request, else named.
    pub(crate) fn volumes(self, server: &str, remove: bool) -> Result<()> {
        let container = container_name(&self.ws.global.name_prefix, server);
        let found = drydock_engine::volumes_of(self.cli, server, &container, &self.ws.id()?)?;
        if found.is_empty() {
            return Ok(());
        }
        let names = found.join(", ");
        if remove {
            let removed = || Ok(self.cli.stdout(&docker_args::remove_volumes(&found)).map(drop)?);
            return progress::step(&format!("removing {names}"), removed);
        }
        let command = self.ws.command(&format!("down {server} --volumes"));
        progress::say(&format!("kept, with what is in it: {names}; {command} removes it"));
        Ok(())
    }

    /// Whether no container of that name is left.
    pub(crate) fn container(self, server: &str) -> Result<bool> {
        let Self { ws, cli, .. } = self;
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
                _ if self.adopt || self.named => {
                    adopt::take_over(ws, cli, &found, self.adopt)?;
                    return remove(cli, &found).map(|()| true);
                }
                _ => format!("{}; `--adopt` takes it over", adopt::describe(ws, &found)),
            },
            Owner::Unmanaged => "it is not managed by Drydock".to_owned(),
        };
        if self.named {
            bail!("{name} was left as it is: {whose}");
        }
        progress::say(&format!("{name}: left as it is: {whose}"));
        Ok(false)
    }
}

fn remove(cli: &Cli, found: &Container) -> Result<()> {
    progress::step(&format!("stopping {}", found.name()), || Ok(drydock_engine::stop_and_remove(cli, found)?))
}
