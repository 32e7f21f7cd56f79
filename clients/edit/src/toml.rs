//! Edits TOML. Text in, text out; keeps every byte it does not own.
//!
//! Old text + place + entry -> new text, or a refusal with line and column. Invariant: every result is read again,
//! and all but our path is compared with the original, before anybody gets to see it.
//!
//! An entry is written as the others in the file are: as a table with a header, `[at.name]`, with tables of its own
//! for its objects; as one line, `name = {..}`; or as a member of the inline table that holds them all. Where servers are
//! a list, it is a table of the array, `[[at]]`, or a member of the list that stands there.

mod check;
mod doc;
mod fragments;
#[cfg(test)]
pub(super) mod generate;
mod inline;
mod inline_parent;
mod insert;
mod lines;
mod list;
pub(crate) mod strings;
#[cfg(test)]
mod tests;
mod update;
mod value;
mod write;

use std::ops::Range;

use serde_json::Value;

use self::check::Target;
use self::doc::{Doc, Id, Kind, ROOT};
use self::fragments::Fragment;
use self::inline::Found;
use self::update::Update;
use self::write::Style;
use crate::format::{Edited, Format};
use crate::servers::with_name;
use crate::text::{Splice, apply};
use crate::{
    CreatedParent, Entry, Error, ErrorKind, IfExists, Layout, PreviousState, Result, ServersPath, verify,
};

/// TOML.
pub(crate) struct Toml;

impl Format for Toml {
    fn entries(
        &self,
        text: &str,
        place: ServersPath<'_>,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<(String, Value)>> {
        let doc = Doc::parse(text)?;
        if place.layout == Layout::List {
            return list::entries(&doc, place.at, wanted);
        }
        let servers = match walk(&doc, place.at)? {
            Walk::Table(id) => {
                let wanted = doc.members(id).filter(|it| wanted(&doc.node(*it).key));
                return Ok(wanted.map(|it| (doc.node(it).key.to_string(), value::value(&doc, it))).collect());
            }
            Walk::Missing => return Ok(Vec::new()),
            Walk::Inline(id, depth) => place.at[depth..]
                .iter()
                .try_fold(value::value(&doc, id), |it, key| it.as_object()?.get(key).cloned()),
        };
        let all = servers.as_ref().and_then(Value::as_object).into_iter().flatten();
        Ok(all.filter(|(name, _)| wanted(name)).map(|(name, it)| (name.clone(), it.clone())).collect())
    }

    fn put(
        &self,
        old: Option<&str>,
        place: ServersPath<'_>,
        name: &str,
        entry: &Entry,
        if_exists: IfExists<'_>,
    ) -> Result<Edited> {
        let entry_value = Value::Object(entry.clone());
        if write::has_null(&entry_value) {
            let what = format!("TOML has no null, and `{name}` holds one");
            return Err(Error::new(ErrorKind::InvalidEntry, what));
        }
        let text = old.unwrap_or_default();
        let doc = Doc::parse(text)?;
        let mut plan = match place.layout {
            Layout::Map => plan(&doc, place, name, entry, if_exists)?,
            Layout::List => list::plan(&doc, place, name, entry, if_exists)?,
        };
        let new = apply(text, &fragments::in_order(plan.splices));
        if new != text {
            check::verify_only_changed(&doc, &new, &Target::of(place, name), Some(&entry_value))?;
        }
        if old.is_none() {
            plan.created.push(CreatedParent { path: Vec::new(), previous: PreviousState::Missing });
        }
        Ok(Edited { text: new, created: plan.created, replaced: plan.replaced })
    }

    fn remove(
        &self,
        old: &str,
        place: ServersPath<'_>,
        name: &str,
        created: &[CreatedParent],
        replaced: Option<&str>,
    ) -> Result<Option<String>> {
        let doc = Doc::parse(old)?;
        let splices = match place.layout {
            Layout::Map => cut(&doc, place, name, created, replaced)?,
            Layout::List => list::cut(&doc, place.at, name, replaced)?,
        };
        let at = splices.first().map_or(0, |it| it.range.start);
        let new = apply(old, &fragments::in_order(splices));
        if new != old {
            let original = replaced.map(|it| self.parse_entry(it, place)).transpose()?;
            let checked = check::verify_only_changed(&doc, &new, &Target::of(place, name), original.as_ref());
            checked.map_err(|err| match replaced {
                Some(original) => verify::does_not_fit(old, at, name, original),
                None => err,
            })?;
        }
        let no_file = created.iter().any(|it| it.path.is_empty() && it.previous == PreviousState::Missing);
        if no_file && new.trim().is_empty() {
            return Ok(None);
        }
        Ok(Some(new))
    }

