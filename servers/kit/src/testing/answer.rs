//! What a tool answered, and what a test says of it.
//!
//! `CallToolResult` -> values to compare with, or a panic that shows the whole answer. Invariant: structured content that is not as
//! the tool's own output schema says never gets here.

use rmcp::model::{CallToolResult, JsonObject};
use serde_json::Value;

use crate::arguments::mismatch;

/// What a tool answered.
#[derive(Debug, Clone)]
#[must_use = "say what the answer should be: `json`, `text` or `fails`"]
pub struct Answer {
    tool: String,
    result: CallToolResult,
}

impl Answer {
    #[track_caller]
    pub(super) fn new(tool: &str, result: CallToolResult, schema: Option<&JsonObject>) -> Self {
        let answer = Self { tool: tool.to_owned(), result };
        if answer.is_error() {
            return answer;
        }
        match (schema, &answer.result.structured_content) {
            (Some(schema), Some(value)) => {
                if let Some(problem) = mismatch(schema, schema, "", value) {
                    panic!("{answer}\nbut its own output schema says otherwise: {problem}");
                }
            }
            (Some(_), None) => panic!("{answer}\nbut its output schema promises structured content"),
            (None, _) => {}
        }
        answer
    }

    /// The structured content of a call that went well.
    ///
    /// # Panics
    /// It failed, or has none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        self.went_well();
        match &self.result.structured_content {
            Some(value) => value.clone(),
            None => panic!("{self}\nwithout structured content: a tool that returns `Json<T>` has it"),
        }
    }

    /// What people read of a call that went well.
    ///
    /// # Panics
    /// It failed.
    #[must_use]
    #[track_caller]
    pub fn text(&self) -> String {
        self.went_well();
        self.words()
    }

    /// A call that failed, with a message that has this part in it: what the model reads to correct itself.
    ///
    /// # Panics
    /// It went well, or its message says something else.
    #[track_caller]
    pub fn fails(&self, part: &str) {
        assert!(self.is_error(), "{self}\nbut should fail, and say {part:?}");
        assert!(self.words().contains(part), "{self}\nwithout saying {part:?}");
    }

    /// All of it, as rmcp has it.
    #[must_use]
    pub fn result(&self) -> &CallToolResult {
        &self.result
    }

    fn is_error(&self) -> bool {
        self.result.is_error == Some(true)
    }

    #[track_caller]
    fn went_well(&self) {
        assert!(!self.is_error(), "{self}");
    }

    fn words(&self) -> String {
        let texts = self.result.content.iter().filter_map(|it| it.as_text());
        texts.map(|it| it.text.as_str()).collect::<Vec<_>>().join("\n")
    }
}

/// The whole answer, for a person who has to see what is wrong with it.
impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = if self.is_error() { "failed" } else { "answered" };
        write!(f, "`{}` {what}: {}", self.tool, self.words())?;
        match &self.result.structured_content {
            Some(value) => write!(f, "\nstructured: {value}"),
            None => Ok(()),
        }
    }
}
