//! What `/mcp` can be asked to do.
//!
//! Constants only. Invariant: every `/mcp` knows all of them.

/// The container's long-lived process.
pub const SERVE: &str = "serve";
/// One MCP session on stdin and stdout.
pub const STDIO: &str = "stdio";
/// Exits with 0 when `serve` is ready; with `--json` it prints a [`Health`](crate::Health).
pub const HEALTH: &str = "health";
