//! The last look at an edit before anybody gets to see it.
//!
//! Old and new text -> nothing, or an error. Invariant: it reads the new text from the beginning, and trusts nothing
//! that the edit found out.

use std::ops::Range;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::doc::{Doc, Id, Kind, ROOT};
use super::value;
use crate::{Result, verify};

/// Makes sure that two texts differ in what stands at the path at most, and that this holds what was to be written.
pub(super) fn verify_only_changed(
    old: &Doc<'_>,
    new: &str,
    path: &[&str],
    entry: Option<&Value>,
) -> Result<()> {
    let name = path.join(".");
    let new = Doc::parse(new).map_err(verify::broken)?;
    verify::only_changed(same(old, &new, path), &name)?;
    let Some(entry) = entry else { return Ok(()) };
    verify::written(find(&new, path).as_ref(), entry, &name)
}

fn find(doc: &Doc<'_>, path: &[&str]) -> Option<Value> {
    let mut id = ROOT;
    for (depth, key) in path.iter().enumerate() {
        if doc.is_leaf(id) {
            return path[depth..].iter().try_fold(value::value(doc, id), |it, key| it.get(key).cloned());
        }
        id = doc.member(id, key)?;
    }
    Some(value::value(doc, id))
}

/// The nodes that a path leads through, as far as it goes.
fn walk(doc: &Doc<'_>, path: &[&str]) -> Vec<Id> {
    let mut ids = vec![ROOT];
    for key in path {
        let Some(id) = ids.last().and_then(|it| doc.member(*it, key)) else { break };
        ids.push(id);
    }
    ids
}

/// Whether everything that is not on the path is the same, in the same order, byte for byte.
fn same(old: &Doc<'_>, new: &Doc<'_>, path: &[&str]) -> bool {
    let (old_way, new_way) = (walk(old, path), walk(new, path));
    let mut partner = vec![Id::MAX; old.nodes.len()];
    for (old, new) in old_way.iter().zip(&new_way) {
        partner[*old as usize] = *new;
    }
    let mut new_others = others(new, &new_way, path.len());
    let pairs = others(old, &old_way, path.len()).all(|it| {
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
        way.iter().take(path.len()).filter(|it| doc.node(**it).kind == Kind::Header).count()
    };
    pairs && new_others.next().is_none() && own(old, &old_way) == own(new, &new_way) && {
        let old_end = old_way.last().copied().unwrap_or_default();
        let new_end = new_way.last().copied().unwrap_or_default();
        let closed = old.is_leaf(old_end) && old_way.len() <= path.len();
        !closed || same_inline(old.source(old_end), new.source(new_end), &path[old_way.len() - 1..])
    }
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
