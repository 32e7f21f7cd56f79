//! `up`: every server's container stands, with its whole sandbox, and answers.
//!
//! Servers -> ready containers (see `ops/up`).

use anyhow::{Result, bail};
use drydock_catalog::Server;
use drydock_engine::Engine;

use crate::batch::try_each;
use crate::cargo::Profile;
use crate::ops::build::{BuildOptions, Builder};
use crate::ops::select;
use crate::ops::up::{UpOptions, up};
use crate::ui::progress;
use crate::workspace::Workspace;
use crate::{cargo, interrupt};

/// Start the servers' containers (all of them without names)
///
/// Creates what is missing, starts what is stopped, leaves what already runs from the same image and settings, and
/// recreates what is ours and differs, unless sessions are open. Builds images that are missing, or older than their sources. Under `--engine host`
/// there is nothing to start: it compiles the Rust servers, and a client starts them.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Servers and runtime images (node, python); without any, all servers of the workspace
    names: Vec<String>,
    /// Set a variable that the server.json declares, in this container. Not remembered: an `up` without it takes the default
    #[arg(long = "env", value_name = "KEY=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    #[command(flatten)]
    options: UpOptions,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        interrupt::arm()?;
        let servers = drydock_catalog::pick_each_with_runtimes(&ws.root, &self.names)?;
        let servers = select::if_any_is_valid(servers, "servers are not up")?;
        if servers.len() > 1 && !self.env.is_empty() {
            bail!("--env sets a variable of one server: name that server");
        }
        match ws.engine()? {
            Engine::Host => {
                let servers = select::on_host(servers, !self.names.is_empty())?;
                try_each(servers, "servers were not compiled", |it| on_host(ws, &it?))
            }
            Engine::Cli(cli) => {
                let builder = Builder::new(ws, cli, BuildOptions::with(Profile::Release));
                try_each(servers, "servers are not up", |(_, it)| {
                    up(ws, &builder, &it?, &self.env, self.options)
                })
            }
        }
    }
}

fn on_host(ws: &Workspace, server: &Server) -> Result<()> {
    let path = cargo::build_host(ws, server)?;
    let path = path.display();
    progress::say(&format!(
        "{}: {path} (engine host: clients start it themselves, without a sandbox)",
        server.name
    ));
    Ok(())
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}
