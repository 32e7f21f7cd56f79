//! The last look at an edit before anybody gets to see it.
//!
//! Old tree and new text -> nothing, or an error. Invariant: it reads the new text from the beginning and trusts
//! nothing that the edit found out.

use serde_json::Value;

use super::tree::{Kind, Tree};
use super::{named, walk};
use crate::servers::with_name;
use crate::{Entry, Layout, Result, ServersPath, verify};

/// Makes sure that both texts differ in what stands at the path at most, and that the new one holds what was to be
/// written there. `depth`: how many keys of the path count; with one more than the place has, the entry's name.
pub(super) fn verify_only_changed(
    old: &Tree<'_>,
    new: &str,
    place: ServersPath<'_>,
    name: &str,
    depth: usize,
    entry: Option<&Entry>,
) -> Result<()> {
    let new = Tree::read(new).map_err(verify::broken)?;
    let path: Vec<&str> = place.at.iter().map(String::as_str).chain([name]).take(depth).collect();
    let shown = path.join(".");
    let same = Comparison { place, old, new: &new }.nodes(old.root(), new.root(), &path, true);
    verify::only_changed(same, &shown)?;
    let Some(entry) = entry else { return Ok(()) };
    let wanted = Value::Object(match place.layout {
        Layout::Map => entry.clone(),
        Layout::List => with_name(name, entry),
    });
    // What cannot be read as a whole (an alias, say) was not brought up to date either.
    let before = value(old, place, name).ok().flatten();
    verify::written(before.as_ref(), value(&new, place, name)?.as_ref(), &wanted, &shown)
}

fn value(tree: &Tree<'_>, place: ServersPath<'_>, name: &str) -> Result<Option<Value>> {
    let resolved = walk(tree, place)?;
    let found = resolved.and_then(|it| named(tree, place, it.container(place)?, name).ok()?);
    found.map(|it| tree.value(it.value)).transpose()
}

struct Comparison<'a> {
    place: ServersPath<'a>,
    old: &'a Tree<'a>,
    new: &'a Tree<'a>,
}

impl Comparison<'_> {
    /// Whether two nodes are the same but for what is at the end of the path. Nothing, null and empty are the same.
    fn nodes(&self, old: Option<usize>, new: Option<usize>, path: &[&str], at_root: bool) -> bool {
        let Some((key, deeper)) = path.split_first() else { return true };
        let (old, new) = (old.filter(|it| filled(self.old, *it)), new.filter(|it| filled(self.new, *it)));
        let kinds = [old.map(|it| self.old.nodes[it].kind), new.map(|it| self.new.nodes[it].kind)];
        if kinds.contains(&Some(Kind::List)) {
            let is_list = self.place.layout == Layout::List && deeper.is_empty();
            return is_list && !kinds.contains(&Some(Kind::Map)) && self.items(old, new, key);
        }
        let others = |tree: &Tree<'_>, of: Option<usize>| -> Vec<usize> {
            of.into_iter().flat_map(|it| tree.keys(it)).filter(|it| !tree.says(*it, key)).collect()
        };
        let (old_others, new_others) = (others(self.old, old), others(self.new, new));
        let same = old_others.len() == new_others.len()
            && old_others
                .iter()
                .zip(&new_others)
                .all(|(old, new)| self.same(*old, *new) && self.same(*old + 1, *new + 1));
        let created = at_root && old_others.is_empty() && self.is_of_a_new_file(self.new, &new_others);
        let pruned = at_root && new_others.is_empty() && self.is_of_a_new_file(self.old, &old_others);
        if !same && !created && !pruned {
            return false;
        }
        let inner = |tree: &Tree<'_>, of: Option<usize>| {
            of.and_then(|it| tree.keys(it).find(|it| tree.says(*it, key))).map(|it| it + 1)
        };
        deeper.is_empty() || self.nodes(inner(self.old, old), inner(self.new, new), deeper, false)
    }

    fn items(&self, old: Option<usize>, new: Option<usize>, name: &str) -> bool {
        let others = |tree: &Tree<'_>, of: Option<usize>| -> Vec<usize> {
            let all = of.into_iter().flat_map(|it| tree.children(it));
            all.filter(|it| super::name_of(tree, *it).is_none_or(|it| it != name)).collect()
        };
        let (old, new) = (others(self.old, old), others(self.new, new));
        old.len() == new.len() && old.iter().zip(&new).all(|(old, new)| self.same(*old, *new))
    }

    fn is_of_a_new_file(&self, tree: &Tree<'_>, keys: &[usize]) -> bool {
        let Some(wanted) = self.place.new_file else { return false };
        keys.iter().all(|it| {
            wanted.get(&*tree.scalar(*it)).is_some_and(|want| tree.value(it + 1).is_ok_and(|it| it == *want))
        })
    }

    /// Whether two nodes are the same, byte for byte and node for node.
    fn same(&self, old: usize, new: usize) -> bool {
        let ends = (self.old.nodes[old].next as usize, self.new.nodes[new].next as usize);
        let (old_nodes, new_nodes) = (&self.old.nodes[old..ends.0], &self.new.nodes[new..ends.1]);
        let (old_base, new_base) = (old_nodes[0].head, new_nodes[0].head);
        old_nodes.len() == new_nodes.len()
            && self.old.text[old_nodes[0].head()..old_nodes[0].end()]
                == self.new.text[new_nodes[0].head()..new_nodes[0].end()]
            && old_nodes.iter().zip(new_nodes).enumerate().all(|(n, (a, b))| {
                let places = a.start - old_base == b.start - new_base && a.end - old_base == b.end - new_base;
                let looks = (a.kind, a.flow, a.anchored, a.tagged, a.next - old as u32)
                    == (b.kind, b.flow, b.anchored, b.tagged, b.next - new as u32);
                places
                    && looks
                    && match a.kind {
                        Kind::Block => self.old.scalar(old + n) == self.new.scalar(new + n),
                        Kind::Alias => self.same_target(self.old.target(old + n), self.new.target(new + n)),
                        _ => true,
                    }
            })
    }
}

impl Comparison<'_> {
    /// What an alias stands for cannot be compared in full: a file may hold very many.
    fn same_target(&self, old: usize, new: usize) -> bool {
        let (old, new) = (&self.old.nodes[old], &self.new.nodes[new]);
        (old.kind, old.end - old.head) == (new.kind, new.end - new.head)
    }
}

fn filled(tree: &Tree<'_>, node: usize) -> bool {
    !tree.is_null(node) && !tree.is_empty(node)
}
