//! What `/mcp serve` does, in every kind of `/mcp`: listens on the control socket, answers health, counts sessions, ends on
//! SIGTERM, SIGINT or SIGHUP.
//!
//! Connections -> typed messages -> answers; what differs between the kinds is a [`Handler`]. Invariants: one thread, no
//! polling while idle but a look at the socket's path every [`PATH_CHECK_INTERVAL`]; no peer can block another: nothing
//! here waits for one, and those that ask nothing are limited in number and time; and every session that it counts has a
//! line in the log that tells of its end: its own, or, where its process died before it could write one, ours.

mod connection;
mod handler;

use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use connection::{Connection, State};
use drydock_contract::{ControlMessage, Health, SessionKind};
use rustix::event::PollFlags;

use crate::Error;
use crate::args::Options;
use crate::control_socket::{ControlSocket, Rebind};
use crate::ipc::{LineSocket, wait_any};
use crate::log::Log;
use crate::oom_kills::OomKills;
use crate::signals::shutdown_signals;

pub use handler::{CountOnly, Handler, Refusal};

/// How often it is looked whether the socket's path still leads to us.
pub const PATH_CHECK_INTERVAL: Duration = Duration::from_secs(3);

/// How long a peer has to say what it wants.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections that have not said what they want. One more closes the oldest of them.
pub const MAX_SILENT: usize = 128;

/// Sessions that wait for a slot. One more is refused at once.
pub const MAX_WAITING: usize = 64;

/// Before a connection is taken again, when it could not be: no descriptors are left, say.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// Connections that are taken before those that are open get their turn.
const MAX_ACCEPTED: usize = 64;

/// The one that listens.
#[derive(Debug)]
pub struct ControlServer<H> {
    socket: ControlSocket,
    signals: UnixStream,
    max_sessions: usize,
    connections: Vec<Connection>,
    served: u64,
    /// Log lines that sessions of ours lost.
    dropped: u64,
    oom_kills: OomKills,
    handler: H,
    log: Log,
    path_check_at: Instant,
    /// No connection can be taken before.
    accept_at: Option<Instant>,
    /// What was said of the socket last, so that it is not said again.
    problem: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Source<S> {
    Signals,
    Listener,
    Connection(usize),
    Handler(S),
}

impl<H: Handler> ControlServer<H> {
    /// Listens on the socket of `options` from now on; answers when it [runs](Self::run).
    ///
    /// # Errors
    /// The socket cannot be made (its folder is missing or not ours, another `serve` listens there), or signals cannot be
    /// caught.
    pub fn bind(options: &Options, log: Log, handler: H) -> Result<Self, Error> {
        let socket = ControlSocket::bind(&options.socket)?;
        Ok(Self::new(socket, shutdown_signals()?, options.max_sessions, log, handler))
    }

    fn new(socket: ControlSocket, signals: UnixStream, max_sessions: usize, log: Log, handler: H) -> Self {
        Self {
            socket,
            signals,
            max_sessions,
            connections: Vec::new(),
            served: 0,
            dropped: 0,
            oom_kills: OomKills::new(),
            handler,
            log,
            path_check_at: Instant::now() + PATH_CHECK_INTERVAL,
            accept_at: None,
            problem: None,
        }
    }

    /// Runs until SIGTERM, SIGINT or SIGHUP; then all connections are closed and the socket is gone.
    ///
    /// # Errors
    /// [`Error::Poll`].
    pub fn run(mut self) -> Result<H, Error> {
        self.handler.after_assign(Instant::now());
        self.log.info(&format!("serving, pid {}", std::process::id()));
        while self.step()? {}
        self.log.info(&format!("stopping, {} sessions open", self.sessions()));
        self.socket.remove();
        Ok(self.handler)
    }

