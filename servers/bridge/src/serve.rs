//! `/mcp serve`: keeps wrapped servers warm and gives each session one of its own.
//!
//! What the control server of `drydock_runtime` leaves to us: sessions that want a server -> a child's supervisor.
//! Invariants: nothing here blocks, a child goes to one session only, and no byte of a session passes here (see
//! `supervisor.rs`).
//!
//! A session that asks for a server is answered by a supervisor, on the same connection, with the child's pipes beside the
//! answer. One that brings its own child is only counted.

mod pool;

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use drydock_runtime::args::Options;
use drydock_runtime::contract::Health;
use drydock_runtime::control_server::{ControlServer, Handler, Refusal};
use drydock_runtime::ipc::{LineSocket, wait_any};
use drydock_runtime::log::Log;
use rustix::event::PollFlags;

use crate::config::Config;
use crate::error::Error;
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

#[derive(Debug, Clone, Copy)]
enum Source {
    ChildExits,
    Supervisor(i32),
}

#[derive(Debug)]
struct WarmChildren {
    pool: Pool,
    child_exits: UnixStream,
    /// Log lines that were lost in sessions and their supervisors.
    dropped: u64,
    /// A supervisor was killed, so its children are ours: when to look for them.
    next_orphan_check: Option<Instant>,
    log: Log,
}

/// Runs until SIGTERM, SIGINT or SIGHUP.
pub(crate) fn run(config: Option<Config>, options: &Options, log: &Log) -> Result<(), Error> {
    let child_exits = process_tree::child_exits().map_err(Error::io("cannot catch signals"))?;
    let children = WarmChildren {
        pool: Pool::new(config, options, log.clone()),
        child_exits,
        dropped: 0,
        next_orphan_check: None,
        log: log.clone(),
    };
    let server = ControlServer::bind(options, log.clone(), children)?;
    process_tree::become_subreaper()?;
    server.run()?.shut_down()
}

impl Handler for WarmChildren {
    type Source = Source;

    fn health(&self) -> Health {
        Health {
            ready: self.pool.is_ready(),
            dropped: self.dropped,
            warm: Some(self.pool.warm() as u64),
            failures: self.pool.failures(),
            reason: self.pool.reason(),
            ..Health::default()
        }
    }

    fn sessions(&self) -> usize {
        self.pool.sessions()
    }

    fn slot_timeout(&self) -> Duration {
        if self.pool.is_any_ending() { ENDING_SLOT_TIMEOUT } else { SLOT_TIMEOUT }
    }

    fn assign(&mut self, session: u64, connection: &LineSocket, now: Instant) -> Result<(), Refusal> {
        self.pool.assign(session, connection, now).map_err(|e| Refusal(e.to_line()))
    }

    fn sources(&self) -> Vec<(Source, BorrowedFd<'_>)> {
        let supervisors = self.pool.sockets().map(|(pid, fd)| (Source::Supervisor(pid), fd));
        [(Source::ChildExits, self.child_exits.as_fd())].into_iter().chain(supervisors).collect()
    }

    fn on_readable(&mut self, source: Source, now: Instant) {
        match source {
            Source::ChildExits => process_tree::drain(&self.child_exits),
            Source::Supervisor(pid) => {
                self.dropped = self.dropped.saturating_add(self.pool.on_supervisor_message(pid, now));
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.pool.deadline().into_iter().chain(self.next_orphan_check).min()
    }

    /// Reaps what has ended. A supervisor that was killed leaves its children to us: nobody else will end them.
    fn before_assign(&mut self, now: Instant) {
        for (pid, status) in process_tree::reap().exited {
            let lost = self.pool.on_supervisor_message(pid, now); // its last lines
            self.dropped = self.dropped.saturating_add(lost);
            if self.pool.remove(pid) && status.signaled() {
                self.log.warn(&format!("a supervisor was killed: {}", process_tree::describe(status)));
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

    fn after_assign(&mut self, now: Instant) {
        self.pool.fill(now);
    }
}

impl WarmChildren {
    /// Lets the supervisors end their children, and kills what they did not end in time.
    fn shut_down(mut self) -> Result<(), Error> {
        let deadline = Instant::now() + SHUTDOWN_TIMEOUT;
        self.pool.shut_down();
        while !process_tree::reap().none_left {
            let now = Instant::now();
            if now >= deadline {
                self.log.warn("what did not end in time is killed");
                process_tree::kill_descendants(std::process::id().cast_signed());
            }
            let again = if now < deadline { deadline } else { now + RETRY_INTERVAL };
            let ready = wait_any(&[((), self.child_exits.as_fd(), PollFlags::IN)], Some(again));
            if !ready.map_err(Error::io("cannot wait for children"))?.is_empty() {
                process_tree::drain(&self.child_exits);
            }
            if now >= deadline + SHUTDOWN_TIMEOUT / 2 {
                break; // the engine kills us soon, too
            }
        }
        Ok(())
    }
}
