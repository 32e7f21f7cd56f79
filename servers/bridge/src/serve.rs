//! `/mcp serve`: keeps wrapped servers warm and gives each session one of its own.
//!
//! Connections -> sessions, answers on health. Invariants: one thread, no polling while idle, a child goes to one
//! session only, and no peer can block another. No byte of a session passes here (see `supervisor.rs`).
//!
//! The socket speaks the lines of `drydock_contract::station`. `session` is answered by a supervisor, on the same
//! connection: `hello PID N`, beside it the child's pipes. `session own` brings its own child and is only counted.

mod pool;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use drydock_contract::args::Options;
use drydock_contract::log;
use drydock_contract::station::{self, Health};
use rustix::event::PollFlags;

use crate::config::Config;
use crate::ipc::{LineSocket, MAX_LINE, wait_any};
use crate::process_tree;
use pool::Pool;

/// How long a session waits for a free slot: a client that reconnects may be here before we learn that its old session
/// is over; and when one is just ending, longer.
const SLOT_TIMEOUT: Duration = Duration::from_secs(1);
const ENDING_SLOT_TIMEOUT: Duration = Duration::from_secs(8);

/// How long children have at the end of `serve`, of the 10 s that an engine gives us.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// How often orphans are looked for until none is left.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

#[derive(Debug)]
struct Connection {
    socket: LineSocket,
    /// Asked for a session, and waits for a slot since then.
    waiting_since: Option<Instant>,
    /// A session whose child `serve` did not start.
    is_external: bool,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Signals,
    ChildExits,
    Listener,
    Connection(usize),
    Supervisor(i32),
}

#[derive(Debug)]
struct ControlServer {
    max_sessions: usize,
    served: u64,
    dropped: u64,
    connections: Vec<Connection>,
    pool: Pool,
    /// A supervisor was killed, so its children are ours: when to look for them.
    next_orphan_check: Option<Instant>,
}

/// Runs until SIGTERM, SIGINT or SIGHUP.
pub(crate) fn run(config: Option<Config>, options: &Options) -> io::Result<()> {
    let listener = station::listen(&options.socket)?;
    let signals = station::signals()?;
    let child_exits = process_tree::child_exits()?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let mut server = ControlServer {
        max_sessions: options.max_sessions,
        served: 0,
        dropped: 0,
        connections: Vec::new(),
        pool: Pool::new(config, options),
        next_orphan_check: None,
    };
    server.pool.fill(Instant::now());
    log::info(&format!("serving, pid {}", std::process::id()));
    while server.step(&listener, &signals, &child_exits)? {}
    log::info(&format!("stopping, {} sessions open", server.sessions()));
    drop(listener);
    let _ = std::fs::remove_file(&options.socket);
    server.shutdown(&child_exits)
}

impl ControlServer {
    /// Waits for the next event and acts on it; `false` when told to end.
    fn step(
        &mut self,
        listener: &UnixListener,
        signals: &UnixStream,
        child_exits: &UnixStream,
    ) -> io::Result<bool> {
        let fixed = [
            (Source::Signals, signals.as_fd()),
            (Source::ChildExits, child_exits.as_fd()),
            (Source::Listener, listener.as_fd()),
        ];
        let ready = wait_any(&self.sources(&fixed), self.deadline())?;
        let now = Instant::now();
        let mut gone = Vec::new();
        for source in ready {
            match source {
                Source::Signals => return Ok(false),
                Source::ChildExits => process_tree::drain(child_exits),
                Source::Listener => self.accept(listener),
                Source::Supervisor(pid) => self.dropped += self.pool.on_supervisor_message(pid, now),
                Source::Connection(index) => {
                    if !self.on_connection_message(index, now) {
                        gone.push(index);
                    }
                }
            }
        }
        for index in gone.into_iter().rev() {
            self.connections.remove(index);
        }
        self.reap(now);
        self.assign_waiting(now);
        self.pool.fill(now);
        Ok(true)
    }

    fn sources<'a>(&'a self, fixed: &[(Source, BorrowedFd<'a>)]) -> Vec<(Source, BorrowedFd<'a>, PollFlags)> {
        let connections = self
            .connections
            .iter()
            .enumerate()
            .map(|(index, it)| (Source::Connection(index), it.socket.as_fd()));
        let supervisors = self.pool.sockets().map(|(pid, fd)| (Source::Supervisor(pid), fd));
        let all = fixed.iter().copied().chain(supervisors).chain(connections);
        all.map(|(source, fd)| (source, fd, PollFlags::IN)).collect()
    }

    fn deadline(&self) -> Option<Instant> {
        let waiting =
            self.connections.iter().filter_map(|it| it.waiting_since).map(|since| self.slot_deadline(since));
        waiting.chain(self.pool.deadline()).chain(self.next_orphan_check).min()
    }

    fn slot_deadline(&self, since: Instant) -> Instant {
        since + if self.pool.is_any_ending() { ENDING_SLOT_TIMEOUT } else { SLOT_TIMEOUT }
    }

    fn accept(&mut self, listener: &UnixListener) {
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    if let Ok(socket) = LineSocket::new(stream, MAX_LINE) {
                        self.connections.push(Connection { socket, waiting_since: None, is_external: false });
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                Err(e) => {
                    log::warn(&format!("cannot take a connection: {e}"));
                    std::thread::sleep(RETRY_INTERVAL); // no descriptors are left, say; it stays readable
                    return;
                }
            }
        }
    }

