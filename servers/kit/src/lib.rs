//! A custom MCP server in three lines of `main` plus its tools.
//!
//! A [`ServerHandler`] -> the whole of `/mcp` (see [`drydock_runtime`]): its subcommands, sessions that end for certain,
//! logs that reach `docker logs`, arguments that are checked, calls that have a deadline. Invariant: nothing but MCP
//! is ever written to what the client reads.
//!
//! All tools of a session share one thread: code that blocks belongs into [`blocking()`].
//!
//! What a tool prints (`println!`, or a child process that inherits stdout) goes to stderr, never into the protocol; stdin is
//! at its end. A tool that panics has its call answered with an error, and the log has the place of the panic, not its
//! text, which may hold arguments. In an image a panic ends the session's process as well (`panic = "abort"`): then all
//! its open requests are answered so. A process that is killed, aborts by itself or gets no more memory cannot answer any
//! more: its client sees the end of the output (and, from the engine's command line, exit code 134 or 137), and `serve`
//! writes the session's last line into the log.
//!
//! ```no_run
//! use drydock_kit::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! /// What a person may ask. Rules stand in the schema that clients see, and each call is checked against that.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Roll {
//!     /// How many sides the die has.
//!     #[schemars(range(min = 2, max = 100))]
//!     sides: u32,
//! }
//!
//! /// What comes back.
//! #[derive(Serialize, JsonSchema)]
//! struct Rolled {
//!     points: u32,
//! }
//!
//! struct Dice;
//!
//! #[server(title = "Dice")]
//! impl Dice {
//!     /// Rolls one die.
//!     #[tool(read_only)]
//!     fn roll(&self, Parameters(args): Parameters<Roll>) -> Json<Rolled> {
//!         Json(Rolled { points: 1 + std::process::id() % args.sides })
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     drydock_kit::main(|| Dice)
//! }
//! ```
//!
//! What a server may need beyond that: [`ToolError`] and [`ErrorContext`] for errors that a model understands, [`Progress`], [`Page`]
//! for long lists, [`main_with`] for settings, [`resources`](macro@resources), [`prompts`](macro@prompts) and [`ResourceNotifier`];
//! and by features of this crate an HTTP client with a cache (`http-client`: the module `http`), what is kept from one session to
//! the next (`state`), and, for its tests, the server in their own process (`testing`).

#![warn(missing_docs)]

mod answer;
mod arguments;
mod blocking;
mod call_limiter;
mod completion;
mod draining;
mod ending;
mod error;
mod frame;
#[cfg(feature = "http-client")]
pub mod http;
mod in_flight;
mod input;
mod json;
mod line_reader;
pub mod log;
mod outbox;
mod page;
mod parameters;
mod path_segment;
mod permits;
mod progress;
mod resource_notifier;
mod resources;
mod salvage;
mod schema;
mod session;
mod settings;
#[cfg(feature = "state")]
pub mod state;
mod stdio_transport;
mod structured;
#[cfg(feature = "testing")]
pub mod testing;
mod tool_error;
mod watchdog;

use std::panic::resume_unwind;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

pub use blocking::blocking;
/// ```
/// use drydock_kit::prelude::*;
/// use rmcp::model::{PromptMessage, Role};
///
/// # struct Trips;
/// # #[server]
/// # impl Trips {}
/// #[derive(serde::Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Plan {
///     /// Where to.
///     city: String,
/// }
///
/// #[drydock_kit::prompts]
/// impl Trips {
///     /// Plan a trip.
///     #[prompt(title = "Plan a trip")]
///     async fn plan(&self, Parameters(Plan { city }): Parameters<Plan>) -> Vec<PromptMessage> {
///         vec![PromptMessage::new_text(Role::User, format!("Plan a day in {city}."))]
///     }
///
///     #[complete(plan.city)]
///     fn cities(&self, typed: &str) -> Vec<String> {
///         ["Berlin", "Bern", "Oslo"].iter().filter(|it| it.starts_with(typed)).map(ToString::to_string).collect()
///     }
/// }
/// ```
pub use drydock_kit_macros::prompts;
#[doc(hidden)]
pub use drydock_kit_macros::tool;
pub use drydock_kit_macros::{resources, server};
use drydock_runtime::args::{Args, CliError, CliSpec, Flag, Options, Subcommand, help};
use drydock_runtime::client_pipes::ClientPipes;
use drydock_runtime::control_server::{ControlServer, CountOnly};
use drydock_runtime::log::Log;
use drydock_runtime::session::Session;
use drydock_runtime::{control_client, panic_hook};
use error::Error;
pub use json::Json;
pub use page::Page;
pub use parameters::Parameters;
pub use progress::Progress;
pub use resource_notifier::ResourceNotifier;
use rmcp::ServerHandler;
use rmcp::model::Implementation;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use session::Process;
use settings::Settings;
pub use tool_error::{ErrorContext, ToolError};

