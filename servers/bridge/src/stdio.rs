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

use drydock_runtime::args::Options;
use drydock_runtime::contract::{ControlMessage, ServerExit, SessionKind};
use drydock_runtime::control_client::{self, Answer, Registered, read_answer, request_session};
use drydock_runtime::ipc::LineSocket;
use drydock_runtime::log::Log;
use drydock_runtime::oom_kills::OUT_OF_MEMORY;
use drydock_runtime::signals::shutdown_signals;
use drydock_runtime::{drain_stdout, panic_hook};
use rustix::process::Signal;

use crate::child_spec::ChildSpec;
use crate::config::Config;
use crate::error::Error;
use crate::process_tree::describe_signal;
use crate::relay::{Relay, SessionEnd};
use crate::supervisor::SupervisorMessage;

/// How long a child may take to be assigned: `serve` may wait for the slot of another session.
const ASSIGN_TIMEOUT: Duration = Duration::from_secs(15);

/// Waiting children may die just when we ask; how often we ask.
const MAX_ATTEMPTS: usize = 5;

/// A child of this session's own, and its pipes.
struct Assigned {
    /// Its supervisor's connection.
    supervisor: LineSocket,
    pipes: Pipes,
    log_pid: Option<u32>,
    session: u64,
    /// Open until the session ends: `serve` counts it by one, a supervisor of our own ends with the other.
    held_open: Vec<LineSocket>,
}

/// The child's stdin and stdout.
type Pipes = [std::os::fd::OwnedFd; 2];

/// Runs a session; `command` stands in for the `configured` server.
pub(crate) fn run(
    command: Option<Config>,
    configured: Option<Config>,
    options: &Options,
) -> Result<ExitCode, Error> {
    let signals = shutdown_signals()?;
    let Assigned { supervisor, pipes: [server_in, server_out], log_pid, session, held_open } =
        assigned(command, configured, options).map_err(Error::no_session)?;
    let log = Log::new(options.log, options.log_format, log_pid).of_session(session);
    panic_hook::install(log.clone(), |_| {});
    let start = Instant::now();
    log.info("session started");
    let relay = Relay::new(server_in, server_out, supervisor, options.stall_timeout, log.clone())
        .map_err(|source| Error::io("cannot relay")(source).no_session())?;
    let (end, supervisor) = relay.run(&signals);
    let code = report_end(&end, start.elapsed(), &log);
    for peer in [&supervisor].into_iter().chain(&held_open) {
        let _ = peer.send(ControlMessage::SessionEnded { dropped: log.dropped() });
    }
    drop((supervisor, held_open));
    drain_stdout::before_exit(io::stdin(), io::stdout());
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
            standalone(config, None, own_number(), options)
        }
    }
}

/// A child that `serve` has waiting, or starts.
fn request_child(first: UnixStream, options: &Options) -> Result<Assigned, Error> {
    let mut stream = Some(first);
    for _ in 0..MAX_ATTEMPTS {
        let Some(serve) = stream.take().or_else(|| UnixStream::connect(&options.socket).ok()) else { break };
        let answer = request_session(serve, SessionKind::Provided, ASSIGN_TIMEOUT);
        if let Some(Registered { mut connection, log_pid, session }) = accepted(answer)?
            && let Ok(pipes) = Pipes::try_from(connection.take_fds())
        {
            return Ok(Assigned { supervisor: connection, pipes, log_pid, session, held_open: Vec::new() });
        }
    }
    Err(Error::DiesAtStart)
}

/// A child that `serve` does not start, but counts; it also takes the log.
fn external_session(config: Config, serve: UnixStream, options: &Options) -> Result<Assigned, Error> {
    let Some(it) = accepted(request_session(serve, SessionKind::Own, ASSIGN_TIMEOUT))? else {
        return standalone(config, None, own_number(), options);
    };
    let counted = it.connection;
    let mut assigned = standalone(config, it.log_pid, it.session, options);
    match &mut assigned {
        Ok(assigned) => assigned.held_open.push(counted),
        Err(_) => drop(counted.send(ControlMessage::SessionEnded { dropped: 0 })), // its client is told why
    }
    assigned
}

/// A child that this process starts, with a supervisor of its own.
fn standalone(
    config: Config,
    log_pid: Option<u32>,
    session: u64,
    options: &Options,
) -> Result<Assigned, Error> {
    let spec = ChildSpec {
        config,
        log: options.log,
        log_format: options.log_format,
        serve_pid: log_pid,
        warm: false,
        quiet: false,
    };
    let start = || {
        let (ours, theirs) = UnixStream::pair()?;
        let (control, _) = spec.start()?;
        control.send_with_fds(SupervisorMessage::Assign(session), &[theirs.as_fd()])?;
        io::Result::Ok((control_client::connection(ours)?, control))
    };
    let (ours, control) = start().map_err(Error::io("cannot start a supervisor"))?;
    let answer = read_answer(ours, Instant::now() + ASSIGN_TIMEOUT);
    let mut supervisor = accepted(answer)?.ok_or(Error::SupervisorEnded)?.connection;
    let pipes = Pipes::try_from(supervisor.take_fds())
        .map_err(|_| Error::Internal("the child's pipes did not come".into()))?;
    Ok(Assigned { supervisor, pipes, log_pid, session, held_open: vec![control] })
}

/// `None`: ask again.
fn accepted(answer: Answer) -> Result<Option<Registered>, Error> {
    match answer {
        Answer::Accepted(it) => Ok(Some(it)),
        Answer::Refused { reason, stderr_tail } => Err(Error::Refused { reason, stderr_tail }),
        Answer::Retry => Ok(None),
        Answer::None => Err(Error::Unanswered),
    }
}

/// Where no `serve` counts the sessions.
fn own_number() -> u64 {
    u64::from(std::process::id())
}

/// Reports how the session ended: in the log, and on stderr if the client would not expect it.
fn report_end(end: &SessionEnd, elapsed: Duration, log: &Log) -> ExitCode {
    let secs = elapsed.as_secs_f64();
    let ended = |reason: &str| format!("session ended after {secs:.1} s: {reason}");
    match end {
        SessionEnd::Signal => {
            log.info(&ended("a signal"));
            ExitCode::SUCCESS
        }
        SessionEnd::Aborted(reason) => {
            log.warn(&ended(reason));
            print_error(reason, &[]);
            ExitCode::FAILURE
        }
        SessionEnd::Exit { exit: ServerExit::Code(0) | ServerExit::Signal(_), is_expected: true, .. } => {
            log.info(&ended("the client closed its end"));
            ExitCode::SUCCESS
        }
        SessionEnd::Exit { exit, stderr_tail, .. } => {
            let (what, code) = describe_exit(*exit);
            log.warn(&ended(&what));
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
        ServerExit::OutOfMemory => {
            let killed = describe_signal(Signal::KILL.as_raw());
            (format!("the server ended: {killed}: {OUT_OF_MEMORY}"), 137)
        }
        ServerExit::Unknown => ("the server's supervisor was killed, and the server with it".into(), 1),
    }
}

fn print_error(what: &str, stderr_tail: &[String]) {
    let lines: String = stderr_tail.iter().map(|it| format!("\n  {it}")).collect();
    let _ = writeln!(io::stderr(), "error: {what}{lines}");
}
