//! Readable output: what a person sees.
//!
//! Sessions, tools, results, failures -> text. Invariant: everything that a server said is escaped here.

mod result;
mod tools;

pub use result::result;
pub use tools::tools;

use rmcp::model::Implementation;

use crate::{
    failure::Failure,
    handshake::{Agreed, Lifecycle},
    text::{escape, escape_line},
};

/// "weather 0.1.0, MCP 2026-07-28 (server/discover)"
pub fn agreed(agreed: &Agreed) -> String {
    let era = match agreed.lifecycle {
        Lifecycle::Initialize => "initialize",
        Lifecycle::Discover => "server/discover",
    };
    format!("{}, MCP {} ({era})", server(agreed.server.as_ref()), escape_line(&agreed.version))
}

/// "4 tools"
pub fn count(tools: usize) -> String {
    match tools {
        0 => "no tools".into(),
        1 => "1 tool".into(),
        many => format!("{many} tools"),
    }
}

/// What went wrong, the server's last words, and what to do.
pub fn failure(failure: &Failure) -> String {
    let mut text = format!("error: {}", escape(&failure.to_string()));
    if !failure.stderr.is_empty() {
        text.push_str("\n\nthe server's last lines on stderr:");
        for line in &failure.stderr {
            text.push_str(&format!("\n  | {}", escape_line(line)));
        }
    }
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("\n\nhint: {}", escape(hint)));
    }
    text
}

fn server(server: Option<&Implementation>) -> String {
    match server {
        Some(it) => escape_line(&format!("{} {}", it.name, it.version)),
        None => "a server without a name".into(),
    }
}
