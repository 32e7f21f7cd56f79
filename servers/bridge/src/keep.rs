//! The keeper: the process between `serve` and one wrapped server, who answers for all that this server starts.
//!
//! A job on its socket -> one child, whose end and whose descendants' end it reports. Invariant: when a keeper has said
//! how its child ended, nothing that the child ever started is alive.
//!
//! Why a process of its own: it is a subreaper, so what forks twice, calls `setsid`, clears its environment or outlives
//! its parents comes back to *this* session's keeper, by the kernel's own bookkeeping. In one process for all sessions
//! an orphan would have to be attributed by guesses. It costs about 1 MB beside a server of 60. A keeper that is killed
//! leaves its children to `serve`, which is a subreaper too and kills such strays.
//!
//! The child's stdin and stdout are not relayed here: the keeper gives its ends of both pipes to the session's own
//! process (`SCM_RIGHTS`), so bytes are copied once, a client's backlog is in no memory that others share, and when that
//! process dies, however it dies, the child sees the end of its input without anybody having to act.

mod verdict;

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

use drydock_contract::log;
use drydock_contract::station;
use rustix::event::PollFlags;
use rustix::process::{Signal, WaitStatus, getpid, set_child_subreaper};
use signal_hook::consts::SIGCHLD;

use crate::job::Job;
use crate::said::Said;
use crate::tree;
use crate::wire::{Lines, SHORT, wait_any};
use verdict::{answer, number, report_death, tell};

/// How long a child may take after the end of its input, and after SIGTERM.
const AFTER_EOF: Duration = Duration::from_secs(2);
const AFTER_TERM: Duration = Duration::from_secs(2);

/// What a child leaves behind gets less: whoever could use it is gone.
const LEFT_BEHIND: Duration = Duration::from_millis(500);

/// How often a kill is repeated until nothing is left.
const AGAIN: Duration = Duration::from_millis(50);

/// A waiting child counts as started once its processes used no processor time for that long, or after `SETTLED`.
const QUIET: Duration = Duration::from_millis(500);
const SETTLED: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Until a session comes. With the processor time at the last look, until it has been quiet.
    Waiting {
        ticks: Option<u64>,
        look: Option<Instant>,
    },
    Serving,
    /// Input has ended.
    Eof(Instant),
    Term(Instant),
    Kill(Instant),
}

/// What a keeper waits for.
#[derive(Debug, Clone, Copy)]
enum Source {
    Deaths,
    Signals,
    Serve,
    Session,
    Stderr,
}

#[derive(Debug)]
struct Keeper {
    job: Job,
    control: Lines,
    /// The session's process.
    session: Option<Lines>,
    pipes: Option<(ChildStdin, ChildStdout)>,
    child: i32,
    started: Instant,
    status: Option<WaitStatus>,
    said: Said,
    phase: Phase,
    /// A session has or had it.
    attached: bool,
    /// That session got its pipes.
    served: bool,
    /// That session's process ended as it should.
    said_bye: bool,
    /// `serve` wants no more of it.
    dismissed: bool,
    /// It did not end by itself.
    forced: bool,
}

/// The whole life of a keeper.
pub(crate) fn run() -> Result<(), String> {
    let control = io::stdin().as_fd().try_clone_to_owned().map_err(|e| format!("no socket: {e}"))?;
    let mut control = UnixStream::from(control);
    let job = Job::receive(&mut control)?;
    let control = Lines::new(control, SHORT).map_err(|e| e.to_string())?;
    log::init(job.log, job.log_format, 0, job.serve_pid);
    let signals = station::signals().map_err(|e| format!("cannot catch signals: {e}"))?;
    let deaths = deaths().map_err(|e| format!("cannot catch signals: {e}"))?;
    set_child_subreaper(Some(getpid())).map_err(|e| format!("cannot be a subreaper: {e}"))?;
    match job.spawn() {
        Ok(child) => {
            let mut keeper = Keeper::new(job, control, child);
            while !keeper.step(&signals, &deaths) {}
            keeper.report();
        }
        Err(problem) => report_death(&job, control, &problem, &[]),
    }
    Ok(())
}

