//! The arguments of a tool, wherever in its schema they stand.
//!
//! Schema -> each named value with its path and its schema, and each object that takes any name. Invariant: a type that holds
//! itself is looked at once.

use rmcp::model::JsonObject;
use serde_json::Value;

use crate::schema::Node;

/// What is found on the way.
pub(super) trait Visitor {
    /// A named value.
    fn argument(&mut self, path: &str, schema: &JsonObject);
    /// An object that drops names which it does not know; its path is empty where that is the whole of the arguments.
    fn open_object(&mut self, path: &str);
}

pub(super) fn walk(schema: &JsonObject, visitor: &mut impl Visitor) {
    Walk { root: schema, visitor, entered: Vec::new() }.node(schema, "", false);
}

struct Walk<'a, V> {
    root: &'a JsonObject,
    visitor: &'a mut V,
    /// The definitions that references have led to.
    entered: Vec<*const JsonObject>,
}

impl<'a, V: Visitor> Walk<'a, V> {
    /// `is_closed`: what holds this schema takes no other names already.
    fn node(&mut self, schema: &'a JsonObject, path: &str, is_closed: bool) {
        let is_closed = is_closed || closes(schema);
        if let Some(target) = Node::new(self.root, schema).target()
            && !self.entered.contains(&std::ptr::from_ref(target))
        {
            self.entered.push(target);
            self.node(target, path, is_closed);
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        if !is_closed && properties.is_some_and(|it| !it.is_empty()) {
            self.visitor.open_object(path);
        }
        for (name, own) in properties.into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if let Value::Object(own) = own {
                self.visitor.argument(&path, own);
                self.node(own, &path, false);
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            self.nodes(schema.get(keyword), path, is_closed);
        }
        self.nodes(schema.get("prefixItems"), &format!("{path}[]"), false);
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        let unnamed = patterns.into_iter().flat_map(JsonObject::values).map(|own| (Some(own), ".*"));
        let other = [("items", "[]"), ("additionalProperties", ".*")];
        for (own, step) in unnamed.chain(other.map(|(keyword, step)| (schema.get(keyword), step))) {
            if let Some(Value::Object(own)) = own {
                self.node(own, &format!("{path}{step}"), false);
            }
        }
    }

    fn nodes(&mut self, listed: Option<&'a Value>, path: &str, is_closed: bool) {
        let listed = listed.and_then(Value::as_array).into_iter().flatten();
        for it in listed.filter_map(Value::as_object) {
            self.node(it, path, is_closed);
        }
    }
}

/// Whether it says what becomes of a name that it does not know.
fn closes(schema: &JsonObject) -> bool {
    ["additionalProperties", "unevaluatedProperties", "patternProperties"]
        .iter()
        .any(|it| schema.contains_key(*it))
}
