//! A tool's arguments, deserialised and checked against the rules that its schema advertises.
//!
//! JSON object -> `T`, or an error that names field, value and rule. Invariant: a tool never sees arguments that
//! break their own schema.

use std::borrow::Cow;

use garde::Validate;
use rmcp::ErrorData;
use rmcp::handler::server::common::FromContextPart;
use rmcp::handler::server::tool::ToolCallContext;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

/// A tool's arguments. `#[tool]` finds it by name in the signature and advertises the schema of `T`.
#[derive(Debug, Clone)]
pub struct Parameters<T>(pub T);

impl<T: JsonSchema> JsonSchema for Parameters<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<S, T> FromContextPart<ToolCallContext<'_, S>> for Parameters<T>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    fn from_context_part(context: &mut ToolCallContext<'_, S>) -> Result<Self, ErrorData> {
        let arguments = serde_json::Value::Object(context.arguments.take().unwrap_or_default());
        let value: T = serde_path_to_error::deserialize(&arguments)
            .map_err(|e| ErrorData::invalid_params(format!("failed to deserialize parameters: {e}"), None))?;
        value
            .validate()
            .map_err(|e| ErrorData::invalid_params(format!("failed to deserialize parameters: {e}"), None))?;
        Ok(Self(value))
    }
}
