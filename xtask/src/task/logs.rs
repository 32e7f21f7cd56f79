//! `logs`: what servers and all of their sessions logged.
//!
//! Servers' names -> their containers' logs on stdout. Invariants: the container is enough, whatever
//! became of the folder; what a program wrote into the log does not drive the terminal.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};
use drydock_catalog::container_name;
use drydock_contract::terminal;
use drydock_engine::docker_args::{self, LogLines};
use drydock_engine::process::Origin;
use drydock_engine::{Cli, Engine};

use crate::hint::with_hint;
use crate::ops::select;
use crate::workspace::Workspace;

/// Print servers' logs: of their processes and of every session
///
/// Of several servers each line begins with its server's name. Under `--engine host` there is none: each session's log is
/// on the stderr that its client gave it.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Servers and runtime images of this workspace
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Go on printing what comes
    #[arg(long, short)]
    follow: bool,
    /// Only the last lines, of each server
    #[arg(long, value_name = "LINES")]
    tail: Option<u64>,
    /// Only what was logged since then: so long ago (`10m`, `2h 30m`), or a time (`2026-11-26T13:45:00Z`)
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<String>,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let Engine::Cli(cli) = select::engine(ws, &self.names)? else {
            drydock_catalog::pick_each_with_runtimes(&ws.root, &self.names)?;
            let problem = format!("engine host keeps no log of `{}`", self.names.join("`, `"));
            return Err(with_hint(
                problem,
                "its client has it: look where the client shows the server's stderr",
            ));
        };
        let names = select::names(ws, cli, &self.names)?;
        for server in &names {
            let name = container_name(&ws.global.name_prefix, server);
            if drydock_engine::container(cli, &name)?.is_none() {
                let up = ws.command(&format!("up {server}"));
                return Err(with_hint(format!("there is no container {name}"), up));
            }
        }
        let lines = LogLines { follow: self.follow, tail: self.tail, since: self.since.as_deref() };
        let command =
            |server: &String| docker_args::logs(&container_name(&ws.global.name_prefix, server), lines);
        let commands: Vec<_> = names.iter().map(command).collect();
        let prefixes = prefixes(&names);
        if self.follow {
            return pass_on(cli, &commands, &prefixes);
        }
        // What has an end is printed one after the other.
        commands
            .chunks(1)
            .zip(prefixes.chunks(1))
            .try_for_each(|(command, prefix)| pass_on(cli, command, prefix))
    }
}

fn pass_on(cli: &Cli, commands: &[Vec<String>], prefixes: &[String]) -> Result<()> {
    let sink = |from: Origin, line: &str| {
        let prefix = prefixes.get(from.command).map(String::as_str).unwrap_or_default();
        if from.is_stderr {
            show(&mut io::stderr(), prefix, line)
        } else {
            show(&mut io::stdout(), prefix, line)
        }
    };
    let Some(statuses) = cli.pass_on(commands, &sink)? else { return Ok(()) };
    match statuses.iter().zip(commands).find(|(status, _)| !status.success()) {
        Some((status, command)) => bail!("`{} {}` failed ({status})", cli.name, command.join(" ")),
        None => Ok(()),
    }
}

/// What each line begins with: nothing of one server, else its name, all of one width.
fn prefixes(names: &[String]) -> Vec<String> {
    if names.len() == 1 {
        return vec![String::new()];
    }
    let width = names.iter().map(String::len).max().unwrap_or_default();
    names.iter().map(|it| format!("{it:width$} | ")).collect()
}

/// A program of the server's user can write anything into the log. One write a line: those of others stay whole.
fn show(to: &mut impl Write, prefix: &str, line: &str) -> io::Result<()> {
    to.write_all(format!("{prefix}{}", terminal::escape(line)).as_bytes())?;
    to.flush()
}

/// As the engine takes it: seconds before now, or RFC 3339.
fn since(text: &str) -> Result<String, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        return Ok(format!("{}s", ago.as_secs()));
    }
    match humantime::parse_rfc3339_weak(text) {
        Ok(time) if time <= SystemTime::now() + Duration::from_secs(1) => {
            Ok(humantime::format_rfc3339(time).to_string())
        }
        Ok(_) => Err("that is still to come".to_owned()),
        Err(_) => {
            Err("expected a time that has passed (`10m`, `2h 30m`) or a moment (`2026-11-26T13:45:00Z`)"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_told_seconds_or_a_moment() {
        for (said, told) in [
            ("90s", "90s"),
            ("2h 30m", "9000s"),
            ("1day", "86400s"),
            ("2026-11-26T13:45:00Z", "2026-11-26T13:45:00Z"),
            ("2026-11-26 13:45:00", "2026-11-26T13:45:00Z"),
        ] {
            assert_eq!(since(said).as_deref(), Ok(told), "{said}");
        }
        for wrong in ["", "soon", "--details", "9999-01-01T00:00:00Z", "-5m"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lines_of_several_servers_are_told_apart() {
        let names = |names: &[&str]| prefixes(&names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&["time"]), [""]);
        assert_eq!(names(&["time", "weather"]), ["time    | ", "weather | "]);
        let mut shown = Vec::new();
        show(&mut shown, "time | ", "\u{1b}]0;x\u{7}\n").unwrap();
        assert_eq!(String::from_utf8(shown).unwrap(), "time | \\u{1b}]0;x\\u{7}\n");
    }
}