/// All that a server's own code names: `use drydock_kit::prelude::*`.
pub mod prelude {
    pub use rmcp;
    pub use schemars::{self, JsonSchema};

    #[doc(hidden)]
    pub use crate::tool;
    pub use crate::{Json, Parameters, blocking, server};
}

/// For what the attributes write; it changes without notice.
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

#[cfg(feature = "http-client")]
const OPTIONS: &[Flag<'static>] = http::OPTIONS;
#[cfg(not(feature = "http-client"))]
const OPTIONS: &[Flag<'static>] = &[];

/// As large as the main thread's usually is, in bytes.
const STACK_SIZE: usize = 8 << 20;

/// Runs the server as its command line asks: `serve`, `stdio` or `health`, see `--help`.
///
/// `server` makes the handler. It runs once in each process, before the first request.
///
/// The exit code is 0 when the subcommand did its work, 1 when it could not (the text on stderr says why), and 2 for a
/// command line that it does not understand.
pub fn main<H: ServerHandler>(server: impl FnOnce() -> H + Send) -> ExitCode {
    start(&Settings::none(), None, |_| Ok(server))
}

/// Runs a server that a person can set something of: each field of `T` is an option and a variable.
///
/// `base_url` is `--base-url`, the variable `BASE_URL`, or a field of the JSON file that `--settings` or `SETTINGS_FILE` names:
/// the first of these that is there. A field's comment is what `--help` says of it; types and `#[schemars(range(..))]` are checked,
/// and what is wrong is told without its value, so that a key may be a setting, too. A field that has no default, and is no
/// `Option`, is required. In an image it is the variable that is set: as `[env]` in `drydock.toml`.
///
/// ```no_run
/// # use drydock_kit::prelude::*;
/// # struct Notes { folder: String }
/// # #[server]
/// # impl Notes {}
/// #[derive(serde::Deserialize, JsonSchema)]
/// struct Settings {
///     /// Where the notes are.
///     folder: String,
/// }
///
/// fn main() -> std::process::ExitCode {
///     drydock_kit::main_with(|settings: Settings| Notes { folder: settings.folder })
/// }
/// ```
pub fn main_with<T, H>(server: impl FnOnce(T) -> H + Send) -> ExitCode
where
    T: DeserializeOwned + JsonSchema + Send,
    H: Server,
{
    let settings = Settings::of::<T>();
    start(&settings, Some(H::implementation), |args| settings.read(args).map(|own| move || server(own)))
}

/// A server whose name and version are known before there is one of it: what `#[server]` makes of a type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no server",
    label = "put `#[server]` on the `impl` block with its tools",
    note = "for a `ServerHandler` that is written by hand, write `impl drydock_kit::Server` by hand, too"
)]
pub trait Server: ServerHandler {
    /// What `--version` prints, whatever the settings are.
    fn implementation() -> Implementation;
}

