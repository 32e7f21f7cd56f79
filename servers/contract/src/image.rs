//! What stands where inside an image, and as whom it runs.
//!
//! Constants only. Invariant: all paths are absolute.

/// The one executable that clients, health checks and xtask know.
pub const ENTRY_POINT: &str = "/mcp";
/// Where `serve` listens, unless [`env::SOCKET`](crate::env::SOCKET) says otherwise.
pub const SOCKET: &str = "/run/mcp.sock";
/// What the bridge wraps, unless [`env::CONFIG`](crate::env::CONFIG) says otherwise.
pub const BRIDGE_CONFIG: &str = "/etc/mcp/bridge.json";
/// The user's home, and where programs start that have no folder of their own.
pub const HOME: &str = "/home/mcp";
/// Where a server in Rust keeps what is to stay, unless [`env::STATE`](crate::env::STATE) says otherwise: a volume, if it is granted.
pub const STATE: &str = "/data";
/// The number of both user and group.
pub const UID: u32 = 65_532;
