//! `/mcp supervise`: the process between `serve` and one wrapped server, responsible for all that this server starts.
//!
//! A `ChildSpec` on its socket -> one child, whose end and whose descendants' end it reports. Invariant: when a
//! supervisor has reported how its child ended, nothing that the child ever started is alive.
//!
//! Why a process of its own: it is a subreaper, so what forks twice, calls `setsid`, clears its environment or outlives
//! its parents comes back to *this* session's supervisor, by the kernel's own bookkeeping. In one process for all
//! sessions an orphan would have to be attributed by guesses. It costs about 1 MB beside a server of 60. A supervisor
//! that is killed leaves its children to `serve`, which is a subreaper too and kills such orphans.
//!
//! The child's stdin and stdout are not relayed here: the supervisor passes its ends of both pipes to the session's
//! process (`SCM_RIGHTS`), so bytes are copied once, a client's backlog is in no memory that others share, and when
//! that process dies, however it dies, the child sees the end of its input without anybody having to act.

mod exit_report;
mod message;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

use drydock_runtime::contract::{ControlMessage, ServerExit};
use drydock_runtime::ipc::{LineSocket, MAX_LINE, wait_any};
use drydock_runtime::log::Log;
use drydock_runtime::oom_kills::{OUT_OF_MEMORY, OomKills};
use drydock_runtime::panic_hook;
use drydock_runtime::signals::shutdown_signals;
use drydock_runtime::stderr_tail::StderrTail;
use rustix::event::PollFlags;
use rustix::process::{Signal, WaitStatus};

use crate::child_spec::ChildSpec;
use crate::error::Error;
use crate::process_tree;
use exit_report::{refuse_session, report_failed_start, server_exit, tell_session};
pub(crate) use message::SupervisorMessage;

/// How long a child may take after the end of its input, and after SIGTERM.
const EOF_TIMEOUT: Duration = Duration::from_secs(2);
const TERM_TIMEOUT: Duration = Duration::from_secs(2);

/// What a child leaves running gets less: whoever could use it is gone.
const ORPHAN_TIMEOUT: Duration = Duration::from_millis(500);

/// How often a kill is repeated until nothing is left.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// A waiting child counts as started once its processes used no processor time for `IDLE_INTERVAL`, or after
/// `STARTUP_GRACE`.
const IDLE_INTERVAL: Duration = Duration::from_millis(500);
const STARTUP_GRACE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Until a session comes. With the processor time at the last check, until it has been idle.
    Waiting {
        cpu_ticks: Option<u64>,
        next_check: Option<Instant>,
    },
    Serving,
    /// Input has ended.
    Eof(Instant),
    Term(Instant),
    Kill(Instant),
}

/// What a supervisor waits for.
#[derive(Debug, Clone, Copy)]
enum Source {
    ChildExits,
    Signals,
    Serve,
    Session,
    Stderr,
}

#[derive(Debug)]
struct Supervisor {
    spec: ChildSpec,
    /// The session's, as soon as there is one.
    log: Log,
    /// Lines that were lost before.
    dropped: u64,
    control: LineSocket,
    /// The session's process.
    session: Option<LineSocket>,
    pipes: Option<(ChildStdin, ChildStdout)>,
    child: i32,
    started: Instant,
    status: Option<WaitStatus>,
    /// What `serve`'s children and sessions share is counted: asked only about a child that was killed and not by us.
    oom_kills: OomKills,
    is_out_of_memory: bool,
    stderr_tail: StderrTail,
    phase: Phase,
    /// A session has or had the child.
    is_assigned: bool,
    /// That session got the child's pipes.
    has_sent_pipes: bool,
    /// That session's process ended as it should.
    is_completed: bool,
    /// The session is registered with `serve`, which so sees its end by itself.
    is_counted_by_serve: bool,
    /// `serve` wants no more of the child.
    is_shutting_down: bool,
    /// The child did not end by itself.
    was_terminated: bool,
}

/// Runs the supervisor of one child until nothing is left of it.
pub(crate) fn run() -> Result<(), Error> {
    let control = io::stdin().as_fd().try_clone_to_owned().map_err(Error::io("no socket"))?;
    let mut control = UnixStream::from(control);
    let spec = ChildSpec::receive(&mut control)?;
    let control = LineSocket::new(control, MAX_LINE).map_err(Error::io("no socket"))?.with_fds();
    let log = Log::new(spec.log, spec.log_format, spec.serve_pid);
    panic_hook::install(log.clone(), |_| {});
    let signals = shutdown_signals()?;
    let child_exits = process_tree::child_exits().map_err(Error::io("cannot catch signals"))?;
    process_tree::become_subreaper()?;
    match spec.spawn() {
        Ok(child) => {
            let mut supervisor = Supervisor::new(spec, log, control, child);
            while !supervisor.step(&signals, &child_exits) {}
            supervisor.report();
        }
        Err(problem) => report_failed_start(&spec, control, &problem.to_string(), &[]),
    }
    Ok(())
}

