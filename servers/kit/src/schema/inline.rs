//! References replaced by what they refer to.
//!
//! A schema with `$defs` -> one without, where no type holds itself. Invariant: the same values fit.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::{definition, subschemas};

/// A type that is used in many places is repeated in each; after so many, references stay.
const MAX_REPLACED: usize = 1000;

/// What says nothing about which values fit: beside a reference, it is about this use of the type.
const ANNOTATIONS: [&str; 8] =
    ["title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"];

pub(super) fn inline(schema: &JsonObject) -> JsonObject {
    let mut root = schema.clone();
    let Some(definitions) = root.remove("$defs") else { return root };
    let Value::Object(definitions) = definitions else { return schema.clone() };
    let mut inliner =
        Inliner { definitions: &definitions, open: Vec::new(), left: MAX_REPLACED, kept: Vec::new() };
    let mut root = match inliner.replaced(root) {
        Value::Object(it) => it,
        _ => return schema.clone(),
    };
    let mut kept = JsonObject::new();
    while let Some(name) = inliner.kept.pop() {
        if let (false, Some(found)) = (kept.contains_key(&name), definitions.get(&name)) {
            let mut found = found.clone();
            inliner.open = vec![name.clone()];
            inliner.replace(&mut found);
            kept.insert(name, found);
        }
    }
    if !kept.is_empty() {
        root.insert("$defs".into(), Value::Object(kept));
    }
    root
}

struct Inliner<'a> {
    definitions: &'a JsonObject,
    /// The types that we are in.
    open: Vec<String>,
    left: usize,
    /// The types that references still name.
    kept: Vec<String>,
}

impl Inliner<'_> {
    fn replace(&mut self, schema: &mut Value) {
        if let Value::Object(object) = schema {
            *schema = self.replaced(std::mem::take(object));
        }
    }

    fn replaced(&mut self, mut schema: JsonObject) -> Value {
        for it in subschemas(&mut schema) {
            self.replace(it);
        }
        let Some((name, is_deeper)) = schema.get("$ref").and_then(Value::as_str).and_then(definition) else {
            return Value::Object(schema);
        };
        let found = self.definitions.get(&name);
        let Some(found) = found.filter(|_| !is_deeper && self.left > 0 && !self.open.contains(&name)) else {
            self.kept.push(name);
            return Value::Object(schema);
        };
        self.left -= 1;
        let mut target = found.clone();
        self.open.push(name);
        self.replace(&mut target);
        self.open.pop();
        schema.remove("$ref");
        Value::Object(merge(schema, target))
    }
}

/// A type and what stands beside the reference to it, in one schema.
fn merge(beside: JsonObject, target: Value) -> JsonObject {
    let mut target = match target {
        Value::Object(it) => it,
        Value::Bool(true) => JsonObject::new(),
        _ => JsonObject::from_iter([("not".to_owned(), json!({}))]),
    };
    if beside.iter().all(|(keyword, value)| can_join(&target, keyword, value)) {
        for (keyword, value) in beside {
            join(&mut target, keyword, value);
        }
        return target;
    }
    let mut both = beside;
    if let Value::Array(all) = both.entry("allOf").or_insert_with(|| json!([])) {
        all.push(Value::Object(target));
    }
    both
}

fn can_join(target: &JsonObject, keyword: &str, value: &Value) -> bool {
    match (keyword, target.get(keyword)) {
        ("required", _) => true,
        // It is about the properties that stand beside it.
        ("additionalProperties", known) => known == Some(value),
        ("properties", known) => {
            let is_known = |name| known.and_then(|it| it.get(name)).is_some();
            let closes = target.get("additionalProperties").is_some_and(|it| *it != Value::Bool(true));
            !closes && value.as_object().is_some_and(|it| !it.keys().any(is_known))
        }
        (_, None) => true,
        (_, Some(known)) => ANNOTATIONS.contains(&keyword) || known == value,
    }
}

fn join(target: &mut JsonObject, keyword: String, value: Value) {
    match (target.get_mut(&keyword), value) {
        (Some(Value::Object(known)), Value::Object(more)) if keyword == "properties" => known.extend(more),
        (Some(Value::Array(known)), Value::Array(more)) if keyword == "required" => {
            let new: Vec<_> = more.into_iter().filter(|it| !known.contains(it)).collect();
            known.extend(new);
        }
        (_, value) => {
            target.insert(keyword, value);
        }
    }
}
