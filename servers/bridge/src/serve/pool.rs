//! The pool of supervisors: which wait, which serve, and when the next one is started.
//!
//! Lines from supervisors -> children for sessions. Invariants: a supervisor is assigned once; children that die before
//! a session had them are started again ever more slowly, and what they died of is logged once.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use drydock_runtime::args::Options;
use drydock_runtime::ipc::LineSocket;
use drydock_runtime::log::Log;

use crate::child_spec::ChildSpec;
use crate::config::Config;
use crate::error::Error;
use crate::process_tree::{self, Process};
use crate::supervisor::SupervisorMessage;

/// A child's start takes processor time that the session that has just begun needs more.
const REPLACEMENT_DELAY: Duration = Duration::from_millis(500);

/// A child that lived that long did not die at its start.
const STARTUP_GRACE: Duration = Duration::from_secs(10);

const MAX_BACKOFF: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Warm,
    Serving,
    /// Its client is gone, the child is not yet.
    Ending,
}

#[derive(Debug)]
struct SupervisorHandle {
    pid: i32,
    socket: LineSocket,
    state: State,
    started: Instant,
    /// The last lines that its child wrote to stderr.
    stderr_tail: Vec<String>,
    /// They are not in the log yet.
    is_quiet: bool,
    /// Its socket is closed; its own end is still to come.
    is_closed: bool,
}

#[derive(Debug)]
pub(super) struct Pool {
    config: Option<Config>,
    options: Options,
    log: Log,
    supervisors: Vec<SupervisorHandle>,
    /// Children that died at their start since one did not, and when the last one did.
    failures: u32,
    failed_at: Option<Instant>,
    reason: Option<String>,
    /// A child has once started successfully.
    has_started_once: bool,
    next_start_at: Option<Instant>,
}

impl Pool {
    pub(super) fn new(config: Option<Config>, options: &Options, log: Log) -> Self {
        Self {
            config,
            options: options.clone(),
            log,
            supervisors: Vec::new(),
            failures: 0,
            failed_at: None,
            reason: None,
            has_started_once: false,
            next_start_at: None,
        }
    }

    /// Starts the children that are missing, when it is time for it.
    pub(super) fn fill(&mut self, now: Instant) {
        self.clear_failures(now);
        while self.missing() > 0 && self.next_start_at.is_none_or(|it| it <= now) {
            self.next_start_at = None;
            match self.start(true, now) {
                Ok(supervisor) => self.supervisors.push(supervisor),
                Err(problem) => self.on_failed_start(problem.to_line(), &[], now),
            }
        }
    }

