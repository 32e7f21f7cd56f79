//! What a supervisor is told to start, and how both are started: the supervisor, and its child.
//!
//! `ChildSpec` <-> one line of JSON on the supervisor's socket. Invariant: nothing of it stands in the supervisor's
//! command line or environment, which others can read: it will hold secrets one day.

use std::fmt::Display;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use drydock_runtime::ipc::{LineSocket, MAX_REPORT_LINE};
use drydock_runtime::log::{Format, Level, ParseError};
use serde_json::{Value, json};

use crate::config::Config;
use crate::error::Error;

/// The subcommand of a supervisor; not for people.
pub(crate) const SUBCOMMAND: &str = "supervise";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChildSpec {
    pub(crate) config: Config,
    pub(crate) log: Level,
    pub(crate) log_format: Format,
    /// Whose stderr takes the log, if it is not the supervisor's own.
    pub(crate) serve_pid: Option<u32>,
    /// Started before a session asked.
    pub(crate) warm: bool,
    /// The child's stderr is not logged before it has a session.
    pub(crate) quiet: bool,
}

impl ChildSpec {
    fn parse(line: &[u8]) -> Result<Self, Error> {
        let value: Value = serde_json::from_slice(line).map_err(|e| unreadable(&e))?;
        let text = |name: &str| value[name].as_str().unwrap_or_default();
        Ok(Self {
            config: Config::from_value(&value["config"])?,
            log: text("log").parse().map_err(|e: ParseError| unreadable(&e))?,
            log_format: text("log_format").parse().map_err(|e: ParseError| unreadable(&e))?,
            serve_pid: value["serve_pid"].as_u64().and_then(|it| it.try_into().ok()),
            warm: value["warm"] == true,
            quiet: value["quiet"] == true,
        })
    }

    /// Reads it byte by byte: the next message on the socket may carry a descriptor.
    pub(crate) fn receive(socket: &mut UnixStream) -> Result<Self, Error> {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            match socket.read(&mut byte) {
                Ok(1) if byte[0] != b'\n' => line.push(byte[0]),
                Ok(1) => return Self::parse(&line),
                Ok(_) => return Err(unreadable(&"the socket was closed")),
                Err(e) => return Err(unreadable(&e)),
            }
        }
    }

    fn to_line(&self) -> String {
        let value = json!({
            "config": self.config.to_value(),
            "log": self.log.name(),
            "log_format": self.log_format.name(),
            "serve_pid": self.serve_pid,
            "warm": self.warm,
            "quiet": self.quiet,
        });
        format!("{value}\n")
    }

    /// Starts a supervisor; gives its socket and its pid.
    pub(crate) fn start(&self) -> io::Result<(LineSocket, i32)> {
        let (mut ours, theirs) = UnixStream::pair()?;
        #[expect(
            clippy::disallowed_methods,
            reason = "xshell neither passes sockets nor sets process groups"
        )]
        let mut command = Command::new("/proc/self/exe");
        command.args([SUBCOMMAND]).stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).process_group(0);
        if let Some(name) = std::env::args_os().next() {
            command.arg0(name);
        }
        let supervisor = command.spawn()?;
        drop(command); // and with it our copy of the supervisor's end
        ours.write_all(self.to_line().as_bytes())?;
        Ok((LineSocket::new(ours, MAX_REPORT_LINE)?, supervisor.id().cast_signed()))
    }

    /// In a supervisor: starts the wrapped server.
    pub(crate) fn spawn(&self) -> Result<Child, Error> {
        let config = &self.config;
        #[expect(clippy::disallowed_methods, reason = "xshell neither pipes nor sets process groups")]
        let mut command = Command::new(&config.command);
        command.args(&config.args).envs(config.env.iter().map(|(k, v)| (k, v)));
        if let Some(cwd) = &config.cwd {
            command.current_dir(cwd);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Its own group: a terminal's ^C is for us alone.
        command.process_group(0).spawn().map_err(|source| {
            let at = config.cwd.as_ref().map(|it| format!(" in {it}")).unwrap_or_default();
            Error::Io { action: format!("cannot start {}{at}", config.command), source }
        })
    }
}

fn unreadable(problem: &dyn Display) -> Error {
    Error::Internal(format!("no child specification: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_is_one_line() {
        let config = Config::parse(r#"{"command": "a\nb", "args": ["ü"], "env": {"K": "line\n"}}"#).unwrap();
        let spec = ChildSpec {
            config,
            log: Level::Debug,
            log_format: Format::Json,
            serve_pid: Some(7),
            warm: true,
            quiet: false,
        };
        let line = spec.to_line();
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(ChildSpec::parse(line.trim_end().as_bytes()).unwrap(), spec);
    }
}
