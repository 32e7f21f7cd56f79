//! What every `/mcp`, its sessions and xtask agree on: the messages on the control socket, the health record, the names of
//! subcommands, variables, labels and paths inside an image, networks of addresses, and what no terminal is shown.
//!
//! Names, types and text only: nothing here opens, runs or prints anything. Invariant: each name stands here and nowhere else.
//!
//! ```
//! use drydock_contract::{ControlMessage, Health, env, image, subcommand};
//!
//! let line = ControlMessage::HealthReport(Health { ready: true, ..Health::default() }).to_string();
//! assert!(matches!(line.parse(), Ok(ControlMessage::HealthReport(health)) if health.ready));
//! assert_eq!([image::ENTRY_POINT, subcommand::STDIO], ["/mcp", "stdio"]);
//! assert_eq!(env::MAX_SESSIONS, "MCP_MAX_SESSIONS");
//! ```

#![warn(missing_docs)]

pub mod env;
mod health;
pub mod image;
mod ip_network;
pub mod label;
mod message;
pub mod subcommand;
pub mod terminal;

pub use health::Health;
pub use ip_network::{IpNetwork, IpNetworkError};
pub use message::{ControlMessage, MessageError, ServerExit, SessionKind};
