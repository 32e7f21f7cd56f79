//! The command line: what to do, with which server, how to show it.
//!
//! Arguments -> [`Cli`]. Invariant: everything behind `--` is the server's command and is passed on untouched.

use std::{ffi::OsString, time::Duration};

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use drydock_connect::{Protocol, Target};

/// Drydock's own MCP client: connects to a server, lists its tools, calls one.
#[derive(Parser, Debug)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Version of the protocol to ask for; auto takes the newest that both sides know
    #[arg(long, global = true, value_name = "VERSION", default_value = "auto")]
    pub(crate) protocol: ProtocolArg,
    /// Time limit for each step: start, handshake, list, call
    #[arg(long, global = true, value_name = "SECS", default_value = "30", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Print JSON; its fields are stable
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 all went well; 1 the tool answered with an error (isError); 2 wrong usage;
3 no connection, a time limit passed, or the server broke the protocol; 128+N ended by signal N.

Examples:
  drydock-connect check -- docker exec -i mcp-weather /mcp stdio
  drydock-connect tools --url http://127.0.0.1:8080/mcp
  drydock-connect call find_place name=Paris -- ./weather stdio
  drydock-connect call find_place '{\"name\": \"Paris\"}' --json -- ./weather stdio";

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Shake hands and list the tools; say who answered, and how fast
    Check(ServerArgs),
    /// Show every tool with its arguments
    Tools(ServerArgs),
    /// Call one tool and show its result
    Call {
        tool: String,
        /// One JSON object, or key=value pairs (each value is read as the tool's schema says)
        #[arg(value_name = "ARGUMENTS")]
        arguments: Vec<String>,
        #[command(flatten)]
        server: ServerArgs,
    },
}

impl Command {
    pub(crate) fn target(&self) -> Target {
        let (Self::Check(server) | Self::Tools(server) | Self::Call { server, .. }) = self;
        match &server.url {
            Some(url) => Target::Url { url: url.clone(), headers: server.header.clone() },
            None => Target::Command(server.command.clone()),
        }
    }
}

#[derive(Args, Debug)]
#[group(skip)]
#[command(group(ArgGroup::new("server").required(true).args(["url", "command"])))]
pub(crate) struct ServerArgs {
    /// A server reached over Streamable HTTP
    #[arg(long)]
    url: Option<String>,
    /// A header for it, as in `Authorization: Bearer ${TOKEN}`; `${NAME}` is taken from the environment here, so that no
    /// process list shows a secret
    #[arg(long, value_name = "NAME: VALUE", requires = "url")]
    header: Vec<String>,
    /// The server's command: started as a child, with this program's environment
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ProtocolArg {
    Auto,
    #[value(name = "2025-06-18")]
    V2025_06_18,
    #[value(name = "2025-11-25")]
    V2025_11_25,
    #[value(name = "2026-07-28")]
    V2026_07_28,
}

impl From<ProtocolArg> for Protocol {
    fn from(arg: ProtocolArg) -> Self {
        match arg {
            ProtocolArg::Auto => Self::Auto,
            ProtocolArg::V2025_06_18 => Self::V2025_06_18,
            ProtocolArg::V2025_11_25 => Self::V2025_11_25,
            ProtocolArg::V2026_07_28 => Self::V2026_07_28,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(it) if !it.is_zero() && it <= Duration::from_secs(24 * 60 * 60) => Ok(it),
        _ => Err("must be above 0 and at most a day".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_stands_behind_the_dashes_is_the_servers() {
        let cli =
            Cli::parse_from(["x", "call", "t", "a=1", "b=2", "--json", "--", "srv", "--json", "--url", "u"]);
        assert!(cli.json);
        let Target::Command(command) = cli.command.target() else { panic!("{cli:?}") };
        assert_eq!(command, ["srv", "--json", "--url", "u"]);
        let Command::Call { arguments, .. } = cli.command else { panic!() };
        assert_eq!(arguments, ["a=1", "b=2"]);
    }

    #[test]
    fn one_server_and_one_only() {
        for wrong in
            [vec!["x", "check"], vec!["x", "check", "--url", "u", "--", "c"], vec!["x", "check", "c"]]
        {
            assert!(Cli::try_parse_from(&wrong).is_err(), "{wrong:?}");
        }
    }
}
