//! Our entry, brought up to date.
//!
//! Tree + entry as it was written + entry as it should be -> splices. Invariant: a field that we do not write stays,
//! and so does one that we wrote once and somebody has changed since.

use serde_json::Value;

use super::place::{Found, member, named, walk};
use super::splice::{self, Member};
use super::tree::{Kind, Tree};
use super::write::Style;
use crate::servers::NAME;
use crate::text::{Splice, apply};
use crate::{Entry, Result, ServersPath};

pub(super) struct Update {
    pub(super) splices: Vec<Splice>,
    /// Paths inside the entry that we wrote once, and that nobody has changed or needs any more.
    pub(super) stale: Vec<Vec<String>>,
}

impl Update {
    pub(super) fn of(tree: &Tree<'_>, found: &Found, written: &Entry, wanted: &Entry) -> Result<Self> {
        let mut update = Self { splices: Vec::new(), stale: Vec::new() };
        let scene = Scene { tree, style: Style::of(tree, Some(found.holder)), is_item: found.key.is_none() };
        let around = tree.nodes[found.holder].column();
        update.map(&scene, found.value, around, Some(written), wanted, &mut Vec::new())?;
        update.splices.sort_by_key(|it| it.range.start);
        let nodes = found.nodes(tree);
        let used = tree.aliases.iter().find(|it| nodes.contains(&(it.1 as usize)));
        match used {
            Some((alias, _)) if !update.splices.is_empty() || !update.stale.is_empty() => {
                Err(tree.unsupported(*alias as usize, "this alias needs the entry that would change"))
            }
            _ => Ok(update),
        }
    }

    fn map(
        &mut self,
        scene: &Scene<'_>,
        map: usize,
        around: usize,
        written: Option<&Entry>,
        wanted: &Entry,
        path: &mut Vec<String>,
    ) -> Result<()> {
        let tree = scene.tree;
        let mut new = Vec::new();
        let is_item = scene.is_item && path.is_empty();
        for (name, want) in wanted.iter().filter(|(name, _)| !(is_item && *name == NAME)) {
            let Some(key) = member(tree, map, name) else {
                new.push(Member::Pair(name, want));
                continue;
            };
            if let (Kind::Map, Value::Object(want)) = (tree.nodes[key + 1].kind, want)
                && !tree.is_empty(key + 1)
            {
                path.push(name.clone());
                let around = tree.nodes[map].column();
                let written = written.and_then(|it| it.get(name)?.as_object());
                self.map(scene, key + 1, around, written, want, path)?;
                path.pop();
            } else if tree.value(key + 1)? != *want {
                self.splices.extend(splice::set(tree, map, key, &scene.style, want)?);
            }
        }
        if !new.is_empty() {
            self.splices.extend(splice::append_inside(tree, map, around, &scene.style, &new)?);
        }
        self.find_stale(scene, map, written, wanted, path)
    }

    fn find_stale(
        &mut self,
        scene: &Scene<'_>,
        map: usize,
        written: Option<&Entry>,
        wanted: &Entry,
        path: &[String],
    ) -> Result<()> {
        let is_item = scene.is_item && path.is_empty();
        for (name, old) in written.into_iter().flatten().filter(|(name, _)| !wanted.contains_key(*name)) {
            if let Some(key) = member(scene.tree, map, name)
                && !(is_item && name == NAME)
                && scene.tree.value(key + 1)? == *old
            {
                self.stale.push(path.iter().chain([name]).cloned().collect());
            }
        }
        Ok(())
    }
}

struct Scene<'a> {
    tree: &'a Tree<'a>,
    style: Style,
    /// An item of a list: its name is how we found it, and stays.
    is_item: bool,
}

/// The text without one field of the entry.
pub(super) fn without_field(
    text: &str,
    place: ServersPath<'_>,
    name: &str,
    field: &[String],
) -> Result<String> {
    let tree = Tree::read(text)?;
    let container = walk(&tree, place)?.and_then(|it| it.container(place));
    let Some(found) = container.map(|it| named(&tree, place, it, name)).transpose()?.flatten() else {
        return Ok(text.to_owned());
    };
    let mut map = found.value;
    for (n, name) in field.iter().enumerate() {
        let Some(key) = member(&tree, map, name) else { break };
        if n + 1 == field.len() {
            let index = tree.keys(map).position(|it| it == key).unwrap_or_default();
            return Ok(apply(text, &splice::remove(&tree, map, index)?));
        }
        map = key + 1;
    }
    Ok(text.to_owned())
}
