//! Readable output: what a person sees.
//!
//! Sessions, tools, results, errors -> text. Invariant: everything that a server said is escaped here.

mod result;
mod tools;

pub use result::result;
pub use tools::tools;

use rmcp::model::Implementation;

use crate::{
    error::Error,
    escape::{escape, escape_line},
    handshake::{Lifecycle, Negotiated},
};

/// Who answered, and how: "weather 0.1.0, MCP 2026-07-28 (server/discover)".
pub fn negotiated(negotiated: &Negotiated) -> String {
    let lifecycle = match negotiated.lifecycle {
        Lifecycle::Initialize => "initialize",
        Lifecycle::Discover => "server/discover",
    };
    format!("{}, MCP {} ({lifecycle})", server(negotiated.server.as_ref()), escape_line(&negotiated.version))
}

/// That a server was asked a second time, and why.
pub fn first_try(reason: &str) -> String {
    format!("note: the server was asked twice, from the start: {}", escape_line(reason))
}

/// How many tools: "4 tools".
pub fn count(tools: usize) -> String {
    match tools {
        0 => "no tools".into(),
        1 => "1 tool".into(),
        many => format!("{many} tools"),
    }
}

/// What `drydock-connect` writes to stderr: the message and, where there is one, the hint.
pub fn error(error: &Error) -> String {
    let text = format!("error: {}", message(error));
    match &error.hint {
        Some(hint) => format!("{text}\n\nhint: {}", escape(hint)),
        None => text,
    }
}

/// What went wrong and the server's last lines, without the hint.
pub fn message(error: &Error) -> String {
    let mut text = escape(&error.to_string());
    if !error.stderr.is_empty() {
        text.push_str("\n\nthe server's last lines on stderr:");
        for line in &error.stderr {
            text.push_str(&format!("\n  | {}", escape_line(line)));
        }
    }
    text
}

fn server(server: Option<&Implementation>) -> String {
    match server {
        Some(it) => escape_line(&format!("{} {}", it.name, it.version)),
        None => "a server without a name".into(),
    }
}
