//! What `serve` asks of a keeper, and how both are started: the keeper, and the child that it keeps.
//!
//! `Job` <-> one line of JSON on the keeper's socket. Invariant: nothing of a job stands in the keeper's command line or
//! environment, which others can read: it will hold secrets one day.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use drydock_contract::log::{Format, Level};
use serde_json::{Value, json};

use crate::config::Config;
use crate::wire::{LONG, Lines};

/// The verb of a keeper; not for people.
pub(crate) const VERB: &str = "keep";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) config: Config,
    pub(crate) log: Level,
    pub(crate) log_format: Format,
    /// Whose stderr takes the log, if it is not the keeper's own.
    pub(crate) serve_pid: Option<u32>,
    /// Started before a session asked.
    pub(crate) warm: bool,
    /// What the child says before it has a session is not logged.
    pub(crate) hushed: bool,
}

impl Job {
    fn parse(line: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(line).map_err(|e| format!("no job: {e}"))?;
        let text = |name: &str| value[name].as_str().unwrap_or_default();
        Ok(Self {
            config: Config::from_value(&value["config"])?,
            log: text("log").parse()?,
            log_format: text("log_format").parse()?,
            serve_pid: value["serve_pid"].as_u64().and_then(|it| it.try_into().ok()),
            warm: value["warm"] == true,
            hushed: value["hushed"] == true,
        })
    }

    /// Reads it byte by byte: the next message on the socket may carry a descriptor.
    pub(crate) fn receive(socket: &mut UnixStream) -> Result<Self, String> {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            match socket.read(&mut byte) {
                Ok(1) if byte[0] != b'\n' => line.push(byte[0]),
                Ok(1) => return Self::parse(&line),
                Ok(_) => return Err("no job".into()),
                Err(e) => return Err(format!("no job: {e}")),
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
            "hushed": self.hushed,
        });
        format!("{value}\n")
    }

    /// Starts a keeper; gives its socket and its pid.
    pub(crate) fn start(&self) -> io::Result<(Lines, i32)> {
        let (mut ours, theirs) = UnixStream::pair()?;
        #[expect(
            clippy::disallowed_methods,
            reason = "xshell neither passes sockets nor sets process groups"
        )]
        let mut command = Command::new("/proc/self/exe");
        command.args([VERB]).stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).process_group(0);
        if let Some(name) = std::env::args_os().next() {
            command.arg0(name);
        }
        let keeper = command.spawn()?;
        drop(command); // and with it our copy of the keeper's end
        ours.write_all(self.to_line().as_bytes())?;
        Ok((Lines::new(ours, LONG)?, keeper.id().cast_signed()))
    }

    /// In a keeper: starts the wrapped server.
    pub(crate) fn spawn(&self) -> Result<Child, String> {
        let config = &self.config;
        #[expect(clippy::disallowed_methods, reason = "xshell neither pipes nor sets process groups")]
        let mut command = Command::new(&config.command);
        command.args(&config.args).envs(config.env.iter().map(|(k, v)| (k, v)));
        if let Some(cwd) = &config.cwd {
            command.current_dir(cwd);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Its own group: a terminal's ^C is for us alone.
        command.process_group(0).spawn().map_err(|e| {
            let at = config.cwd.as_ref().map(|it| format!(" in {it}")).unwrap_or_default();
            format!("cannot start {}{at}: {e}", config.command)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_one_line() {
        let config = Config::parse(r#"{"command": "a\nb", "args": ["ü"], "env": {"K": "line\n"}}"#).unwrap();
        let job = Job {
            config,
            log: Level::Debug,
            log_format: Format::Json,
            serve_pid: Some(7),
            warm: true,
            hushed: false,
        };
        let line = job.to_line();
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(Job::parse(line.trim_end().as_bytes()), Ok(job));
    }
}