/// A stream that becomes readable when a child has ended.
pub(crate) fn deaths() -> io::Result<UnixStream> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(SIGCHLD, writer)?;
    Ok(reader)
}

pub(crate) fn drain(mut stream: &UnixStream) {
    let mut chunk = [0; 64];
    while stream.read(&mut chunk).is_ok_and(|it| it > 0) {}
}

impl Keeper {
    fn new(job: Job, control: Lines, mut child: Child) -> Self {
        let started = Instant::now();
        Self {
            control,
            session: None,
            pipes: child.stdin.take().zip(child.stdout.take()),
            child: child.id().cast_signed(),
            started,
            status: None,
            said: Said::new(child.stderr.take(), job.hushed),
            phase: Phase::Waiting { ticks: None, look: Some(started + QUIET) },
            attached: false,
            served: false,
            said_bye: false,
            dismissed: false,
            forced: false,
            job,
        }
    }

    /// Waits for the next thing to happen and acts on it; `true` when nothing is left below us.
    fn step(&mut self, signals: &UnixStream, deaths: &UnixStream) -> bool {
        let ready = match wait_any(&self.sources(signals, deaths), self.deadline()) {
            Ok(it) => it,
            Err(e) => {
                log::error(&format!("a keeper cannot poll: {e}"));
                vec![Source::Signals]
            }
        };
        for source in ready {
            match source {
                Source::Deaths => drain(deaths),
                Source::Signals => self.dismiss(),
                Source::Serve => self.hear_serve(),
                Source::Session => self.hear_session(),
                Source::Stderr => self.said.read(),
            }
        }
        let none_left = self.reap();
        if !none_left {
            self.on_time(Instant::now());
        }
        none_left
    }