    fn parse_entry(&self, text: &str, place: ServersPath<'_>) -> Result<Value> {
        let found = match place.layout {
            Layout::Map => read(text, place).map(|it| it.1),
            Layout::List => list::read(text, place.at),
        };
        Ok(found.unwrap_or_else(|| value::read(text)))
    }

    fn render_snippet(&self, place: ServersPath<'_>, entries: &[(&str, &Entry)]) -> String {
        let tables = entries.iter().map(|(name, entry)| match place.layout {
            Layout::Map => write::table(&at(place, name), entry, Style::OURS),
            Layout::List => write::element(&keys(place), &with_name(name, entry), Style::OURS),
        });
        tables.collect::<Vec<_>>().join("\n\n") + "\n"
    }
}

#[derive(Default)]
struct Plan {
    splices: Vec<Splice>,
    created: Vec<CreatedParent>,
    replaced: Option<String>,
}

impl Plan {
    fn of(splices: Vec<Splice>) -> Self {
        Self { splices, ..Self::default() }
    }
}

fn keys(place: ServersPath<'_>) -> Vec<&str> {
    place.at.iter().map(String::as_str).collect()
}

fn at<'a>(place: ServersPath<'a>, name: &'a str) -> Vec<&'a str> {
    place.at.iter().map(String::as_str).chain([name]).collect()
}

/// What puts an entry into the table of servers, or brings it up to date.
fn plan(
    doc: &Doc<'_>,
    place: ServersPath<'_>,
    name: &str,
    entry: &Entry,
    if_exists: IfExists<'_>,
) -> Result<Plan> {
    let servers = match walk(doc, place.at)? {
        Walk::Inline(id, depth) => return inline_parent::put(doc, id, place, depth, name, entry, if_exists),
        Walk::Missing => return Ok(Plan::of(vec![insert::table(doc, None, place, name, entry)])),
        Walk::Table(servers) => servers,
    };
    Ok(match (doc.member(servers, name), if_exists) {
        (None, _) => Plan::of(vec![insert::entry(doc, servers, place, name, entry)]),
        (Some(id), IfExists::Update(written)) if is_table(doc, id) => {
            Plan::of(update(doc, servers, id, &at(place, name), written, entry))
        }
        (Some(id), IfExists::Update(written)) if doc.node(id).kind == Kind::Inline => {
            let with = inline::update(doc.source(id), Some(written), entry);
            Plan::of(vec![Splice { range: doc.range(id), with }])
        }
        (Some(id), if_exists) => replace(doc, servers, id, place, name, entry, if_exists)?,
    })
}

/// An entry of ours that is a table with a header; `keys` lead to it.
fn update(doc: &Doc<'_>, servers: Id, id: Id, keys: &[&str], written: &Entry, entry: &Entry) -> Vec<Splice> {
    let near = fragments::of(doc, id).last().map_or(0, |it| it.range().end);
    let style = insert::style(doc, Some(servers), id, near);
    let mut update = Update { doc, style, splices: Vec::new() };
    update.table(id, keys, Some(written), entry);
    update.splices
}

/// What takes an entry out of the table of servers.
fn cut(
    doc: &Doc<'_>,
    place: ServersPath<'_>,
    name: &str,
    created: &[CreatedParent],
    replaced: Option<&str>,
) -> Result<Vec<Splice>> {
    match walk(doc, place.at)? {
        Walk::Missing => Ok(Vec::new()),
        Walk::Inline(id, depth) => {
            let range = doc.range(id);
            let with = inline_parent::remove(&doc.text[range.clone()], place, depth, name, created, replaced);
            Ok(vec![Splice { range, with }])
        }
        Walk::Table(servers) => match doc.member(servers, name) {
            None => Ok(Vec::new()),
            Some(id) => restore(doc, id, place, name, replaced),
        },
    }
}

fn is_table(doc: &Doc<'_>, id: Id) -> bool {
    matches!(doc.node(id).kind, Kind::Implicit | Kind::Header | Kind::Dotted)
}

/// Where the keys down to the servers lead.
enum Walk {
    Table(Id),
    /// Into an inline table, which is there after so many keys.
    Inline(Id, usize),
    Missing,
}

fn walk(doc: &Doc<'_>, path: &[String]) -> Result<Walk> {
    let mut id = ROOT;
    for (depth, key) in path.iter().enumerate() {
        let Some(next) = doc.member(id, key) else { return Ok(Walk::Missing) };
        id = next;
        match doc.node(id).kind {
            Kind::Inline => {
                check_inline(doc, id, &path[depth + 1..])?;
                return Ok(Walk::Inline(id, depth + 1));
            }
            Kind::Value => {
                let what = format!("`{key}` must be a table, and is {}", kind(&value::value(doc, id)));
                return Err(doc.wrong_type(id, what));
            }
            Kind::Array => {
                let what = format!("`{key}` must be a table, and is an array of tables");
                return Err(doc.wrong_type(id, what));
            }
            _ => {}
        }
    }
    Ok(Walk::Table(id))
}

