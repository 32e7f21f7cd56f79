//! The schemas of tools, in the words that all clients understand.
//!
//! What schemars derives -> the same rules without formats that are none of JSON Schema's, references, and enums in pieces.
//! Invariants: an input schema takes no number that its field cannot hold, and an output schema takes all that it took.

mod inline;
mod node;
mod normalize;
mod portable;
mod variants;

use std::sync::Arc;

pub(crate) use node::Node;
pub(crate) use normalize::{fits, has_other_schemas, normalize};
use rmcp::model::{JsonObject, Tool};
use serde_json::Value;

/// Who makes the values that a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// The client.
    Input,
    /// The tool.
    Output,
}

/// The integers that are one number each also for who counts in `f64`, as JavaScript does.
const MAX_SAFE: i64 = (1 << 53) - 1;

/// A tool as clients are told of it.
pub(crate) fn mended(tool: &Tool) -> Tool {
    let mended = |schema: &Arc<JsonObject>, direction| Arc::new(mend(schema, direction));
    let mut it = tool.clone();
    it.input_schema = mended(&tool.input_schema, Direction::Input);
    it.output_schema = tool.output_schema.as_ref().map(|schema| mended(schema, Direction::Output));
    it
}

/// Of what somebody else fills in, as a tool's arguments.
pub(crate) fn mend_input(schema: &JsonObject) -> JsonObject {
    mend(schema, Direction::Input)
}

fn mend(schema: &JsonObject, direction: Direction) -> JsonObject {
    let mut schema = inline::inline(schema);
    portable::make_portable(&mut schema, direction);
    schema
}

/// The schemas that stand directly in this one. A `true` or `false` that only opens or closes it is none.
fn subschemas(schema: &mut JsonObject) -> Vec<&mut Value> {
    let mut found = Vec::new();
    for (keyword, value) in schema {
        match (keyword.as_str(), value) {
            ("properties" | "patternProperties" | "dependentSchemas" | "$defs", Value::Object(named)) => {
                found.extend(named.values_mut());
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(listed)) => found.extend(listed),
            (
                "items"
                | "contains"
                | "additionalProperties"
                | "unevaluatedProperties"
                | "unevaluatedItems"
                | "propertyNames"
                | "not"
                | "if"
                | "then"
                | "else",
                value @ Value::Object(_),
            ) => found.push(value),
            _ => {}
        }
    }
    found
}

/// The name in `#/$defs/NAME`, and whether the reference leads further into it.
fn definition(reference: &str) -> Option<(String, bool)> {
    let path = reference.strip_prefix("#/$defs/")?;
    let (name, is_deeper) = path.split_once('/').map_or((path, false), |(name, _)| (name, true));
    Some((percent_decoded(name)?.replace("~1", "/").replace("~0", "~"), is_deeper))
}

/// `%C3%BC` and the like as what they stand for; nothing where that is no text.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
