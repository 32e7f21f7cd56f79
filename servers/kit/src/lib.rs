//! A custom MCP server in three lines of `main` plus its tools.
//!
//! A [`ServerHandler`] -> the whole of `/mcp` (see [`drydock_runtime`]): its verbs, sessions that end for certain,
//! logs that reach `docker logs`, arguments that are checked, calls that have a deadline. Invariant: nothing but MCP
//! is ever written to stdout of `/mcp stdio`.
//!
//! ```no_run
//! use drydock_kit::{Json, Parameters};
//! use rmcp::{ServerHandler, tool, tool_handler, tool_router};
//!
//! /// What a person may ask. One attribute makes both the schema that clients see and the check of each call.
//! #[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate)]
//! #[serde(deny_unknown_fields)]
//! struct Roll {
//!     /// How many sides the die has.
//!     #[garde(range(min = 2, max = 100))]
//!     sides: u32,
//! }
//!
//! /// What comes back: structured by `Serialize`, readable by `Display`.
//! #[derive(serde::Serialize, schemars::JsonSchema)]
//! struct Rolled {
//!     points: u32,
//! }
//!
//! impl std::fmt::Display for Rolled {
//!     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
//!         write!(f, "You rolled {}.", self.points)
//!     }
//! }
//!
//! struct Dice;
//!
//! #[tool_router]
//! impl Dice {
//!     /// Rolls one die.
//!     #[tool(annotations(read_only_hint = true, open_world_hint = false))]
//!     fn roll(&self, Parameters(roll): Parameters<Roll>) -> Result<Json<Rolled>, String> {
//!         Ok(Json(Rolled { points: 1 + std::process::id() % roll.sides }))
//!     }
//! }
//!
//! #[tool_handler(name = "dice", version = "1.0.0")]
//! impl ServerHandler for Dice {}
//!
//! fn main() -> std::process::ExitCode {
//!     drydock_kit::main(|| Dice)
//! }
//! ```

mod guard;
mod json;
mod load;
mod parameters;
mod session;
mod wire;

use std::process::ExitCode;

use drydock_runtime::args::{Args, Kind, Options, Verb, help};
use drydock_runtime::linger;
use drydock_runtime::link::{self, Announced};
pub use drydock_runtime::log;
use drydock_runtime::station;
pub use json::Json;
pub use parameters::Parameters;
use rmcp::ServerHandler;

/// Runs the server as its command line asks: `serve`, `stdio` or `health`, see `--help`.
///
/// `server` makes the handler. It runs once in each process, before the first request.
///
/// The exit code is 0 when the verb did its work, 1 when it could not (the text on stderr says why), and 2 for a
/// command line that it does not understand.
pub fn main<H: ServerHandler>(server: impl FnOnce() -> H) -> ExitCode {
    let program = std::env::args().next().unwrap_or_else(|| "/mcp".into());
    let kind = Kind::default();
    let Args { verb, options, .. } = match Args::from_env(&kind) {
        Ok(args) => args,
        Err(problem) => {
            eprintln!("error: {problem}\n\n{}", help(&program, &kind));
            return ExitCode::from(2);
        }
    };
    let done = match verb {
        Verb::Serve => serve(server, &options),
        Verb::Stdio => stdio(server, &options),
        Verb::Health { json } => link::report(&options.socket, json),
        Verb::Help => print(&help(&program, &kind)),
        Verb::Version => {
            let info = server().get_info().server_info;
            print(&format!("{} {}\n", info.name, info.version))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn serve<H: ServerHandler>(server: impl FnOnce() -> H, options: &Options) -> Result<(), String> {
    start_log(options, 0, None);
    // Sessions are processes of their own; made here once, a server that cannot start is seen at once.
    drop(server());
    station::run(&options.socket, options.max_sessions)
        .map_err(|e| format!("cannot serve on {}: {e}", options.socket.display()))
}

fn stdio<H: ServerHandler>(server: impl FnOnce() -> H, options: &Options) -> Result<(), String> {
    let announced = match link::announce(&options.socket) {
        Announced::Session(it) => Some(it),
        Announced::Alone => None,
        Announced::Refused(reason) => return Err(format!("no session: {reason}")),
    };
    start_log(options, std::process::id(), announced.as_ref().map(|it| it.serve_pid));
    let ended = session::run(server(), options);
    if let Some(session) = announced {
        session.close(log::dropped());
    }
    linger::at_the_end();
    ended
}

fn start_log(options: &Options, session: u32, serve_pid: Option<u32>) {
    log::init(options.log, options.log_format, session, serve_pid);
    std::panic::set_hook(Box::new(|panic| {
        log::error(&format!("panic: {panic}"));
        eprintln!("error: {panic}");
    }));
}

/// Only for verbs that answer on stdout: never `stdio`.
fn print(text: &str) -> Result<(), String> {
    use std::io::Write;
    std::io::stdout().write_all(text.as_bytes()).map_err(|e| format!("cannot write to stdout: {e}"))
}
