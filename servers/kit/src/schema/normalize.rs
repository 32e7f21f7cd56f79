//! Arguments that fit their schema, in the form that serde takes.
//!
//! JSON Schema calls `2.0` an integer, serde does not; and `null` is how many clients write an argument that they leave out.
//! Invariant: only what the schema asks for changes: a whole number, where it wants an integer, and `null`, where it wants
//! something else that may be left out. No number becomes another one.

use rmcp::model::JsonObject;
use serde_json::{Number, Value};

use super::{MAX_SAFE, definition};

/// Of a schema that holds itself, or arguments without end, no more is looked at.
const MAX_STEPS: usize = 1_000_000;
/// serde_json reads 127 levels; a level takes some steps.
const MAX_DEPTH: usize = 1000;

/// Puts arguments into that form; says whether anything was to be done.
pub(crate) fn normalize(schema: &JsonObject, arguments: &mut Value) -> bool {
    let mut it = Normalizer { root: schema, steps: 0, depth: 0, has_changed: false };
    it.object_schema(schema, arguments);
    it.has_changed
}

/// Whether a value can be meant by a schema that stands in `root`: by types, constants and names, not by ranges and patterns.
pub(crate) fn fits(root: &JsonObject, schema: &JsonObject, value: &Value) -> bool {
    Normalizer { root, steps: 0, depth: 0, has_changed: false }.fits_object(schema, value)
}

struct Normalizer<'a> {
    root: &'a JsonObject,
    steps: usize,
    depth: usize,
    has_changed: bool,
}

impl<'a> Normalizer<'a> {
    fn schema(&mut self, schema: &'a Value, value: &mut Value) {
        if let (Value::Object(schema), true) = (schema, self.enter()) {
            self.object_schema(schema, value);
            self.depth -= 1;
        }
    }

    /// Whether there is to be another level; then it has to be left again.
    fn enter(&mut self) -> bool {
        self.steps += 1;
        let may = self.steps <= MAX_STEPS && self.depth < MAX_DEPTH;
        self.depth += usize::from(may);
        may
    }

    fn object_schema(&mut self, schema: &'a JsonObject, value: &mut Value) {
        let has_others = has_other_schemas(schema);
        if let Some(target) = has_others.then(|| self.target(schema)).flatten() {
            self.schema(target, value);
        }
        match value {
            Value::Number(number) => {
                if let Some(whole) =
                    whole(number).filter(|_| wants(schema, "integer") && !wants(schema, "number"))
                {
                    *number = whole;
                    self.has_changed = true;
                }
            }
            Value::Array(items) => {
                let first = list(schema, "prefixItems").map(Some);
                let schemas = first.chain(std::iter::repeat(schema.get("items")));
                for (item, schema) in items.iter_mut().zip(schemas) {
                    if let Some(schema) = schema {
                        self.schema(schema, item);
                    }
                }
            }
            Value::Object(fields) => self.fields(schema, fields),
            _ => {}
        }
        if has_others {
            self.branches(schema, value);
        }
    }

    fn branches(&mut self, schema: &'a JsonObject, value: &mut Value) {
        for it in list(schema, "allOf") {
            self.schema(it, value);
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(it) = list(schema, keyword).find(|it| self.fits(it, value)) {
                self.schema(it, value);
            }
        }
    }

    fn fields(&mut self, schema: &'a JsonObject, fields: &mut JsonObject) {
        let mut left_out = Vec::new();
        for (name, value) in fields.iter_mut() {
            let Some(own) = properties(schema).and_then(|it| it.get(name)) else {
                // The names that schemars writes patterns for are numbers, and all have one schema.
                let patterns = schema.get("patternProperties").and_then(Value::as_object);
                let pattern = patterns.and_then(|it| it.values().next());
                if let Some(other) = pattern.or_else(|| schema.get("additionalProperties")) {
                    self.schema(other, value);
                }
                continue;
            };
            if value.is_null() && !is_required(schema, name) && !self.fits(own, value) {
                left_out.push(name.clone());
            } else {
                self.schema(own, value);
            }
        }
        self.has_changed |= !left_out.is_empty();
        for name in left_out {
            fields.remove(&name);
        }
    }

