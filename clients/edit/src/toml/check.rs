//! The last look at an edit before anybody gets to see it.
//!
//! Old and new text -> nothing, or an error. Invariant: it reads the new text from the beginning, and trusts nothing
//! that the edit found out.

use std::ops::Range;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::doc::{Doc, Id, Kind, ROOT};
use super::{at, list, value};
use crate::servers::NAME;
use crate::{Layout, Result, ServersPath, verify};

/// What an edit may change: what the keys lead to, or the member of that name in the list there.
pub(super) struct Target<'a> {
    keys: Vec<&'a str>,
    item: Option<&'a str>,
}

impl<'a> Target<'a> {
    pub(super) fn of(place: ServersPath<'a>, name: &'a str) -> Self {
        match place.layout {
            Layout::Map => Self { keys: at(place, name), item: None },
            Layout::List => Self { keys: place.at.iter().map(String::as_str).collect(), item: Some(name) },
        }
    }

    /// What these keys lead to.
    pub(super) fn at(keys: &[&'a str]) -> Self {
        Self { keys: keys.to_vec(), item: None }
    }

    fn length(&self) -> usize {
        self.keys.len() + usize::from(self.item.is_some())
    }
}

/// Makes sure that two texts differ in the target at most, and that this holds what was to be written.
pub(super) fn verify_only_changed(
    old: &Doc<'_>,
    new: &str,
    target: &Target<'_>,
    entry: Option<&Value>,
) -> Result<()> {
    let name = target.keys.iter().copied().chain(target.item).collect::<Vec<_>>().join(".");
    let new = Doc::parse(new).map_err(verify::broken)?;
    verify::only_changed(same(old, &new, target), &name)?;
    let Some(entry) = entry else { return Ok(()) };
    verify::written(find(old, target).as_ref(), find(&new, target).as_ref(), entry, &name)
}

fn find(doc: &Doc<'_>, target: &Target<'_>) -> Option<Value> {
    let found = find_keys(doc, &target.keys)?;
    let Some(name) = target.item else { return Some(found) };
    found.as_array()?.iter().find(|it| it[NAME] == name).cloned()
}

fn find_keys(doc: &Doc<'_>, keys: &[&str]) -> Option<Value> {
    let mut id = ROOT;
    for (depth, key) in keys.iter().enumerate() {
        if doc.is_leaf(id) {
            return keys[depth..].iter().try_fold(value::value(doc, id), |it, key| it.get(key).cloned());
        }
        id = doc.member(id, key)?;
    }
    Some(value::value(doc, id))
}

/// The nodes that lead to the target, as far as there are any.
fn walk(doc: &Doc<'_>, target: &Target<'_>) -> Vec<Id> {
    let mut ids = vec![ROOT];
    let mut last = ROOT;
    for key in &target.keys {
        let Some(id) = doc.member(last, key) else { return ids };
        ids.push(id);
        last = id;
    }
    let named = |name: &&str| doc.members(last).find(|it| value::value(doc, *it)[NAME] == **name);
    if doc.node(last).kind == Kind::Array {
        ids.extend(target.item.as_ref().and_then(named));
    }
    ids
}

/// Whether everything but the target is the same, in the same order, byte for byte.
fn same(old: &Doc<'_>, new: &Doc<'_>, target: &Target<'_>) -> bool {
    let (length, old_way, new_way) = (target.length(), walk(old, target), walk(new, target));
    let mut partner = vec![Id::MAX; old.nodes.len()];
    for (old, new) in old_way.iter().zip(&new_way) {
        partner[*old as usize] = *new;
    }
    let mut new_others = others(new, &new_way, length);
    let pairs = others(old, &old_way, length).all(|it| {
        let Some(other) = new_others.next() else { return false };
        partner[it as usize] = other;
        let (a, b) = (old.node(it), new.node(other));
        let leaf = old.is_leaf(it);
        a.kind == b.kind
            && a.key == b.key
            && partner[a.parent as usize] == b.parent
            && (!leaf || old.source(it) == new.source(other))
    });
    // Headers on the path are the user's, too.
    let own = |doc: &Doc<'_>, way: &[Id]| {
        way.iter().take(length).filter(|it| doc.node(**it).kind == Kind::Header).count()
    };
    pairs && new_others.next().is_none() && own(old, &old_way) == own(new, &new_way) && {
        let old_end = old_way.last().copied().unwrap_or_default();
        let new_end = new_way.last().copied().unwrap_or_default();
        let closed = old.is_leaf(old_end) && old_way.len() <= length;
        let rest = || &target.keys[old_way.len() - 1..];
        !closed || same_inside(old.source(old_end), new.source(new_end), rest(), target.item)
    }
}

fn same_inside(old: &str, new: &str, keys: &[&str], item: Option<&str>) -> bool {
    match item {
        None => same_inline(old, new, keys),
        Some(name) => keys.is_empty() && same_items(old, new, name),
    }
}

/// The same for a list: every member of another name, or of none.
fn same_items(old: &str, new: &str, name: &str) -> bool {
    let others = |text: &str| -> Vec<String> {
        let others = list::items(text).into_iter().filter(|(_, it)| it[NAME] != name);
        others.map(|(range, _)| text[range].to_owned()).collect()
    };
    others(old) == others(new)
}

/// Every node that is neither on the way nor at its end.
fn others<'d>(doc: &'d Doc<'_>, way: &'d [Id], length: usize) -> impl Iterator<Item = Id> + 'd {
    let end = way.get(length).copied();
    let all = (1..doc.nodes.len()).map(|it| Id::try_from(it).unwrap_or(Id::MAX));
    all.filter(move |it| !way.contains(it) && end.is_none_or(|end| !doc.within(*it, end)))
}

/// The same for an inline table that the path leads into.
fn same_inline(old: &str, new: &str, path: &[&str]) -> bool {
    let (Ok(old_table), Ok(new_table)) = (DeValue::parse(old), DeValue::parse(new)) else { return false };
    let (Some(a), Some(b)) = (old_table.get_ref().as_table(), new_table.get_ref().as_table()) else {
        return false;
    };
    let mut all = Vec::new();
    others_inline(a, path, &mut Vec::new(), &mut |keys, at: Range<usize>| {
        all.push((keys.to_vec(), &old[at]))
    });
    let mut rest = all.into_iter();
    let mut equal = true;
    others_inline(b, path, &mut Vec::new(), &mut |keys, at: Range<usize>| {
        equal &= rest.next() == Some((keys.to_vec(), &new[at]));
    });
    equal && rest.next().is_none()
}

fn others_inline(
    table: &DeTable<'_>,
    path: &[&str],
    keys: &mut Vec<String>,
    each: &mut dyn FnMut(&[String], Range<usize>),
) {
    for (key, it) in table {
        keys.push(key.get_ref().to_string());
        let on_path = keys.iter().zip(path).all(|(a, b)| a == b);
        match it.get_ref().as_table() {
            _ if on_path && keys.len() == path.len() => {}
            Some(inner) if on_path => others_inline(inner, path, keys, each),
            _ => each(keys, it.span()),
        }
        keys.pop();
    }
}