impl Supervisor {
    fn new(spec: ChildSpec, log: Log, control: LineSocket, mut child: Child) -> Self {
        let started = Instant::now();
        Self {
            control,
            session: None,
            pipes: child.stdin.take().zip(child.stdout.take()),
            child: child.id().cast_signed(),
            started,
            status: None,
            oom_kills: OomKills::new(),
            is_out_of_memory: false,
            stderr_tail: StderrTail::new(child.stderr.take(), log.clone(), spec.quiet),
            phase: Phase::Waiting { cpu_ticks: None, next_check: Some(started + IDLE_INTERVAL) },
            is_assigned: false,
            has_sent_pipes: false,
            is_completed: false,
            is_counted_by_serve: spec.serve_pid.is_some_and(|it| it != parent_pid()),
            is_shutting_down: false,
            was_terminated: false,
            spec,
            log,
            dropped: 0,
        }
    }

    /// Waits for the next event and acts on it; `true` when nothing is left below us.
    fn step(&mut self, signals: &UnixStream, child_exits: &UnixStream) -> bool {
        let ready = match wait_any(&self.sources(signals, child_exits), self.deadline()) {
            Ok(it) => it,
            Err(e) => {
                self.log.error(&format!("a supervisor cannot poll: {e}"));
                vec![Source::Signals]
            }
        };
        for source in ready {
            match source {
                Source::ChildExits => process_tree::drain(child_exits),
                Source::Signals => self.shut_down(),
                Source::Serve => self.on_serve_message(),
                Source::Session => self.on_session_message(),
                Source::Stderr => self.stderr_tail.read(),
            }
        }
        let none_left = self.reap();
        if !none_left {
            self.on_deadline(Instant::now());
        }
        none_left
    }

