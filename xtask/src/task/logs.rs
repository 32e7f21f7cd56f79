//! `logs`: what a server and all of its sessions logged.
//!
//! A server's name -> its container's log on stdout.

use anyhow::{Context, Result, bail};
use drydock_engine::{Engine, docker_args};

use crate::hint::with_hint;
use crate::workspace::Workspace;

/// Print a server's log: of its process and of every session
///
/// Under `--engine host` there is none: each session's log is on the stderr that its client gave it.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A server or runtime image of this workspace
    name: String,
    /// Go on printing what comes
    #[arg(long, short)]
    follow: bool,
    /// Only the last lines
    #[arg(long, value_name = "LINES")]
    tail: Option<u64>,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let server = drydock_catalog::pick_with_runtimes(&ws.root, &[self.name])?
            .pop()
            .context("one name is one server")?;
        let Engine::Cli(cli) = ws.engine()? else {
            let problem = format!("engine host keeps no log of `{}`", server.name);
            return Err(with_hint(
                problem,
                "its client has it: look where the client shows the server's stderr",
            ));
        };
        let name = server.container(&ws.global.name_prefix);
        if drydock_engine::container(cli, &name)?.is_none() {
            return Err(with_hint(
                format!("there is no container {name}"),
                ws.command(&format!("up {}", server.name)),
            ));
        }
        let status = cli.run_inherited(&docker_args::logs(&name, self.follow, self.tail))?;
        if !status.success() {
            bail!("`{} logs {name}` failed ({status})", cli.name);
        }
        Ok(())
    }
}
