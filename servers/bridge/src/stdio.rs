//! `/mcp stdio`: one session, with a child from `serve`, or with one of its own where there is no `serve` or a command
//! is given.
//!
//! Configuration -> a relayed session, and the exit code of the server. Invariant: only the server's own bytes are
//! written to stdout.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use drydock_contract::args::Options;
use drydock_contract::{linger, log, station};

use crate::child_spec::ChildSpec;
use crate::config::Config;
use crate::error::Error;
use crate::ipc::{LineSocket, MAX_REPORT_LINE};
use crate::process_tree::describe_signal;
use crate::relay::{Relay, ServerExit, SessionEnd};

/// How long a child may take to be assigned: `serve` may wait for the slot of another session.
const ASSIGN_TIMEOUT: Duration = Duration::from_secs(15);

/// Waiting children may die just when we ask; how often we ask.
const MAX_ATTEMPTS: usize = 5;

/// A child of this session's own, and the supervisor's connection, on which its pipes came.
struct Assigned {
    supervisor: LineSocket,
    serve_pid: Option<u32>,
    session: u32,
    /// Open until the session ends: `serve` counts it by one, a supervisor of our own ends with the other.
    held_open: Vec<LineSocket>,
}

/// Runs a session; `command` stands in for the `configured` server.
pub(crate) fn run(
    command: Option<Config>,
    configured: Option<Config>,
    options: &Options,
) -> Result<ExitCode, Error> {
    let signals = station::signals().map_err(Error::io("cannot catch signals"))?;
    let mut assigned = assigned(command, configured, options).map_err(Error::no_session)?;
    log::init(options.log, options.log_format, assigned.session, assigned.serve_pid);
    let start = Instant::now();
    log::info("session started");
    let pipes = &mut assigned.supervisor.fds;
    let (Some(server_out), Some(server_in)) = (pipes.pop(), pipes.pop()) else {
        return Err(Error::Internal("the child's pipes did not come".into()).no_session());
    };
    let relay = Relay::new(server_in, server_out, assigned.supervisor, options.stall_timeout)
        .map_err(|source| Error::io("cannot relay")(source).no_session())?;
    let (end, supervisor) = relay.run(&signals);
    let code = report_end(&end, start.elapsed());
    for peer in [&supervisor].into_iter().chain(&assigned.held_open) {
        let _ = peer.send(&format!("bye {}", log::dropped()));
    }
    drop((supervisor, assigned.held_open));
    linger::at_the_end();
    Ok(code)
}

fn assigned(
    command: Option<Config>,
    configured: Option<Config>,
    options: &Options,
) -> Result<Assigned, Error> {
    match (command, UnixStream::connect(&options.socket).ok()) {
        (None, Some(serve)) => request_child(serve, options),
        (Some(command), Some(serve)) => external_session(command, serve, options),
        (command, None) => {
            let config = command.or(configured).ok_or(Error::NoServer)?;
            standalone(config, None, std::process::id(), options, Vec::new())
        }
    }
}

/// A child that `serve` has waiting, or starts.
fn request_child(first: UnixStream, options: &Options) -> Result<Assigned, Error> {
    let mut stream = Some(first);
    for _ in 0..MAX_ATTEMPTS {
        let Some(serve) = stream.take().or_else(|| UnixStream::connect(&options.socket).ok()) else { break };
        match request(serve, "session")? {
            Some(assigned) if assigned.supervisor.fds.len() == 2 => return Ok(assigned),
            _ => {}
        }
    }
    Err(Error::DiesAtStart)
}

/// A child that `serve` does not start, but counts; it also takes the log.
fn external_session(config: Config, serve: UnixStream, options: &Options) -> Result<Assigned, Error> {
    match request(serve, "session own")? {
        Some(it) => standalone(config, it.serve_pid, it.session, options, vec![it.supervisor]),
        None => standalone(config, None, std::process::id(), options, Vec::new()),
    }
}

