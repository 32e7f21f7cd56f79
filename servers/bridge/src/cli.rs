//! The command line: which subcommand, with which options and around which server.
//!
//! Arguments and environment of this process -> the exit code of the subcommand. Invariant: only subcommands that
//! answer on stdout print there, never `stdio`.

use std::io::Write;
use std::process::ExitCode;

use drydock_runtime::args::{self, Args, CliSpec, Subcommand};
use drydock_runtime::contract::env;
use drydock_runtime::control_client;
use drydock_runtime::log::Log;
use drydock_runtime::panic_hook;

use crate::config::{self, Config};
use crate::error::Error;
use crate::{child_spec, http, serve, stdio, supervisor};

const CLI: CliSpec<'static> = CliSpec {
    options: &[
        ("config", env::CONFIG, "FILE     what is wrapped [/etc/mcp/bridge.json]"),
        ("args", env::ARGS, "JSON     arguments after the wrapped server's own: a list of strings"),
        ("warm", env::WARM, "N        children started ahead of time, 0 to 4 [1]"),
        ("http", env::HTTP, "ADDR     also answer /healthz and /readyz there, as in 127.0.0.1:8080"),
    ],
    without: &["call-timeout", "max-calls"],
    command: true,
};

/// Runs the subcommand that the command line of this process names, to its end: `serve` until a signal, `stdio` for
/// one session, `health`, or `supervise`, which only `serve` and `stdio` start.
///
/// The exit code of `stdio` is the wrapped server's; 128 + N if signal N ended it.
///
/// # Errors
/// The command line or the configuration is wrong, there is no session, `serve` is not ready, or the system refuses
/// what the subcommand needs (sockets, signals, processes).
///
/// # Examples
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     drydock_bridge::run().unwrap_or_else(|error| {
///         eprintln!("error: {error}");
///         ExitCode::from(error.exit_code())
///     })
/// }
/// ```
pub fn run() -> Result<ExitCode, Error> {
    let mut words = std::env::args_os();
    let program = words.next().map_or_else(|| "/mcp".into(), |it| it.to_string_lossy().into_owned());
    if words.next().is_some_and(|it| it == child_spec::SUBCOMMAND) {
        return supervisor::run().map(|()| ExitCode::SUCCESS);
    }
    let help = || args::help(&program, &CLI);
    let args = Args::from_env(&CLI).map_err(|problem| Error::Usage { problem, help: help() })?;
    match args.subcommand {
        Subcommand::Serve => run_serve(&args)?,
        Subcommand::Stdio => return run_stdio(&args),
        Subcommand::Health { json } => control_client::report_health(&args.options.socket, json)?,
        Subcommand::Help => print(&help())?,
        Subcommand::Version => print(&format!("drydock-bridge {}\n", env!("CARGO_PKG_VERSION")))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn run_serve(args: &Args) -> Result<(), Error> {
    let options = &args.options;
    let log = Log::new(options.log, options.log_format, None);
    panic_hook::install(log.clone(), |_| {});
    let config = configured(args)?;
    if let Some(address) = args.extra("http") {
        http::start(address, options.socket.clone(), log.clone())?;
    }
    serve::run(config, options, &log)
}

fn run_stdio(args: &Args) -> Result<ExitCode, Error> {
    if args.command.is_empty() {
        stdio::run(None, configured(args)?, &args.options)
    } else {
        stdio::run(Some(Config::from_command(&args.command)?), None, &args.options)
    }
}

/// The server of the configuration file, with what the command line changes of it.
fn configured(args: &Args) -> Result<Option<Config>, Error> {
    let Some(mut config) = Config::load(args.extra("config"))? else { return Ok(None) };
    if let Some(words) = args.extra("args") {
        config.args.extend(config::parse_args(words)?);
    }
    if let Some(warm) = args.extra("warm") {
        let number = args::number(warm, 0);
        config.warm = number.map_err(|e| Error::Option { name: "warm", problem: e })?;
        config::check_warm(config.warm)?;
    }
    Ok(Some(config))
}

fn print(text: &str) -> Result<(), Error> {
    std::io::stdout().write_all(text.as_bytes()).map_err(Error::io("cannot write to stdout"))
}
