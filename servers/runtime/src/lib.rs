//! What every `/mcp` shares, whether it is a Rust server of ours or the bridge to a server that is not: the verbs,
//! the health socket, the count of sessions, the log that reaches PID 1, and the clock that ends a dead session, and what is done at
//! its end.
//!
//! Invariant: nothing here knows MCP beyond the names of methods, and nothing here writes to stdout but `health`.

pub mod args;
pub mod linger;
pub mod link;
pub mod log;
pub mod stall;
pub mod station;
