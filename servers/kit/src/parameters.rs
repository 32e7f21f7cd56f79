//! The arguments of a tool or prompt as a type of one's own.
//!
//! JSON object -> `T`, or an error that names field and value. Invariant: what comes here was checked against the advertised schema
//! (`arguments.rs`).

use std::borrow::Cow;

use rmcp::ErrorData;
use rmcp::handler::server::common::{FromContextPart, schema_for_input};
use rmcp::handler::server::prompt::PromptContext;
use rmcp::handler::server::tool::ToolCallContext;
use rmcp::model::{ErrorCode, JsonObject};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::arguments::{misfit, prepare};

/// The arguments of a tool or prompt. `#[tool]` and `#[prompt]` find it by name in the signature and advertise the schema of `T`.
///
/// Rules are written once, as schemars takes them: `#[schemars(range(min = 1, max = 16))]`, `#[schemars(length(max = 80))]` of a
/// string (in characters) or a list. They stand in the schema that clients see, and each call is checked against that very schema.
/// Add `#[serde(deny_unknown_fields)]` so that a misspelt argument is an error too. `2.0` is an integer, as in JSON Schema, and
/// `null` for an argument that may be left out is as good as leaving it out. A violation is not a protocol error
/// but a result with `isError`, so that the model that called reads it and can correct itself:
///
/// ```text
/// `days` is 20, and must be 1 to 16
/// ```
///
/// Clients see the schema in plain words: without Rust's formats (a `u8` is an integer from 0 to 255, and one of 64 bits goes
/// to 2^53 - 1 unless its `range` says otherwise, since JavaScript knows no larger one for certain), without references
/// where no type holds itself, and an enum of unit variants as one list, with the variants' comments in its description.
/// A `pattern` is told to clients and not checked: look at such a string in the tool.
///
/// schemars drops, without a word, a rule that does not go with its field's type: a `range` of a string, a `length` of a number, of
/// a map, or of a type of your own (write it on the field in there). Of `#[garde(..)]` and `#[validate(..)]` it reads `range`,
/// `length` and patterns, and nobody the rest. Keep the schema in a file (`testing`'s `snapshot`), and you see what is left.
#[derive(Debug, Clone)]
pub struct Parameters<T: DeserializeOwned + JsonSchema + 'static>(pub T);

impl<T: DeserializeOwned + JsonSchema> JsonSchema for Parameters<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Arguments that break their schema, on their way from here to the `CallLimiter`, which makes a result with `isError` of
/// them: rmcp does so only with a message that begins with its own words, and has no other way. No client sees the code.
pub(crate) const INVALID_ARGUMENTS: ErrorCode = ErrorCode(-1_000_301);

impl<S, T: DeserializeOwned + JsonSchema> FromContextPart<ToolCallContext<'_, S>> for Parameters<T> {
    fn from_context_part(context: &mut ToolCallContext<'_, S>) -> Result<Self, ErrorData> {
        deserialize(context.arguments.take().unwrap_or_default())
            .map_err(|problem| ErrorData::new(INVALID_ARGUMENTS, problem, None))
    }
}

/// A prompt's arguments are filled in by a person; a violation is a protocol error, as the specification has it.
impl<S, T: DeserializeOwned + JsonSchema> FromContextPart<PromptContext<'_, S>> for Parameters<T> {
    fn from_context_part(context: &mut PromptContext<'_, S>) -> Result<Self, ErrorData> {
        let schema = schema_for_input::<Self>().map_err(|it| ErrorData::internal_error(it, None))?;
        prepare(&schema, &mut context.arguments)
            .and_then(|()| deserialize(context.arguments.take().unwrap_or_default()))
            .map_err(|problem| ErrorData::invalid_params(format!("invalid arguments: {problem}"), None))
    }
}

fn deserialize<T: DeserializeOwned + JsonSchema>(arguments: JsonObject) -> Result<Parameters<T>, String> {
    let arguments = Value::Object(arguments);
    serde_path_to_error::deserialize(&arguments).map(Parameters).map_err(|err| {
        let path = err.path().to_string();
        let problem = err.into_inner().to_string();
        match (path.as_str(), &arguments) {
            (".", _) => problem,
            (path, Value::Object(arguments)) => misfit(arguments, path, &problem),
            _ => problem,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Trip {
        #[schemars(length(min = 1, max = 5))]
        name: String,
        #[schemars(range(min = 1, max = 16))]
        days: u8,
    }

    fn problem(arguments: Value) -> String {
        let Value::Object(arguments) = arguments else { panic!("not an object: {arguments}") };
        deserialize::<Trip>(arguments).unwrap_err()
    }

    #[test]
    fn what_does_not_deserialise_is_named() {
        let Value::Object(good) = json!({"name": "Z", "days": 16}) else { unreachable!() };
        let trip: Trip = deserialize(good).unwrap().0;
        assert_eq!((trip.name.as_str(), trip.days), ("Z", 16));
        for (arguments, expected) in [
            (
                json!({"name": "a", "days": "two"}),
                "`days` is \"two\", but: invalid type: string \"two\", expected u8",
            ),
            (
                json!({"name": "a", "days": 1, "dayz": 2}),
                "`dayz` is 2, but: unknown field `dayz`, expected `name` or `days`",
            ),
            (json!({"name": "a"}), "missing field `days`"),
            (
                json!({"name": "a", "days": 2.5}),
                "`days` is 2.5, but: invalid type: floating point `2.5`, expected u8",
            ),
            (json!({"name": null, "days": 2}), "`name` is null, but: invalid type: null, expected a string"),
        ] {
            assert_eq!(problem(arguments), expected);
        }
    }

    #[test]
    fn the_schema_advertises_what_is_checked() {
        let schema = schema_for_input::<Parameters<Trip>>().unwrap();
        assert_eq!(schema["properties"]["days"]["maximum"], 16);
        assert_eq!(schema["properties"]["name"]["maxLength"], 5);
        assert_eq!(schema["additionalProperties"], false);
    }
}
