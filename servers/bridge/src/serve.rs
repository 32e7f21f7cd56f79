//! `/mcp serve`: keeps wrapped servers warm and gives each session one of its own.
//!
//! Connections -> sessions, answers on health. Invariants: one thread, no polling while idle, a child goes to one
//! session only, and no peer can block another. No byte of a session passes here (see `keep.rs`).
//!
//! The socket speaks the lines of `drydock_contract::station`. `session` is answered by a keeper, on the same
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
use crate::keep;
use crate::tree;
use crate::wire::{Lines, SHORT, wait_any};
use pool::Pool;

/// How long a session waits for a place: a client that starts anew may be here before we hear that its old session is
/// over; and when one is just ending, longer.
const MOMENT: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(8);

/// How long children have at the end of `serve`, of the 10 s that an engine gives us.
const FAREWELL: Duration = Duration::from_secs(5);

/// How often strays are looked for until none is left.
const AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug)]
struct Peer {
    lines: Lines,
    /// Asked for a session, since when it waits for a place.
    waits: Option<Instant>,
    /// A session with a child of its own.
    is_guest: bool,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Signals,
    Deaths,
    Listener,
    Peer(usize),
    Keeper(i32),
}

#[derive(Debug)]
struct Serve {
    max_sessions: usize,
    served: u64,
    dropped: u64,
    peers: Vec<Peer>,
    pool: Pool,
    /// A keeper was killed: its children are ours now.
    strays: Option<Instant>,
}

/// Runs until SIGTERM, SIGINT or SIGHUP.
pub(crate) fn run(config: Option<Config>, options: &Options) -> io::Result<()> {
    let listener = station::listen(&options.socket)?;
    let signals = station::signals()?;
    let deaths = keep::deaths()?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let mut serve = Serve {
        max_sessions: options.max_sessions,
        served: 0,
        dropped: 0,
        peers: Vec::new(),
        pool: Pool::new(config, options),
        strays: None,
    };
    serve.pool.fill(Instant::now());
    log::info(&format!("serving, pid {}", std::process::id()));
    while serve.step(&listener, &signals, &deaths)? {}
    log::info(&format!("stopping, {} sessions open", serve.sessions()));
    drop(listener);
    let _ = std::fs::remove_file(&options.socket);
    serve.farewell(&deaths)
}

impl Serve {
    /// Waits for the next thing to happen and acts on it; `false` when told to end.
    fn step(
        &mut self,
        listener: &UnixListener,
        signals: &UnixStream,
        deaths: &UnixStream,
    ) -> io::Result<bool> {
        let fixed = [
            (Source::Signals, signals.as_fd()),
            (Source::Deaths, deaths.as_fd()),
            (Source::Listener, listener.as_fd()),
        ];
        let ready = wait_any(&self.sources(&fixed), self.deadline())?;
        let now = Instant::now();
        let mut gone = Vec::new();
        for source in ready {
            match source {
                Source::Signals => return Ok(false),
                Source::Deaths => keep::drain(deaths),
                Source::Listener => self.accept(listener),
                Source::Keeper(pid) => self.dropped += self.pool.hear(pid, now),
                Source::Peer(index) => {
                    if !self.hear(index, now) {
                        gone.push(index);
                    }
                }
            }
        }
        for index in gone.into_iter().rev() {
            self.peers.remove(index);
        }
        self.bury(now);
        self.seat(now);
        self.pool.fill(now);
        Ok(true)
    }

    fn sources<'a>(&'a self, fixed: &[(Source, BorrowedFd<'a>)]) -> Vec<(Source, BorrowedFd<'a>, PollFlags)> {
        let peers = self.peers.iter().enumerate().map(|(index, it)| (Source::Peer(index), it.lines.as_fd()));
        let keepers = self.pool.sockets().map(|(pid, fd)| (Source::Keeper(pid), fd));
        let all = fixed.iter().copied().chain(keepers).chain(peers);
        all.map(|(source, fd)| (source, fd, PollFlags::IN)).collect()
    }

    fn deadline(&self) -> Option<Instant> {
        let waiting = self.peers.iter().filter_map(|it| it.waits).map(|since| self.wait_until(since));
        waiting.chain(self.pool.deadline()).chain(self.strays).min()
    }

    fn wait_until(&self, since: Instant) -> Instant {
        since + if self.pool.is_one_ending() { PATIENCE } else { MOMENT }
    }

    fn accept(&mut self, listener: &UnixListener) {
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    if let Ok(lines) = Lines::new(stream, SHORT) {
                        self.peers.push(Peer { lines, waits: None, is_guest: false });
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                Err(e) => {
                    log::warn(&format!("cannot take a connection: {e}"));
                    std::thread::sleep(AGAIN); // no descriptors are left, say; it stays readable
                    return;
                }
            }
        }
    }