fn check_inline(doc: &Doc<'_>, id: Id, path: &[String]) -> Result<()> {
    for depth in 1..=path.len() {
        let keys: Vec<&str> = path[..depth].iter().map(String::as_str).collect();
        let source = doc.source(id);
        if let Found::Value(at) = inline::find(source, &keys)
            && !source[at.clone()].starts_with('{')
        {
            let is = kind(&value::read(&source[at.clone()]));
            let what = format!("`{}` must be a table, and is {is}", path[depth - 1]);
            return Err(Error::wrong_type(doc.text, doc.range(id).start + at.start, what));
        }
    }
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Number(_) => "a number",
        Value::Bool(_) => "a boolean",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
        Value::Null => "nothing",
    }
}

/// Ours in the place of what has the name.
fn replace(
    doc: &Doc<'_>,
    servers: Id,
    id: Id,
    place: ServersPath<'_>,
    name: &str,
    entry: &Entry,
    if_exists: IfExists<'_>,
) -> Result<Plan> {
    let text = doc.text;
    let keys = at(place, name);
    let object = Value::Object(entry.clone());
    let range = if doc.is_leaf(id) { doc.range(id) } else { whole(doc, id, name)? };
    let with = match fragments::of(doc, id).first() {
        _ if doc.is_leaf(id) => write::value(&object),
        Some(Fragment::Line { .. }) => {
            let holder = doc.section_at(range.start).node;
            let path = write::path(keys[doc.depth(holder).min(place.at.len())..].iter().copied());
            format!("{}{path} = {}", lines::indent(text, range.start), write::value(&object))
        }
        _ => write::table(&keys, entry, insert::style(doc, Some(servers), id, range.end)),
    };
    let replaced = matches!(if_exists, IfExists::Replace).then(|| text[range.clone()].to_owned());
    Ok(Plan { splices: vec![Splice { range, with }], created: Vec::new(), replaced })
}

/// The range of an entry that stands in one piece.
fn whole(doc: &Doc<'_>, id: Id, name: &str) -> Result<Range<usize>> {
    let all = fragments::of(doc, id);
    let Some(first) = all.first() else {
        return Err(Error::internal(format_args!("`{name}` stands nowhere")));
    };
    let mut range = first.range();
    for it in &all[1..] {
        let next = it.range();
        let lines = matches!((first, it), (Fragment::Line { .. }, Fragment::Line { .. }));
        let between = doc.text[range.end..next.start].lines().map(str::trim);
        if !lines || between.into_iter().any(|it| !it.is_empty() && !it.starts_with('#')) {
            let at = next.start + lines::indent(doc.text, next.start).len();
            let what = format!("`{name}` is in several places, and goes on here: bring it together first");
            return Err(Error::unsupported(doc.text, at, what));
        }
        range.end = next.end;
    }
    Ok(range)
}

/// What an entry's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Tables,
    Lines,
}

/// An entry's text as `whole` found it, if it is more than a value.
fn read(text: &str, place: ServersPath<'_>) -> Option<(Form, Value)> {
    let doc = Doc::parse(text).ok()?;
    let form = if doc.sections.len() > 1 { Form::Tables } else { Form::Lines };
    for skipped in 0..=place.at.len() {
        let Ok(Walk::Table(id)) = walk(&doc, &place.at[skipped..]) else { continue };
        let mut members = doc.members(id);
        if let (Some(it), None) = (members.next(), members.next())
            && (skipped == 0 || form == Form::Lines)
        {
            return Some((form, value::value(&doc, it)));
        }
    }
    None
}

/// Takes an entry out, or puts back what it had replaced.
fn restore(
    doc: &Doc<'_>,
    id: Id,
    place: ServersPath<'_>,
    name: &str,
    replaced: Option<&str>,
) -> Result<Vec<Splice>> {
    let all = fragments::of(doc, id);
    let cut = |it: &Fragment| fragments::cut(doc.text, it);
    let Some(original) = replaced else { return Ok(all.iter().map(cut).collect()) };
    let range = match (all.first(), read(original, place).map(|it| it.0)) {
        (Some(Fragment::Line { value, .. }), None) if doc.is_leaf(id) => value.clone(),
        (Some(Fragment::Line { range, .. }), Some(Form::Lines)) => range.clone(),
        (Some(Fragment::Tables(range)), Some(Form::Tables)) => range.clone(),
        _ => {
            return Err(verify::does_not_fit(doc.text, doc.range(id).start, name, original));
        }
    };
    let first = Splice { range, with: original.to_owned() };
    Ok([first].into_iter().chain(all[1..].iter().map(cut)).collect())
}
