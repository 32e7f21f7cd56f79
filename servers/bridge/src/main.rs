//! `/mcp` for servers that are not ours: it starts them ahead of time, gives each session a process of its own, relays
//! its bytes, logs its requests, and ends it for certain.
//!
//! Command line -> one of the verbs that every `/mcp` has. Invariant: it changes no byte of the protocol.

mod calls;
mod config;
mod http;
mod job;
mod keep;
mod output;
mod relay;
mod said;
mod scan;
mod serve;
mod stdio;
mod tree;
mod wire;

use std::io::Write;
use std::process::ExitCode;

use config::Config;
use drydock_contract::args::{self, Args, Kind, Verb};
use drydock_contract::{link, log};

const KIND: Kind = Kind {
    options: &[
        ("config", "MCP_CONFIG", "FILE     what is wrapped [/etc/mcp/bridge.json]"),
        ("warm", "MCP_WARM", "N        children started ahead of time, 0 to 4 [1]"),
        ("http", "MCP_HTTP", "ADDR     also answer /healthz and /readyz there, as in 127.0.0.1:8080"),
    ],
    without: &["call-timeout", "max-calls"],
    command: true,
};

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let program = args.next().map_or_else(|| "/mcp".into(), |it| it.to_string_lossy().into_owned());
    let done = if args.next().is_some_and(|it| it == job::VERB) {
        keep::run().map(|()| ExitCode::SUCCESS)
    } else {
        match Args::from_env(&KIND) {
            Ok(args) => run(&program, args),
            Err(problem) => {
                complain(&format!("{problem}\n\n{}", args::help(&program, &KIND)));
                return ExitCode::from(2);
            }
        }
    };
    done.unwrap_or_else(|problem| {
        complain(&problem);
        ExitCode::FAILURE
    })
}

fn run(program: &str, args: Args) -> Result<ExitCode, String> {
    let options = &args.options;
    match args.verb {
        Verb::Serve => {
            log::init(options.log, options.log_format, 0, None);
            let wrapped = wrapped(&args)?;
            if let Some(address) = last(&args, "http") {
                http::start(address, options.socket.clone())?;
            }
            serve::run(wrapped, options)
                .map_err(|e| format!("cannot serve on {}: {e}", options.socket.display()))?;
        }
        Verb::Stdio => {
            let own = (!args.command.is_empty()).then(|| Config::from_command(&args.command)).transpose()?;
            let wrapped = if own.is_some() { None } else { wrapped(&args)? };
            return stdio::run(own, wrapped, options);
        }
        Verb::Health { json } => link::report(&options.socket, json)?,
        Verb::Help => print(&args::help(program, &KIND))?,
        Verb::Version => print(&format!("drydock-bridge {}\n", env!("CARGO_PKG_VERSION")))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn wrapped(args: &Args) -> Result<Option<Config>, String> {
    let Some(mut config) = Config::load(last(args, "config"))? else { return Ok(None) };
    if let Some(warm) = last(args, "warm") {
        config.warm = args::number(warm, 0).map_err(|e| format!("warm: {e}"))?;
        config::check_warm(config.warm)?;
    }
    Ok(Some(config))
}

/// An option of our own; of several, the last one wins.
fn last<'a>(args: &'a Args, name: &str) -> Option<&'a str> {
    args.own.iter().rfind(|it| it.0 == name).map(|it| it.1.as_str())
}

/// Only for verbs that answer on stdout: never `stdio`.
fn print(text: &str) -> Result<(), String> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|e| format!("cannot write to stdout: {e}"))
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "error: {text}");
}
