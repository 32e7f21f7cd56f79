//! `/mcp stdio`: one session, with a child from `serve`, or with one of its own where no `serve` is or a command is given.
//!
//! Command line -> a relayed session, and the exit code of the server. Invariant: nothing but the server's own bytes is
//! written to stdout.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use drydock_contract::args::Options;
use drydock_contract::{linger, log, station};

use crate::config::Config;
use crate::job::Job;
use crate::relay::{End, Exit, Relay};
use crate::tree::describe_signal;
use crate::wire::{LONG, Lines};

/// How long a child may take to be given: `serve` may wait for the place of another session.
const PATIENCE: Duration = Duration::from_secs(15);

/// Waiting children may die just when we ask; how often we ask.
const TRIES: usize = 5;

/// A child that is ours.
struct Given {
    lines: Lines,
    serve_pid: Option<u32>,
    session: u32,
    /// Closed when we end: the count of `serve`, the control of our own keeper.
    open: Vec<Lines>,
}

/// Runs a session; `own` is a command that stands in for what is wrapped here.
pub(crate) fn run(
    own: Option<Config>,
    wrapped: Option<Config>,
    options: &Options,
) -> Result<ExitCode, String> {
    let signals = station::signals().map_err(|e| format!("cannot catch signals: {e}"))?;
    let serve = UnixStream::connect(&options.socket).ok();
    let mut given = match (own, serve) {
        (None, Some(serve)) => from_serve(serve, options)?,
        (Some(own), Some(serve)) => guest(own, serve, options)?,
        (own, None) => {
            let config = own.or(wrapped).ok_or("no session: no server is wrapped here: `stdio -- CMD`")?;
            alone(config, None, std::process::id(), options, Vec::new())?
        }
    };
    log::init(options.log, options.log_format, given.session, given.serve_pid);
    let start = Instant::now();
    log::info("session started");
    let (Some(server_out), Some(server_in)) = (given.lines.fds.pop(), given.lines.fds.pop()) else {
        return Err("no session: the child's pipes did not come".into());
    };
    let relay = Relay::new(server_in, server_out, given.lines, options.stall_timeout)
        .map_err(|e| format!("no session: {e}"))?;
    let (end, keeper) = relay.run(&signals);
    let code = tell(&end, start.elapsed());
    for peer in [&keeper].into_iter().chain(&given.open) {
        let _ = peer.send(&format!("bye {}", log::dropped()));
    }
    drop((keeper, given.open));
    linger::at_the_end();
    Ok(code)
}

/// A child that `serve` has waiting, or starts.
fn from_serve(first: UnixStream, options: &Options) -> Result<Given, String> {
    let mut stream = Some(first);
    for _ in 0..TRIES {
        let Some(serve) = stream.take().or_else(|| UnixStream::connect(&options.socket).ok()) else { break };
        match ask(serve, "session")? {
            Some(given) if given.lines.fds.len() == 2 => return Ok(given),
            _ => {}
        }
    }
    Err("no session: the server dies as soon as it is started; its log says why".into())
}

/// A child of our own, counted by `serve`, which also takes the log.
fn guest(config: Config, serve: UnixStream, options: &Options) -> Result<Given, String> {
    match ask(serve, "session own")? {
        Some(it) => alone(config, it.serve_pid, it.session, options, vec![it.lines]),
        None => alone(config, None, std::process::id(), options, Vec::new()),
    }
}

fn alone(
    config: Config,
    serve_pid: Option<u32>,
    session: u32,
    options: &Options,
    mut open: Vec<Lines>,
) -> Result<Given, String> {
    let job = Job {
        config,
        log: options.log,
        log_format: options.log_format,
        serve_pid,
        warm: false,
        hushed: false,
    };
    let attached = || {
        let (ours, theirs) = UnixStream::pair()?;
        let (control, _) = job.start()?;
        control.send_with(&format!("session {session}"), &[std::os::fd::AsFd::as_fd(&theirs)])?;
        io::Result::Ok((ours, control))
    };
    let (ours, control) = attached().map_err(|e| format!("no session: cannot start a keeper: {e}"))?;
    open.push(control);
    let given = answer(ours)?.ok_or("no session: the keeper was ended")?;
    Ok(Given { serve_pid, session, open, ..given })
}

fn ask(serve: UnixStream, line: &str) -> Result<Option<Given>, String> {
    let mut sending = &serve;
    match writeln!(sending, "{line}") {
        Ok(()) => answer(serve),
        Err(_) => Ok(None),
    }
}

/// `hello PID SESSION`, or why not. `None`: ask again.
fn answer(stream: UnixStream) -> Result<Option<Given>, String> {
    let mut lines = Lines::new(stream, LONG).map_err(|e| format!("no session: {e}"))?;
    let until = Instant::now() + PATIENCE;
    let mut words = Vec::new();
    while let Some(line) = lines.line_by(until) {
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("hello", numbers) => {
                let mut numbers = numbers.split(' ').map(|it| it.parse().ok());
                let mut next = || numbers.next().flatten();
                let (serve_pid, session) = (next().filter(|it| *it != 0), next().unwrap_or(0));
                return Ok(Some(Given { lines, serve_pid, session, open: Vec::new() }));
            }
            ("last", word) => words.push(format!("\n  {word}")),
            ("refused", reason) => return Err(format!("no session: {reason}{}", words.concat())),
            _ => return Ok(None),
        }
    }
    if Instant::now() >= until { Err("no session: `serve` does not answer".into()) } else { Ok(None) }
}

/// Says how it ended: in the log, and on stderr if the client would not expect it.
fn tell(end: &End, elapsed: Duration) -> ExitCode {
    let secs = elapsed.as_secs_f64();
    let ended = |reason: &str| format!("session ended after {secs:.1} s: {reason}");
    match end {
        End::Signal => {
            log::info(&ended("a signal"));
            ExitCode::SUCCESS
        }
        End::Over(reason) => {
            log::warn(&ended(reason));
            complain(reason, &[]);
            ExitCode::FAILURE
        }
        End::Exit { exit: Exit::Code(0), is_expected: true, .. }
        | End::Exit { exit: Exit::Signal(_), is_expected: true, .. } => {
            log::info(&ended("the client closed its end"));
            ExitCode::SUCCESS
        }
        End::Exit { exit, words, .. } => {
            let (what, code) = match exit {
                Exit::Code(code) => (format!("the server ended: exit code {code}"), *code),
                Exit::Signal(it) => (
                    format!("the server ended: {}", describe_signal((*it).into())),
                    128_u8.saturating_add(*it),
                ),
                Exit::Unknown => ("the server's keeper was killed, and the server with it".into(), 1),
            };
            log::warn(&ended(&what));
            complain(&what, words);
            ExitCode::from(code)
        }
    }
}

fn complain(what: &str, words: &[String]) {
    let words: String = words.iter().map(|it| format!("\n  {it}")).collect();
    let _ = writeln!(io::stderr(), "error: {what}{words}");
}