fn start<H: ServerHandler, S: FnOnce() -> H + Send>(
    settings: &Settings,
    known: Option<fn() -> Implementation>,
    server: impl FnOnce(&Args) -> Result<S, CliError>,
) -> ExitCode {
    let program = std::env::args().next().unwrap_or_else(|| "/mcp".into());
    let flags = [&settings.flags(), OPTIONS].concat();
    let spec = CliSpec { options: &flags, ..CliSpec::default() };
    match run(&program, &spec, known, server) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Cli(problem)) => {
            tell(&format!("error: {problem}\n\n{}", help(&program, &spec)));
            ExitCode::from(2)
        }
        Err(problem) => {
            let hint = problem.hint().map(|it| format!("\n\nhint: {it}")).unwrap_or_default();
            tell(&format!("error: {problem}{hint}"));
            ExitCode::FAILURE
        }
    }
}

fn run<H: ServerHandler, S: FnOnce() -> H + Send>(
    program: &str,
    spec: &CliSpec<'_>,
    known: Option<fn() -> Implementation>,
    server: impl FnOnce(&Args) -> Result<S, CliError>,
) -> Result<(), Error> {
    let args = Args::from_env(spec)?;
    #[cfg(feature = "http-client")]
    http::allow_private(args.extra("allow-private").unwrap_or_default()).map_err(CliError::from)?;
    let options = &args.options;
    match args.subcommand {
        Subcommand::Serve => serve(server(&args)?, options),
        Subcommand::Stdio => stdio(server(&args)?, options),
        Subcommand::Health { json } => Ok(control_client::report_health(&options.socket, json)?),
        Subcommand::Help => print(&help(program, spec)),
        Subcommand::Version => {
            let info = match known {
                Some(known) => known(),
                None => server(&args)?().get_info().server_info,
            };
            print(&format!("{} {}\n", info.name, info.version))
        }
    }
}

fn serve<H: ServerHandler>(server: impl FnOnce() -> H + Send, options: &Options) -> Result<(), Error> {
    let log = Log::new(options.log, options.log_format, None);
    start_process_log(log.clone());
    // Sessions are processes of their own; made here once, a server that cannot start is seen at once.
    drop(on_thread("server", || log::sync_scope(&log, server))?);
    ControlServer::bind(options, log, CountOnly)?.run()?;
    Ok(())
}

fn stdio<H: ServerHandler>(server: impl FnOnce() -> H + Send, options: &Options) -> Result<(), Error> {
    let pipes = Arc::new(ClientPipes::take().map_err(Error::Start)?);
    let session = Arc::new(Session::register(options)?);
    start_process_log(session.log().clone());
    let ended = serve_client(server, options, &session, &pipes, Process::Own);
    // Also of one that could not start: without it `serve` would take the process for killed.
    session.end();
    pipes.drain_before_exit();
    ended
}

/// Makes the server, and serves one client.
fn serve_client<H: ServerHandler>(
    server: impl FnOnce() -> H + Send,
    options: &Options,
    session: &Arc<Session>,
    pipes: &Arc<ClientPipes>,
    process: Process,
) -> Result<(), Error> {
    let server = on_thread("server", || {
        let server = log::sync_scope(session.log(), server);
        #[cfg(feature = "http-client")]
        http::set_user_agent(&server.get_info().server_info);
        // `#[server]` makes the tools, with their schemas, when it is first asked for one.
        drop(server.get_tool(""));
        server
    })?;
    // After that thread and not beside it: glibc gives it the memory that the other one left.
    on_thread("session", || session::run(server, options, session, pipes, process))?
}

/// On a thread that then ends, and takes along what was kept in it: rmcp keeps another copy of all schemas there.
fn on_thread<T: Send>(name: &str, work: impl FnOnce() -> T + Send) -> Result<T, Error> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name(name.into()).stack_size(STACK_SIZE);
        let done = thread.spawn_scoped(scope, work).map_err(Error::Start)?.join();
        done.map_or_else(|panic| resume_unwind(panic), Ok)
    })
}

fn start_process_log(log: Log) {
    log::set_process_log(log.clone());
    panic_hook::install(log, |_| {});
}

/// On stderr, if somebody reads it.
fn tell(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Only for subcommands that answer on stdout: never `stdio`.
fn print(text: &str) -> Result<(), Error> {
    use std::io::Write;
    std::io::stdout().write_all(text.as_bytes()).map_err(Error::Stdout)
}
