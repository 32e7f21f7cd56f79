//! What Drydock writes into the configuration files of AI clients.
//!
//! `clients/*.toml` -> clients, their files, our entries in them, and the ledger of what is ours. Invariant: only this
//! crate writes a user's file, and a byte that is not ours never changes.
//!
//! ```
//! use drydock_config::client::{self, HostEnv, Scope, StdioCommand, System};
//! use drydock_config::entries::{ChangeOptions, ClientConfigFile, DesiredEntry, EntryAction};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let home = tempfile::tempdir()?;
//! # let home = home.path();
//! # let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
//! // A person's file, in a temporary home folder, and the folder for the ledger and the backups.
//! let file = home.join(".cursor/mcp.json");
//! let before = "{\n\t// mine\n\t\"mcpServers\": {}\n}\n";
//! std::fs::create_dir(home.join(".cursor"))?;
//! std::fs::write(&file, before)?;
//! let state = home.join("state");
//!
//! // What `clients/cursor.toml` says of Cursor, and the file that it reads here.
//! let cursor = client::pick(root, &["cursor".to_owned()])?.remove(0);
//! let host_env = HostEnv::new(System::Linux, home, &[]);
//! let config_file = ClientConfigFile::of(&cursor, Scope::User, &host_env, home)?;
//! assert_eq!(config_file.path, file);
//!
//! let args = ["exec", "-i", "mcp-weather", "/mcp", "stdio"].map(String::from).to_vec();
//! let command = StdioCommand { command: "docker".into(), args, ..Default::default() };
//! let entry = cursor.stdio_entry("weather", &command);
//! let desired = [DesiredEntry { name: "weather".into(), server: None, entry }];
//! let outcome = config_file.install(&state, &desired, ChangeOptions::default())?;
//! assert_eq!(outcome.entries, [("weather".to_owned(), EntryAction::Added)]);
//! assert_eq!(cursor.stdio_command(&host_env, home, Scope::User, "weather")?, command);
//!
//! // Out again: every byte is as it was.
//! config_file.uninstall(&state, &["weather".to_owned()], ChangeOptions::default())?;
//! assert_eq!(std::fs::read_to_string(&file)?, before);
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

pub mod client;
pub mod drift;
pub mod entries;
mod error;
pub mod file;
mod fingerprint;
pub mod ledger;

pub use self::error::{Error, ErrorKind, Result};
