//! Inline tables: `{ name = value, .. }`.
//!
//! Text of such a table + path -> its new text. Invariant: what is between the other members stays as it is.

use std::cmp::Ordering;
use std::ops::Range;

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::{value, write};
use crate::Entry;
use crate::text::{Splice, apply};

/// A value in an inline table, or a table that keys with dots make.
#[derive(Debug)]
struct Member {
    path: Vec<String>,
    value: Range<usize>,
}

impl Member {
    /// Whether it is at the path, inside of what is there, or on the way to it.
    fn is_on(&self, path: &[&str]) -> bool {
        self.path.iter().zip(path).all(|(a, b)| a == b)
    }
}

/// The values of a table, in the order of the text; those inside of inner tables too, if these are not in braces.
fn members(text: &str) -> Vec<Member> {
    fn collect(text: &str, table: &DeTable<'_>, path: &[String], out: &mut Vec<Member>) {
        for (key, value) in table {
            let path: Vec<String> = path.iter().cloned().chain([key.get_ref().to_string()]).collect();
            match value.get_ref() {
                DeValue::Table(inner) if !text[value.span().start..].starts_with('{') => {
                    collect(text, inner, &path, out);
                }
                _ => out.push(Member { path, value: value.span() }),
            }
        }
    }
    let mut out = Vec::new();
    if let Ok(parsed) = DeValue::parse(text)
        && let Some(table) = parsed.get_ref().as_table()
    {
        collect(text, table, &[], &mut out);
    }
    out.sort_by_key(|it| it.value.start);
    out
}

/// Where a path leads.
pub(super) enum Found {
    Missing,
    /// The value's place.
    Value(Range<usize>),
    /// Spread over several members, which begin here.
    Pieces(usize),
    /// A key on the way is no table, and stands here.
    NoTable(usize),
}

pub(super) fn find(text: &str, path: &[&str]) -> Found {
    let all = members(text);
    let Some(it) = all.iter().find(|it| it.is_on(path)) else { return Found::Missing };
    let (depth, start) = (it.path.len(), it.value.start);
    match depth.cmp(&path.len()) {
        Ordering::Greater => Found::Pieces(start),
        Ordering::Equal => Found::Value(it.value.clone()),
        Ordering::Less if text[start..].starts_with('{') => {
            match find(&text[it.value.clone()], &path[depth..]) {
                Found::Missing => Found::Missing,
                Found::Value(at) => Found::Value(start + at.start..start + at.end),
                Found::Pieces(at) => Found::Pieces(start + at),
                Found::NoTable(at) => Found::NoTable(start + at),
            }
        }
        Ordering::Less => Found::NoTable(start),
    }
}

/// A new member behind the last one.
pub(super) fn insert(text: &str, path: &[&str], it: &Value) -> String {
    let all = members(text);
    // Into an inner table, if the path leads there.
    let inner = all.iter().find(|it| it.path.len() < path.len() && it.is_on(path));
    if let Some(inner) = inner {
        let with = insert(&text[inner.value.clone()], &path[inner.path.len()..], it);
        return apply(text, &[Splice { range: inner.value.clone(), with }]);
    }
    let pair = format!("{} = {}", write::path(path.iter().copied()), write::value(it));
    match all.last() {
        Some(last) => {
            let at = last.value.end;
            apply(text, &[Splice { range: at..at, with: format!(", {pair}") }])
        }
        None if text[1..text.len() - 1].trim_matches([' ', '\t']).is_empty() => format!("{{ {pair} }}"),
        // Comments and line ends, which only TOML 1.1 has.
        None => format!("{{ {pair}{}", &text[1..]),
    }
}

/// Takes every member at the path out.
pub(super) fn cut(mut text: String, path: &[&str]) -> String {
    loop {
        let all = members(&text);
        let Some(index) = all.iter().position(|it| it.is_on(path)) else {
            return text;
        };
        let it = &all[index];
        if it.path.len() < path.len() {
            let range = it.value.clone();
            let with = cut(text[range.clone()].to_owned(), &path[it.path.len()..]);
            return apply(&text, &[Splice { range, with }]);
        }
        let values: Vec<_> = all.iter().map(|it| it.value.clone()).collect();
        text = without(&text, &values, index);
    }
}

