//! Reads the part of JSON Schema that tools' arguments are written in.
//!
//! A tool's input schema -> its arguments, each with its types and its rules in words. Invariant: a schema is
//! untrusted: references are followed a few steps only, of branches upon branches the first are read, and what is not
//! understood is left out, never guessed.

use std::cell::Cell;

use rmcp::model::JsonObject;
use serde_json::Value;

const MAX_DEPTH: usize = 8;
/// Objects in objects whose fields are named, and how many of each.
const MAX_OBJECT_DEPTH: usize = 3;
const MAX_FIELDS: usize = 40;
/// Nodes that one description looks at: references can multiply a small schema without end.
const MAX_NODES: usize = 500;
/// Of a description, and of one value or pattern in it.
const MAX_CHARS: usize = 10_000;
const MAX_VALUE_CHARS: usize = 500;

/// A node of a schema, with the root that its references point into.
#[derive(Clone, Copy)]
pub(crate) struct Schema<'a> {
    root: &'a JsonObject,
    node: &'a JsonObject,
}

pub(crate) struct Argument<'a> {
    pub(crate) name: &'a str,
    pub(crate) required: bool,
    pub(crate) description: Option<&'a str>,
    pub(crate) schema: Option<Schema<'a>>,
}

impl<'a> Schema<'a> {
    pub(crate) fn new(root: &'a JsonObject) -> Self {
        Self { root, node: root }
    }

