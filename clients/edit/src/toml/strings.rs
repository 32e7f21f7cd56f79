//! A list of strings, as `members = ["a", "b"]` of a Cargo.toml: one more, or one less.
//!
//! Tree + string -> splices. Invariant: what was put in and is taken out again gives the text back, byte for byte; the other
//! strings keep their order and their lines.

use std::ops::Range;

use serde_json::Value;

use super::check::{self, Target};
use super::doc::{Doc, Id, Kind, ROOT};
use super::{fragments, inline, list, write};
use crate::Result;
use crate::text::{Splice, apply};

/// A string of the list, and where it stands in the text.
struct Item {
    range: Range<usize>,
    value: Value,
}

/// The text with `value` in the list: in its place where the list is in order, else behind the last one. One that is there
/// already stays as it is.
pub(crate) fn add(text: &str, keys: &[&str], value: &str) -> Result<String> {
    let doc = Doc::parse(text)?;
    let (id, items) = strings(&doc, keys)?;
    if items.iter().any(|it| it.value == value) {
        return Ok(text.to_owned());
    }
    let at = place(&items, value);
    let quoted = write::value(&Value::from(value));
    let splices = match at.checked_sub(1) {
        Some(before) => behind(text, &items, before, &quoted),
        None => vec![first(text, doc.range(id).start + 1, &items, &quoted)],
    };
    let mut wanted: Vec<Value> = items.into_iter().map(|it| it.value).collect();
    wanted.insert(at, Value::from(value));
    checked(&doc, keys, splices, wanted)
}

/// The text without `value` in the list; a comment on its own line goes along.
pub(crate) fn remove(text: &str, keys: &[&str], value: &str) -> Result<String> {
    let doc = Doc::parse(text)?;
    let (_, items) = strings(&doc, keys)?;
    let Some(at) = items.iter().position(|it| it.value == value) else { return Ok(text.to_owned()) };
    let splices = match own_line(text, &items[at].range) {
        Some(_) => cut_line(text, &items, at),
        None => cut_inline(text, &items, at),
    };
    let others = items.into_iter().filter(|it| it.value != value).map(|it| it.value);
    checked(&doc, keys, splices, others.collect())
}

/// The list, and what is in it.
fn strings(doc: &Doc<'_>, keys: &[&str]) -> Result<(Id, Vec<Item>)> {
    let mut id = ROOT;
    for key in keys {
        id = doc
            .member(id, key)
            .ok_or_else(|| doc.unsupported(id, format!("no list `{}`", keys.join("."))))?;
    }
    if doc.node(id).kind != Kind::Value || !doc.source(id).starts_with('[') {
        return Err(doc.wrong_type(id, format!("`{}` must be a list of strings", keys.join("."))));
    }
    let start = doc.range(id).start;
    let items = list::items(doc.source(id)).into_iter();
    let items: Vec<_> =
        items.map(|(range, value)| Item { range: start + range.start..start + range.end, value }).collect();
    match items.iter().find(|it| !it.value.is_string()) {
        Some(_) => Err(doc.wrong_type(id, format!("`{}` must hold strings alone", keys.join(".")))),
        None => Ok((id, items)),
    }
}

/// How many strings stand before it.
fn place(items: &[Item], value: &str) -> usize {
    let all: Vec<_> = items.iter().filter_map(|it| it.value.as_str()).collect();
    if all.is_sorted() { all.partition_point(|it| *it < value) } else { all.len() }
}

fn first(text: &str, open: usize, items: &[Item], quoted: &str) -> Splice {
    let Some(next) = items.first() else { return Splice { range: open..open, with: quoted.to_owned() } };
    let at = next.range.start;
    let gap = own_line(text, &next.range).map_or(" ".to_owned(), |it| it.break_and_indent);
    Splice { range: at..at, with: format!("{quoted},{gap}") }
}