    fn sources<'a>(
        &'a self,
        signals: &'a UnixStream,
        deaths: &'a UnixStream,
    ) -> Vec<(Source, BorrowedFd<'a>, PollFlags)> {
        let mut sources = vec![(Source::Deaths, deaths.as_fd())];
        if !self.dismissed {
            sources.push((Source::Signals, signals.as_fd()));
            sources.push((Source::Serve, self.control.as_fd()));
        }
        sources.extend(self.session.as_ref().map(|it| (Source::Session, it.as_fd())));
        sources.extend(self.said.fd().map(|it| (Source::Stderr, it)));
        sources.into_iter().map(|(source, fd)| (source, fd, PollFlags::IN)).collect()
    }

    fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Waiting { look, .. } => look,
            Phase::Serving => None,
            Phase::Eof(until) | Phase::Term(until) | Phase::Kill(until) => Some(until),
        }
    }

    fn on_time(&mut self, now: Instant) {
        if self.deadline().is_none_or(|it| now < it) {
            return;
        }
        match self.phase {
            Phase::Waiting { ticks, .. } => self.look(ticks, now),
            Phase::Serving => {}
            Phase::Eof(_) => self.end(),
            Phase::Term(_) | Phase::Kill(_) => {
                tree::kill_all(own_pid());
                self.phase = Phase::Kill(now + AGAIN);
            }
        }
    }

    /// Whether the waiting child has done what it does at its start.
    fn look(&mut self, before: Option<u64>, now: Instant) {
        let ticks = tree::ticks_at_rest(own_pid());
        let is_quiet = (ticks.is_some() && before == ticks) || now.duration_since(self.started) > SETTLED;
        if is_quiet {
            let _ = self.control.send("warm");
        }
        let look = (!is_quiet).then_some(now + QUIET);
        self.phase = Phase::Waiting { ticks, look };
    }

    fn terminate(&mut self, patience: Duration) {
        tree::signal_all(own_pid(), Signal::TERM);
        self.phase = Phase::Term(Instant::now() + patience);
    }

    /// Ends the child now, if it is not being ended already.
    fn end(&mut self) {
        self.pipes = None;
        if !matches!(self.phase, Phase::Term(_) | Phase::Kill(_)) {
            self.forced = self.status.is_none();
            self.terminate(AFTER_TERM);
        }
    }

    fn dismiss(&mut self) {
        self.dismissed = true;
        self.end();
    }

    /// `session N`, with the connection of the session's process; or the end.
    fn hear_serve(&mut self) {
        if !self.control.read() {
            self.dismiss();
        }
        while let Some(line) = self.control.next() {
            let number = line.strip_prefix("session ").and_then(|it| it.parse().ok());
            let session = self.control.fds.pop().and_then(|it| Lines::new(it.into(), SHORT).ok());
            if let (Some(number), Some(session)) = (number, session) {
                self.attach(number, session);
            }
        }
    }

    fn attach(&mut self, number: u32, session: Lines) {
        log::set_session(number);
        self.said.hushed = false;
        self.attached = true;
        let Some((stdin, stdout)) = self.pipes.take() else {
            self.session = Some(session); // it died just now, as `report` will say
            return;
        };
        let hello = format!("hello {} {number}", self.job.serve_pid.unwrap_or(0));
        let gone = session.send_with(&hello, &[stdin.as_fd(), stdout.as_fd()]).is_err();
        self.session = Some(session);
        self.served = true;
        self.phase = if gone { Phase::Eof(Instant::now() + AFTER_EOF) } else { Phase::Serving };
    }

    /// `closed`: the client has closed its end. `end` asks for the end of the child, `bye N` says how many log lines were
    /// lost; then, or before, comes the end.
    fn hear_session(&mut self) {
        let Some(session) = &mut self.session else { return };
        let is_there = session.read();
        let mut lines = Vec::new();
        while let Some(line) = session.next() {
            lines.push(line);
        }
        for line in &lines {
            if let Some(dropped) = line.strip_prefix("bye ") {
                self.said_bye = true;
                let _ = self.control.send(&format!("dropped {dropped}"));
            } else if line == "closed" {
                let _ = self.control.send("ending");
            } else if line == "end" {
                self.end();
            }
        }
        if !is_there {
            self.leave();
        }
    }

    /// The session's process is gone, and with it the only writer of the child's input.
    fn leave(&mut self) {
        if !self.said_bye {
            log::warn("session ended: its process was killed");
        }
        let _ = self.control.send("ending");
        self.session = None;
        if self.phase == Phase::Serving {
            self.phase = Phase::Eof(Instant::now() + AFTER_EOF);
        }
    }

    /// Takes the dead; `true` when nothing is left below us.
    fn reap(&mut self) -> bool {
        let reaped = tree::reap();
        let status = reaped.dead.iter().find(|it| it.0 == self.child).map(|it| it.1);
        if status.is_some() {
            self.status = status;
            self.pipes = None;
            if !matches!(self.phase, Phase::Term(_) | Phase::Kill(_)) {
                self.terminate(LEFT_BEHIND);
            }
        }
        reaped.none_left
    }

    /// Nothing is left: says how the child ended.
    fn report(mut self) {
        // A killed session's end and its child's may come together.
        self.hear_session();
        let ended = self.status.map_or_else(|| "an unknown end".into(), tree::describe);
        let words: Vec<String> = self.said.last_words().map(str::to_owned).collect();
        if self.attached {
            match self.status.and_then(WaitStatus::exit_status) {
                _ if self.forced => log::info(&format!("the server had to be ended: {ended}")),
                Some(0) => log::info("the server ended: exit code 0"),
                _ => log::warn(&format!("the server ended: {ended}")),
            }
        }
        let dropped = log::dropped();
        if dropped > 0 {
            let _ = self.control.send(&format!("dropped {dropped}"));
        }
        match self.session {
            Some(session) if self.served => tell(&session, &words, &format!("exit {}", number(self.status))),
            Some(session) => answer(&self.job, &session, &ended, &words),
            None if self.attached || self.dismissed => {}
            None => report_death(&self.job, self.control, &ended, &words),
        }
    }
}

fn own_pid() -> i32 {
    std::process::id().cast_signed()
}
