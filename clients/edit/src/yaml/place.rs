//! Our place in a file, and an entry in it.
//!
//! Tree + path -> how far the path exists, and what is there. Invariant: whatever on the path could mean another thing
//! than it seems to (aliases, anchors, tags, merge keys, keys that stand there twice) is refused.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

use super::splice::{has_comment, item_lines};
use super::tree::{Kind, Tree};
use super::write::{Style, flow};
use crate::servers::{NAME, with_name};
use crate::{Entry, Layout, Result, ServersPath};

/// As far as the path exists.
pub(super) struct ResolvedPath {
    /// How many keys of the path do.
    pub(super) depth: usize,
    /// What the last one leads to; it may be null.
    pub(super) node: usize,
    /// The last one, and the mapping that it is in; none at the root.
    pub(super) key: Option<usize>,
    pub(super) holder: usize,
    /// The column of the block around `node`.
    pub(super) around: usize,
}

impl ResolvedPath {
    /// What holds the entries, if there is such a thing.
    pub(super) fn container(&self, place: ServersPath<'_>) -> Option<usize> {
        (self.depth == place.at.len()).then_some(self.node)
    }
}

/// `None`: the file has no value at all.
pub(super) fn walk(tree: &Tree<'_>, place: ServersPath<'_>) -> Result<Option<ResolvedPath>> {
    let Some(root) = tree.root() else { return Ok(None) };
    if tree.nodes[root].kind != Kind::Map {
        return Err(tree.wrong_type(root, format!("expected a mapping, found {}", tree.kind(root))));
    }
    simple(tree, root)?;
    let mut resolved =
        ResolvedPath { depth: 0, node: root, key: None, holder: root, around: tree.nodes[root].column() };
    for (depth, name) in place.at.iter().enumerate() {
        if tree.nodes[resolved.node].kind != Kind::Map {
            return Ok(Some(resolved)); // null
        }
        no_merge(tree, resolved.node)?;
        let Some(key) = member(tree, resolved.node, name) else { return Ok(Some(resolved)) };
        simple(tree, key)?;
        simple(tree, key + 1)?;
        let last = depth + 1 == place.at.len();
        let kind = if last && place.layout == Layout::List { Kind::List } else { Kind::Map };
        if tree.nodes[key + 1].kind != kind && !tree.is_null(key + 1) {
            let wanted = if kind == Kind::List { "a list" } else { "a mapping" };
            let what = format!("`{name}` must be {wanted}, and is {}", tree.kind(key + 1));
            return Err(tree.wrong_type(key + 1, what));
        }
        let around = tree.nodes[resolved.node].column();
        resolved =
            ResolvedPath { depth: depth + 1, node: key + 1, key: Some(key), holder: resolved.node, around };
    }
    if tree.nodes[resolved.node].kind == Kind::Map {
        no_merge(tree, resolved.node)?;
    }
    Ok(Some(resolved))
}

fn simple(tree: &Tree<'_>, node: usize) -> Result<()> {
    let it = &tree.nodes[node];
    let what = match (it.anchored, it.tagged) {
        (true, _) => "an anchor, through which an edit would be seen elsewhere, too",
        (_, true) => "a tag, which may give this another meaning",
        _ => return Ok(()),
    };
    Err(tree.unsupported(node, what))
}

fn no_merge(tree: &Tree<'_>, map: usize) -> Result<()> {
    let merge = |it: &usize| tree.nodes[*it].kind == Kind::Plain && tree.raw(*it) == "<<";
    match tree.keys(map).find(merge) {
        Some(key) => Err(tree.unsupported(key, "a merge key, which not every reader takes for one")),
        None => Ok(()),
    }
}

/// The key of that name; the reader has seen to it that there are no two.
pub(super) fn member(tree: &Tree<'_>, map: usize, name: &str) -> Option<usize> {
    tree.keys(map).find(|it| tree.says(*it, name))
}

/// The name that an item of a list has.
pub(super) fn name_of<'t>(tree: &Tree<'t>, item: usize) -> Option<Cow<'t, str>> {
    let name = name_node(tree, item)?;
    (!tree.nodes[name].kind.is_collection() && !tree.is_null(name)).then(|| tree.scalar(name))
}

