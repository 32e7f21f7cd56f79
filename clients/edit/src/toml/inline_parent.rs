//! Servers that stand in an inline table: `mcp_servers = { name = {..}, .. }`.
//!
//! Such a table's text + entry -> its new text. Invariant: the other members stay as they are.

use std::ops::Range;

use serde_json::Value;

use super::doc::{Doc, Id};
use super::inline::{self, Found};
use super::{Plan, at, value, write};
use crate::text::{Splice, apply};
use crate::{CreatedParent, Entry, Error, IfExists, PreviousState, Result, ServersPath};

pub(super) fn put(
    doc: &Doc<'_>,
    id: Id,
    place: ServersPath<'_>,
    depth: usize,
    name: &str,
    entry: &Entry,
    if_exists: IfExists<'_>,
) -> Result<Plan> {
    let (source, range) = (doc.source(id), doc.range(id));
    let path = &at(place, name)[depth..];
    let object = Value::Object(entry.clone());
    let (mut created, mut replaced) = (Vec::new(), None);
    let new = match (inline::find(source, path), if_exists) {
        (Found::Missing, _) => {
            created = created_inline(source, path, place, depth);
            inline::insert(source, path, &object)
        }
        (Found::Value(at), IfExists::Update(written)) if source[at.clone()].starts_with('{') => {
            let with = inline::update(&source[at.clone()], Some(written), entry);
            apply(source, &[Splice { range: at, with }])
        }
        (Found::Value(at), if_exists) => {
            replaced = matches!(if_exists, IfExists::Replace).then(|| source[at.clone()].to_owned());
            apply(source, &[Splice { range: at, with: write::value(&object) }])
        }
        (Found::Pieces(at) | Found::NoTable(at), _) => {
            let what =
                format!("`{name}` is made of keys with dots in an inline table: write it as one table");
            return Err(Error::unsupported(doc.text, range.start + at, what));
        }
    };
    Ok(Plan { splices: vec![Splice { range, with: new }], created, replaced })
}

/// The innermost pair of braces on the path to the servers, and how many keys lead there.
fn braces(source: &str, path: &[&str]) -> (Range<usize>, usize) {
    let mut found = (0..source.len(), 0);
    for depth in 1..path.len() {
        match inline::find(source, &path[..depth]) {
            Found::Value(at) if source[at.clone()].starts_with('{') => found = (at, depth),
            _ => break,
        }
    }
    found
}

/// That the table was empty which an entry comes into.
fn created_inline(source: &str, path: &[&str], place: ServersPath<'_>, depth: usize) -> Vec<CreatedParent> {
    let (at, inner) = braces(source, path);
    if value::read(&source[at.clone()]).as_object().is_some_and(|it| !it.is_empty()) {
        return Vec::new();
    }
    let previous = PreviousState::Empty(source[at.start + 1..at.end - 1].to_owned());
    vec![CreatedParent { path: place.at[..depth + inner].to_vec(), previous }]
}

pub(super) fn remove(
    source: &str,
    place: ServersPath<'_>,
    depth: usize,
    name: &str,
    created: &[CreatedParent],
    replaced: Option<&str>,
) -> String {
    let path = &at(place, name)[depth..];
    if let (Found::Value(range), Some(original)) = (inline::find(source, path), replaced) {
        return apply(source, &[Splice { range, with: original.to_owned() }]);
    }
    let new = inline::cut(source.to_owned(), path);
    let (range, inner) = braces(&new, path);
    let inside = range.start + 1..range.end - 1;
    let created = created.iter().find(|it| it.path == place.at[..depth + inner]);
    match created.map(|it| &it.previous) {
        Some(PreviousState::Empty(previous))
            if new != source && previous.trim() == new[inside.clone()].trim() =>
        {
            apply(&new, &[Splice { range: inside, with: previous.clone() }])
        }
        _ => new,
    }
}
