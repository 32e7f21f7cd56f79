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

use crate::structured;

/// A tool's result. `#[tool]` finds it by name in the return type and advertises the schema of `T`.
///
/// `Json(x)` is readable by itself, a field a line; [`Json::with_text`] and [`Json::with_display`] say it better.
///
/// It is serialised once, straight into what the client gets: inside of a call the `structured_content` of the [`CallToolResult`]
/// that a `call_tool` of one's own sees is not the value but its JSON text, in an object of kit's own. It may be passed on, kept
/// and copied; whoever wants to read the value reads `T`.
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

    pub(crate) fn to_json(&self) -> Result<String, ErrorData> {
        serde_json::to_string(&self.value).map_err(no_json)
    }

    /// With the words of the value's own `Display`.
    #[must_use]
    pub fn with_display(self) -> Self
    where
        T: Display,
    {
        use std::fmt::Write;
        // Grown from nothing, a text of a few hundred bytes would be moved six times.
        let mut text = String::with_capacity(512);
        // As in `to_string`: a `Display` that fails breaks its own promise.
        write!(text, "{}", self.value).expect("its Display implementation returned an error");
        self.with_text(text)
    }
}

fn no_json(error: serde_json::Error) -> ErrorData {
    ErrorData::internal_error(format!("the result is not JSON: {error}"), None)
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
        let json = self.to_json()?;
        let text = self.text.unwrap_or_else(|| readable::readable(&json));
        let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
        result.structured_content = Some(structured::content(json).map_err(no_json)?);
        Ok(result.into())
    }
}
