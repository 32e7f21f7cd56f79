//! `call`: one tool, called once.
//!
//! A server, a tool and its arguments -> the result on stdout. Invariant: the exit code tells a tool's own error (1)
//! from wrong usage (2) and from no answer (3).

use std::time::Instant;

use anyhow::Result;

use crate::connect::{self, Connect, Options};
use crate::workspace::Workspace;

/// Call one tool of a server and show the result
///
/// In the running container; under `--engine host`, with the binary that `up` compiled, without a sandbox. Exit codes:
/// 0 the tool answered, 1 with an error (isError), 2 wrong usage (also a server or a tool that is not there), 3 no answer.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask call weather find_place name=Paris
  cargo xtask call weather find_place '{\"name\": \"Paris\"}' --json")]
pub(crate) struct Args {
    /// A server of this workspace
    name: String,
    /// One of its tools: `cargo xtask tools NAME` lists them
    tool: String,
    /// One JSON object, or key=value pairs, each value read as the tool's schema says
    #[arg(value_name = "ARGUMENTS")]
    arguments: Vec<String>,
    /// As JSON: ok, protocol, server, tool, ms, and `result` as the server gave it
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: Options,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let (server, launch) = connect::resolve(ws, &self.name)?;
        let mut words = vec!["call".to_owned()];
        words.extend(self.json.then(|| "--json".to_owned()));
        words.push(self.tool);
        words.extend(self.arguments);
        let connect = Connect::build(ws)?;
        let begun = Instant::now();
        let output = connect.run(&launch, &self.options, &words)?;
        connect::print_and_exit(ws, &server, begun, &output)
    }
}