    /// Reads what a peer has to say; `false` when its connection is over.
    fn hear(&mut self, index: usize, now: Instant) -> bool {
        let peer = &mut self.peers[index];
        let open = peer.lines.read();
        while let Some(line) = self.peers[index].lines.next() {
            if !self.answer(index, &line, now) {
                return false;
            }
        }
        open
    }

    fn answer(&mut self, index: usize, line: &str, now: Instant) -> bool {
        let health = if line == "health" { self.health().to_json() } else { String::new() };
        let has_place = self.has_place();
        let peer = &mut self.peers[index];
        match line {
            "health" => {
                let _ = peer.lines.send(&health);
                false
            }
            "session" if !peer.is_guest && peer.waits.is_none() => {
                peer.waits = Some(now);
                true
            }
            "session own" if !peer.is_guest && peer.waits.is_none() => {
                if !has_place {
                    let _ = peer.lines.send(&refusal(self.max_sessions));
                    return false;
                }
                peer.is_guest = true;
                self.served += 1;
                let hello = format!("hello {} {}", std::process::id(), self.served);
                peer.lines.send(&hello).is_ok()
            }
            _ if peer.is_guest => {
                let dropped = line.strip_prefix("bye ").and_then(|it| it.parse().ok());
                self.dropped = self.dropped.saturating_add(dropped.unwrap_or(0));
                dropped.is_some()
            }
            _ => false,
        }
    }

    /// Gives those who wait a child, as far as there are places.
    fn seat(&mut self, now: Instant) {
        let mut index = 0;
        while index < self.peers.len() {
            let waits = self.peers[index].waits;
            if waits.is_none_or(|since| !self.has_place() && now < self.wait_until(since)) {
                index += 1;
                continue;
            }
            let peer = self.peers.remove(index);
            if !self.has_place() {
                let _ = peer.lines.send(&refusal(self.max_sessions));
                continue;
            }
            self.served += 1;
            if let Err(problem) = self.pool.give(self.served, &peer.lines, now) {
                let _ = peer.lines.send(&format!("refused {problem}"));
            }
        }
    }

    fn sessions(&self) -> usize {
        self.pool.sessions() + self.peers.iter().filter(|it| it.is_guest).count()
    }

    fn has_place(&self) -> bool {
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

    /// Takes the dead. A keeper that was killed leaves its children to us: nobody else will end them.
    fn bury(&mut self, now: Instant) {
        for (pid, status) in tree::reap().dead {
            self.dropped += self.pool.hear(pid, now); // what it said last
            if self.pool.bury(pid) && status.signaled() {
                log::warn(&format!("a keeper was killed: {}", tree::describe(status)));
                self.strays = Some(now);
            }
        }
        if self.strays.is_some_and(|it| it <= now) {
            let strays = self.pool.strays();
            for it in &strays {
                tree::kill_all(it.pid);
                it.signal(rustix::process::Signal::KILL);
            }
            self.strays = (!strays.is_empty()).then_some(now + AGAIN);
        }
    }

    /// Lets the keepers end their children, and sees to it that they do.
    fn farewell(mut self, deaths: &UnixStream) -> io::Result<()> {
        let until = Instant::now() + FAREWELL;
        self.peers.clear();
        self.pool.dismiss();
        while !tree::reap().none_left {
            let now = Instant::now();
            if now >= until {
                log::warn("what did not end in time is killed");
                tree::kill_all(std::process::id().cast_signed());
            }
            let again = if now < until { until } else { now + AGAIN };
            if !wait_any(&[((), deaths.as_fd(), PollFlags::IN)], Some(again))?.is_empty() {
                keep::drain(deaths);
            }
            if now >= until + FAREWELL / 2 {
                break; // the engine's patience ends as well
            }
        }
        Ok(())
    }
}

fn refusal(max_sessions: usize) -> String {
    format!("refused all {max_sessions} sessions of this server are taken")
}
