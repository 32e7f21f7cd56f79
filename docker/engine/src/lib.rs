//! The docker command line, and what is like it: finds it, composes its arguments, runs it, and reads what it shows.
//!
//! Servers and names -> argument vectors -> [`Container`]s, [`Image`]s, log lines. Invariants: nothing else runs an engine
//! or composes its arguments, there is no shell between us and it, and a sandbox counts only once it was read back whole.
//!
//! ```
//! use drydock_engine::docker_args;
//!
//! // What a client starts for one session:
//! assert_eq!(docker_args::exec_stdio("mcp-weather"), ["exec", "-i", "mcp-weather", "/mcp", "stdio"]);
//! ```

#![warn(missing_docs)]

pub mod archive;
mod cli;
pub mod docker_args;
mod error;
mod examine;
mod flags;
mod images;
mod inspect;
mod inventory;
mod location;
mod parallel;
mod pipe;
pub mod process;
pub mod proxies;
mod prune;
pub mod trial;
mod usage;
mod verify;
mod volumes;
pub mod workbench;

pub use self::cli::{Cli, Engine, error_text, find, installed};
pub use self::error::Error;
pub use self::examine::{Expected, examine};
pub use self::images::{count_images, find_image, has_image, image, image_names_of};
pub use self::inspect::{Container, Image, Owner, container, containers, health, stop_and_remove};
pub use self::inventory::{Inventory, healths, inventory};
pub use self::location::Location;
pub use self::prune::{Pruned, prunable, prune};
pub use self::usage::{Usage, usage};
pub use self::verify::{unmet, verify};
pub use self::volumes::{give_volumes, volumes_of};
pub use self::workbench::{Limits, Step, Workbench};