    fn sources<'a>(
        &'a self,
        signals: &'a UnixStream,
        child_exits: &'a UnixStream,
    ) -> Vec<(Source, BorrowedFd<'a>, PollFlags)> {
        let mut sources = vec![(Source::ChildExits, child_exits.as_fd())];
        if !self.is_shutting_down {
            sources.push((Source::Signals, signals.as_fd()));
            sources.push((Source::Serve, self.control.as_fd()));
        }
        sources.extend(self.session.as_ref().map(|it| (Source::Session, it.as_fd())));
        sources.extend(self.stderr_tail.fd().map(|it| (Source::Stderr, it)));
        sources.into_iter().map(|(source, fd)| (source, fd, PollFlags::IN)).collect()
    }

    fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Waiting { next_check, .. } => next_check,
            Phase::Serving => None,
            Phase::Eof(until) | Phase::Term(until) | Phase::Kill(until) => Some(until),
        }
    }

    fn on_deadline(&mut self, now: Instant) {
        if self.deadline().is_none_or(|it| now < it) {
            return;
        }
        match self.phase {
            Phase::Waiting { cpu_ticks, .. } => self.check_started(cpu_ticks, now),
            Phase::Serving => {}
            Phase::Eof(_) => self.end_child(),
            Phase::Term(_) | Phase::Kill(_) => {
                process_tree::kill_descendants(own_pid());
                self.phase = Phase::Kill(now + RETRY_INTERVAL);
            }
        }
    }

    /// Whether the waiting child has done what it does at its start.
    fn check_started(&mut self, before: Option<u64>, now: Instant) {
        let cpu_ticks = process_tree::cpu_ticks_if_idle(own_pid());
        let is_idle = cpu_ticks.is_some() && before == cpu_ticks;
        let is_started = is_idle || now.duration_since(self.started) > STARTUP_GRACE;
        if is_started {
            let _ = self.control.send(SupervisorMessage::Started);
        }
        let next_check = (!is_started).then_some(now + IDLE_INTERVAL);
        self.phase = Phase::Waiting { cpu_ticks, next_check };
    }

    fn terminate(&mut self, timeout: Duration) {
        process_tree::signal_descendants(own_pid(), Signal::TERM);
        self.phase = Phase::Term(Instant::now() + timeout);
    }

    /// Ends the child now, if it is not being ended already.
    fn end_child(&mut self) {
        self.pipes = None;
        if !matches!(self.phase, Phase::Term(_) | Phase::Kill(_)) {
            self.was_terminated = self.status.is_none();
            self.terminate(TERM_TIMEOUT);
        }
    }

    fn shut_down(&mut self) {
        self.is_shutting_down = true;
        self.end_child();
    }

    /// A session, with the connection of its process; or the end.
    fn on_serve_message(&mut self) {
        if !self.control.read() {
            self.shut_down();
        }
        while let Some(line) = self.control.next_line() {
            let connection = self.control.take_fds().pop();
            let session = connection.and_then(|it| LineSocket::new(it.into(), MAX_LINE).ok());
            if let (Ok(SupervisorMessage::Assign(number)), Some(session)) = (line.parse(), session) {
                self.assign(number, session);
            }
        }
    }

    fn assign(&mut self, number: u64, session: LineSocket) {
        self.dropped = self.log.dropped();
        self.log = self.log.of_session(number);
        self.stderr_tail.log_to(self.log.clone());
        self.is_assigned = true;
        let Some((stdin, stdout)) = self.pipes.take() else {
            self.session = Some(session); // it died just now, as `report` will tell it
            return;
        };
        let accepted = ControlMessage::SessionAccepted { log_pid: self.spec.serve_pid, session: number };
        let gone = session.send_with_fds(accepted, &[stdin.as_fd(), stdout.as_fd()]).is_err();
        self.session = Some(session);
        self.has_sent_pipes = true;
        self.phase = if gone { Phase::Eof(Instant::now() + EOF_TIMEOUT) } else { Phase::Serving };
    }

    /// What the session's process has to say, and, then or before, the end of its connection.
    fn on_session_message(&mut self) {
        let Some(session) = &mut self.session else { return };
        let is_open = session.read();
        let mut messages = Vec::new();
        while let Some(line) = session.next_line() {
            messages.extend(line.parse());
        }
        for message in messages {
            match message {
                ControlMessage::SessionEnded { dropped } => {
                    self.is_completed = true;
                    let _ = self.control.send(SupervisorMessage::Dropped(dropped));
                }
                ControlMessage::ClientClosed => {
                    let _ = self.control.send(SupervisorMessage::Ending);
                }
                ControlMessage::TerminateServer => self.end_child(),
                _ => {}
            }
        }
        if !is_open {
            self.on_session_gone();
        }
    }

    /// The session's process is gone, and with it the only writer of the child's input.
    fn on_session_gone(&mut self) {
        if !self.is_completed && !self.is_counted_by_serve {
            self.log.warn("session ended: its process was killed");
        }
        let _ = self.control.send(SupervisorMessage::Ending);
        self.session = None;
        if self.phase == Phase::Serving {
            self.phase = Phase::Eof(Instant::now() + EOF_TIMEOUT);
        }
    }

    /// Reaps what has ended; `true` when nothing is left below us.
    fn reap(&mut self) -> bool {
        let reaped = process_tree::reap();
        let status = reaped.exited.iter().find(|it| it.0 == self.child).map(|it| it.1);
        if status.is_some() {
            self.status = status;
            let is_killed = status.and_then(WaitStatus::terminating_signal) == Some(Signal::KILL.as_raw());
            self.is_out_of_memory =
                is_killed && !matches!(self.phase, Phase::Kill(_)) && self.oom_kills.has_grown();
            self.pipes = None;
            if !matches!(self.phase, Phase::Term(_) | Phase::Kill(_)) {
                self.terminate(ORPHAN_TIMEOUT);
            }
        }
        reaped.none_left
    }

    /// Nothing is left: reports how the child ended.
    fn report(mut self) {
        // A killed session's end and its child's may come together.
        self.on_session_message();
        let mut ended = self.status.map_or_else(|| "an unknown end".into(), process_tree::describe);
        if self.is_out_of_memory {
            ended = format!("{ended}: {OUT_OF_MEMORY}");
        }
        let stderr_tail: Vec<String> = self.stderr_tail.finish().map(str::to_owned).collect();
        if self.is_assigned {
            match self.status.and_then(WaitStatus::exit_status) {
                _ if self.was_terminated => self.log.info(&format!("the server had to be ended: {ended}")),
                Some(0) => self.log.info("the server ended: exit code 0"),
                _ => self.log.warn(&format!("the server ended: {ended}")),
            }
        }
        let dropped = self.dropped + self.log.dropped();
        if dropped > 0 {
            let _ = self.control.send(SupervisorMessage::Dropped(dropped));
        }
        match self.session {
            Some(session) if self.has_sent_pipes => {
                let exit = match self.is_out_of_memory {
                    true => ServerExit::OutOfMemory,
                    false => server_exit(self.status),
                };
                tell_session(&session, &stderr_tail, ControlMessage::ServerExited(exit));
            }
            Some(session) => refuse_session(&self.spec, &session, &ended, &stderr_tail),
            None if self.is_assigned || self.is_shutting_down => {}
            None => report_failed_start(&self.spec, self.control, &ended, &stderr_tail),
        }
    }
}

fn own_pid() -> i32 {
    std::process::id().cast_signed()
}

/// Who has started us: `serve`, or a session that has a child of its own.
fn parent_pid() -> u32 {
    std::os::unix::process::parent_id()
}
