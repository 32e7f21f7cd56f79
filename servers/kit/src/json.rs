//! What a tool returns: structured content and, beside it, lines that a person can read.
//!
//! A value -> `CallToolResult`. Invariant: both say the same thing, since both come from the one value.

mod readable;

use std::borrow::Cow;
use std::fmt::Display;

use rmcp::ErrorData;
use rmcp::handler::server::tool::IntoCallToolResult;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

/// A tool's result. `#[tool]` finds it by name in the return type and advertises the schema of `T`.
///
/// `Json(x)` is readable by itself, a field a line; [`Json::with_text`] and [`Json::with_display`] say it better.
#[derive(Debug, Clone)]
pub struct Json<T: Serialize + JsonSchema + 'static> {
    value: T,
    text: Option<String>,
}

/// A tool's result.
#[expect(non_snake_case, reason = "it makes what it is called like, as a tuple struct's constructor does")]
pub fn Json<T: Serialize + JsonSchema + 'static>(value: T) -> Json<T> {
    Json { value, text: None }
}

impl<T: Serialize + JsonSchema + 'static> Json<T> {
    /// With these words for people, instead of a line for each field.
    #[must_use]
    pub fn with_text(self, text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..self }
    }

    /// With the words of the value's own `Display`.
    #[must_use]
    pub fn with_display(self) -> Self
    where
        T: Display,
    {
        let text = self.value.to_string();
        self.with_text(text)
    }
}

impl<T: Serialize + JsonSchema + 'static> JsonSchema for Json<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: Serialize + JsonSchema + 'static> IntoCallToolResult for Json<T> {
    fn into_call_tool_result(self) -> Result<CallToolResponse, ErrorData> {
        let value = serde_json::to_value(&self.value)
            .map_err(|e| ErrorData::internal_error(format!("the result is not JSON: {e}"), None))?;
        let text = self.text.unwrap_or_else(|| readable::readable(&value));
        let mut result = CallToolResult::structured(value);
        result.content = vec![ContentBlock::text(text)];
        Ok(result.into())
    }
}
