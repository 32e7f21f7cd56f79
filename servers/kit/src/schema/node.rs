//! One node of a schema, and the nodes that what stands in a value has to keep to.
//!
//! Node + name, index or value -> nodes. Invariant: nothing is read outside the schema.

use rmcp::model::JsonObject;
use serde_json::Value;

use super::definition;
use super::normalize::{fits, is_required, list, properties};

/// A node, with the root that its references point into.
pub(crate) struct Node<'a> {
    root: &'a JsonObject,
    node: &'a JsonObject,
}

impl<'a> Node<'a> {
    pub(crate) fn new(root: &'a JsonObject, node: &'a JsonObject) -> Self {
        Self { root, node }
    }

    /// What its reference stands for.
    pub(crate) fn target(&self) -> Option<&'a JsonObject> {
        let (name, _) = self.node.get("$ref").and_then(Value::as_str).and_then(definition)?;
        self.root.get("$defs")?.get(&name)?.as_object()
    }

    pub(crate) fn all_of(&self) -> impl Iterator<Item = &'a JsonObject> + use<'a> {
        list(self.node, "allOf").filter_map(Value::as_object)
    }

    /// Of each list of alternatives those that a value can be meant by.
    pub(crate) fn branches(&self, value: &Value) -> impl Iterator<Item = Vec<&'a JsonObject>> {
        let keywords = ["anyOf", "oneOf"].into_iter().filter(|it| self.node.contains_key(*it));
        keywords.map(|keyword| {
            let listed = list(self.node, keyword).filter_map(Value::as_object);
            listed.filter(|it| fits(self.root, it, value)).collect()
        })
    }

    /// Of the field of an object.
    pub(crate) fn field(&self, name: &str) -> Option<&'a JsonObject> {
        if let Some(own) = properties(self.node).and_then(|it| it.get(name)) {
            return own.as_object();
        }
        // The names that schemars writes patterns for are numbers, and all have one schema.
        let patterns = self.node.get("patternProperties").and_then(Value::as_object);
        let pattern = patterns.and_then(|it| it.values().next());
        pattern.or_else(|| self.node.get("additionalProperties"))?.as_object()
    }

    pub(crate) fn requires(&self, name: &str) -> bool {
        is_required(self.node, name)
    }

    /// Of an item of a list.
    pub(crate) fn item(&self, index: usize) -> Option<&'a JsonObject> {
        let own = list(self.node, "prefixItems").nth(index);
        own.or_else(|| self.node.get("items"))?.as_object()
    }
}