/// The text of an inline table or a list without one of its values: the key in front of it and a comma go along.
pub(super) fn without(text: &str, all: &[Range<usize>], index: usize) -> String {
    let end = all[index].end;
    let before = index.checked_sub(1).map(|it| all[it].end);
    let start = member_start(text, before.unwrap_or(1));
    let next = all.get(index + 1).map(|_| member_start(text, end));
    let cut = |range| Splice { range, with: String::new() };
    let cuts = match (before, next) {
        (Some(before), _) if !text[before..start].contains('#') => vec![cut(before..end)],
        // The comma in front of it goes, the comments stay.
        (Some(before), _) => {
            vec![cut(comma(text, before).map_or(start..start, |it| it..it + 1)), cut(start..end)]
        }
        (None, Some(next)) if !text[end..next].contains('#') => vec![cut(start..next)],
        (None, _) => vec![cut(start..comma(text, end).map_or(end, |it| it + 1))],
    };
    apply(text, &cuts)
}

/// The first place from `at` that is no blank, line end, comment or comma.
fn member_start(text: &str, at: usize) -> usize {
    skip(text, at, &[' ', '\t', '\r', '\n', ','])
}

/// The comma that comes next, behind blanks, line ends and comments.
pub(super) fn comma(text: &str, at: usize) -> Option<usize> {
    let at = skip(text, at, &[' ', '\t', '\r', '\n']);
    text[at..].starts_with(',').then_some(at)
}

fn skip(text: &str, mut at: usize, what: &[char]) -> usize {
    loop {
        let rest = text[at..].trim_start_matches(what);
        at = text.len() - rest.len();
        if !rest.starts_with('#') {
            return at;
        }
        at = text[at..].find('\n').map_or(text.len(), |it| at + it);
    }
}

/// Brings a table up to date: what is wanted, and nothing of what was written and is no longer wanted.
pub(super) fn update(text: &str, written: Option<&Entry>, wanted: &Entry) -> String {
    let mut new = text.to_owned();
    let now = value::read(text);
    let none = Map::new();
    let now = now.as_object().unwrap_or(&none);
    for (key, want) in wanted {
        let Some(found) = now.get(key) else {
            new = insert(&new, &[key], want);
            continue;
        };
        match (find(&new, &[key]), want) {
            _ if found == want => {}
            (Found::Value(range), Value::Object(want)) if found.is_object() => {
                let with = update(&new[range.clone()], written.and_then(|it| it.get(key)?.as_object()), want);
                new = apply(&new, &[Splice { range, with }]);
            }
            (Found::Value(range), want) => new = apply(&new, &[Splice { range, with: write::value(want) }]),
            // Spread over keys with dots: what the user added comes along.
            (_, want) => {
                let written = written.and_then(|it| it.get(key)?.as_object());
                new = insert(&cut(new, &[key]), &[key], &merged(found, written, want));
            }
        }
    }
    for (key, old) in written.into_iter().flatten().filter(|(key, _)| !wanted.contains_key(*key)) {
        if now.get(key) == Some(old) {
            new = cut(new, &[key]);
        }
    }
    new
}

/// What stands there, with what is wanted, and without what was written and is no longer wanted.
pub(super) fn merged(found: &Value, written: Option<&Entry>, wanted: &Value) -> Value {
    let (Some(found), Some(wanted)) = (found.as_object(), wanted.as_object()) else { return wanted.clone() };
    let stale =
        |key: &str, it: &Value| !wanted.contains_key(key) && written.and_then(|old| old.get(key)) == Some(it);
    let mut all: Map<String, Value> =
        found.iter().filter(|(key, it)| !stale(key, it)).map(|(key, it)| (key.clone(), it.clone())).collect();
    for (key, want) in wanted {
        let inner = written.and_then(|it| it.get(key)?.as_object());
        let want = all.get(key).map_or_else(|| want.clone(), |found| merged(found, inner, want));
        all.insert(key.clone(), want);
    }
    all.into_iter().collect()
}