    /// Waits for the next thing to happen and acts on it; `false` when told to end.
    fn step(&mut self) -> Result<bool, Error> {
        let ready = wait_any(&self.sources(), Some(self.deadline())).map_err(Error::Poll)?;
        let now = Instant::now();
        let mut closed = Vec::new();
        let mut is_asked = false;
        for source in ready {
            match source {
                Source::Signals => return Ok(false),
                Source::Listener => is_asked = true,
                Source::Handler(source) => self.handler.on_readable(source, now),
                Source::Connection(index) => {
                    if !self.on_connection_readable(index, now) {
                        closed.push(index);
                    }
                }
            }
        }
        self.close(closed, now);
        if is_asked {
            self.accept(now);
        }
        self.close_silent(now);
        self.check_path(now);
        self.handler.before_assign(now);
        self.assign_waiting(now);
        self.handler.after_assign(now);
        Ok(true)
    }

    fn sources(&self) -> Vec<(Source<H::Source>, BorrowedFd<'_>, PollFlags)> {
        let listener = self.accept_at.is_none().then(|| (Source::Listener, self.socket.as_fd()));
        let connections = self.connections.iter().enumerate();
        [(Source::Signals, self.signals.as_fd())]
            .into_iter()
            .chain(listener)
            .chain(self.handler.sources().into_iter().map(|(source, fd)| (Source::Handler(source), fd)))
            .chain(connections.map(|(index, it)| (Source::Connection(index), it.socket.as_fd())))
            .map(|(source, fd)| (source, fd, PollFlags::IN))
            .collect()
    }

    fn deadline(&self) -> Instant {
        let slot_timeout = self.handler.slot_timeout();
        let connections = self.connections.iter().filter_map(|it| match it.state {
            State::Silent { since } => Some(since + REQUEST_TIMEOUT),
            State::Waiting { since } => Some(since + slot_timeout),
            State::Counted { .. } | State::Ended => None,
        });
        connections
            .chain(self.handler.deadline())
            .chain(self.accept_at)
            .fold(self.path_check_at, Instant::min)
    }

    /// Closes connections; the indices ascend.
    fn close(&mut self, closed: Vec<usize>, now: Instant) {
        let mut killed = Vec::new();
        for index in closed.into_iter().rev() {
            if let State::Counted { session, since } = self.connections.remove(index).state {
                killed.push((session, now - since));
            }
        }
        if killed.is_empty() {
            return;
        }
        let cause = if self.oom_kills.has_grown() {
            "it was killed or crashed, and the kernel has ended a process here for want of memory"
        } else {
            "it was killed or crashed"
        };
        for (session, age) in killed {
            let secs = age.as_secs_f64();
            let text =
                format!("session ended after {secs:.1} s: its process is gone without a word: {cause}");
            self.log.of_session(session).warn(&text);
        }
    }

    fn accept(&mut self, now: Instant) {
        for _ in 0..MAX_ACCEPTED {
            match self.socket.accept().and_then(|stream| Connection::new(stream, now)) {
                Ok(connection) => self.connections.push(connection),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => {
                    self.report(format!("cannot take a connection: {e}"));
                    self.accept_at = Some(now + RETRY_INTERVAL); // it stays readable until then
                    break;
                }
            }
        }
    }

    /// Closes connections that ask nothing: those that had their time, and the oldest where there are too many.
    fn close_silent(&mut self, now: Instant) {
        if self.accept_at.is_some_and(|it| it <= now) {
            self.accept_at = None;
        }
        let silent = self.connections.iter().filter(|it| it.is_silent()).count();
        let mut surplus = silent.saturating_sub(MAX_SILENT);
        let before = self.connections.len();
        self.connections.retain(|it| match it.state {
            State::Silent { .. } if surplus > 0 => {
                surplus -= 1; // new ones come last
                false
            }
            State::Silent { since } => now < since + REQUEST_TIMEOUT,
            State::Waiting { .. } | State::Counted { .. } | State::Ended => true,
        });
        let closed = before - self.connections.len();
        if closed > 0 {
            self.log.debug(&format!("closed {closed} connections that asked nothing"));
        }
    }

    /// Whoever has taken our socket's path away has taken the server away from every client.
    fn check_path(&mut self, now: Instant) {
        if now < self.path_check_at {
            return;
        }
        self.path_check_at = now + PATH_CHECK_INTERVAL;
        self.accept(now);
        match self.socket.rebind() {
            Ok(Rebind::NotNeeded) => self.problem = None,
            Ok(Rebind::Done) => {
                self.log.warn("the control socket was lost or replaced; it is there again");
                self.problem = None;
            }
            Ok(Rebind::Taken) => self.report("another `serve` has taken the control socket".into()),
            Err(e) => self.report(format!("the control socket is lost, and cannot be bound again: {e}")),
        }
    }

