//! Nodes as JSON values, for comparisons and listings.
//!
//! Tree + node -> value. Invariant: aliases are resolved, but never into more than the file could hold by itself.

use serde_json::{Map, Value};

use super::scalar;
use super::tree::{Kind, Tree};
use crate::Result;

/// Nodes that one value may have, with everything that its aliases stand for.
const MAX_NODES: usize = 1_000_000;
const MAX_DEPTH: usize = 200;

impl Tree<'_> {
    pub(super) fn value(&self, node: usize) -> Result<Value> {
        self.value_within(node, &mut MAX_NODES.clone(), MAX_DEPTH)
    }

    fn value_within(&self, node: usize, left: &mut usize, depth: usize) -> Result<Value> {
        if *left == 0 || depth == 0 {
            return Err(self.unsupported(node, "aliases that stand for too much"));
        }
        *left -= 1;
        match self.nodes[node].kind {
            Kind::Alias => self.value_within(self.target(node), left, depth - 1),
            Kind::Map => {
                let mut map = Map::new();
                for key in self.keys(node) {
                    map.insert(self.scalar(key).into_owned(), self.value_within(key + 1, left, depth - 1)?);
                }
                Ok(Value::Object(map))
            }
            Kind::List => {
                let items = self.children(node).map(|it| self.value_within(it, left, depth - 1));
                Ok(Value::Array(items.collect::<Result<_, _>>()?))
            }
            Kind::Plain if !self.is_said_to_be_text(node) => Ok(scalar::resolve(&self.scalar(node))),
            _ => Ok(Value::String(self.scalar(node).into_owned())),
        }
    }

    fn is_said_to_be_text(&self, node: usize) -> bool {
        let it = &self.nodes[node];
        let props = &self.text[it.head()..it.start()];
        it.tagged && props.split([' ', '\t', '\n', '\r']).any(|it| it == "!!str" || it == "!")
    }
}
