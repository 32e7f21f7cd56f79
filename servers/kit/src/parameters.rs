//! The arguments of a tool or prompt, deserialised and checked against the rules that its schema advertises.
//!
//! JSON object -> `T`, or an error that names field, value and rule. Invariants: no tool ever sees arguments that
//! break their own schema, and what the advertised schema takes is not refused for how its numbers are written.

mod rule;

use std::borrow::Cow;
use std::sync::Arc;

use drydock_runtime::log::escape;
use garde::Validate;
use rmcp::ErrorData;
use rmcp::handler::server::common::{FromContextPart, schema_for_input};
use rmcp::handler::server::prompt::PromptContext;
use rmcp::handler::server::tool::ToolCallContext;
use rmcp::model::{ErrorCode, JsonObject};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::schema::normalize;

/// The arguments of a tool or prompt. `#[tool]` and `#[prompt]` find it by name in the signature and advertise the schema of `T`.
///
/// A JSON schema's rules come from `#[garde(..)]` attributes, which are also what is checked here. Add
/// `#[serde(deny_unknown_fields)]` so that a misspelt argument is an error too. `2.0` is an integer, as in JSON Schema, and
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
/// Say `length(chars, ..)` of a text: without `chars` garde counts bytes, but clients are told characters.
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

/// Arguments that break their schema, on their way from here to the `CallLimiter`, which makes a result with `isError` of
/// them: rmcp does so only with a message that begins with its own words, and has no other way. No client sees the code.
pub(crate) const INVALID_ARGUMENTS: ErrorCode = ErrorCode(-1_000_301);

impl<S, T> FromContextPart<ToolCallContext<'_, S>> for Parameters<T>
where
    T: DeserializeOwned + JsonSchema + Validate<Context = ()> + 'static,
{
    fn from_context_part(context: &mut ToolCallContext<'_, S>) -> Result<Self, ErrorData> {
        extract(&mut context.arguments, schema_of::<T>)
            .map_err(|text| ErrorData::new(INVALID_ARGUMENTS, text, None))
    }
}

/// A prompt's arguments are filled in by a person; a violation is a protocol error, as the specification has it.
impl<S, T> FromContextPart<PromptContext<'_, S>> for Parameters<T>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    fn from_context_part(context: &mut PromptContext<'_, S>) -> Result<Self, ErrorData> {
        let no_schema = || None; // all of them are strings
        extract(&mut context.arguments, no_schema)
            .map_err(|text| ErrorData::invalid_params(format!("invalid arguments: {text}"), None))
    }
}

/// Looked up only where something is wrong.
type FindSchema = fn() -> Option<Arc<JsonObject>>;

fn extract<T>(arguments: &mut Option<JsonObject>, schema: FindSchema) -> Result<Parameters<T>, String>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    let mut arguments = Value::Object(arguments.take().unwrap_or_default());
    // Most arguments are in the form that serde takes: only what it refuses is worth a look at the schema.
    let checked = match deserialize(&arguments, schema) {
        Err(_) if schema().is_some_and(|it| normalize(&it, &mut arguments)) => {
            deserialize(&arguments, schema)
        }
        other => other,
    };
    checked.and_then(|it| check(it, &arguments, schema)).map(Parameters)
}

/// The one that rmcp made for the list of tools, and kept.
fn schema_of<T: JsonSchema + 'static>() -> Option<Arc<JsonObject>> {
    schema_for_input::<Parameters<T>>().ok()
}

fn deserialize<T: DeserializeOwned>(arguments: &Value, schema: FindSchema) -> Result<T, String> {
    serde_path_to_error::deserialize(arguments).map_err(|e| {
        let path = e.path().to_string();
        let problem = e.into_inner().to_string();
        if path == "." { problem } else { violation(arguments, schema, &path, &problem) }
    })
}

fn check<T: Validate<Context = ()>>(value: T, arguments: &Value, schema: FindSchema) -> Result<T, String> {
    match value.validate() {
        Ok(()) => Ok(value),
        Err(report) => {
            let mut all: Vec<String> = report
                .iter()
                .map(|(path, problem)| violation(arguments, schema, &path.to_string(), &problem.to_string()))
                .collect();
            all.sort();
            Err(all.join("; "))
        }
    }
}