fn name_node(tree: &Tree<'_>, item: usize) -> Option<usize> {
    let item = tree.target(item);
    if tree.nodes[item].kind != Kind::Map {
        return None;
    }
    tree.keys(item).find(|it| tree.says(*it, NAME)).map(|key| tree.target(key + 1))
}

/// An entry that is there.
pub(super) struct Found {
    pub(super) holder: usize,
    /// Which of the holder's members it is.
    pub(super) index: usize,
    pub(super) key: Option<usize>,
    pub(super) value: usize,
}

/// The entry of that name in the mapping or list (or null) that holds them.
pub(super) fn named(
    tree: &Tree<'_>,
    place: ServersPath<'_>,
    holder: usize,
    name: &str,
) -> Result<Option<Found>> {
    if tree.is_empty(holder) {
        return Ok(None);
    }
    let mut all: Vec<Found> = match place.layout {
        Layout::Map => {
            let keys = tree.keys(holder).enumerate().filter(|(_, key)| tree.says(*key, name));
            keys.map(|(index, key)| Found { holder, index, key: Some(key), value: key + 1 }).collect()
        }
        Layout::List => {
            let items = tree.children(holder).enumerate();
            let items = items.filter(|(_, item)| name_of(tree, *item).is_some_and(|it| it == name));
            items.map(|(index, value)| Found { holder, index, key: None, value }).collect()
        }
    };
    match all.get(1) {
        Some(second) => {
            let node = second.key.unwrap_or(second.value);
            Err(tree.duplicate(node, format!("a second `{name}` in the same place")))
        }
        None => {
            let found = all.pop();
            let says = found.as_ref().and_then(|it| it.key.or_else(|| name_node(tree, it.value)));
            // `! name` is a text in YAML and `~` is nothing, but not to all readers.
            match says {
                Some(says) if tree.nodes[says].tagged => simple(tree, says)?,
                Some(says) if tree.is_null(says) => {
                    return Err(tree.unsupported(says, "a name that stands for nothing to some readers"));
                }
                _ => {}
            }
            Ok(found)
        }
    }
}

impl Found {
    /// How many nodes a member has at its top.
    pub(super) fn step(&self) -> usize {
        if self.key.is_some() { 2 } else { 1 }
    }

    pub(super) fn nodes(&self, tree: &Tree<'_>) -> Range<usize> {
        self.key.unwrap_or(self.value)..tree.nodes[self.value].next as usize
    }

    /// What gives resolved to another entry of the same name: from behind the key to the value's end, or the whole
    /// item (in a block, with what indents it).
    pub(super) fn slot(&self, tree: &Tree<'_>) -> Range<usize> {
        let value = &tree.nodes[self.value];
        match self.key {
            Some(key) => tree.nodes[key].end()..value.end(),
            None if tree.nodes[self.holder].flow => value.head()..value.end(),
            None => item_lines(tree, self.value),
        }
    }

    pub(super) fn slot_text(
        &self,
        tree: &Tree<'_>,
        place: ServersPath<'_>,
        name: &str,
        entry: &Entry,
    ) -> String {
        let style = Style::of(tree, Some(self.holder));
        let holder = &tree.nodes[self.holder];
        let value = Value::Object(match place.layout {
            Layout::Map => entry.clone(),
            Layout::List => with_name(name, entry),
        });
        // A comment behind it is not ours: it stays on the entry's last line, and behind it.
        let end = self.slot(tree).end;
        let one_line = holder.flow || has_comment(tree.text, end..end);
        match (self.key, one_line) {
            (Some(_), true) => format!(": {}", flow(&value)),
            (Some(_), false) => format!(":{}", style.behind_colon(&value, holder.column())),
            (None, true) if holder.flow => flow(&value),
            (None, true) => format!("{}- {}", " ".repeat(holder.column()), flow(&value)),
            (None, false) => {
                format!("{}{}", " ".repeat(holder.column()), style.item(&value, holder.column()))
            }
        }
    }
}
