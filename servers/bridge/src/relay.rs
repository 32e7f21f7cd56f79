//! A session's bytes: stdin to the wrapped server, its answers to stdout.
//!
//! Bytes in -> the same bytes out, both ways, until an end that is certain. Invariants: no byte is changed, lost or held
//! back; at most one `CHUNK` per direction is in memory, so that whoever reads slowly is what slows the other side; and
//! whatever a client, an engine and a server do with the pipes, `run` returns in bounded time once nobody needs it.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use drydock_contract::log;
use drydock_contract::stall::{Stall, TICK, Verdict, hung_up};
use rustix::event::PollFlags;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::calls::Calls;
use crate::output::Output;
use crate::scan::Scan;
use crate::wire::{Lines, wait_any};

const CHUNK: usize = 1 << 16;

/// At the end of input: for calls under way (as long as kit gives them), and for a server that has none. Counted from
/// the last byte that moved, and not while one waits for the client, but never longer than the stall time-out.
const DRAIN: Duration = Duration::from_secs(5);
const LEAVE: Duration = Duration::from_secs(2);

/// How long a keeper may take to end a server that was asked to, before it is left to the keeper alone.
const KEEPER: Duration = Duration::from_secs(10);

const CLIENT_GONE: &str = "the client is gone, its answers are dropped";

/// How the server's process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(u8),
    Signal(u8),
    /// Its keeper was killed.
    Unknown,
}

#[derive(Debug)]
pub(crate) enum End {
    /// The server is gone, and all that it wrote is with the client.
    Exit {
        exit: Exit,
        /// After the client had closed its end.
        is_expected: bool,
        /// The last lines of its stderr.
        words: Vec<String>,
    },
    /// The client is gone, or takes no more.
    Over(&'static str),
    Signal,
}

/// Bytes on their way.
#[derive(Debug)]
struct Chunk {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    scan: Scan,
}

impl Chunk {
    fn new() -> Self {
        Self { bytes: vec![0; CHUNK], start: 0, end: 0, scan: Scan::default() }
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }
}

#[derive(Debug)]
pub(crate) struct Relay {
    stdin: Option<io::Stdin>,
    up: Chunk,
    /// The server's stdin and stdout, while we need them.
    server_in: Option<File>,
    server_out: Option<File>,
    down: Chunk,
    stdout: Output,
    keeper: Lines,
    calls: Calls,
    stall_timeout: Duration,
    stall: Stall,
    /// When a byte moved last, in any direction.
    moved: Instant,
    /// When input ended and was passed on.
    closed: Option<Instant>,
    /// When the server closed its output: what answers no more is of no use, even if it still runs.
    silent: Option<Instant>,
    /// When the keeper was asked to end the server.
    asked: Option<Instant>,
    exit: Option<Exit>,
    words: Vec<String>,
    noise_was_told: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Signals,
    Stdin,
    ServerIn,
    ServerOut,
    Stdout,
    Client,
    Keeper,
}

impl Relay {
    pub(crate) fn new(
        server_in: OwnedFd,
        server_out: OwnedFd,
        keeper: Lines,
        stall_timeout: Duration,
    ) -> io::Result<Self> {
        for fd in [&server_in, &server_out] {
            fcntl_setfl(fd, fcntl_getfl(fd)? | OFlags::NONBLOCK)?;
        }
        Ok(Self {
            stdin: Some(io::stdin()),
            up: Chunk::new(),
            server_in: Some(server_in.into()),
            server_out: Some(server_out.into()),
            down: Chunk::new(),
            stdout: Output::stdout(),
            keeper,
            calls: Calls::default(),
            stall_timeout,
            stall: Stall::new(stall_timeout),
            moved: Instant::now(),
            closed: None,
            silent: None,
            asked: None,
            exit: None,
            words: Vec::new(),
            noise_was_told: false,
        })
    }