    fn report(&mut self, problem: String) {
        if self.problem.as_ref() != Some(&problem) {
            self.log.warn(&problem);
            self.problem = Some(problem);
        }
    }

    /// Reads what a peer has to say; `false` when its connection is over.
    fn on_connection_readable(&mut self, index: usize, now: Instant) -> bool {
        let is_open = self.connections[index].socket.read();
        while let Some(line) = self.connections[index].socket.next_line() {
            let Ok(message) = line.parse() else { return false };
            if !self.on_message(index, message, now) {
                return false;
            }
        }
        is_open
    }

    fn on_message(&mut self, index: usize, message: ControlMessage, now: Instant) -> bool {
        use ControlMessage as Message;
        let is_silent = self.connections[index].is_silent();
        match message {
            Message::HealthRequest if is_silent => {
                let _ = self.connections[index].socket.send(Message::HealthReport(self.health()));
                false
            }
            Message::SessionRequest(kind) if is_silent => self.on_session_request(index, kind, now),
            Message::SessionEnded { dropped } if self.connections[index].is_counted() => {
                self.connections[index].state = State::Ended;
                self.dropped = self.dropped.saturating_add(dropped);
                false
            }
            _ => false,
        }
    }

    fn on_session_request(&mut self, index: usize, kind: SessionKind, now: Instant) -> bool {
        let has_free_slot = self.has_free_slot();
        let waiting = self.connections.iter().filter(|it| matches!(it.state, State::Waiting { .. })).count();
        let connection = &mut self.connections[index];
        match kind {
            SessionKind::Provided if has_free_slot || waiting < MAX_WAITING => {
                connection.state = State::Waiting { since: now };
                true
            }
            SessionKind::Own if has_free_slot => {
                self.served += 1;
                connection.state = State::Counted { session: self.served, since: now };
                let log_pid = Some(std::process::id());
                connection
                    .socket
                    .send(ControlMessage::SessionAccepted { log_pid, session: self.served })
                    .is_ok()
            }
            SessionKind::Provided | SessionKind::Own => {
                let _ = connection.socket.send(all_taken(self.max_sessions));
                false
            }
        }
    }

    /// Gives those that wait a server, as far as slots are free.
    fn assign_waiting(&mut self, now: Instant) {
        let mut index = 0;
        while index < self.connections.len() {
            let State::Waiting { since } = self.connections[index].state else {
                index += 1;
                continue;
            };
            let has_free_slot = self.has_free_slot();
            if !has_free_slot && now < since + self.handler.slot_timeout() {
                index += 1;
                continue;
            }
            let connection = self.connections.remove(index);
            if has_free_slot {
                self.assign(&connection.socket, now);
            } else {
                let _ = connection.socket.send(all_taken(self.max_sessions));
            }
        }
    }

    fn assign(&mut self, socket: &LineSocket, now: Instant) {
        self.served += 1;
        if let Err(Refusal(reason)) = self.handler.assign(self.served, socket, now) {
            let _ = socket.send(ControlMessage::SessionRefused(reason));
        }
    }

    fn sessions(&self) -> usize {
        self.handler.sessions() + self.connections.iter().filter(|it| it.is_counted()).count()
    }

    fn has_free_slot(&self) -> bool {
        self.max_sessions == 0 || self.sessions() < self.max_sessions
    }

    fn health(&self) -> Health {
        let part = self.handler.health();
        Health {
            sessions: self.sessions() as u64,
            served: self.served,
            dropped: part.dropped.saturating_add(self.dropped),
            ..part
        }
    }
}

fn all_taken(max_sessions: usize) -> ControlMessage {
    ControlMessage::SessionRefused(format!("all {max_sessions} sessions of this server are taken"))
}

#[cfg(test)]
mod step_tests;
#[cfg(test)]
mod tests;
