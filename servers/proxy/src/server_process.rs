//! A server as a process of ours, from its start to its certain end.
//!
//! A command -> three pipes, and how it ended. Invariant: nothing here waits for it; and what was let go is told to end, and
//! then killed, with all that is in its process group.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use drydock_runtime::log::Log;
use drydock_runtime::stderr_tail::StderrTail;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::ioctl_fionread;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// After the end of its output or of its process: for the other, for its last words, and for what it had written.
const LAST_WORDS_TIMEOUT: Duration = Duration::from_millis(300);

/// After it has closed its input alone: for its answers, from the last byte; and in all.
const NO_INPUT_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_NO_INPUT_TIME: Duration = Duration::from_secs(30);

/// After it was let go: until SIGTERM, and then until SIGKILL. Shorter where we are told to end ourselves.
const EXIT_TIMEOUT: Duration = Duration::from_secs(2);
const HURRIED_TIMEOUT: Duration = Duration::from_millis(500);

/// One server.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    pub(crate) generation: u64,
    child: Child,
    pub(crate) input: Option<File>,
    pub(crate) output: Option<File>,
    pub(crate) errors: StderrTail,
    status: Option<ExitStatus>,
    /// Its process has ended, and something is left in its group.
    has_left_some: bool,
    /// Since when its output is at its end, or its process has ended.
    ending_since: Option<Instant>,
    /// Since when it takes no input.
    input_closed_at: Option<Instant>,
    last_byte_at: Instant,
    /// How much of its output is still its own: what was in the pipe when we heard that its process has ended. The rest is of
    /// what it left.
    unread: Option<u64>,
    /// Why we ended it, where it did not end by itself.
    ended_for: Option<String>,
}

impl ServerProcess {
    /// Starts it; its own group, so that a terminal's ^C is for us alone.
    pub(crate) fn start(command: &[OsString], generation: u64, log: Log) -> io::Result<Self> {
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        #[expect(clippy::disallowed_methods, reason = "xshell neither pipes nor sets process groups")]
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.process_group(0).spawn()?;
        let errors: Option<ChildStderr> = child.stderr.take();
        let input = child.stdin.take().map(|it| File::from(OwnedFd::from(it)));
        let output = child.stdout.take().map(|it| File::from(OwnedFd::from(it)));
        let mut server = Self {
            generation,
            child,
            input,
            output,
            errors: StderrTail::new(errors, log, false),
            status: None,
            has_left_some: false,
            ending_since: None,
            input_closed_at: None,
            last_byte_at: Instant::now(),
            unread: None,
            ended_for: None,
        };
        if let Err(e) = server.input.iter().chain(&server.output).try_for_each(set_nonblocking) {
            let _ = server.child.kill();
            let _ = server.child.wait();
            return Err(e);
        }
        Ok(server)
    }

    /// A child of ours has ended: perhaps this one.
    pub(crate) fn on_child_exit(&mut self, now: Instant) {
        self.reap();
        if self.status.is_some() && self.unread.is_none() {
            self.ending_since.get_or_insert(now);
            self.unread =
                Some(self.output.as_ref().and_then(|it| ioctl_fionread(it).ok()).unwrap_or_default());
        }
    }