    /// Relays until the end, and logs what was not answered.
    pub(crate) fn run(mut self, signals: &UnixStream) -> (End, Lines) {
        let end = self.relay(signals).unwrap_or_else(|e| {
            log::error(&format!("the relay failed: {e}"));
            End::Over("the relay failed")
        });
        self.calls.end();
        (end, self.keeper)
    }

    fn relay(&mut self, signals: &UnixStream) -> io::Result<End> {
        loop {
            if let Some(exit) = self.exit.filter(|_| self.server_out.is_none() && self.down.is_empty()) {
                let words = std::mem::take(&mut self.words);
                return Ok(End::Exit { exit, is_expected: self.closed.is_some(), words });
            }
            if let Some(reason) = self.overdue(Instant::now()) {
                return Ok(End::Over(reason));
            }
            for source in wait_any(&self.sources(signals), self.deadline())? {
                match source {
                    Source::Signals => return Ok(End::Signal),
                    Source::Client => return Ok(End::Over(CLIENT_GONE)),
                    Source::Keeper => self.hear_keeper(),
                    Source::Stdin => self.take_input(),
                    Source::ServerOut => self.take_answer(),
                    Source::ServerIn | Source::Stdout => {}
                }
            }
            self.pass_input();
            if !self.pass_answer() {
                return Ok(End::Over(CLIENT_GONE));
            }
        }
    }

    fn sources<'a>(&'a self, signals: &'a UnixStream) -> Vec<(Source, BorrowedFd<'a>, PollFlags)> {
        let mut sources = vec![(Source::Signals, signals.as_fd(), PollFlags::IN)];
        let mut add = |source, fd, flags| sources.push((source, fd, flags));
        match (&self.stdin, &self.server_in) {
            (Some(stdin), _) if self.up.is_empty() => add(Source::Stdin, stdin.as_fd(), PollFlags::IN),
            (_, Some(it)) if !self.up.is_empty() => add(Source::ServerIn, it.as_fd(), PollFlags::OUT),
            _ => {}
        }
        if !self.down.is_empty() {
            add(Source::Stdout, self.stdout.as_fd(), PollFlags::OUT);
        } else {
            // Nothing is asked for, but that the reader is gone is told all the same.
            add(Source::Client, self.stdout.as_fd(), PollFlags::empty());
            if let Some(it) = &self.server_out {
                add(Source::ServerOut, it.as_fd(), PollFlags::IN);
            }
        }
        if self.exit.is_none() {
            add(Source::Keeper, self.keeper.as_fd(), PollFlags::IN);
        }
        sources
    }

    /// When to look at the clock again.
    fn deadline(&self) -> Option<Instant> {
        let blocked = !self.up.is_empty() || !self.down.is_empty();
        let tick = blocked.then(|| Instant::now() + TICK);
        tick.into_iter().chain(self.end_by()).min()
    }

    /// When the server has had the time that it gets.
    fn end_by(&self) -> Option<Instant> {
        // What waits for the client keeps us from reading: none of that time is the server's.
        let drained = self.down.is_empty().then_some(self.moved);
        match (self.exit, self.asked) {
            (Some(_), _) => drained.filter(|_| self.server_out.is_some()).map(|it| it + LEAVE),
            (None, Some(asked)) => Some(asked + KEEPER),
            (None, None) => {
                let patience = if self.calls.is_idle() { LEAVE } else { DRAIN };
                let quiet = drained.zip(self.closed).map(|(moved, closed)| moved.max(closed) + patience);
                let latest = self.closed.map(|it| it + self.stall_timeout);
                [quiet, latest, self.silent.map(|it| it + LEAVE)].into_iter().flatten().min()
            }
        }
    }

