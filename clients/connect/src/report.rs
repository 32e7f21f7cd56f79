//! The JSON that `--json` prints: one shape for every command, a key that does not apply is left out.
//!
//! | key | holds |
//! |---|---|
//! | `ok` | whether all went well: `true` exactly when the exit code is 0 |
//! | `protocol` | `version`, and `lifecycle`: `discover` or `initialize` |
//! | `first_try` | why the server was asked a second time, from the start; left out where it was not |
//! | `server` | `name`, `title`, `version`, as the server says |
//! | `instructions` | the server's instructions to models (`check`, `tools`) |
//! | `tool_names` | the names of all tools (`check`) |
//! | `tools` | the tools as MCP has them: `name`, `inputSchema`, ... (`tools`) |
//! | `tool`, `result` | the tool called, its result as MCP has it: `content`, `structuredContent`, `isError` (`call`) |
//! | `ms` | milliseconds that the steps took: `start`, `handshake` (with a first try that failed), `list`, `call` |
//! | `error` | see below |
//!
//! | key of `error` | holds |
//! |---|---|
//! | `kind` | what a program decides by: `usage`, `cannot-start`, `disconnected`, `timeout`, `interrupted`, `rejected`, `version`, `protocol`, `limit`, `unsupported` ([`ErrorKind`]) |
//! | `step` | the step that failed: `start`, `handshake`, `list`, `call` |
//! | `reason` | what happened, raw, as the server sent it |
//! | `message` | the same for people, escaped for a terminal: step, reason and the server's last lines; what stderr shows between `error: ` and the hint |
//! | `hint` | what to do about it, escaped as well; left out where we know nothing |
//! | `stderr` | the server's last lines, raw |
//!
//! Exit codes: 0 all went well; 1 the tool answered with an error (`result.isError`); 2 `error.kind` is `usage`, or the
//! command line is wrong (then there is no report); 3 any other `error.kind`; 128+N ended by signal N.
//!
//! Invariant: field names and kinds never change meaning; new ones may come.

use std::time::Duration;

use rmcp::model::{CallToolResult, Tool};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    error::{Error, ErrorKind, Step},
    escape::{escape, escape_json, pretty_json},
    handshake::Negotiated,
    print,
    session::Session,
};

/// What `--json` prints, its keys in this order.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Whether all went well; also false when the tool's own result is an error.
    pub ok: bool,
    /// The version of the protocol, and how it was negotiated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Negotiated>,
    /// Why the server was asked a second time, from the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_try: Option<String>,
    /// `name`, `title` and `version`, as the server says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Value>,
    /// The server's instructions to models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// The names of all tools, for `check`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_names: Option<Vec<String>>,
    /// All tools as the server has them, for `tools`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<Tool>>,
    /// The name of the tool that was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Its result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<CallToolResult>,
    /// Milliseconds of each step, to a tenth.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub ms: Map<String, Value>,
    /// Why there is no result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

/// An [`Error`], with its text for people beside the parts for programs.
#[derive(Debug, Serialize)]
pub struct ErrorReport {
    /// What to decide by.
    pub kind: ErrorKind,
    /// The step that failed.
    pub step: Step,
    /// What happened, raw.
    pub reason: String,
    /// Step, reason and the server's last lines, escaped for a terminal; without the hint.
    pub message: String,
    /// What to do about it, escaped for a terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The last lines that the server wrote to its stderr, raw.
    pub stderr: Vec<String>,
}

impl From<Error> for ErrorReport {
    fn from(error: Error) -> Self {
        let message = print::message(&error);
        let Error { kind, step, reason, hint, stderr } = error;
        Self { kind, step, reason, message, hint: hint.as_deref().map(escape), stderr }
    }
}

impl Report {
    /// What every command reports that succeeds.
    pub fn of(session: &Session) -> Self {
        let negotiated = session.negotiated();
        let server = negotiated.server.as_ref();
        Self {
            ok: true,
            server: server.map(|it| json!({ "name": it.name, "title": it.title, "version": it.version })),
            protocol: Some(negotiated.clone()),
            first_try: session.first_try().map(str::to_owned),
            ms: session
                .timings()
                .iter()
                .map(|(step, time)| (step.to_string(), milliseconds(*time)))
                .collect(),
            ..Self::default()
        }
    }

    /// What every command reports that fails.
    pub fn failed(error: Error) -> Self {
        Self { error: Some(error.into()), ..Self::default() }
    }

    /// Ready to print: escaped like everything that comes from a server.
    pub fn to_json(&self) -> String {
        let text = pretty_json(self)
            .unwrap_or_else(|err| json!({ "ok": false, "error": err.to_string() }).to_string());
        escape_json(&text)
    }
}

/// To a tenth.
fn milliseconds(time: Duration) -> Value {
    json!((time.as_secs_f64() * 10_000.0).round() / 10.0)
}