    /// When `fill` has to be called again, if nothing happens before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let next = self.next_start_at.filter(|_| self.missing() > 0);
        let cleared = self
            .started_since_failure()
            .map(|it| it.started + STARTUP_GRACE)
            .filter(|_| self.failures > 0)
            .min();
        next.into_iter().chain(cleared).min()
    }

    fn missing(&self) -> usize {
        let target = self.config.as_ref().map_or(0, |it| it.warm);
        target.saturating_sub(self.waiting().count())
    }

    fn waiting(&self) -> impl Iterator<Item = &SupervisorHandle> {
        self.supervisors
            .iter()
            .filter(|it| matches!(it.state, State::Starting | State::Warm) && !it.is_closed)
    }

    /// Those that were started since the last failure: if one of them lives on, others do too.
    fn started_since_failure(&self) -> impl Iterator<Item = &SupervisorHandle> {
        let is_newer = |it: &&SupervisorHandle| self.failed_at.is_none_or(|at| it.started > at);
        self.supervisors.iter().filter(|it| it.state != State::Ending && !it.is_closed).filter(is_newer)
    }

    fn clear_failures(&mut self, now: Instant) {
        if self.failures > 0 && self.started_since_failure().any(|it| now >= it.started + STARTUP_GRACE) {
            self.log.info("the server starts again");
            self.failures = 0;
            self.reason = None;
            self.has_started_once = true;
        }
    }

    fn start(&self, warm: bool, now: Instant) -> Result<SupervisorHandle, Error> {
        let config = self.config.clone().ok_or(Error::NoServer)?;
        let spec = ChildSpec {
            config,
            log: self.options.log,
            log_format: self.options.log_format,
            serve_pid: Some(std::process::id()),
            warm,
            quiet: warm && self.failures > 0,
        };
        let is_quiet = spec.quiet;
        let (socket, pid) = spec.start().map_err(Error::io("cannot start a supervisor"))?;
        self.log.debug(&format!("started a child, its supervisor has pid {pid}"));
        Ok(SupervisorHandle {
            pid,
            socket,
            state: State::Starting,
            started: now,
            stderr_tail: Vec::new(),
            is_quiet,
            is_closed: false,
        })
    }

    /// Assigns to a session the child that has waited longest, or a fresh one.
    pub(super) fn assign(&mut self, number: u64, session: &LineSocket, now: Instant) -> Result<(), Error> {
        let message = SupervisorMessage::Assign(number);
        let is_available = |state| move |it: &&mut SupervisorHandle| it.state == state && !it.is_closed;
        for state in [State::Warm, State::Starting] {
            for supervisor in self.supervisors.iter_mut().filter(|it| is_available(state)(it)) {
                if supervisor.socket.send_with_fds(&message, &[session.as_fd()]).is_ok() {
                    supervisor.state = State::Serving;
                    self.delay_next_start(now);
                    return Ok(());
                }
            }
        }
        let mut supervisor = self.start(false, now)?;
        supervisor.state = State::Serving;
        let sent = supervisor.socket.send_with_fds(&message, &[session.as_fd()]);
        self.supervisors.push(supervisor);
        self.delay_next_start(now);
        sent.map_err(Error::io("a supervisor does not answer"))
    }

    fn delay_next_start(&mut self, now: Instant) {
        let earliest = now + REPLACEMENT_DELAY;
        self.next_start_at = Some(self.next_start_at.map_or(earliest, |it| it.max(earliest)));
    }

    /// Reads the lines of a supervisor; returns how many log lines were lost.
    pub(super) fn on_supervisor_message(&mut self, pid: i32, now: Instant) -> u64 {
        let Some(index) = self.supervisors.iter().position(|it| it.pid == pid) else { return 0 };
        let is_open = self.supervisors[index].socket.read();
        let mut dropped = 0_u64;
        while let Some(line) = self.supervisors[index].socket.next_line() {
            let supervisor = &mut self.supervisors[index];
            match line.parse() {
                Ok(SupervisorMessage::Started) => {
                    self.has_started_once = true;
                    if supervisor.state == State::Starting {
                        supervisor.state = State::Warm;
                    }
                }
                Ok(SupervisorMessage::Ending) => supervisor.state = State::Ending,
                Ok(SupervisorMessage::Dropped(lines)) => dropped = dropped.saturating_add(lines),
                Ok(SupervisorMessage::StderrLine(line)) => supervisor.stderr_tail.push(line),
                Ok(SupervisorMessage::Died(problem)) => self.on_child_died(index, &problem, now),
                Ok(SupervisorMessage::Assign(_)) | Err(_) => {}
            }
        }
        if !is_open {
            self.supervisors[index].is_closed = true;
        }
        dropped
    }

    fn on_child_died(&mut self, index: usize, problem: &str, now: Instant) {
        let supervisor = &mut self.supervisors[index];
        let stderr_tail =
            if supervisor.is_quiet { std::mem::take(&mut supervisor.stderr_tail) } else { Vec::new() };
        let was_waiting = matches!(supervisor.state, State::Starting | State::Warm);
        supervisor.is_closed = true;
        supervisor.socket.shutdown_write(); // it need not stay for a session that may be on its way
        if was_waiting {
            let problem = format!("the server died before it had a session: {problem}");
            self.on_failed_start(problem, &stderr_tail, now);
        }
    }

    /// A child died before a session had it, or could not be started.
    fn on_failed_start(&mut self, problem: String, stderr_tail: &[String], now: Instant) {
        let wait = Duration::from_secs(1 << self.failures.min(6)).min(MAX_BACKOFF);
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(now);
        self.next_start_at = Some(now + wait);
        if self.reason.as_ref() == Some(&problem) {
            self.log.debug(&format!("{problem}; the next start is in {} s", wait.as_secs()));
            return;
        }
        self.log.error(&problem);
        for line in stderr_tail {
            self.log.error(&format!("  {line}"));
        }
        self.log.info(
            "it is started again, at first after 1 s, then ever more slowly; the same end is not logged again",
        );
        self.reason = Some(problem);
    }

    pub(super) fn sockets(&self) -> impl Iterator<Item = (i32, BorrowedFd<'_>)> {
        self.supervisors.iter().filter(|it| !it.is_closed).map(|it| (it.pid, it.socket.as_fd()))
    }

    pub(super) fn sessions(&self) -> usize {
        self.supervisors.iter().filter(|it| matches!(it.state, State::Serving | State::Ending)).count()
    }

    pub(super) fn is_any_ending(&self) -> bool {
        self.supervisors.iter().any(|it| it.state == State::Ending)
    }

    /// Children that have started and wait.
    pub(super) fn warm(&self) -> usize {
        self.waiting().filter(|it| it.state == State::Warm).count()
    }

    pub(super) fn is_ready(&self) -> bool {
        let needs_none = self.config.as_ref().is_none_or(|it| it.warm == 0);
        self.failures == 0 && (self.has_started_once || needs_none)
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures.into()
    }

    pub(super) fn reason(&self) -> Option<String> {
        let starting = || (!self.is_ready()).then(|| "the server is starting".to_owned());
        self.reason.clone().or_else(starting)
    }

    pub(super) fn is_supervisor(&self, pid: i32) -> bool {
        self.supervisors.iter().any(|it| it.pid == pid)
    }

    /// Forgets a supervisor that has ended; returns whether there was one.
    pub(super) fn remove(&mut self, pid: i32) -> bool {
        let before = self.supervisors.len();
        self.supervisors.retain(|it| it.pid != pid);
        self.supervisors.len() < before
    }

    /// Children of this process that are no supervisors.
    pub(super) fn orphans(&self) -> Vec<Process> {
        let children = process_tree::children(std::process::id().cast_signed());
        children.into_iter().filter(|it| !self.is_supervisor(it.pid)).collect()
    }

    /// Closes the socket of every supervisor: each ends its child, then itself.
    pub(super) fn shut_down(&mut self) {
        self.supervisors.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use drydock_runtime::ipc::MAX_LINE;

    use super::*;

    fn supervisor(started: Instant) -> SupervisorHandle {
        let socket = LineSocket::new(UnixStream::pair().unwrap().0, MAX_LINE).unwrap();
        SupervisorHandle {
            pid: 1,
            socket,
            state: State::Serving,
            started,
            stderr_tail: Vec::new(),
            is_quiet: false,
            is_closed: false,
        }
    }

    #[test]
    fn only_what_was_started_since_a_failure_proves_that_it_is_over() {
        let mut pool = Pool::new(None, &Options::default(), Log::discard());
        let start = Instant::now();
        let after = |secs| start + Duration::from_secs(secs);
        pool.supervisors.push(supervisor(start));
        pool.on_failed_start("exit code 3".into(), &[], after(100));
        pool.clear_failures(after(200));
        assert_eq!((pool.is_ready(), pool.reason().as_deref()), (false, Some("exit code 3")));
        pool.supervisors.push(supervisor(after(101)));
        pool.clear_failures(after(110));
        assert!(!pool.is_ready());
        pool.clear_failures(after(111));
        assert_eq!((pool.is_ready(), pool.reason()), (true, None));
    }

    #[test]
    fn starts_are_ever_slower_but_never_slower_than_once_a_minute() {
        let mut pool = Pool::new(None, &Options::default(), Log::discard());
        let now = Instant::now();
        let waiting_since: Vec<u64> = (0..9)
            .map(|_| {
                pool.on_failed_start("x".into(), &[], now);
                pool.next_start_at.unwrap().duration_since(now).as_secs()
            })
            .collect();
        assert_eq!(waiting_since, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
