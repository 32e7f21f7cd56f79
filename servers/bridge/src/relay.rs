//! A session's bytes: stdin to the wrapped server, its answers to stdout.
//!
//! Bytes in -> the same bytes out, both ways, until an end that is certain. Invariants: no byte is changed, lost or
//! held back; at most one `Buffer` per direction is in memory, so that whoever reads slowly slows the other side; and
//! whatever a client, an engine and a server do with the pipes, `run` returns in bounded time once nobody needs it.

mod buffer;
mod phase;

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use drydock_runtime::contract::{ControlMessage, ServerExit};
use drydock_runtime::ipc::{LineSocket, wait_any};
use drydock_runtime::log::Log;
use drydock_runtime::output::Output;
use drydock_runtime::stall::{POLL_INTERVAL, StallClock, StallStatus, hung_up};
use rustix::event::PollFlags;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;

use crate::in_flight::InFlight;
use buffer::Buffer;
use phase::Phase;

/// At the end of input: for requests in flight (as long as kit gives them), and for a server that has none. Counted
/// from the last byte that moved, and not while one waits for the client, but never longer than the stall time-out.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_EXIT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a supervisor may take to end a server that it was told to end, before it is left to the supervisor alone.
const SUPERVISOR_TIMEOUT: Duration = Duration::from_secs(10);

const CLIENT_GONE: &str = "the client is gone, its answers are dropped";

/// Why a session is over.
#[derive(Debug)]
pub(crate) enum SessionEnd {
    /// The server is gone, and all that it wrote is with the client.
    Exit {
        exit: ServerExit,
        /// After the client had closed its end.
        is_expected: bool,
        /// The last lines that the server wrote to stderr.
        stderr_tail: Vec<String>,
    },
    /// The client is gone or takes no more, or the server neither reads nor ends.
    Aborted(&'static str),
    Signal,
}

#[derive(Debug)]
pub(crate) struct Relay {
    /// Until its end.
    stdin: Option<OwnedFd>,
    to_server: Buffer,
    /// The server's stdin and stdout, while we need them.
    server_in: Option<File>,
    server_out: Option<File>,
    to_client: Buffer,
    stdout: Output,
    supervisor: LineSocket,
    in_flight: InFlight,
    log: Log,
    stall_timeout: Duration,
    stall: StallClock,
    /// When a byte moved last, in any direction.
    last_progress: Instant,
    phase: Phase,
    stderr_tail: Vec<String>,
    has_reported_invalid_lines: bool,
    has_reported_invalid_input: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Signals,
    Stdin,
    ServerIn,
    ServerOut,
    Stdout,
    Client,
    Supervisor,
}

impl Relay {
    pub(crate) fn new(
        server_in: OwnedFd,
        server_out: OwnedFd,
        supervisor: LineSocket,
        stall_timeout: Duration,
        log: Log,
    ) -> io::Result<Self> {
        for fd in [&server_in, &server_out] {
            fcntl_setfl(fd, fcntl_getfl(fd)? | OFlags::NONBLOCK)?;
        }
        Ok(Self {
            stdin: Some(io::stdin().as_fd().try_clone_to_owned()?),
            to_server: Buffer::new(),
            server_in: Some(server_in.into()),
            server_out: Some(server_out.into()),
            to_client: Buffer::new(),
            stdout: Output::new(io::stdout().as_fd().try_clone_to_owned()?),
            supervisor,
            in_flight: InFlight::new(log.clone()),
            log,
            stall_timeout,
            stall: StallClock::new(stall_timeout),
            last_progress: Instant::now(),
            phase: Phase::START,
            stderr_tail: Vec::new(),
            has_reported_invalid_lines: false,
            has_reported_invalid_input: false,
        })
    }

    /// Relays until the end, and logs what was not answered.
    pub(crate) fn run(mut self, signals: &UnixStream) -> (SessionEnd, LineSocket) {
        let end = self.relay(signals).unwrap_or_else(|e| {
            self.log.error(&format!("the relay failed: {e}"));
            SessionEnd::Aborted("the relay failed")
        });
        self.in_flight.finish();
        (end, self.supervisor)
    }

