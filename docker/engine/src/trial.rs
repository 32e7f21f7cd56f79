//! One session with a new image, before anybody uses it.
//!
//! Server + image -> whether it answers, or what it said at its end. Invariants: the container goes with the session, also when
//! it is cut off; nothing is asked of the server but who it is.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use drydock_catalog::Server;

use crate::cli::Cli;
use crate::docker_args;
use crate::error::Error;

/// In the oldest version that servers still take: which ones the server speaks is not the question.
const QUESTION: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"drydock-build","version":"0"}}}"#;

/// What is kept of the server's stderr: its end, in bytes.
const MAX_STDERR: u64 = 256 << 10;
/// A longer line is no answer.
const MAX_LINE: u64 = 4 << 20;
/// So much is shown of a line that is no message, in characters.
const MAX_NOISE: usize = 200;
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// What the engine's command line ends with when it could not make the container.
const ENGINE_FAILED: i32 = 125;

/// What is tried, and how.
#[derive(Clone, Copy)]
pub struct Trial<'a> {
    /// With the sandbox that it is tried in.
    pub server: &'a Server,
    /// The image's id.
    pub image: &'a str,
    /// The clone's id.
    pub workspace: &'a str,
    /// What the build is known by.
    pub build: &'a str,
    /// The container's environment.
    pub env: &'a [(String, String)],
    /// How long its answer may take.
    pub limit: Duration,
    /// Asked again and again: whether to give up (Ctrl-C).
    pub is_cancelled: &'a (dyn Fn() -> bool + Sync),
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It answered, with whatever.
    Answered {
        /// What it wrote to its stdout before that and is no message: the first such line.
        noise: Option<String>,
    },
    /// It neither answered nor ended.
    Silent,
    /// It ended without an answer.
    Ended {
        /// The end of its stderr.
        stderr: String,
    },
}

/// Starts the image in its server's sandbox, and asks for a session.
///
/// # Errors
/// The engine cannot make such a container.
pub fn run(cli: &Cli, trial: &Trial<'_>) -> Result<Outcome, Error> {
    let name = format!("drydock-trial-{}-{}", trial.workspace, trial.build);
    // What an earlier one left that was killed.
    drop(cli.output(&docker_args::remove(&name))?);
    let args = docker_args::run_trial(trial, &name);
    let mut command = cli.detached_command(&args)?;
    let failed = |err| Error::new(format!("cannot run {}", cli.name)).with_source(err);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(failed)?;
    let (answers, answered) = channel();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (is_answered, noise, stderr) = thread::scope(|scope| {
        let noise = scope.spawn(move || follow(stdout, &answers));
        let stderr = scope.spawn(|| end_of(stderr));
        let is_answered = ask(&mut child, &answered, trial);
        drop(child.stdin.take());
        drop(cli.output(&docker_args::remove(&name)));
        (is_answered, noise.join().unwrap_or_default(), stderr.join().unwrap_or_default())
    });
    let status = child.wait().map_err(failed)?;
    match is_answered {
        Some(true) => Ok(Outcome::Answered { noise }),
        None => Ok(Outcome::Silent),
        Some(false) if status.code() == Some(ENGINE_FAILED) => {
            Err(Error::new(format!("{} cannot try {}: {}", cli.name, trial.image, stderr.trim())))
        }
        Some(false) => Ok(Outcome::Ended { stderr }),
    }
}

/// Whether it answered, or else ended; nothing where it did neither in time.
fn ask(child: &mut Child, answered: &Receiver<()>, trial: &Trial<'_>) -> Option<bool> {
    // One that has ended by now does not read it.
    drop(child.stdin.as_mut().map(|it| it.write_all(format!("{QUESTION}\n").as_bytes())));
    let start = Instant::now();
    while start.elapsed() < trial.limit && !(trial.is_cancelled)() {
        match answered.recv_timeout(POLL_INTERVAL) {
            Ok(()) => return Some(true),
            Err(RecvTimeoutError::Disconnected) => return Some(false),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    None
}

/// Tells of the answer; at the end of the stream, whoever waits for it is told by the channel's end. The first line before
/// the answer that is no JSON.
fn follow(stream: Option<impl Read>, answers: &Sender<()>) -> Option<String> {
    let mut reader = BufReader::new(stream?);
    let (mut line, mut noise, mut is_over) = (Vec::new(), None, false);
    while (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        if is_answer(&line) {
            is_over = true;
            // Who waits may have had enough.
            if answers.send(()).is_err() {
                break;
            }
        }
        if !is_over && noise.is_none() && is_noise(&line) {
            noise = Some(String::from_utf8_lossy(line.trim_ascii()).chars().take(MAX_NOISE).collect());
        }
        line.clear();
    }
    noise
}

fn is_noise(line: &[u8]) -> bool {
    !line.trim_ascii().is_empty() && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_err()
}

fn is_answer(line: &[u8]) -> bool {
    let value: Result<serde_json::Value, _> = serde_json::from_slice(line);
    value.is_ok_and(|it| it["id"] == 1 && (it.get("result").is_some() || it.get("error").is_some()))
}

fn end_of(stream: Option<impl Read>) -> String {
    let mut all = Vec::new();
    let Some(stream) = stream else { return String::new() };
    let mut reader = BufReader::new(stream);
    let limit = usize::try_from(MAX_STDERR).unwrap_or(usize::MAX);
    while (&mut reader).take(MAX_STDERR).read_to_end(&mut all).is_ok_and(|count| count > 0) {
        let from = all.len().saturating_sub(limit);
        all.drain(..from);
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_from_other_lines() {
        for (line, is) in [
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, true),
            (r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}"#, true),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, false),
            (r#"{"jsonrpc":"2.0","method":"notifications/message"}"#, false),
            ("Server is ready, id 1", false),
            ("", false),
        ] {
            assert_eq!(is_answer(line.as_bytes()), is, "{line}");
        }
        let (answers, answered) = channel();
        let said = b"\n{}\nnoise\nmore\n{\"id\":1,\"result\":null}\nand more";
        assert_eq!(follow(Some(&said[..]), &answers).as_deref(), Some("noise"));
        assert_eq!(follow(Some(&b"{\"id\":1,\"result\":null}\nlater"[..]), &channel().0), None);
        drop(answers);
        assert_eq!(answered.iter().count(), 1);
    }

    #[test]
    fn of_a_long_stderr_the_end_is_kept() {
        let text = format!("{}the end", "x".repeat(700_000));
        let kept = end_of(Some(text.as_bytes()));
        assert!(kept.len() <= 256 << 10 && kept.ends_with("the end"), "{}", kept.len());
    }
}
