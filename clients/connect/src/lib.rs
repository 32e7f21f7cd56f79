//! Drydock's own MCP client: what `check`, `tools`, `call` and the tests connect with.
//!
//! A [`Target`] (a command or a URL) -> a [`Session`] -> tools and results, or an [`Error`] that names the step that
//! failed. Invariant: a server that we started is ended before [`Session::close`], or an error, comes back.
//!
//! ```no_run
//! # async fn example() -> Result<(), drydock_connect::Error> {
//! use drydock_connect::{Options, Session, Target};
//!
//! let target = Target::Command(["docker", "exec", "-i", "mcp-weather", "/mcp", "stdio"].map(Into::into).to_vec());
//! let mut session = Session::open(&target, &Options::default()).await?;
//! for tool in session.tools().await? {
//!     eprintln!("{}", tool.name);
//! }
//! session.close().await;
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

mod arguments;
mod child;
mod error;
mod escape;
mod handshake;
mod http;
mod intake;
pub mod print;
mod process_group;
mod report;
mod schema;
mod session;
mod stderr_tail;
mod suggest;

pub use arguments::{arguments, find_tool, needs_schema};
pub use error::{Error, ErrorKind, Step};
pub use escape::escape;
pub use handshake::{Lifecycle, Negotiated, Protocol};
pub use report::{ErrorReport, Report};
pub use session::{Options, Session, Target};