    fn relay(&mut self, signals: &UnixStream) -> io::Result<SessionEnd> {
        loop {
            if let Some(end) = self.finished() {
                return Ok(end);
            }
            if let Some(reason) = self.on_time(Instant::now()) {
                return Ok(SessionEnd::Aborted(reason));
            }
            for source in wait_any(&self.sources(signals), self.deadline())? {
                match source {
                    Source::Signals => return Ok(SessionEnd::Signal),
                    Source::Client => return Ok(SessionEnd::Aborted(CLIENT_GONE)),
                    Source::Supervisor => self.on_supervisor_message(),
                    Source::Stdin => self.read_client(),
                    Source::ServerOut => self.read_server(),
                    Source::ServerIn | Source::Stdout => {}
                }
            }
            self.write_server();
            if !self.write_client() {
                return Ok(SessionEnd::Aborted(CLIENT_GONE));
            }
        }
    }

    /// The server is gone, and all that it wrote was passed on.
    fn finished(&mut self) -> Option<SessionEnd> {
        let Phase::Exited { exit, is_client_closed: is_expected } = self.phase else { return None };
        let is_drained = self.server_out.is_none() && self.to_client.is_empty();
        is_drained.then(|| SessionEnd::Exit {
            exit,
            is_expected,
            stderr_tail: std::mem::take(&mut self.stderr_tail),
        })
    }

    fn sources<'a>(&'a self, signals: &'a UnixStream) -> Vec<(Source, BorrowedFd<'a>, PollFlags)> {
        let mut sources = vec![(Source::Signals, signals.as_fd(), PollFlags::IN)];
        let mut add = |source, fd, flags| sources.push((source, fd, flags));
        match (&self.stdin, &self.server_in) {
            (Some(stdin), _) if self.to_server.is_empty() => add(Source::Stdin, stdin.as_fd(), PollFlags::IN),
            (_, Some(it)) if !self.to_server.is_empty() => add(Source::ServerIn, it.as_fd(), PollFlags::OUT),
            _ => {}
        }
        if !self.to_client.is_empty() {
            add(Source::Stdout, self.stdout.as_fd(), PollFlags::OUT);
        } else {
            // No event is asked for, but `poll` reports all the same that the reader is gone.
            add(Source::Client, self.stdout.as_fd(), PollFlags::empty());
            if let Some(it) = &self.server_out {
                add(Source::ServerOut, it.as_fd(), PollFlags::IN);
            }
        }
        if !self.phase.is_exited() {
            add(Source::Supervisor, self.supervisor.as_fd(), PollFlags::IN);
        }
        sources
    }

    /// When `on_time` has to be called again.
    fn deadline(&self) -> Option<Instant> {
        let is_blocked = !self.to_server.is_empty() || !self.to_client.is_empty();
        let tick = is_blocked.then(|| Instant::now() + POLL_INTERVAL);
        tick.into_iter().chain(self.server_deadline()).min()
    }

    /// When the server has had the time that it gets.
    fn server_deadline(&self) -> Option<Instant> {
        // What waits for the client keeps us from reading: none of that time is the server's.
        let drained_at = self.to_client.is_empty().then_some(self.last_progress);
        match self.phase {
            Phase::Exited { .. } => {
                drained_at.filter(|_| self.server_out.is_some()).map(|it| it + IDLE_EXIT_TIMEOUT)
            }
            Phase::Terminating { terminate_sent_at, .. } => Some(terminate_sent_at + SUPERVISOR_TIMEOUT),
            Phase::Relaying { client_eof_at, server_eof_at } => {
                let timeout = if self.in_flight.is_idle() { IDLE_EXIT_TIMEOUT } else { DRAIN_TIMEOUT };
                let quiet = drained_at.zip(client_eof_at).map(|(drained, eof)| drained.max(eof) + timeout);
                let latest = client_eof_at.map(|it| it + self.stall_timeout);
                let silent = server_eof_at.map(|it| it + IDLE_EXIT_TIMEOUT);
                [quiet, latest, silent].into_iter().flatten().min()
            }
        }
    }