    /// The arguments: the required ones first, otherwise in the server's order.
    pub(crate) fn arguments(self) -> Vec<Argument<'a>> {
        let required: Vec<&str> = self.list("required").filter_map(Value::as_str).collect();
        let properties = self.node.get("properties").and_then(Value::as_object).into_iter().flatten();
        let mut arguments: Vec<_> = properties
            .map(|(name, value)| Argument {
                name,
                required: required.contains(&name.as_str()),
                description: value.get("description").and_then(Value::as_str),
                schema: value.as_object().map(|node| Self { node, ..self }),
            })
            .collect();
        arguments.sort_by_key(|it| !it.required);
        arguments
    }

    /// Whether names beside the listed ones are refused.
    pub(crate) fn is_closed(self) -> bool {
        self.node.get("additionalProperties") == Some(&Value::Bool(false))
    }

    /// The JSON types that a value may have: "string", "integer", ...; none when the schema does not say.
    pub(crate) fn types(self) -> Vec<&'a str> {
        let mut types = Vec::new();
        for it in self.alternatives(0, &Cell::new(MAX_NODES)) {
            match it.node.get("type") {
                Some(Value::String(one)) => types.push(one.as_str()),
                Some(Value::Array(several)) => types.extend(several.iter().filter_map(Value::as_str)),
                _ => types.extend(it.values().map(|value| type_of(value))),
            }
            types.sort_unstable();
            types.dedup();
        }
        types
    }

    /// "integer from 1 to 16, default 7"
    pub(crate) fn describe(self) -> String {
        let mut words = self.describe_at(0, &Cell::new(MAX_NODES));
        if let Some(default) = self.node.get("default").filter(|it| !it.is_null()) {
            words = format!("{words}, default {}", plain(default));
        }
        words
    }

    fn describe_at(self, depth: usize, left: &Cell<usize>) -> String {
        let mut values = Vec::new();
        let mut words = Vec::new();
        for it in self.alternatives(depth, left) {
            if it.values().next().is_none() {
                words.extend(it.describe_types(depth, left));
            }
            values.extend(it.values().filter(|it| !it.is_null()).take(MAX_CHARS - values.len()));
        }
        if !values.is_empty() {
            let listed: Vec<_> = values.into_iter().map(plain).collect();
            words.insert(0, format!("one of {}", listed.join(", ")));
        }
        words.dedup();
        if words.is_empty() { "any value".into() } else { cut(&words.join(" or "), MAX_CHARS) }
    }

    fn describe_types(self, depth: usize, left: &Cell<usize>) -> Vec<String> {
        let types: Vec<&str> = match self.node.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        types.into_iter().filter(|it| *it != "null").map(|it| self.describe_type(it, depth, left)).collect()
    }

    fn describe_type(self, name: &str, depth: usize, left: &Cell<usize>) -> String {
        match name {
            "string" => {
                let format = self.node.get("format").and_then(Value::as_str);
                let text = format
                    .map_or_else(|| "string".into(), |it| format!("string ({})", cut(it, MAX_VALUE_CHARS)));
                let text =
                    with_range(text, self.length("minLength"), self.length("maxLength"), " characters");
                match self.node.get("pattern").and_then(Value::as_str) {
                    Some(pattern) => format!("{text} matching {}", cut(pattern, MAX_VALUE_CHARS)),
                    None => text,
                }
            }
            "integer" | "number" => {
                let least = self.bound("minimum", "exclusiveMinimum", "above");
                let most = self.bound("maximum", "exclusiveMaximum", "below");
                with_range(name.into(), least, most, "")
            }
            "array" => {
                let items = self.node.get("items").and_then(Value::as_object).filter(|_| depth < MAX_DEPTH);
                let of = items.map(|node| Self { node, ..self }.describe_at(depth + 1, left));
                let text = of.map_or_else(|| "list".into(), |it| format!("list of {it}"));
                with_range(text, self.length("minItems"), self.length("maxItems"), " items")
            }
            "object" => self.describe_object(depth, left),
            other => cut(other, MAX_VALUE_CHARS),
        }
    }

    /// "object {name: string, age?: integer}"; deeper ones by their type alone.
    fn describe_object(self, depth: usize, left: &Cell<usize>) -> String {
        let fields = if depth < MAX_OBJECT_DEPTH { self.arguments() } else { Vec::new() };
        let field = |it: &Argument<'_>| {
            let of =
                it.schema.map_or_else(|| "any value".into(), |schema| schema.describe_at(depth + 1, left));
            format!("{}{}: {of}", cut(it.name, MAX_VALUE_CHARS), if it.required { "" } else { "?" })
        };
        let shown: Vec<_> = fields.iter().take(MAX_FIELDS).map(field).collect();
        let more = if fields.len() > MAX_FIELDS { ", .." } else { "" };
        if shown.is_empty() { "object".into() } else { format!("object {{{}{more}}}", shown.join(", ")) }
    }

    /// What this stands for: behind references, and each branch of `anyOf` and `oneOf`.
    fn alternatives(self, depth: usize, left: &Cell<usize>) -> Vec<Self> {
        if depth > MAX_DEPTH || left.get() == 0 {
            return Vec::new();
        }
        left.set(left.get() - 1);
        if let Some(target) = self.node.get("$ref").and_then(Value::as_str) {
            return self.resolve(target).map(|it| it.alternatives(depth + 1, left)).unwrap_or_default();
        }
        let branches: Vec<_> =
            self.list("anyOf").chain(self.list("oneOf")).filter_map(Value::as_object).collect();
        match branches.as_slice() {
            [] => vec![self],
            _ => branches
                .into_iter()
                .flat_map(|node| Self { node, ..self }.alternatives(depth + 1, left))
                .collect(),
        }
    }

    /// `#/$defs/Name`, as generators write it; nothing from outside the schema.
    fn resolve(self, target: &str) -> Option<Self> {
        let name = target.strip_prefix("#/$defs/").or_else(|| target.strip_prefix("#/definitions/"))?;
        let definitions = self.root.get("$defs").or_else(|| self.root.get("definitions"))?;
        definitions.get(name)?.as_object().map(|node| Self { node, ..self })
    }

    fn values(self) -> impl Iterator<Item = &'a Value> {
        self.node.get("const").into_iter().chain(self.list("enum"))
    }

    fn list(self, key: &str) -> impl Iterator<Item = &'a Value> {
        self.node.get(key).and_then(Value::as_array).into_iter().flatten()
    }

    fn length(self, key: &str) -> Option<String> {
        self.node.get(key).and_then(Value::as_u64).filter(|it| *it > 0).map(|it| it.to_string())
    }

    fn bound(self, key: &str, exclusive: &str, word: &str) -> Option<String> {
        let number = |key| self.node.get(key).and_then(Value::as_f64);
        number(key).map(|it| it.to_string()).or_else(|| number(exclusive).map(|it| format!("{word} {it}")))
    }
}

fn with_range(text: String, least: Option<String>, most: Option<String>, unit: &str) -> String {
    match (least, most) {
        (None, None) => text,
        (Some(least), None) => format!("{text}, {least}{unit} or more"),
        (None, Some(most)) => format!("{text}, {most}{unit} or less"),
        (Some(least), Some(most)) if least == most => format!("{text}, {least}{unit}"),
        (Some(least), Some(most)) => format!("{text}, {least} to {most}{unit}"),
    }
}

