//! Servers in a list: `[[mcp_servers]]` with the name inside, or `mcp_servers = [{ name = ".." }]`.
//!
//! Tree + entry -> splices. Invariant: a new entry goes behind the last one, or right behind the bracket, so that taking it
//! out gives the text back without anything having to be remembered; a name that stands twice is refused.

use std::ops::Range;

use serde_json::Value;
use toml::de::DeValue;

use super::doc::{Doc, Id, Kind, ROOT};
use super::fragments::{self, Fragment};
use super::{Plan, inline, insert, keys, kind, update, value, whole, write};
use crate::servers::{NAME, with_name};
use crate::text::Splice;
use crate::{Entry, Error, IfExists, Result, ServersPath, verify};

/// What holds the servers.
enum Holder {
    Missing,
    /// `[[..]]`
    Tables(Id),
    /// `[..]`
    Value(Id),
}

fn holder(doc: &Doc<'_>, path: &[String]) -> Result<Holder> {
    let mut id = ROOT;
    for (depth, key) in path.iter().enumerate() {
        let Some(next) = doc.member(id, key) else { return Ok(Holder::Missing) };
        id = next;
        let is = || match doc.node(id).kind {
            Kind::Value => kind(&value::value(doc, id)),
            Kind::Array => "an array of tables",
            _ => "a table",
        };
        match (doc.node(id).kind, depth + 1 == path.len()) {
            (Kind::Array, true) => return Ok(Holder::Tables(id)),
            (Kind::Value, true) if doc.source(id).starts_with('[') => return Ok(Holder::Value(id)),
            (_, true) => return Err(doc.wrong_type(id, format!("`{key}` must be a list, and is {}", is()))),
            (Kind::Array | Kind::Value, false) => {
                return Err(doc.wrong_type(id, format!("`{key}` must be a table, and is {}", is())));
            }
            (Kind::Inline, false) => {
                let what = format!("a list of servers in the inline table `{key}`: write it as `[{key}]`");
                return Err(doc.unsupported(id, what));
            }
            (_, false) => {}
        }
    }
    Ok(Holder::Missing)
}

/// The members of a list's text, with their places.
pub(super) fn items(text: &str) -> Vec<(Range<usize>, Value)> {
    let Ok(parsed) = DeValue::parse(text) else { return Vec::new() };
    let all = parsed.get_ref().as_array().into_iter().flat_map(|it| it.iter());
    all.map(|it| (it.span(), value::read(&text[it.span()]))).collect()
}

/// The name that a table of the array has.
fn name_of(doc: &Doc<'_>, element: Id) -> Option<String> {
    value::value(doc, doc.member(element, NAME)?).as_str().map(str::to_owned)
}