/// `problem` is for what the schema's own words do not say.
fn violation(arguments: &Value, schema: FindSchema, path: &str, problem: &str) -> String {
    const MAX_VALUE: usize = 100;
    let path = escape(path);
    let Some(value) = look_up(arguments, &path) else { return format!("`{path}`: {problem}") };
    let rule = schema().and_then(|it| rule::broken(&it, &path, value));
    let mut value = value.to_string();
    if let Some((end, _)) = value.char_indices().nth(MAX_VALUE) {
        value.truncate(end);
        value.push_str("...");
    }
    match rule {
        Some(rule) => format!("`{path}` is {}, and must {rule}", escape(&value)),
        None => format!("`{path}` is {}, but: {problem}", escape(&value)),
    }
}

/// Finds `a.b[2].c`, as serde and garde both write paths.
fn look_up<'a>(arguments: &'a Value, path: &str) -> Option<&'a Value> {
    path.split(['.', '[']).try_fold(arguments, |at, step| match step.strip_suffix(']') {
        Some(index) => at.get(index.parse::<usize>().ok()?),
        None => at.get(step),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate)]
    #[serde(deny_unknown_fields)]
    struct Trip {
        #[garde(length(chars, min = 1, max = 5))]
        name: String,
        #[garde(range(min = 1, max = 16))]
        days: u8,
        #[serde(default)]
        #[garde(dive)]
        stops: Vec<Stop>,
    }

    #[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate)]
    struct Stop {
        #[garde(range(min = -90.0, max = 90.0))]
        latitude: f64,
    }

    fn read<T>(arguments: Value) -> Result<T, String>
    where
        T: DeserializeOwned + JsonSchema + Validate<Context = ()> + 'static,
    {
        let Value::Object(arguments) = arguments else { panic!("not an object: {arguments}") };
        extract(&mut Some(arguments), schema_of::<T>).map(|it| it.0)
    }

    fn problem(arguments: Value) -> String {
        read::<Trip>(arguments).unwrap_err()
    }

    #[test]
    fn good_arguments_pass_and_length_is_in_characters() {
        let trip: Trip = read(json!({"name": "Zürch", "days": 16, "stops": [{"latitude": 47.4}]})).unwrap();
        assert_eq!((trip.name.as_str(), trip.days, trip.stops.len()), ("Zürch", 16, 1));
    }

    #[test]
    fn every_broken_rule_is_named_with_path_value_and_rule() {
        assert_eq!(
            problem(json!({"name": "", "days": 20, "stops": [{"latitude": 1}, {"latitude": 99}]})),
            "`days` is 20, and must be 1 to 16; `name` is \"\", and must have 1 to 5 characters; \
             `stops[1].latitude` is 99, and must be -90 to 90"
        );
    }

    #[test]
    fn what_does_not_deserialise_is_named_too() {
        assert_eq!(
            problem(json!({"name": "a", "days": "two"})),
            "`days` is \"two\", but: invalid type: string \"two\", expected u8"
        );
        assert_eq!(
            problem(json!({"name": "a", "days": 1, "dayz": 2})),
            "`dayz` is 2, but: unknown field `dayz`, expected one of `name`, `days`, `stops`"
        );
        assert_eq!(problem(json!({"name": "a"})), "missing field `days`");
        assert_eq!(problem(json!({"name": "a", "days": 300})), "`days` is 300, and must be 1 to 16");
    }

    #[test]
    fn a_whole_number_is_an_integer_and_null_leaves_out() {
        let trip: Trip = read(json!({"name": "a", "days": 2.0, "stops": null})).unwrap();
        assert_eq!((trip.days, trip.stops.len()), (2, 0));
        assert_eq!(problem(json!({"name": "a", "days": 20.0})), "`days` is 20, and must be 1 to 16");
        assert_eq!(
            problem(json!({"name": "a", "days": 2.5})),
            "`days` is 2.5, but: invalid type: floating point `2.5`, expected u8"
        );
        assert_eq!(
            problem(json!({"name": 5, "days": 2.0})),
            "`name` is 5, but: invalid type: integer `5`, expected a string"
        );
        assert_eq!(
            problem(json!({"name": null, "days": 2.0})),
            "`name` is null, but: invalid type: null, expected a string"
        );
        assert!(problem(json!({"name": "a", "days": 1, "dayz": null})).contains("unknown field `dayz`"));
    }

    #[test]
    fn a_long_value_is_cut_and_control_characters_are_escaped() {
        let text = problem(json!({"name": format!("\u{1b}{}", "ü".repeat(500)), "days": 1}));
        assert!(text.len() < 300 && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn the_schema_advertises_what_is_checked() {
        let schema = rmcp::handler::server::common::schema_for_input::<Parameters<Trip>>().unwrap();
        assert_eq!(schema["properties"]["days"]["maximum"], 16);
        assert_eq!(schema["properties"]["name"]["maxLength"], 5);
        assert_eq!(schema["additionalProperties"], false);
    }
}
