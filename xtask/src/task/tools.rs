//! `tools`: what a server offers.
//!
//! A server's name -> its tools on stdout. Invariant: it only asks; no tool is called.

use std::time::Instant;

use anyhow::Result;

use crate::connect::{self, Connect, Options};
use crate::ui::progress;
use crate::workspace::Workspace;

/// Show a server's tools: what each does, which arguments it takes, what it may do
///
/// Asks the running container; under `--engine host`, the binary that `up` compiled. What stands in brackets are the
/// server's own claims. Exit codes: 0 they are shown, 2 wrong usage, 3 no answer.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A server of this workspace
    name: String,
    /// As JSON: ok, protocol, server, instructions, ms, and `tools` as the server describes them
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: Options,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let (server, launch) = connect::resolve(ws, &self.name)?;
        let mut words = vec!["tools".to_owned()];
        words.extend(self.json.then(|| "--json".to_owned()));
        let connect = Connect::build(ws)?;
        let begun = Instant::now();
        let output = connect.run(&launch, &self.options, &words)?;
        connect::print_and_exit(ws, &server, begun, &output)?;
        if !self.json {
            let call = ws.command(&format!("call {} TOOL key=value", server.name));
            progress::say(&format!("\ncall one: {call}"));
        }
        Ok(())
    }
}
