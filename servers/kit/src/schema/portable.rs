//! A schema without what some clients do not know, refuse or lose.
//!
//! Schema -> the same rules in plainer words. Invariant: only the ranges of integers become narrower, and of inputs only.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::{Direction, MAX_SAFE, subschemas, variants};

/// The formats of JSON Schema 2020-12. A strict validator refuses any other.
const FORMATS: [&str; 19] = [
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "iri",
    "iri-reference",
    "uri-template",
    "uuid",
    "json-pointer",
    "relative-json-pointer",
    "regex",
];

/// Makes a schema and all that it holds portable.
pub(super) fn make_portable(schema: &mut JsonObject, direction: Direction) {
    schema.remove("$schema");
    drop_unknown_format(schema, direction);
    for it in subschemas(schema) {
        match it {
            // The TypeScript SDK takes no tool with a property that is `true`.
            Value::Bool(true) => *it = json!({}),
            Value::Bool(false) => *it = json!({ "not": {} }),
            Value::Object(it) => make_portable(it, direction),
            _ => {}
        }
    }
    variants::simplify(schema);
}

/// Takes out a format that is not JSON Schema's. What `uint8` says of an integer, `minimum` and `maximum` say.
fn drop_unknown_format(schema: &mut JsonObject, direction: Direction) {
    let Some(format) = schema.get("format").and_then(Value::as_str) else { return };
    if FORMATS.contains(&format) {
        return;
    }
    if let (Direction::Input, Some((least, most))) = (direction, range(format)) {
        schema.entry("minimum").or_insert(least);
        schema.entry("maximum").or_insert(most);
    }
    schema.remove("format");
}

/// What a number of this format may be, as far as JSON carries it for certain.
fn range(format: &str) -> Option<(Value, Value)> {
    Some(match format {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" | "int128" | "int" => ((-MAX_SAFE).into(), MAX_SAFE.into()),
        "uint8" => (0.into(), u8::MAX.into()),
        "uint16" => (0.into(), u16::MAX.into()),
        "uint32" => (0.into(), u32::MAX.into()),
        "uint64" | "uint128" | "uint" => (0.into(), MAX_SAFE.into()),
        "float" => (f32::MIN.into(), f32::MAX.into()),
        _ => return None,
    })
}
