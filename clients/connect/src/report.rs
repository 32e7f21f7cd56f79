//! The JSON that `--json` prints: one shape for every verb, a key that does not apply is left out.
//!
//! | key | holds |
//! |---|---|
//! | `ok` | whether all went well: the exit code in one word |
//! | `protocol` | `version`, and `lifecycle`: `discover` or `initialize` |
//! | `server` | `name`, `title`, `version`, as the server says |
//! | `instructions` | the server's instructions to models (`check`, `tools`) |
//! | `tool_names` | the names of all tools (`check`) |
//! | `tools` | the tools as MCP has them: `name`, `inputSchema`, ... (`tools`) |
//! | `tool`, `result` | the tool called, its result as MCP has it: `content`, `structuredContent`, `isError` (`call`) |
//! | `ms` | milliseconds that the steps took: `start`, `handshake`, `list`, `call` |
//! | `error` | `step`, `reason`, `hint`, `stderr` (the server's last lines) |
//!
//! Invariant: field names never change meaning; new ones may come.

use rmcp::model::{CallToolResult, Tool};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{failure::Failure, handshake::Agreed, session::Session, text::escape_json};

#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Agreed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_names: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<Tool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<CallToolResult>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub ms: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

impl Report {
    /// What every successful verb reports.
    pub fn of(session: &Session) -> Self {
        let agreed = session.agreed();
        let server = agreed.server.as_ref();
        Self {
            ok: true,
            server: server.map(|it| json!({ "name": it.name, "title": it.title, "version": it.version })),
            protocol: Some(agreed.clone()),
            ms: session
                .took()
                .iter()
                .map(|(step, took)| (step.to_string(), tenths(took.as_secs_f64())))
                .collect(),
            ..Self::default()
        }
    }

    pub fn failed(failure: Failure) -> Self {
        Self { error: Some(failure), ..Self::default() }
    }

    /// Ready to print: escaped like everything that comes from a server.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self)
            .unwrap_or_else(|err| json!({ "ok": false, "error": err.to_string() }).to_string());
        escape_json(&text)
    }
}

fn tenths(seconds: f64) -> Value {
    json!((seconds * 10_000.0).round() / 10.0)
}
