//! A server as a child process: starts it, guards its stdout, ends it.
//!
//! A command line -> a running process and the two pipes that MCP flows through. Invariants: only MCP messages pass
//! (anything else on stdout closes the stream and is remembered), and the process ends when this value does.

use std::{
    ffi::OsString,
    io,
    process::{ExitStatus, Stdio},
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream},
    process::{ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::{
    failure::{Failure, Step},
    group::{self, Signal},
    stderr::Tail,
};

/// How long a server may take to end by itself after its stdin closed, and again after TERM.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest message that rmcp takes.
const LONGEST: u64 = 16 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Child {
    process: tokio::process::Child,
    group: Option<u32>,
    stderr: Option<Tail>,
    noise: Arc<OnceLock<String>>,
    ended: bool,
}

/// What rmcp reads from and writes to.
pub(crate) type Pipes = (DuplexStream, ChildStdin);

impl Child {
    pub(crate) fn start(line: &[OsString]) -> Result<(Self, Pipes), Failure> {
        let Some((program, args)) = line.split_first() else {
            return Err(Failure::new(Step::Start, "the command is empty"));
        };
        let mut command = Command::new(program);
        command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        group::isolate(&mut command);
        let mut process = command.spawn().map_err(|err| cannot_start(program, &err))?;
        let (Some(stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Failure::new(Step::Start, "the server's pipes could not be opened"));
        };
        let noise = Arc::default();
        let (guarded, to) = tokio::io::duplex(64 * 1024);
        tokio::spawn(guard(stdout, to, Arc::clone(&noise)));
        let stderr = process.stderr.take().map(Tail::of);
        let group = process.id();
        Ok((Self { process, group, stderr, noise, ended: false }, (guarded, stdin)))
    }

    /// Why the server's stdout has ended.
    pub(crate) async fn obituary(&mut self) -> (String, Option<String>) {
        if let Some(noise) = self.noise.get() {
            let hint = "a server's stdout is for MCP messages only: its log belongs on stderr";
            return (
                format!("the server wrote to its stdout what is no MCP message: `{noise}`"),
                Some(hint.into()),
            );
        }
        match timeout(Duration::from_secs(1), self.process.wait()).await {
            Ok(Ok(status)) => (format!("the server ended ({status}) before it answered"), None),
            _ => ("the server closed its stdout before it answered".into(), None),
        }
    }

    /// Ends the server: its stdin is closed by now; then TERM, then KILL, to all that it started.
    pub(crate) async fn end(&mut self) -> Option<ExitStatus> {
        let mut status = None;
        for signal in [None, Some(Signal::Term), Some(Signal::Kill)] {
            if let Some(signal) = signal {
                group::signal(self.group, &mut self.process, signal);
            }
            if let Ok(it) = timeout(PATIENCE, self.process.wait()).await {
                status = it.ok();
                break;
            }
        }
        if !self.ended {
            self.ended = true;
            group::signal(self.group, &mut self.process, Signal::Kill); // what the server left behind
        }
        status
    }

    pub(crate) async fn stderr(&mut self) -> Vec<String> {
        match &mut self.stderr {
            Some(tail) => tail.lines().await,
            None => Vec::new(),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.ended {
            group::signal(self.group, &mut self.process, Signal::Kill);
        }
    }
}

fn cannot_start(program: &OsString, err: &io::Error) -> Failure {
    let failure = Failure::new(Step::Start, format!("cannot start `{}`: {err}", program.display()));
    match err.kind() {
        io::ErrorKind::NotFound => failure.hint("is it installed, and in a folder that PATH names?"),
        io::ErrorKind::PermissionDenied => failure.hint("is it a program, and may you execute it?"),
        _ => failure,
    }
}

/// Passes messages on until the first line that is none; what follows is read and dropped, so that the server's own
/// next words are not about a broken pipe.
async fn guard(stdout: ChildStdout, to: DuplexStream, noise: Arc<OnceLock<String>>) {
    let mut to = Some(to);
    let mut from = BufReader::new(stdout);
    let mut line = Vec::new();
    while (&mut from).take(LONGEST).read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        if let Some(open) = &mut to
            && !line.trim_ascii().is_empty()
        {
            if !is_message(&line) {
                let shown = String::from_utf8_lossy(line.trim_ascii()).chars().take(200).collect();
                let _first_wins = noise.set(shown);
                to = None;
            } else if open.write_all(&line).await.is_err() {
                to = None;
            }
        }
        line.clear();
    }
}

/// Cheap on purpose: rmcp parses it next. A log line in JSON is caught as well, having no `"jsonrpc"`.
fn is_message(line: &[u8]) -> bool {
    const KEY: &[u8] = b"\"jsonrpc\"";
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii_start();
    line.starts_with(b"{") && line.windows(KEY.len()).any(|part| part == KEY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_rpc_is_a_message() {
        assert!(is_message(br#" {"jsonrpc":"2.0","id":1,"result":{}}"#));
        assert!(is_message(b"\xef\xbb\xbf{\"result\":{},\"jsonrpc\":\"2.0\"}\r\n"));
        for noise in ["Listening on port 8080", r#"{"level":"info"}"#, "[1]", "\u{1b}[32mready"] {
            assert!(!is_message(noise.as_bytes()), "{noise}");
        }
    }
}