/// Behind the item of that index: on a line of its own if that one has one, and below its comment.
fn behind(text: &str, items: &[Item], index: usize, quoted: &str) -> Vec<Splice> {
    let item = &items[index].range;
    let put = |at: usize, with: String| Splice { range: at..at, with };
    match (own_line(text, item), inline::comma(text, item.end)) {
        (Some(line), Some(_)) => vec![put(line.end, format!("{}{quoted},", line.break_and_indent))],
        (Some(line), None) => {
            vec![put(item.end, ",".to_owned()), put(line.end, format!("{}{quoted}", line.break_and_indent))]
        }
        (None, Some(comma)) => vec![put(comma + 1, format!(" {quoted},"))],
        (None, None) => vec![put(item.end, format!(", {quoted}"))],
    }
}

/// A line that one item has for itself, with its comma and comment.
struct Line {
    /// Of the text: before its break.
    end: usize,
    /// What begins another line like it.
    break_and_indent: String,
}

fn own_line(text: &str, item: &Range<usize>) -> Option<Line> {
    let begin = text[..item.start].rfind('\n')? + 1;
    let indent = &text[begin..item.start];
    let rest = &text[item.end..];
    let rest = &rest[..rest.find('\n')?];
    let behind = rest.trim_end_matches('\r');
    let after_comma = behind.trim_start().trim_start_matches(',').trim_start();
    let is_own = indent.trim().is_empty() && (after_comma.is_empty() || after_comma.starts_with('#'));
    // A comma on a line further down is somebody's own way of writing.
    let elsewhere = inline::comma(text, item.end).is_some_and(|it| it > item.end + behind.len());
    let line_break = if rest.len() > behind.len() { "\r\n" } else { "\n" };
    (is_own && !elsewhere)
        .then(|| Line { end: item.end + behind.len(), break_and_indent: format!("{line_break}{indent}") })
}

/// The item's whole line. Where it is the last one and has no comma, the one before it loses its own.
fn cut_line(text: &str, items: &[Item], at: usize) -> Vec<Splice> {
    let item = &items[at].range;
    let begin = text[..item.start].rfind('\n').map_or(0, |it| it + 1);
    let end = text[item.end..].find('\n').map_or(text.len(), |it| item.end + it + 1);
    let line = Splice { range: begin..end, with: String::new() };
    let is_bare = inline::comma(text, item.end).is_none();
    let before = at.checked_sub(1).and_then(|it| inline::comma(text, items[it].range.end));
    let comma = before.filter(|_| is_bare).map(|it| Splice { range: it..it + 1, with: String::new() });
    comma.into_iter().chain([line]).collect()
}

/// An item among others on its line, with the comma behind it, or else the one before. Comments and line ends stay.
fn cut_inline(text: &str, items: &[Item], at: usize) -> Vec<Splice> {
    let item = items[at].range.clone();
    let before = at.checked_sub(1).and_then(|it| inline::comma(text, items[it].range.end));
    let is_blank = |from: usize, to: usize| text[from..to].chars().all(|it| matches!(it, ' ' | '\t'));
    let cut = |range: Range<usize>| Splice { range, with: String::new() };
    match (before, inline::comma(text, item.end)) {
        (Some(before), Some(comma)) if is_blank(before + 1, item.start) => {
            vec![cut(before + 1..item.end), cut(comma..comma + 1)]
        }
        (_, Some(comma)) => {
            let end = comma + 1 + usize::from(text[comma + 1..].starts_with(' '));
            vec![cut(item), cut(comma..end)]
        }
        (Some(before), None) if is_blank(before + 1, item.start) => vec![cut(before..item.end)],
        (Some(before), None) => vec![cut(before..before + 1), cut(item)],
        (None, None) => vec![cut(item)],
    }
}

/// Reads the result again: the list holds what was meant, and nothing else is another.
fn checked(doc: &Doc<'_>, keys: &[&str], splices: Vec<Splice>, wanted: Vec<Value>) -> Result<String> {
    let new = apply(doc.text, &fragments::in_order(splices));
    check::verify_only_changed(doc, &new, &Target::at(keys), Some(&Value::from(wanted)))?;
    Ok(new)
}
