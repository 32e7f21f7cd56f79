//! Environment variables that `/mcp` reads; each but `STATE` has a flag of the same meaning, which wins.
//!
//! Constants only. Invariant: an empty variable is the same as none.

/// The most that any of the numbers may be.
pub const MAX_NUMBER: usize = 1_000_000;
/// The most children that may be started ahead of time: more only cost memory.
pub const MAX_WARM: usize = 4;

/// Which events are logged: `error`, `warn`, `info` or `debug`.
pub const LOG: &str = "MCP_LOG";
/// How they are written: `human` or `json`.
pub const LOG_FORMAT: &str = "MCP_LOG_FORMAT";
/// Where `serve` listens: a path.
pub const SOCKET: &str = "MCP_SOCKET";
/// After how many seconds of blocked output a session ends.
pub const STALL_TIMEOUT: &str = "MCP_STALL_TIMEOUT";
/// After how many seconds a call is cancelled. Only servers in Rust.
pub const CALL_TIMEOUT: &str = "MCP_CALL_TIMEOUT";
/// Calls of one session at the same time. Only servers in Rust.
pub const MAX_CALLS: &str = "MCP_MAX_CALLS";
/// Sessions at the same time; `0` for no limit.
pub const MAX_SESSIONS: &str = "MCP_MAX_SESSIONS";
/// Which private addresses tools may reach over HTTP, see [`IpNetwork::LIST`](crate::IpNetwork::LIST). Only servers in Rust
/// with kit's HTTP client.
pub const ALLOW_PRIVATE: &str = "MCP_ALLOW_PRIVATE";
/// Children that are started ahead of time. Only wrapped servers.
pub const WARM: &str = "MCP_WARM";
/// Arguments after those of that server: a JSON list of strings. Only wrapped servers.
pub const ARGS: &str = "MCP_ARGS";
/// The file that says what is wrapped: a path. Only wrapped servers.
pub const CONFIG: &str = "MCP_CONFIG";
/// The address on which HTTP is answered, as in `127.0.0.1:8080`. Only wrapped servers.
pub const HTTP: &str = "MCP_HTTP";
/// The folder in which a server keeps what is to stay: a path. Only servers in Rust that keep something.
pub const STATE: &str = "MCP_STATE";