    /// What time alone decides: why the session is over, if it is.
    fn on_time(&mut self, now: Instant) -> Option<&'static str> {
        if let Some(reason) = self.blocked_too_long(now) {
            return Some(reason);
        }
        if self.server_deadline().is_some_and(|it| it <= now) {
            match self.phase {
                Phase::Exited { .. } => self.server_out = None, // held open by what the supervisor could not end
                Phase::Terminating { .. } => return Some("the server could not be ended in time"),
                Phase::Relaying { .. } => {
                    self.phase.terminate_sent(Instant::now());
                    let _ = self.supervisor.send(ControlMessage::TerminateServer);
                }
            }
        }
        None
    }

    fn blocked_too_long(&mut self, now: Instant) -> Option<&'static str> {
        if !self.to_client.is_empty() {
            return match self.stall.blocked(now, io::stdin()) {
                StallStatus::Waiting => None,
                StallStatus::ClientGone => Some(CLIENT_GONE),
                StallStatus::Stalled => Some("output was blocked for too long"),
            };
        }
        if self.to_server.is_empty() {
            return None;
        }
        // Where the engine is stuck in writing our stdin, its end is behind what the server does not read.
        let blocked_for = now.duration_since(self.last_progress);
        if blocked_for >= self.stall_timeout {
            return Some("the server did not take its input for too long");
        }
        if blocked_for >= DRAIN_TIMEOUT.min(self.stall_timeout) && hung_up(io::stdin()) {
            return Some("the client closed its end, and the server does not read what it sent");
        }
        None
    }

    fn read_client(&mut self) {
        let Some(stdin) = &self.stdin else { return };
        match rustix::io::read(stdin, self.to_server.space()) {
            Ok(0) => self.stdin = None,
            Ok(n) => {
                self.last_progress = Instant::now();
                if self.server_in.is_none() {
                    return; // the server takes no more; read on, so that the end is seen
                }
                let in_flight = &mut self.in_flight;
                self.to_server.filled(n, |message| in_flight.on_client_message(message));
                if self.to_server.take_has_invalid_lines() && !self.has_reported_invalid_input {
                    self.has_reported_invalid_input = true;
                    self.log
                        .warn("the client sends what is no JSON-RPC; it is passed on, and may get no answer");
                }
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.stdin = None,
        }
    }

    fn write_server(&mut self) {
        while let Some(server) = self.server_in.as_mut().filter(|_| !self.to_server.is_empty()) {
            match server.write(self.to_server.rest()) {
                Ok(n) => {
                    self.to_server.written(n);
                    self.last_progress = Instant::now();
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.server_in = None,
            }
        }
        self.to_server.clear();
        if self.stdin.is_none() && !self.phase.is_client_closed() && !self.phase.is_exited() {
            self.server_in = None;
            self.phase.client_closed(Instant::now());
            let _ = self.supervisor.send(ControlMessage::ClientClosed);
        }
    }

    fn read_server(&mut self) {
        let Some(server) = &mut self.server_out else { return };
        match server.read(self.to_client.space()) {
            Ok(0) => self.close_server_out(),
            Ok(n) => {
                self.last_progress = Instant::now();
                let in_flight = &mut self.in_flight;
                self.to_client.filled(n, |message| in_flight.on_server_message(&message));
                if self.to_client.take_has_invalid_lines() && !self.has_reported_invalid_lines {
                    self.has_reported_invalid_lines = true;
                    self.log.warn("the server writes to stdout what is no JSON-RPC; it is passed on");
                }
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.close_server_out(),
        }
    }

    fn close_server_out(&mut self) {
        self.server_out = None;
        self.phase.server_closed(Instant::now());
    }

    /// `false` when the client takes no more.
    fn write_client(&mut self) -> bool {
        while !self.to_client.is_empty() {
            match self.stdout.write(self.to_client.rest()) {
                Ok(n) => {
                    self.to_client.written(n);
                    self.last_progress = Instant::now();
                    self.stall.moved();
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return true,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        self.to_client.clear();
        true
    }

    /// The last lines of the server's stderr, then how it ended.
    fn on_supervisor_message(&mut self) {
        let is_open = self.supervisor.read();
        while let Some(line) = self.supervisor.next_line() {
            match line.parse() {
                Ok(ControlMessage::StderrLine(line)) => self.stderr_tail.push(line),
                Ok(ControlMessage::ServerExited(exit)) => self.phase.exited(exit),
                _ => {}
            }
        }
        if !is_open && !self.phase.is_exited() {
            self.phase.exited(ServerExit::Unknown);
        }
        if self.phase.is_exited() {
            self.last_progress = Instant::now();
            self.server_in = None;
            self.to_server.clear();
            self.stdin = None;
        }
    }
}

#[cfg(test)]
mod tests;
