//! The servers of a workspace: every folder under `servers/` that holds a `server.json`, and the runtime images under
//! `docker/`.
//!
//! Folders -> [`Server`]s, each with its [`Sandbox`] as data. Nothing is run, printed or fetched here. Invariant: a
//! `Server` is valid: its name, version and variables can stand in any argument vector as they are.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let root = tempfile::tempdir()?;
//! let folder = root.path().join("servers/clock");
//! std::fs::create_dir_all(&folder)?;
//! std::fs::write(
//!     folder.join("server.json"),
//!     r#"{ "name": "io.github.ana/clock", "description": "The time", "version": "1.0.0",
//!          "packages": [{ "registryType": "npm", "identifier": "clock", "version": "1.0.0",
//!                         "transport": { "type": "stdio" } }] }"#,
//! )?;
//! let servers = drydock_catalog::load(root.path())?;
//! assert_eq!(servers[0].image(), "drydock/clock:1.0.0");
//! assert_eq!(servers[0].container("test-"), "test-mcp-clock");
//! assert_eq!(servers[0].sandbox.network, drydock_catalog::Network::None, "strict by default");
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

mod error;
mod excerpt;
mod grants;
mod launcher;
mod load;
mod manifest;
mod program;
mod sandbox;
mod server;
mod settings;
#[cfg(test)]
mod tests;

pub use self::error::Error;
pub use self::load::{
    Named, bridge, check_names, load, load_partial, names, pick, pick_each, pick_each_with_runtimes,
    runtime_images, runtime_names,
};
pub use self::manifest::Variable;
pub use self::program::{Pinned, Program, Requirement};
pub use self::sandbox::{LogOptions, Namespace, Network, Sandbox, Seccomp, Tmpfs, User, Volume};
pub use self::server::{Kind, Server, container_name};