    /// The group has its number for as long as anything is in it: so it is asked for at once.
    fn reap(&mut self) {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
            self.has_left_some = self.status.is_some() && is_group_there(&self.child);
        }
    }

    /// It takes no more input, and may still answer.
    pub(crate) fn on_input_closed(&mut self, now: Instant) {
        self.input = None;
        self.input_closed_at.get_or_insert(now);
    }

    /// So much of its output has come.
    pub(crate) fn moved(&mut self, bytes: u64, now: Instant) {
        self.last_byte_at = now;
        self.unread = self.unread.map(|it| it.saturating_sub(bytes));
    }

    /// Whether its process has ended, and everything that it wrote was read.
    pub(crate) fn is_read(&self) -> bool {
        self.output.is_some() && self.unread == Some(0)
    }

    /// Its output waits for the client: none of that time is its own.
    pub(crate) fn postpone(&mut self, now: Instant) {
        self.ending_since = self.ending_since.map(|_| now);
        self.input_closed_at = self.input_closed_at.map(|_| now);
    }

    /// Its output is at its end.
    pub(crate) fn on_output_closed(&mut self, now: Instant) {
        self.output = None;
        self.input = None;
        self.ending_since.get_or_insert(now);
    }

    /// Nobody wants anything of it any more.
    pub(crate) fn stop(&mut self, reason: &str, now: Instant) {
        self.ended_for.get_or_insert_with(|| reason.to_owned());
        self.on_output_closed(now);
    }

    /// When [`is_gone`](Self::is_gone) is to be asked again.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let ending = self.ending_since.map(|it| it.max(self.last_byte_at) + LAST_WORDS_TIMEOUT);
        let no_input = self
            .input_closed_at
            .map(|it| (it.max(self.last_byte_at) + NO_INPUT_TIMEOUT).min(it + MAX_NO_INPUT_TIME));
        ending.into_iter().chain(no_input).min()
    }

    /// Whether nothing more is to be expected of it: its output is read, and how it ended is known as far as it will be.
    pub(crate) fn is_gone(&mut self, now: Instant) -> bool {
        let is_told = self.output.is_none() && self.status.is_some() && self.errors.fd().is_none();
        is_told || self.deadline().is_some_and(|it| it <= now)
    }

    /// How it ended, with the last line that it wrote to stderr; harmless to show.
    pub(crate) fn words(&mut self) -> String {
        self.reap();
        let how = match (&self.ended_for, self.status.map(|it| (it.code(), it.signal()))) {
            (Some(reason), _) => format!("it was ended: {reason}"),
            (None, Some((Some(code), _))) => format!("exit code {code}"),
            (None, Some((None, signal))) => format!("signal {}", signal.unwrap_or_default()),
            (None, None) if self.output.is_none() => "it closed its output".to_owned(),
            (None, None) => "it took no more input".to_owned(),
        };
        match self.errors.finish().last() {
            Some(line) => format!("{how}, last words: {line}"),
            None => how,
        }
    }

    /// Lets it go: its input is at its end.
    pub(crate) fn let_go(mut self, now: Instant) -> Ending {
        self.on_output_closed(now);
        let is_reaped = self.status.is_some();
        let has_left_some = self.has_left_some;
        let next_at = if is_reaped { now } else { now + EXIT_TIMEOUT };
        let Self { child, errors, .. } = self;
        Ending { child, errors, is_reaped, has_left_some, next_at, step: EXIT_TIMEOUT, signals: 0 }
    }
}

fn group(child: &Child) -> Option<Pid> {
    Pid::from_raw(child.id().cast_signed())
}

fn is_group_there(child: &Child) -> bool {
    group(child).is_some_and(|it| test_kill_process_group(it).is_ok())
}

fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    Ok(fcntl_setfl(&fd, fcntl_getfl(&fd)? | OFlags::NONBLOCK)?)
}

/// A server that was let go, and may still run, or have left something running.
#[derive(Debug)]
pub(crate) struct Ending {
    child: Child,
    /// Open, so that it may say why it ends.
    errors: StderrTail,
    is_reaped: bool,
    has_left_some: bool,
    next_at: Instant,
    step: Duration,
    signals: u32,
}

impl Ending {
    /// When [`is_over`](Self::is_over) is to be asked again.
    pub(crate) fn deadline(&self) -> Instant {
        self.next_at
    }

    /// There is less time from now on.
    pub(crate) fn hurry(&mut self, now: Instant) {
        let next_at = if self.signals == 0 { now } else { now + HURRIED_TIMEOUT };
        self.next_at = self.next_at.min(next_at);
        self.step = HURRIED_TIMEOUT;
    }

    /// Tells it to end and kills it, as its time goes by; whether nothing is left, or nothing more can be done.
    pub(crate) fn is_over(&mut self, now: Instant) -> bool {
        self.errors.read();
        if !self.is_reaped && self.child.try_wait().is_ok_and(|it| it.is_some()) {
            self.is_reaped = true;
            self.has_left_some = is_group_there(&self.child);
            self.hurry(now); // what it left is of no use to anybody
        }
        if self.is_reaped && !(self.has_left_some && is_group_there(&self.child)) {
            return true;
        }
        if now < self.next_at {
            return false;
        }
        if self.signals > 1 {
            return true; // it hangs in the kernel
        }
        if let Some(group) = group(&self.child) {
            let _ = kill_process_group(group, if self.signals == 0 { Signal::TERM } else { Signal::KILL });
        }
        self.signals += 1;
        self.next_at = now + self.step;
        false
    }
}
