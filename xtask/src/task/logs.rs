//! `logs`: what a server and all of its sessions logged.
//!
//! A server's name -> its container's log on stdout. Invariants: the container is enough, whatever
//! became of the folder; what a program wrote into the log does not drive the terminal.

use std::io::{self, Write};

use anyhow::{Result, bail};
use drydock_catalog::container_name;
use drydock_contract::terminal;
use drydock_engine::{Engine, docker_args};

use crate::hint::with_hint;
use crate::ops::select;
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
        let server = &self.name;
        let Engine::Cli(cli) = select::engine(ws, std::slice::from_ref(server))? else {
            drydock_catalog::pick_each_with_runtimes(&ws.root, std::slice::from_ref(server))?;
            let problem = format!("engine host keeps no log of `{server}`");
            return Err(with_hint(
                problem,
                "its client has it: look where the client shows the server's stderr",
            ));
        };
        select::names(ws, cli, std::slice::from_ref(server))?;
        let name = container_name(&ws.global.name_prefix, server);
        if drydock_engine::container(cli, &name)?.is_none() {
            return Err(with_hint(
                format!("there is no container {name}"),
                ws.command(&format!("up {server}")),
            ));
        }
        let logs = docker_args::logs(&name, self.follow, self.tail);
        let (mut stdout, mut stderr) = (io::stdout(), io::stderr());
        let status = cli.pass_on(&logs, &mut |it| show(&mut stdout, it), &mut |it| show(&mut stderr, it))?;
        match status {
            Some(status) if !status.success() => bail!("`{} logs {name}` failed ({status})", cli.name),
            _ => Ok(()),
        }
    }
}

/// A program of the server's user can write anything into the log.
fn show(to: &mut impl Write, line: &str) -> io::Result<()> {
    to.write_all(terminal::escape(line).as_bytes())?;
    to.flush()
}
