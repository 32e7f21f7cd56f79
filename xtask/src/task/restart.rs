//! `restart`: servers begin anew, in new containers.
//!
//! Names and labels -> ready containers. Invariant: what is not ours, has open sessions, or could not be started again is
//! not stopped.

use anyhow::Result;
use drydock_catalog::container_name;
use drydock_engine::{Cli, Engine};

use crate::batch::try_each;
use crate::cargo::Profile;
use crate::interrupt;
use crate::ops::build::{BuildOptions, Builder};
use crate::ops::select;
use crate::ops::up::{UpOptions, up};
use crate::ui::progress;
use crate::workspace::Workspace;

/// Stop servers and start them again, in new containers (all that are there without names)
///
/// As `down` and `up` do it: images older than their sources are built, and what `up --env` set is gone. It is refused
/// while sessions are open, without `--force`. Volumes stay. Under `--engine host` there is nothing to restart: each
/// session starts its own server.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Servers and runtime images (node, python), there or not; without any, all servers whose containers are there
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Also while sessions are open: they end
    #[arg(long)]
    force: bool,
    /// Take the image that is there, also when the sources have changed since it was built
    #[arg(long)]
    no_build: bool,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        interrupt::arm()?;
        let Engine::Cli(cli) = select::engine(ws, &self.names)? else {
            drydock_catalog::pick_each_with_runtimes(&ws.root, &self.names)?;
            progress::say("engine host: nothing to restart, each session starts its own server");
            return Ok(());
        };
        let names = match self.names.as_slice() {
            [] => present(ws, cli)?,
            names => select::names(ws, cli, names)?,
        };
        if names.is_empty() {
            progress::say(&format!("no container of ours is there: {}", ws.command("up")));
        }
        let builder = Builder::new(ws, cli, BuildOptions::with(Profile::Release));
        let options =
            UpOptions { force: self.force, no_build: self.no_build, restart: true, ..UpOptions::default() };
        try_each(names, "servers were not restarted", |name| {
            let found = drydock_catalog::pick_each_with_runtimes(&ws.root, std::slice::from_ref(&name))?;
            found.into_iter().try_for_each(|(_, it)| up(ws, &builder, &it?, &[], options))
        })
    }
}

/// The servers whose containers are there.
fn present(ws: &Workspace, cli: &Cli) -> Result<Vec<String>> {
    let there = drydock_engine::containers(cli, &[])?;
    let is_there = |name: &String| {
        let container = container_name(&ws.global.name_prefix, name);
        there.iter().any(|it| it.name() == container && it.server() == Some(name))
    };
    Ok(select::all_names(ws, cli)?.into_iter().filter(is_there).collect())
}