pub(super) fn entries(
    doc: &Doc<'_>,
    path: &[String],
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<(String, Value)>> {
    Ok(match holder(doc, path)? {
        Holder::Missing => Vec::new(),
        Holder::Tables(servers) => {
            let named = doc.members(servers).filter_map(|it| Some((name_of(doc, it)?, it)));
            named.filter(|(name, _)| wanted(name)).map(|(name, it)| (name, value::value(doc, it))).collect()
        }
        Holder::Value(id) => {
            let all = items(doc.source(id)).into_iter();
            let named = all.filter_map(|(_, it)| Some((it[NAME].as_str()?.to_owned(), it)));
            named.filter(|(name, _)| wanted(name)).collect()
        }
    })
}

/// The only one of that name in an array of tables.
fn table_named(doc: &Doc<'_>, servers: Id, name: &str) -> Result<Option<Id>> {
    let mut all = doc.members(servers).filter(|it| name_of(doc, *it).as_deref() == Some(name));
    match (all.next(), all.next()) {
        (_, Some(second)) => Err(twice(doc, doc.range(second).start, name)),
        (found, None) => Ok(found),
    }
}

/// The only one of that name in a list that begins at `start`: which one it is.
fn item_named(
    doc: &Doc<'_>,
    start: usize,
    all: &[(Range<usize>, Value)],
    name: &str,
) -> Result<Option<usize>> {
    let mut found = (0..all.len()).filter(|it| all[*it].1[NAME] == name);
    match (found.next(), found.next()) {
        (_, Some(second)) => Err(twice(doc, start + all[second].0.start, name)),
        (found, None) => Ok(found),
    }
}

fn twice(doc: &Doc<'_>, at: usize, name: &str) -> Error {
    Error::duplicate(doc.text, at, format!("a second `{name}` in the same list"))
}

/// What puts an entry into the list, or brings it up to date.
pub(super) fn plan(
    doc: &Doc<'_>,
    place: ServersPath<'_>,
    name: &str,
    entry: &Entry,
    if_exists: IfExists<'_>,
) -> Result<Plan> {
    let (keys, entry) = (keys(place), with_name(name, entry));
    let servers = match holder(doc, place.at)? {
        Holder::Missing => return Ok(Plan::of(vec![insert::element(doc, None, &keys, &entry)])),
        Holder::Value(id) => return plan_in_value(doc, id, name, entry, if_exists),
        Holder::Tables(servers) => servers,
    };
    let Some(id) = table_named(doc, servers, name)? else {
        return Ok(Plan::of(vec![insert::element(doc, Some(servers), &keys, &entry)]));
    };
    if let IfExists::Update(written) = if_exists {
        return Ok(Plan::of(update(doc, servers, id, &keys, written, &entry)));
    }
    let range = whole(doc, id, name)?;
    let replaced = Some(doc.text[range.clone()].to_owned());
    let with = write::element(&keys, &entry, insert::style(doc, Some(servers), id, range.end));
    Ok(Plan { splices: vec![Splice { range, with }], replaced, ..Plan::default() })
}

fn plan_in_value(doc: &Doc<'_>, id: Id, name: &str, entry: Entry, if_exists: IfExists<'_>) -> Result<Plan> {
    let (source, start) = (doc.source(id), doc.range(id).start);
    let all = items(source);
    let object = || write::value(&Value::Object(entry.clone()));
    let Some(index) = item_named(doc, start, &all, name)? else {
        let (at, with) = new_item(source, &all, &object());
        return Ok(Plan::of(vec![Splice { range: start + at..start + at, with }]));
    };
    let old = &source[all[index].0.clone()];
    let (with, replaced) = match if_exists {
        IfExists::Update(written) => (inline::update(old, Some(written), &entry), None),
        IfExists::Replace => (object(), Some(old.to_owned())),
    };
    let range = start + all[index].0.start..start + all[index].0.end;
    Ok(Plan { splices: vec![Splice { range, with }], replaced, ..Plan::default() })
}

/// Where a new member goes, and its text: on a line of its own if the last one is.
fn new_item(source: &str, all: &[(Range<usize>, Value)], text: &str) -> (usize, String) {
    let Some(((last, _), before)) = all.split_last() else { return (1, text.to_owned()) };
    let gap = &source[before.last().map_or(1, |it| it.0.end)..last.start];
    let line = gap.rfind('\n').map(|it| if gap[..it].ends_with('\r') { it - 1 } else { it });
    let line = line.map(|it| &gap[it..]).filter(|it| it.trim().is_empty());
    (last.end, format!(",{}{text}", line.unwrap_or(" ")))
}

/// What takes an entry out of the list, or puts back what it had replaced.
pub(super) fn cut(doc: &Doc<'_>, path: &[String], name: &str, replaced: Option<&str>) -> Result<Vec<Splice>> {
    match holder(doc, path)? {
        Holder::Missing => Ok(Vec::new()),
        Holder::Tables(servers) => match table_named(doc, servers, name)? {
            None => Ok(Vec::new()),
            Some(id) => cut_table(doc, path, id, name, replaced),
        },
        Holder::Value(id) => cut_item(doc, path, id, name, replaced),
    }
}

fn cut_table(
    doc: &Doc<'_>,
    path: &[String],
    id: Id,
    name: &str,
    replaced: Option<&str>,
) -> Result<Vec<Splice>> {
    let all = fragments::of(doc, id);
    let cut = |it: &Fragment| fragments::cut(doc.text, it);
    let (Some(original), Some(first)) = (replaced, all.first()) else {
        return Ok(all.iter().map(cut).collect());
    };
    if read(original, path).is_none() {
        return Err(does_not_fit(doc, id, name, original));
    }
    let first = Splice { range: first.range(), with: original.to_owned() };
    Ok([first].into_iter().chain(all[1..].iter().map(cut)).collect())
}

fn cut_item(
    doc: &Doc<'_>,
    path: &[String],
    id: Id,
    name: &str,
    replaced: Option<&str>,
) -> Result<Vec<Splice>> {
    let (source, range) = (doc.source(id), doc.range(id));
    let all = items(source);
    let Some(index) = item_named(doc, range.start, &all, name)? else { return Ok(Vec::new()) };
    let Some(original) = replaced else {
        let places: Vec<_> = all.into_iter().map(|it| it.0).collect();
        return Ok(vec![Splice { range, with: inline::without(source, &places, index) }]);
    };
    if read(original, path).is_some() || !value::read(original).is_object() {
        return Err(does_not_fit(doc, id, name, original));
    }
    let range = range.start + all[index].0.start..range.start + all[index].0.end;
    Ok(vec![Splice { range, with: original.to_owned() }])
}

fn does_not_fit(doc: &Doc<'_>, id: Id, name: &str, original: &str) -> Error {
    verify::does_not_fit(doc.text, doc.range(id).start, name, original)
}

/// The text of a table of the array, as `plan` replaced it.
pub(super) fn read(text: &str, path: &[String]) -> Option<Value> {
    let doc = Doc::parse(text).ok()?;
    let Ok(Holder::Tables(servers)) = holder(&doc, path) else { return None };
    let mut all = doc.members(servers);
    match (all.next(), all.next()) {
        (Some(it), None) => Some(value::value(&doc, it)),
        _ => None,
    }
}
