//! What every `/mcp` is made of, whether it is a Rust server of ours or the bridge to a server that is not: the command
//! line, the control server and its client, sessions, the log that reaches PID 1, the clock that ends a dead session, and
//! what is done at its end. The names and messages themselves stand in `drydock_contract`.
//!
//! Invariant: nothing here knows MCP beyond the names of methods, and nothing here writes to stdout but `health`.
//!
//! ```no_run
//! use drydock_runtime::args::{Args, CliSpec, Subcommand};
//! use drydock_runtime::control_client;
//!
//! let args = Args::from_env(&CliSpec::default())?;
//! if let Subcommand::Health { json } = args.subcommand {
//!     control_client::report_health(&args.options.socket, json)?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_docs)]

pub mod args;
pub mod client_pipes;
pub mod control_client;
pub mod control_server;
mod control_socket;
pub mod drain_stdout;
mod error;
pub mod ipc;
pub mod log;
pub mod oom_kills;
pub mod output;
pub mod panic_hook;
pub mod platform;
pub mod session;
pub mod signals;
pub mod stall;
pub mod stderr_tail;

pub use drydock_contract as contract;
pub use error::Error;
