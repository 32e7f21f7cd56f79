//! What a tool returns: structured content and, beside it, text that a person can read.
//!
//! A value -> `CallToolResult`. Invariant: both say the same thing, since both come from the one value.

use std::borrow::Cow;
use std::fmt::Display;

use rmcp::ErrorData;
use rmcp::handler::server::tool::IntoCallToolResult;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

/// A tool's result. `#[tool]` finds it by name in the return type and advertises the schema of `T`.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<T: JsonSchema> JsonSchema for Json<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: Serialize + JsonSchema + Display + 'static> IntoCallToolResult for Json<T> {
    fn into_call_tool_result(self) -> Result<CallToolResponse, ErrorData> {
        let value = serde_json::to_value(&self.0)
            .map_err(|e| ErrorData::internal_error(format!("the result is not JSON: {e}"), None))?;
        let mut result = CallToolResult::structured(value);
        result.content = vec![ContentBlock::text(self.0.to_string())];
        Ok(result.into())
    }
}
