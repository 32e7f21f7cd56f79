//! What of a value is not as its schema says, for a server's own tests: results, and defaults.
//!
//! Schema + value -> nothing, or the deepest place that is wrong. Invariant: what [`prepare`](super::prepare) refuses is found, too.

use rmcp::model::JsonObject;
use serde_json::Value;

use super::{Broken, Checker, Path, shown};
use crate::schema::{Node, fits};

/// Of a value called `name` (that of the whole is empty), by a schema that stands in `root`.
pub(crate) fn mismatch(root: &JsonObject, schema: &JsonObject, name: &str, value: &Value) -> Option<String> {
    if !fits(root, schema, value) {
        return Some(misfit(root, schema, name.to_owned(), value));
    }
    let mut checker = Checker { root, broken: Vec::new() };
    let path = if name.is_empty() { Path::Root } else { Path::Field(&Path::Root, name) };
    checker.check(schema, value, &path, 0);
    let broken: Vec<_> = checker.broken.iter().map(Broken::with_value).collect();
    (!broken.is_empty()).then(|| broken.join("; "))
}

fn misfit(root: &JsonObject, schema: &JsonObject, path: String, value: &Value) -> String {
    let node = Node::new(root, schema);
    let step = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let inside = match value {
        Value::Object(fields) => {
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            let mut missing = required.filter_map(Value::as_str).filter(|it| !fields.contains_key(*it));
            if let Some(name) = missing.next() {
                return format!("`{}` is missing", step(name));
            }
            let mut known =
                fields.iter().filter_map(|(name, value)| Some((step(name), node.field(name)?, value)));
            known.find(|(_, own, value)| !fits(root, own, value))
        }
        Value::Array(items) => {
            let wrong = items.iter().enumerate().map(|(i, it)| (format!("{path}[{i}]"), node.item(i), it));
            wrong
                .filter_map(|(path, own, it)| Some((path, own?, it)))
                .find(|(_, own, it)| !fits(root, own, it))
        }
        _ => None,
    };
    match inside {
        Some((path, schema, value)) => misfit(root, schema, path, value),
        None => format!(
            "`{path}` is {}, which does not fit {}",
            shown(value),
            shown(&Value::Object(schema.clone()))
        ),
    }
}
