//! What went wrong between us and a server, and at which step.
//!
//! Step + reason (+ hint, + the server's last words) -> `Failure`. Invariant: the texts are raw, as the server sent
//! them: whoever prints them escapes them (see text.rs).

use std::fmt;

use serde::Serialize;

/// The steps of a session, each with its own time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    Start,
    Handshake,
    List,
    Call,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Handshake => "handshake",
            Self::List => "list",
            Self::Call => "call",
        })
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    pub step: Step,
    pub reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The last lines that the server wrote to its stderr.
    pub stderr: Vec<String>,
}

impl Failure {
    pub(crate) fn new(step: Step, reason: impl Into<String>) -> Self {
        Self { step, reason: clip(reason.into()), hint: None, stderr: Vec::new() }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.step, self.reason)
    }
}

impl std::error::Error for Failure {}

/// An error with what caused it, in one line.
pub(crate) fn chain(err: &(dyn std::error::Error + 'static)) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// A server may answer with a megabyte of error: the beginning says enough.
fn clip(text: String) -> String {
    const MOST: usize = 2_000;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}... ({} bytes)", &text[..at], text.len()),
        None => text,
    }
}
