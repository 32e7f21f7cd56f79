//! The rule of a schema that a value breaks, in plain words.
//!
//! A tool's schema + where a value stands + the value -> `be 1 to 16`. Invariant: only rules of range and length are told
//! here, and only those that the value breaks; what else is wrong has serde's and garde's words.

use rmcp::model::JsonObject;
use serde_json::Value;

/// A reference leads to another so often at most.
const MAX_REFERENCES: usize = 8;

/// As in `be 1 to 16`, behind a "must".
pub(super) fn broken(schema: &JsonObject, path: &str, value: &Value) -> Option<String> {
    let node = find(schema, path)?;
    match value {
        Value::Number(_) => broken_range(node, value.as_f64()?),
        Value::String(it) => {
            broken_length(node, ["minLength", "maxLength"], it.chars().count(), "characters")
        }
        Value::Array(it) => broken_length(node, ["minItems", "maxItems"], it.len(), "items"),
        _ => None,
    }
}

fn broken_range(node: &JsonObject, value: f64) -> Option<String> {
    let bound = |key| node.get(key).and_then(Value::as_f64);
    let (least, most) = (bound("minimum"), bound("maximum"));
    let (above, below) = (bound("exclusiveMinimum"), bound("exclusiveMaximum"));
    let is_broken = least.is_some_and(|it| value < it)
        || most.is_some_and(|it| value > it)
        || above.is_some_and(|it| value <= it)
        || below.is_some_and(|it| value >= it);
    if !is_broken {
        return None;
    }
    let words = match (least, most, above, below) {
        (Some(least), Some(most), ..) => format!("be {least} to {most}"),
        (Some(least), None, _, Some(below)) => format!("be {least} or more, and below {below}"),
        (None, Some(most), Some(above), _) => format!("be above {above}, and {most} or less"),
        (None, None, Some(above), Some(below)) => format!("be above {above} and below {below}"),
        (Some(least), ..) => format!("be {least} or more"),
        (None, Some(most), ..) => format!("be {most} or less"),
        (None, None, Some(above), None) => format!("be above {above}"),
        (None, None, None, below) => format!("be below {}", below?),
    };
    Some(words)
}

fn broken_length(node: &JsonObject, keys: [&str; 2], length: usize, unit: &str) -> Option<String> {
    let [least, most] = keys.map(|key| node.get(key).and_then(Value::as_u64));
    let length = length as u64;
    if least.is_none_or(|it| length >= it) && most.is_none_or(|it| length <= it) {
        return None;
    }
    Some(match (least.filter(|it| *it > 0), most) {
        (Some(least), Some(most)) if least == most => format!("have {most} {unit}"),
        (Some(least), Some(most)) => format!("have {least} to {most} {unit}"),
        (Some(least), None) => format!("have {least} {unit} or more"),
        (None, most) => format!("have {} {unit} or less", most?),
    })
}

/// `a.b[2].c`, as serde and garde both write paths.
fn find<'a>(root: &'a JsonObject, path: &str) -> Option<&'a JsonObject> {
    path.split(['.', '[']).try_fold(root, |at, step| {
        let next = match step.strip_suffix(']') {
            Some(_) => at.get("items"),
            None => at.get("properties")?.get(step),
        };
        resolve(root, next?.as_object()?)
    })
}

/// What a reference stands for, and an option of it (`anyOf` with null).
fn resolve<'a>(root: &'a JsonObject, mut node: &'a JsonObject) -> Option<&'a JsonObject> {
    for _ in 0..MAX_REFERENCES {
        let target = match (node.get("$ref"), node.get("anyOf")) {
            (Some(target), _) => {
                let name = target.as_str()?.strip_prefix("#/$defs/")?;
                root.get("$defs")?.get(name)?
            }
            (None, Some(branches)) => {
                let is_value = |it: &&Value| it.get("type").and_then(Value::as_str) != Some("null");
                let mut values = branches.as_array()?.iter().filter(is_value);
                match (values.next(), values.next()) {
                    (Some(only), None) => only,
                    _ => return Some(node),
                }
            }
            _ => return Some(node),
        };
        node = target.as_object()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(schema: Value, value: Value) -> Option<String> {
        let root = json!({
            "properties": { "it": schema },
            "$defs": { "Days": { "minimum": 1 }, "Loop": { "$ref": "#/$defs/Loop" } },
        });
        broken(root.as_object().unwrap(), "it", &value)
    }

    #[test]
    fn ranges_are_said_in_plain_words() {
        let cases = [
            (json!({ "minimum": 1, "maximum": 16 }), json!(20), Some("be 1 to 16")),
            (json!({ "minimum": -90.5, "maximum": 90 }), json!(-91), Some("be -90.5 to 90")),
            (json!({ "minimum": 1 }), json!(0), Some("be 1 or more")),
            (json!({ "maximum": 16 }), json!(17), Some("be 16 or less")),
            (json!({ "exclusiveMinimum": 0 }), json!(0), Some("be above 0")),
            (json!({ "exclusiveMaximum": 5 }), json!(5), Some("be below 5")),
            (json!({ "minimum": 0, "exclusiveMaximum": 5 }), json!(5), Some("be 0 or more, and below 5")),
            (json!({ "exclusiveMinimum": 0, "maximum": 5 }), json!(0), Some("be above 0, and 5 or less")),
            (
                json!({ "exclusiveMinimum": 0, "exclusiveMaximum": 5 }),
                json!(5),
                Some("be above 0 and below 5"),
            ),
            (json!({ "minimum": 1, "maximum": 16 }), json!(16), None),
            (json!({ "minLength": 1, "maxLength": 5 }), json!(""), Some("have 1 to 5 characters")),
            (json!({ "maxLength": 2 }), json!("\u{fc}\u{fc}\u{fc}"), Some("have 2 characters or less")),
            (json!({ "maxLength": 2 }), json!("\u{fc}\u{fc}"), None),
            (json!({ "minLength": 10, "maxLength": 10 }), json!("x"), Some("have 10 characters")),
            (json!({ "minItems": 2 }), json!([1]), Some("have 2 items or more")),
            (json!({ "$ref": "#/$defs/Days" }), json!(0), Some("be 1 or more")),
            (
                json!({ "anyOf": [{ "$ref": "#/$defs/Days" }, { "type": "null" }] }),
                json!(0),
                Some("be 1 or more"),
            ),
            (json!({ "$ref": "#/$defs/Loop" }), json!(0), None),
            (json!({ "minimum": 1 }), json!("x"), None),
        ];
        for (schema, value, expected) in cases {
            assert_eq!(words(schema.clone(), value.clone()).as_deref(), expected, "{schema} {value}");
        }
    }
}
