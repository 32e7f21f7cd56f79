//! MCP frames in, MCP frames out: one client, and a server behind it that may be replaced at any time.
//!
//! Lines of a client and of its servers -> lines for both. [`Session`] decides, and has neither clock nor pipes; [`hold`] is
//! the program around it: pipes, processes, time. Invariants: what is passed on is passed on byte for byte, but for ids and tokens
//! that have to be others, and for the word that lists may change; and every request of a client that lives gets one answer.
//! A line of several messages is passed on as several lines.
//!
//! ```text
//! client --- drydock-hold --- docker exec -i mcp-NAME /mcp stdio      the first server
//!                        \--- docker exec -i mcp-NAME /mcp stdio      the next, after the first has ended
//! ```

#![warn(missing_docs)]

/// Whether a test has planted this mistake, to see that it is found.
macro_rules! planted {
    ($session:expr, $bug:ident) => {{
        #[cfg(test)]
        let is_planted = $session.planted == Some(crate::simulation::Bug::$bug);
        #[cfg(not(test))]
        let is_planted = false;
        is_planted
    }};
}

mod callbacks;
mod cli;
pub mod frame;
mod handshake;
pub mod hold;
mod lines;
mod lists;
mod messages;
mod method;
mod outgoing;
mod requests;
mod server_process;
mod session;
#[cfg(test)]
mod simulation;

pub use cli::run;
pub use session::{Action, Output, Session, Settings};

/// How long a session has lived.
pub type Time = std::time::Duration;