/// A child that this process starts, with a supervisor of its own.
fn standalone(
    config: Config,
    serve_pid: Option<u32>,
    session: u32,
    options: &Options,
    mut held_open: Vec<LineSocket>,
) -> Result<Assigned, Error> {
    let spec = ChildSpec {
        config,
        log: options.log,
        log_format: options.log_format,
        serve_pid,
        warm: false,
        quiet: false,
    };
    let start = || {
        let (ours, theirs) = UnixStream::pair()?;
        let (control, _) = spec.start()?;
        control.send_with_fds(&format!("session {session}"), &[theirs.as_fd()])?;
        io::Result::Ok((ours, control))
    };
    let (ours, control) = start().map_err(Error::io("cannot start a supervisor"))?;
    held_open.push(control);
    let assigned = read_assignment(ours)?.ok_or(Error::SupervisorEnded)?;
    Ok(Assigned { serve_pid, session, held_open, ..assigned })
}

fn request(serve: UnixStream, line: &str) -> Result<Option<Assigned>, Error> {
    let mut sending = &serve;
    match writeln!(sending, "{line}") {
        Ok(()) => read_assignment(serve),
        Err(_) => Ok(None),
    }
}

/// `hello PID SESSION`, or why not. `None`: ask again.
fn read_assignment(stream: UnixStream) -> Result<Option<Assigned>, Error> {
    let mut supervisor =
        LineSocket::new(stream, MAX_REPORT_LINE).map_err(Error::io("cannot use the socket"))?;
    let deadline = Instant::now() + ASSIGN_TIMEOUT;
    let mut stderr_tail = Vec::new();
    while let Some(line) = supervisor.read_line_by(deadline) {
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("hello", numbers) => {
                let mut numbers = numbers.split(' ').map(|it| it.parse().ok());
                let mut next = || numbers.next().flatten();
                let (serve_pid, session) = (next().filter(|it| *it != 0), next().unwrap_or(0));
                return Ok(Some(Assigned { supervisor, serve_pid, session, held_open: Vec::new() }));
            }
            ("last", line) => stderr_tail.push(line.to_owned()),
            ("refused", reason) => return Err(Error::Refused { reason: reason.to_owned(), stderr_tail }),
            _ => return Ok(None),
        }
    }
    if Instant::now() >= deadline { Err(Error::Unanswered) } else { Ok(None) }
}

/// Reports how the session ended: in the log, and on stderr if the client would not expect it.
fn report_end(end: &SessionEnd, elapsed: Duration) -> ExitCode {
    let secs = elapsed.as_secs_f64();
    let ended = |reason: &str| format!("session ended after {secs:.1} s: {reason}");
    match end {
        SessionEnd::Signal => {
            log::info(&ended("a signal"));
            ExitCode::SUCCESS
        }
        SessionEnd::Aborted(reason) => {
            log::warn(&ended(reason));
            print_error(reason, &[]);
            ExitCode::FAILURE
        }
        SessionEnd::Exit { exit: ServerExit::Code(0) | ServerExit::Signal(_), is_expected: true, .. } => {
            log::info(&ended("the client closed its end"));
            ExitCode::SUCCESS
        }
        SessionEnd::Exit { exit, stderr_tail, .. } => {
            let (what, code) = describe_exit(*exit);
            log::warn(&ended(&what));
            print_error(&what, stderr_tail);
            ExitCode::from(code)
        }
    }
}

/// As a text, and as the exit code of this process.
fn describe_exit(exit: ServerExit) -> (String, u8) {
    match exit {
        ServerExit::Code(code) => (format!("the server ended: exit code {code}"), code),
        ServerExit::Signal(it) => {
            (format!("the server ended: {}", describe_signal(it.into())), 128_u8.saturating_add(it))
        }
        ServerExit::Unknown => ("the server's supervisor was killed, and the server with it".into(), 1),
    }
}

fn print_error(what: &str, stderr_tail: &[String]) {
    let lines: String = stderr_tail.iter().map(|it| format!("\n  {it}")).collect();
    let _ = writeln!(io::stderr(), "error: {what}{lines}");
}