    /// Whether a value can be meant by this schema: by types, constants and names, not by ranges and patterns.
    fn fits(&mut self, schema: &'a Value, value: &Value) -> bool {
        match schema {
            Value::Object(schema) => self.fits_object(schema, value),
            other => *other != Value::Bool(false),
        }
    }

    fn fits_object(&mut self, schema: &'a JsonObject, value: &Value) -> bool {
        if !self.enter() {
            return false;
        }
        let it = self.fits_here(schema, value)
            && self.target(schema).is_none_or(|it| self.fits(it, value))
            && list(schema, "allOf").all(|it| self.fits(it, value))
            && ["anyOf", "oneOf"].iter().all(|keyword| {
                !schema.contains_key(*keyword) || list(schema, keyword).any(|it| self.fits(it, value))
            });
        self.depth -= 1;
        it
    }

    fn fits_here(&mut self, schema: &'a JsonObject, value: &Value) -> bool {
        let is_listed = |it: &'a Value| is_same(it, value);
        if !has_type(schema, value)
            || schema.get("const").is_some_and(|it| !is_listed(it))
            || (schema.contains_key("enum") && !list(schema, "enum").any(is_listed))
        {
            return false;
        }
        match value {
            Value::Object(fields) => {
                let known = |name: &String| properties(schema).and_then(|it| it.get(name));
                let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false))
                    && !schema.contains_key("patternProperties");
                list(schema, "required").filter_map(Value::as_str).all(|it| fields.contains_key(it))
                    && fields.iter().all(|(name, value)| match known(name) {
                        None => !is_closed,
                        Some(own) => (value.is_null() && !is_required(schema, name)) || self.fits(own, value),
                    })
            }
            Value::Array(items) => match schema.get("items") {
                Some(own) if !schema.contains_key("prefixItems") => items.iter().all(|it| self.fits(own, it)),
                _ => true,
            },
            _ => true,
        }
    }

    fn target(&self, schema: &JsonObject) -> Option<&'a Value> {
        let (name, _) = schema.get("$ref").and_then(Value::as_str).and_then(definition)?;
        self.root.get("$defs")?.get(&name)
    }
}

/// Whether a node says that others stand for it, beside it or in its place. One look at its few keywords, where a search for
/// each takes longer than all else that is done for an argument.
pub(crate) fn has_other_schemas(schema: &JsonObject) -> bool {
    schema.keys().any(|it| matches!(it.as_str(), "$ref" | "allOf" | "anyOf" | "oneOf"))
}

pub(super) fn list<'a>(schema: &'a JsonObject, keyword: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    schema.get(keyword).and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn properties(schema: &JsonObject) -> Option<&JsonObject> {
    schema.get("properties").and_then(Value::as_object)
}

pub(super) fn is_required(schema: &JsonObject, name: &str) -> bool {
    list(schema, "required").any(|it| it == name)
}

fn wants(schema: &JsonObject, kind: &str) -> bool {
    schema.get("type").is_some_and(|it| it == kind) || list(schema, "type").any(|it| it == kind)
}

fn has_type(schema: &JsonObject, value: &Value) -> bool {
    if !schema.contains_key("type") {
        return true;
    }
    match value {
        Value::Null => wants(schema, "null"),
        Value::Bool(_) => wants(schema, "boolean"),
        Value::Number(it) => {
            wants(schema, "number") || (wants(schema, "integer") && (!it.is_f64() || whole(it).is_some()))
        }
        Value::String(_) => wants(schema, "string"),
        Value::Array(_) => wants(schema, "array"),
        Value::Object(_) => wants(schema, "object"),
    }
}

/// A number with a point that is a whole one, without it.
fn whole(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    (float.fract() == 0.0 && float.abs() <= MAX_SAFE as f64).then(|| Number::from(float as i64))
}

fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}
