//! `/mcp` for servers that are not Drydock's own (from npm, from `PyPI`, any program): it starts them ahead of time,
//! gives each session a process of its own, relays its bytes, logs its requests, and ends it for certain.
//!
//! Command line -> one of the subcommands that every `/mcp` has. Invariant: it changes no byte of the protocol.
//!
//! ```text
//! /mcp serve --- /mcp supervise --- the wrapped server, waiting         (one per warm child)
//!           \--- /mcp supervise --- the wrapped server, in a session
//!                     |               | its stdin and stdout
//! client --- docker exec --- /mcp stdio
//! ```
//!
//! [`run`] is the whole program `mcp`. [`jsonrpc_scanner`] is public for fuzzers and benchmarks: it reads every byte
//! that passes.
//!
//! It runs in containers, and so on Linux alone: subreapers, pidfds and `/proc` have no match elsewhere. On other systems
//! the crate is empty, so that the workspace compiles.

#![cfg(target_os = "linux")]
#![warn(missing_docs)]

mod child_spec;
mod cli;
mod config;
mod error;
mod http;
mod in_flight;
pub mod jsonrpc_scanner;
mod process_tree;
mod relay;
mod serve;
mod stdio;
mod supervisor;

pub use cli::run;
pub use error::{ConfigError, Error};
