//! Drydock's own MCP client: what `check`, `tools`, `call` and the tests connect with.
//!
//! A [`Target`] (a command or a URL) -> a [`Session`] -> tools and results, or a [`Failure`] that names the step that
//! failed. Invariant: a server that we started is ended before [`Session::close`], or a failure, comes back.
//!
//! ```no_run
//! # async fn example() -> Result<(), drydock_connect::Failure> {
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

mod arguments;
mod child;
mod failure;
mod group;
mod handshake;
mod http;
pub mod print;
mod report;
mod schema;
mod session;
mod stderr;
mod text;

pub use arguments::{arguments, need_schema};
pub use failure::{Failure, Step};
pub use handshake::{Agreed, Lifecycle, Protocol};
pub use report::Report;
pub use session::{Options, Session, Target};
pub use text::escape;
