//! A child that waits for its session: is it started, and is it warm?
//!
//! Time and the child's first output -> `News`. Invariants: nothing but one `ping` is ever said to a child before its
//! session, which MCP allows before `initialize`; and a child whose answer is still to come is given to nobody, so that
//! no client ever sees it.
//!
//! The ping is worth it: a server that has answered once has loaded and compiled what it needs for that, and answers its
//! client's `initialize` in a tenth of the time. It is said when the child's start is over, as far as one can tell: when
//! its processes used no processor time for a while.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use serde_json::{Value, json};

use crate::tree;

const QUIET: Duration = Duration::from_millis(500);
/// A child that is never quiet counts as started after that long.
const STARTED: Duration = Duration::from_secs(10);

/// How long an answer to the ping may take, and once a session waits for it.
const ANSWER: Duration = Duration::from_secs(10);
const HURRY: Duration = Duration::from_secs(2);

const PING: &str = "drydock-warm-up";

/// What a child may write before its session, such as a greeting; its session gets it.
const MOST: usize = 1 << 14;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    Nothing,
    /// It is started, and warm.
    Warm,
    /// It does not answer pings: it must not be given away, and others like it must not be asked.
    Mute,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// With the processor time at the last look, and when the next one is.
    Starting(Option<u64>, Instant),
    /// Pinged; how long we wait for the answer.
    Asked(Instant),
    Done,
}

#[derive(Debug)]
pub(super) struct Warming {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    stage: Stage,
    ping: bool,
    started: Instant,
    line: Vec<u8>,
    /// What it wrote that was not for us.
    pub(super) held: Vec<u8>,
}

impl Warming {
    pub(super) fn new(stdin: ChildStdin, stdout: ChildStdout, ping: bool) -> Self {
        let started = Instant::now();
        let stage = Stage::Starting(None, started + QUIET);
        Self { stdin, stdout, stage, ping, started, line: Vec::new(), held: Vec::new() }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Starting(_, at) | Stage::Asked(at) => Some(at),
            Stage::Done => None,
        }
    }

    /// What to read, while an answer is to come.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.is_asked().then(|| self.stdout.as_fd())
    }

    pub(super) fn is_asked(&self) -> bool {
        matches!(self.stage, Stage::Asked(_))
    }

    /// A session waits for it.
    pub(super) fn hurry(&mut self) {
        if let Stage::Asked(until) = self.stage {
            self.stage = Stage::Asked(until.min(Instant::now() + HURRY));
        }
    }

    pub(super) fn on_time(&mut self, now: Instant) -> News {
        match self.stage {
            Stage::Starting(before, at) if at <= now => {
                let ticks = tree::ticks(std::process::id().cast_signed());
                if before != Some(ticks) && now.duration_since(self.started) < STARTED {
                    self.stage = Stage::Starting(Some(ticks), now + QUIET);
                    return News::Nothing;
                }
                self.started(now)
            }
            Stage::Asked(until) if until <= now => News::Mute,
            _ => News::Nothing,
        }
    }

    fn started(&mut self, now: Instant) -> News {
        if !self.ping {
            self.stage = Stage::Done;
            return News::Warm;
        }
        self.stage = Stage::Asked(now + ANSWER);
        if self.ask().is_ok() { News::Nothing } else { News::Mute }
    }

    fn ask(&mut self) -> io::Result<()> {
        fcntl_setfl(&self.stdout, fcntl_getfl(&self.stdout)? | OFlags::NONBLOCK)?;
        writeln!(self.stdin, "{}", json!({"jsonrpc": "2.0", "id": PING, "method": "ping"}))
    }

    /// Reads up to the answer, and not a byte further.
    pub(super) fn read(&mut self) -> News {
        let mut byte = [0];
        while self.is_asked() {
            match self.stdout.read(&mut byte) {
                Ok(1) => self.line.push(byte[0]),
                Ok(_) => return News::Mute,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return News::Nothing,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return News::Mute,
            }
            if byte[0] == b'\n' {
                if is_answer(&self.line) {
                    self.stage = Stage::Done;
                } else {
                    self.held.append(&mut self.line);
                }
                self.line.clear();
            }
            if self.line.len() + self.held.len() > MOST {
                return News::Mute;
            }
        }
        News::Warm
    }
}

fn is_answer(line: &[u8]) -> bool {
    serde_json::from_slice::<Value>(line).is_ok_and(|it| it["id"] == PING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_by_its_id_whatever_it_says() {
        assert!(is_answer(b"{\"jsonrpc\": \"2.0\", \"id\": \"drydock-warm-up\", \"result\": {}}\r\n"));
        assert!(is_answer(br#"{"id":"drydock-warm-up","error":{"code":-32601,"message":"no such method"}}"#));
        assert!(!is_answer(b"drydock-warm-up\n"));
        assert!(!is_answer(br#"{"method":"drydock-warm-up"}"#));
    }
}
