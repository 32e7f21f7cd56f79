//! The rules of one node of a schema that a value breaks, in plain words.
//!
//! A node + a value -> `be 1 to 16`, behind a "must". Invariant: what is no rule of range, length or number of items is not told here:
//! types, names and enums have serde's words.

use rmcp::model::JsonObject;
use serde_json::Value;

/// The first rule that is broken.
pub(super) fn broken(node: &JsonObject, value: &Value) -> Option<String> {
    match value {
        Value::Number(it) => {
            let number = it.as_f64()?;
            broken_range(node, number).or_else(|| broken_step(node, number))
        }
        Value::String(it) => {
            let bounds = ["minLength", "maxLength"];
            if bounds.iter().any(|key| node.contains_key(*key)) {
                return broken_length(node, bounds, it.chars().count(), "characters");
            }
            None
        }
        Value::Array(it) => broken_length(node, ["minItems", "maxItems"], it.len(), "items")
            .or_else(|| broken_uniqueness(node, it)),
        Value::Object(it) => broken_length(node, ["minProperties", "maxProperties"], it.len(), "entries"),
        _ => None,
    }
}

fn broken_step(node: &JsonObject, value: f64) -> Option<String> {
    let step = node.get("multipleOf")?.as_f64().filter(|it| *it > 0.0)?;
    let times = value / step;
    // As many digits as a number of that size has for certain.
    let is_whole = (times - times.round()).abs() <= times.abs().max(1.0) * 1e-9;
    (!is_whole).then(|| format!("be a multiple of {step}"))
}

fn broken_uniqueness(node: &JsonObject, items: &[Value]) -> Option<String> {
    let is_asked = node.get("uniqueItems") == Some(&Value::Bool(true));
    let twice = || items.iter().enumerate().any(|(i, it)| items[..i].contains(it));
    (is_asked && twice()).then(|| "have no item twice".to_owned())
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(schema: Value, value: Value) -> Option<String> {
        broken(schema.as_object().unwrap(), &value)
    }

    #[test]
    fn rules_are_said_in_plain_words() {
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
            (json!({ "multipleOf": 0.1 }), json!(0.3), None),
            (json!({ "multipleOf": 5 }), json!(12), Some("be a multiple of 5")),
            (json!({ "uniqueItems": true }), json!([1, 2, 1]), Some("have no item twice")),
            (json!({ "minProperties": 1 }), json!({}), Some("have 1 entries or more")),
            (json!({ "minimum": 1 }), json!("x"), None),
        ];
        for (schema, value, expected) in cases {
            assert_eq!(words(schema.clone(), value.clone()).as_deref(), expected, "{schema} {value}");
        }
    }
}