fn plain(value: &Value) -> String {
    match value.as_str() {
        Some(text) => cut(text, MAX_VALUE_CHARS),
        None => cut(&value.to_string(), MAX_VALUE_CHARS),
    }
}

fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.into(),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn describe(property: Value) -> String {
        let root = json!({
            "properties": { "it": property },
            "$defs": {
                "Units": { "oneOf": [{ "const": "metric", "type": "string" }, { "const": "imperial", "type": "string" }] },
                "Loop": { "$ref": "#/$defs/Loop" },
            },
        });
        let schema = Schema::new(root.as_object().unwrap());
        schema.arguments()[0].schema.unwrap().describe()
    }

    #[test]
    fn rules_are_said_in_words() {
        let cases = [
            (json!({ "type": "string", "minLength": 1, "maxLength": 80 }), "string, 1 to 80 characters"),
            (json!({ "type": "string", "minLength": 10, "maxLength": 10 }), "string, 10 characters"),
            (json!({ "type": "string", "format": "date", "pattern": "^2" }), "string (date) matching ^2"),
            (
                json!({ "type": "integer", "minimum": 1, "maximum": 16, "default": 7 }),
                "integer, 1 to 16, default 7",
            ),
            (json!({ "type": "number", "minimum": -90.5 }), "number, -90.5 or more"),
            (json!({ "type": ["string", "null"] }), "string"),
            (
                json!({ "anyOf": [{ "$ref": "#/$defs/Units" }, { "type": "null" }] }),
                "one of metric, imperial",
            ),
            (
                json!({ "$ref": "#/$defs/Units", "default": "metric" }),
                "one of metric, imperial, default metric",
            ),
            (json!({ "enum": ["a", 1, null] }), "one of a, 1"),
            (
                json!({ "type": "array", "items": { "type": "integer" }, "maxItems": 3 }),
                "list of integer, 3 items or less",
            ),
            (
                json!({ "type": "array", "items": { "type": "object", "required": ["lat"], "properties": {
                    "name": { "type": "string" }, "lat": { "type": "number", "maximum": 90 }, "tags": {} } } }),
                "list of object {lat: number, 90 or less, name?: string, tags?: any value}",
            ),
            (json!({ "type": "object" }), "object"),
            (json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }] }), "string or integer"),
            (json!({ "$ref": "#/$defs/Loop" }), "any value"),
            (json!({ "$ref": "http://example.com/schema" }), "any value"),
            (json!({}), "any value"),
        ];
        for (schema, expected) in cases {
            assert_eq!(describe(schema.clone()), expected, "{schema}");
        }
    }

    #[test]
    fn references_that_multiply_are_read_a_little() {
        let many = json!({ "anyOf": vec![json!({ "$ref": "#/$defs/Many" }); 100] });
        let lists = json!({ "type": vec!["array"; 100], "items": { "$ref": "#/$defs/Lists" } });
        let tree = json!({ "type": "object", "properties": (0..100).map(|it| (it.to_string(), json!({ "$ref": "#/$defs/Tree" })))
            .collect::<JsonObject>() });
        for name in ["Many", "Lists", "Tree"] {
            let root = json!({ "properties": { "it": { "$ref": format!("#/$defs/{name}") } }, "$defs": { "Many": many, "Lists": lists, "Tree": tree } });
            let schema = Schema::new(root.as_object().unwrap()).arguments()[0].schema.unwrap();
            assert!(schema.describe().len() < 100_000, "{name}");
            assert!(schema.types().len() < 10, "{name}");
        }
    }

    #[test]
    fn what_is_long_is_cut() {
        let long = "x".repeat(100_000);
        let values: Vec<_> = (0..100_000).collect();
        for schema in [
            json!({ "type": "string", "pattern": long, "format": long, "default": long }),
            json!({ "type": long }),
            json!({ "enum": [long] }),
            json!({ "enum": values }),
        ] {
            assert!(describe(schema).len() < 20_000);
        }
    }

    #[test]
    fn required_arguments_come_first() {
        let root = json!({ "properties": { "a": {}, "b": {}, "c": true }, "required": ["b"] });
        let names: Vec<_> =
            Schema::new(root.as_object().unwrap()).arguments().iter().map(|it| it.name).collect();
        assert_eq!(names, ["b", "a", "c"]);
    }
}
