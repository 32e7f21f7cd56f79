//! What brings an entry of ours up to date, and keeps what its user added.
//!
//! Tree + written + wanted -> splices. Invariant: they touch nothing outside of the entry.

use serde_json::Value;

use super::doc::{Doc, Id, Kind};
use super::fragments::{self, Fragment};
use super::write::{self, Style};
use super::{inline, lines, value};
use crate::Entry;
use crate::text::Splice;

pub(super) struct Update<'a> {
    pub(super) doc: &'a Doc<'a>,
    pub(super) style: Style,
    pub(super) splices: Vec<Splice>,
}

impl Update<'_> {
    /// `keys` lead to the table.
    pub(super) fn table(&mut self, id: Id, keys: &[&str], written: Option<&Entry>, wanted: &Entry) {
        let mut new = Vec::new();
        for (key, want) in wanted {
            let Some(found) = self.doc.member(id, key) else {
                new.push((key.as_str(), want));
                continue;
            };
            let inner = written.and_then(|it| it.get(key)?.as_object());
            match (self.doc.node(found).kind, want) {
                (Kind::Value | Kind::Inline, _) if value::value(self.doc, found) == *want => {}
                (Kind::Inline, Value::Object(want)) => {
                    self.replace(found, inline::update(self.doc.source(found), inner, want));
                }
                (Kind::Value | Kind::Inline, want) => self.replace(found, write::value(want)),
                (Kind::Implicit | Kind::Header | Kind::Dotted, Value::Object(want)) => {
                    let keys: Vec<&str> = keys.iter().copied().chain([key.as_str()]).collect();
                    self.table(found, &keys, inner, want);
                }
                (_, want) => {
                    self.cut(found);
                    new.push((key, want));
                }
            }
        }
        for (key, old) in written.into_iter().flatten().filter(|(key, _)| !wanted.contains_key(*key)) {
            if let Some(found) = self.doc.member(id, key)
                && value::value(self.doc, found) == *old
            {
                self.cut(found);
            }
        }
        self.add(id, keys, &new);
    }

    fn replace(&mut self, id: Id, with: String) {
        self.splices.push(Splice { range: self.doc.range(id), with });
    }

    fn cut(&mut self, id: Id) {
        let all = fragments::of(self.doc, id);
        self.splices.extend(all.iter().map(|it| fragments::cut(self.doc.text, it)));
    }

    fn insert(&mut self, at: usize, with: String) {
        self.splices.push(Splice { range: at..at, with });
    }

    fn add(&mut self, id: Id, keys: &[&str], new: &[(&str, &Value)]) {
        let headers = self.doc.sections_of(id).next().is_some();
        let tables = headers && !self.style.inline;
        let below = |it: &Value| tables && it.is_object();
        let lines: Vec<_> = new.iter().filter(|(_, it)| !below(it)).copied().collect();
        if !lines.is_empty() {
            self.add_lines(id, keys, &lines);
        }
        let Some(last) = self.doc.sections_of(id).next_back() else { return };
        for (name, it) in new.iter().filter(|(_, it)| below(it)) {
            let keys: Vec<&str> = keys.iter().copied().chain([*name]).collect();
            let entry = it.as_object().cloned().unwrap_or_default();
            let table = write::table(&keys, &entry, Style { inline: true, ..self.style });
            self.insert(last.range.end, format!("{}{table}", self.style.gap()));
        }
    }

    fn add_lines(&mut self, id: Id, keys: &[&str], new: &[(&str, &Value)]) {
        let (text, end) = (self.doc.text, self.style.line_end);
        let own = self.doc.sections_of(id).find(|it| it.node == id);
        if let Some(own) = own {
            let indent = lines::indent(text, lines::start(text, own.range.end));
            let lines = new.iter().map(|(name, it)| format!("{end}{indent}{}", write::pair(name, it)));
            return self.insert(own.range.end, lines.collect());
        }
        let alone = fragments::of(self.doc, id).into_iter().rev().find_map(|it| match it {
            Fragment::Line { range, .. } => Some(range),
            Fragment::Tables(_) => None,
        });
        if let Some(line) = alone {
            // Among keys with dots: with the same beginning as these.
            let start = lines::start(text, line.end).max(line.start);
            let indent = lines::indent(text, line.start.min(start));
            let holder = self.doc.section_at(line.start).node;
            let keys = &keys[self.doc.depth(holder).min(keys.len())..];
            let lines = new.iter().map(|(name, it)| {
                let path = write::path(keys.iter().copied().chain([*name]));
                format!("{end}{indent}{path} = {}", write::value(it))
            });
            return self.insert(line.end, lines.collect());
        }
        // The table is only there for the ones inside of it.
        if let Some(last) = self.doc.sections_of(id).next_back() {
            let entry = new.iter().map(|(name, it)| ((*name).to_owned(), (*it).clone())).collect();
            let table = write::table(keys, &entry, Style { inline: true, ..self.style });
            self.insert(last.range.end, format!("{}{table}", self.style.gap()));
        }
    }
}