    /// What time alone tells: why the session is over, if it is.
    fn overdue(&mut self, now: Instant) -> Option<&'static str> {
        if !self.down.is_empty() {
            match self.stall.blocked(now, io::stdin()) {
                Verdict::Wait => {}
                Verdict::ClientGone => return Some(CLIENT_GONE),
                Verdict::Stalled => return Some("output was blocked for too long"),
            }
        } else if !self.up.is_empty() {
            // Where the engine is stuck in writing our stdin, its end is behind what the server does not read.
            let since = now.duration_since(self.moved);
            if since >= self.stall_timeout {
                return Some("the server did not take its input for too long");
            }
            if since >= DRAIN.min(self.stall_timeout) && hung_up(io::stdin()) {
                return Some("the client closed its end, and the server does not read what it sent");
            }
        }
        if self.end_by().is_some_and(|it| it <= now) {
            if self.exit.is_some() {
                self.server_out = None; // somebody holds it whom the keeper could not end
            } else if self.asked.is_some() {
                return Some("the server could not be ended in time");
            } else {
                self.ask_for_end();
            }
        }
        None
    }

    fn ask_for_end(&mut self) {
        self.asked = Some(Instant::now());
        let _ = self.keeper.send("end");
    }

    fn take_input(&mut self) {
        let Some(stdin) = &self.stdin else { return };
        match rustix::io::read(stdin, &mut self.up.bytes[..]) {
            Ok(0) => self.stdin = None,
            Ok(n) => {
                self.moved = Instant::now();
                if self.server_in.is_none() {
                    return; // the server wants no more; read on, so that the end is seen
                }
                self.up.end = n;
                let calls = &mut self.calls;
                self.up.scan.feed(&self.up.bytes[..n], |frame| calls.asked(frame));
            }
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(_) => self.stdin = None,
        }
    }

    fn pass_input(&mut self) {
        while let Some(server) = self.server_in.as_mut().filter(|_| !self.up.is_empty()) {
            match server.write(self.up.rest()) {
                Ok(n) => {
                    self.up.start += n;
                    self.moved = Instant::now();
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.server_in = None,
            }
        }
        self.up.clear();
        if self.stdin.is_none() && self.closed.is_none() && self.exit.is_none() {
            self.server_in = None;
            self.closed = Some(Instant::now());
            let _ = self.keeper.send("closed");
        }
    }

    fn take_answer(&mut self) {
        let Some(server) = &mut self.server_out else { return };
        match server.read(&mut self.down.bytes) {
            Ok(0) => self.close_output(),
            Ok(n) => {
                self.moved = Instant::now();
                self.down.end = n;
                let calls = &mut self.calls;
                self.down.scan.feed(&self.down.bytes[..n], |frame| calls.answered(&frame));
                if self.down.scan.take_noise() > 0 && !self.noise_was_told {
                    self.noise_was_told = true;
                    log::warn("the server writes to stdout what is no JSON-RPC; it is passed on");
                }
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.close_output(),
        }
    }

    fn close_output(&mut self) {
        self.server_out = None;
        self.silent = Some(Instant::now());
    }

    /// `false` when the client takes no more.
    fn pass_answer(&mut self) -> bool {
        while !self.down.is_empty() {
            match self.stdout.write(self.down.rest()) {
                Ok(n) => {
                    self.down.start += n;
                    self.moved = Instant::now();
                    self.stall.moved();
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return true,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        self.down.clear();
        true
    }

    /// `last LINE` and `exit code N`, `exit signal N`.
    fn hear_keeper(&mut self) {
        let is_there = self.keeper.read();
        while let Some(line) = self.keeper.next() {
            if let Some(word) = line.strip_prefix("last ") {
                self.words.push(word.to_owned());
            } else if let Some(exit) = line.strip_prefix("exit ") {
                self.exit = Some(Exit::parse(exit));
            }
        }
        if !is_there {
            self.exit.get_or_insert(Exit::Unknown);
        }
        if self.exit.is_some() {
            self.moved = Instant::now();
            self.server_in = None;
            self.up.clear();
            self.stdin = None;
        }
    }
}

impl Exit {
    fn parse(text: &str) -> Self {
        let number = |it: &str| it.parse().ok();
        match text.split_once(' ').map(|(kind, it)| (kind, number(it))) {
            Some(("code", Some(code))) => Self::Code(code),
            Some(("signal", Some(signal))) => Self::Signal(signal),
            _ => Self::Unknown,
        }
    }
}
