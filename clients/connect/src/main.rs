//! `drydock-connect`: the library on a command line.
//!
//! Arguments -> a session -> text or JSON on stdout, an exit code. Invariant: also when a signal ends us, the server
//! that we started is ended first.

mod cli;

use std::{
    io::Write,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use clap::Parser;
use drydock_connect::{Error, ErrorKind, Options, Report, Session, print};
use tokio_util::sync::CancellationToken;

use crate::cli::{Cli, Command};

const TOOL_ERROR: u8 = 1;
const WRONG_USAGE: u8 = 2;
const NO_CONNECTION: u8 = 3;

/// What the person gets: for stdout, for stderr, and the exit code.
struct Outcome {
    out: String,
    err: String,
    code: u8,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(it) => it,
        Err(err) => {
            return show(
                &Outcome { out: String::new(), err: format!("error: {err}"), code: NO_CONNECTION },
                0,
            );
        }
    };
    let signal = Arc::new(AtomicU8::new(0));
    let outcome = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(signals(stop.clone(), Arc::clone(&signal)));
        run(&cli, stop).await
    });
    // Not waiting for tasks: a server's grandchild may hold a pipe open.
    runtime.shutdown_background();
    show(&outcome, signal.load(Ordering::Relaxed))
}

async fn run(cli: &Cli, stop: CancellationToken) -> Outcome {
    let options = Options { protocol: cli.protocol.into(), timeout: cli.timeout, stop };
    let mut session = match Session::open(&cli.command.target(), &options).await {
        Ok(session) => session,
        Err(error) => return failed(cli, error),
    };
    let outcome = match &cli.command {
        Command::Check(_) => check(cli, &mut session).await,
        Command::Tools(_) => tools(cli, &mut session).await,
        Command::Call { tool, arguments, .. } => call(cli, &mut session, tool, arguments).await,
    };
    session.close().await;
    outcome.unwrap_or_else(|error| failed(cli, error))
}

async fn check(cli: &Cli, session: &mut Session) -> Result<Outcome, Error> {
    let tools = session.tools().await?;
    let mut report = Report::of(session);
    report.instructions = session.negotiated().instructions.clone();
    report.tool_names = Some(tools.iter().map(|it| it.name.to_string()).collect());
    let ms = session.timings().iter().map(|(_, time)| time.as_secs_f64() * 1_000.0).sum::<f64>();
    let again = session.first_try().filter(|_| !cli.json).map(print::first_try).unwrap_or_default();
    let outcome = success(cli, &report, || {
        format!(
            "ok: {}, {} in {ms:.0} ms",
            print::negotiated(session.negotiated()),
            print::count(tools.len())
        )
    });
    Ok(Outcome { err: again, ..outcome })
}

async fn tools(cli: &Cli, session: &mut Session) -> Result<Outcome, Error> {
    let tools = session.tools().await?;
    let mut report = Report::of(session);
    report.instructions = session.negotiated().instructions.clone();
    report.tools = Some(tools.clone());
    let mut outcome = success(cli, &report, || print::tools(&tools));
    if !cli.json {
        outcome.err = format!("{}: {}\n", print::negotiated(session.negotiated()), print::count(tools.len()));
    }
    Ok(outcome)
}

async fn call(cli: &Cli, session: &mut Session, tool: &str, words: &[String]) -> Result<Outcome, Error> {
    let mut known = Vec::new();
    if drydock_connect::needs_schema(words) {
        known = session.tools().await?;
        if let Err(error) = drydock_connect::find_tool(&known, tool) {
            return Ok(failed(cli, error));
        }
    }
    let arguments = match drydock_connect::arguments(words, known.iter().find(|it| it.name == tool)) {
        Ok(arguments) => arguments,
        Err(error) => return Ok(failed(cli, error)),
    };
    let result = session.call(tool, arguments).await;
    // Servers say that they have no such tool each in its own way, with an error or with a result.
    let is_refused = match &result {
        Ok(it) => it.is_error == Some(true),
        Err(error) => error.kind == ErrorKind::Rejected,
    };
    if is_refused && known.is_empty() {
        let listed = session.tools().await;
        if let Some(error) = listed.ok().and_then(|it| drydock_connect::find_tool(&it, tool).err()) {
            return Ok(failed(cli, error));
        }
    }
    let result = result?;
    let is_error = result.is_error == Some(true);
    let mut report = Report::of(session);
    report.ok = !is_error;
    report.tool = Some(tool.into());
    report.result = Some(result.clone());
    let mut outcome = success(cli, &report, || print::result(&result));
    if is_error {
        outcome.code = TOOL_ERROR;
        outcome.err =
            format!("error: `{}` answered with an error (isError), see above", drydock_connect::escape(tool));
    }
    Ok(outcome)
}

fn success(cli: &Cli, report: &Report, readable: impl FnOnce() -> String) -> Outcome {
    let out = if cli.json { report.to_json() } else { readable() };
    Outcome { out, err: String::new(), code: 0 }
}

fn failed(cli: &Cli, error: Error) -> Outcome {
    let code = match error.kind {
        ErrorKind::Usage => WRONG_USAGE,
        _ => NO_CONNECTION,
    };
    let err = print::error(&error);
    let out = if cli.json { Report::failed(error).to_json() } else { String::new() };
    Outcome { out, err, code }
}

fn show(outcome: &Outcome, signal: u8) -> ExitCode {
    if !outcome.err.is_empty() && outcome.code == 0 {
        eprintln!("{}", outcome.err);
    }
    if !outcome.out.is_empty() {
        let _reader_gone = writeln!(std::io::stdout(), "{}", outcome.out);
    }
    if !outcome.err.is_empty() && outcome.code != 0 {
        eprintln!("{}", outcome.err);
    }
    ExitCode::from(if signal > 0 { 128 + signal } else { outcome.code })
}

/// Listens from now on, before any server is started; the future then waits for what comes.
#[cfg(unix)]
fn signals(stop: CancellationToken, received: Arc<AtomicU8>) -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let streams = kinds.map(signal);
    async move {
        let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = streams else { return };
        let kind = tokio::select! {
            _ = interrupt.recv() => kinds[0],
            _ = terminate.recv() => kinds[1],
            _ = hangup.recv() => kinds[2],
        };
        received.store(u8::try_from(kind.as_raw_value()).unwrap_or(u8::MAX >> 1), Ordering::Relaxed);
        stop.cancel();
    }
}

#[cfg(not(unix))]
async fn signals(stop: CancellationToken, received: Arc<AtomicU8>) {
    if tokio::signal::ctrl_c().await.is_ok() {
        received.store(2, Ordering::Relaxed);
        stop.cancel();
    }
}