    /// Reads the lines of a connection; `false` when it is over.
    fn on_connection_message(&mut self, index: usize, now: Instant) -> bool {
        let connection = &mut self.connections[index];
        let is_open = connection.socket.read();
        while let Some(line) = self.connections[index].socket.next_line() {
            if !self.on_line(index, &line, now) {
                return false;
            }
        }
        is_open
    }

    fn on_line(&mut self, index: usize, line: &str, now: Instant) -> bool {
        let health = if line == "health" { self.health().to_json() } else { String::new() };
        let has_free_slot = self.has_free_slot();
        let connection = &mut self.connections[index];
        match line {
            "health" => {
                let _ = connection.socket.send(&health);
                false
            }
            "session" if !connection.is_external && connection.waiting_since.is_none() => {
                connection.waiting_since = Some(now);
                true
            }
            "session own" if !connection.is_external && connection.waiting_since.is_none() => {
                if !has_free_slot {
                    let _ = connection.socket.send(&refusal(self.max_sessions));
                    return false;
                }
                connection.is_external = true;
                self.served += 1;
                let hello = format!("hello {} {}", std::process::id(), self.served);
                connection.socket.send(&hello).is_ok()
            }
            _ if connection.is_external => {
                let dropped = line.strip_prefix("bye ").and_then(|it| it.parse().ok());
                self.dropped = self.dropped.saturating_add(dropped.unwrap_or(0));
                dropped.is_some()
            }
            _ => false,
        }
    }

    /// Assigns children to the sessions that wait, as far as there are free slots.
    fn assign_waiting(&mut self, now: Instant) {
        let mut index = 0;
        while index < self.connections.len() {
            let waiting_since = self.connections[index].waiting_since;
            if waiting_since.is_none_or(|since| !self.has_free_slot() && now < self.slot_deadline(since)) {
                index += 1;
                continue;
            }
            let connection = self.connections.remove(index);
            if !self.has_free_slot() {
                let _ = connection.socket.send(&refusal(self.max_sessions));
                continue;
            }
            self.served += 1;
            if let Err(problem) = self.pool.assign(self.served, &connection.socket, now) {
                let _ = connection.socket.send(&format!("refused {}", problem.to_line()));
            }
        }
    }

    fn sessions(&self) -> usize {
        self.pool.sessions() + self.connections.iter().filter(|it| it.is_external).count()
    }

    fn has_free_slot(&self) -> bool {
        self.max_sessions == 0 || self.sessions() < self.max_sessions
    }

    fn health(&self) -> Health {
        Health {
            ready: self.pool.is_ready(),
            sessions: self.sessions() as u64,
            served: self.served,
            dropped: self.dropped,
            warm: Some(self.pool.warm() as u64),
            reason: self.pool.reason(),
        }
    }

    /// Reaps what has ended. A supervisor that was killed leaves its children to us: nobody else will end them.
    fn reap(&mut self, now: Instant) {
        for (pid, status) in process_tree::reap().exited {
            self.dropped += self.pool.on_supervisor_message(pid, now); // its last lines
            if self.pool.remove(pid) && status.signaled() {
                log::warn(&format!("a supervisor was killed: {}", process_tree::describe(status)));
                self.next_orphan_check = Some(now);
            }
        }
        if self.next_orphan_check.is_some_and(|it| it <= now) {
            let orphans = self.pool.orphans();
            for it in &orphans {
                process_tree::kill_descendants(it.pid);
                it.send_signal(rustix::process::Signal::KILL);
            }
            self.next_orphan_check = (!orphans.is_empty()).then_some(now + RETRY_INTERVAL);
        }
    }

    /// Lets the supervisors end their children, and kills what they did not end in time.
    fn shutdown(mut self, child_exits: &UnixStream) -> io::Result<()> {
        let deadline = Instant::now() + SHUTDOWN_TIMEOUT;
        self.connections.clear();
        self.pool.shut_down();
        while !process_tree::reap().none_left {
            let now = Instant::now();
            if now >= deadline {
                log::warn("what did not end in time is killed");
                process_tree::kill_descendants(std::process::id().cast_signed());
            }
            let again = if now < deadline { deadline } else { now + RETRY_INTERVAL };
            if !wait_any(&[((), child_exits.as_fd(), PollFlags::IN)], Some(again))?.is_empty() {
                process_tree::drain(child_exits);
            }
            if now >= deadline + SHUTDOWN_TIMEOUT / 2 {
                break; // the engine kills us soon, too
            }
        }
        Ok(())
    }
}

fn refusal(max_sessions: usize) -> String {
    format!("refused all {max_sessions} sessions of this server are taken")
}
