//! One generated file, and edits of it in the order in which people do them.
//!
//! Kind + seed -> panics where something does not hold. Invariant: what was there before us is there after us.

use std::sync::atomic::Ordering::Relaxed;

use serde_json::json;

use super::assertions::{self, Inserted};
use super::{Figures, Kind, Rng};
use crate::{CreatedParent, Entry, Error, IfExists, Insertion, ServersPath};

/// What clients and people call their servers, or could.
const NAMES: &[&str] = &[
    "weather",
    "weather",
    "weather",
    "Context7 MCP (Docker exec)",
    "a.b",
    "x.y",
    "a\"b\\c",
    "it's",
    "Zürich \u{1F326}",
    "\u{2028}",
    "two\nlines",
    "\t",
    "\0",
    "\u{FEFF}",
    "true",
    "null",
    "~",
    "1",
    "1e3",
    "- x",
    "# x",
    "a: b",
    "a:",
    "[x]",
    "{x}",
    "// x",
    "/* x */",
    "&x",
    "*x",
    "<<",
    "=",
    "@x",
    "%x",
    "|",
    "\u{7F}",
    "\u{85}",
    " x ",
    "__proto__",
    "mcpServers",
    "command",
    "",
];

/// What an argument can be.
const TEXTS: &[&str] = &[
    "docker",
    "exec",
    "-i",
    "mcp-weather",
    "/mcp",
    "",
    " ",
    "${env:API_KEY}",
    "C:\\Program Files\\x.exe",
    "say \"hi\"",
    "it's",
    "'''",
    "\"\"\"",
    "no",
    "null",
    "~",
    "0x1F",
    "1e400",
    "2026-11-23",
    "a\nb",
    "a\r\nb\n",
    "\t\0\u{1B}[31m",
    "# no comment",
    "// no comment",
    "*/ /*",
    "key: value",
    "- item",
    "{\"a\": [1,]}",
    "}",
    "Zürich \u{2028}\u{1F326}",
    "\u{FEFF}x",
    "\u{85}\u{A0}",
    "trailing ",
];

pub(super) struct Case<'f> {
    kind: &'static Kind,
    rng: Rng,
    figures: &'f Figures,
    at: Vec<String>,
}

/// An entry of ours in the file, as the ledger would know it.
struct ManagedEntry {
    name: String,
    replaced: Option<String>,
}

impl<'f> Case<'f> {
    pub(super) fn new(kind: &'static Kind, seed: u64, figures: &'f Figures) -> Self {
        let at = kind.at.iter().map(|it| (*it).to_owned()).collect();
        Self { kind, rng: Rng::new(seed), figures, at }
    }

    pub(super) fn run(mut self) {
        let generated = (self.kind.generate)(&mut self.rng);
        match self.rng.roll(8) {
            0 => self.edits(None),
            1 | 2 => {
                let broken = self.broken(generated.into_bytes());
                self.edits(Some(&broken));
            }
            _ => {
                (self.kind.second)(&generated);
                self.edits(Some(generated.as_bytes()));
            }
        }
    }

    /// Some entries go in, are brought up to date, and leave in any order.
    fn edits(&mut self, original: Option<&[u8]>) {
        let at = self.at.clone();
        let place = (self.kind.place)(&at);
        let Some(before) = self.names(original, place) else { return };
        let (mut now, mut created, mut ours) =
            (original.map(<[u8]>::to_vec), Vec::<CreatedParent>::new(), Vec::new());
        for _ in 0..1 + self.rng.roll(3) {
            let name = self.name(&before);
            if ours.iter().any(|it: &ManagedEntry| it.name == name) {
                continue;
            }
            let Some(put) = self.install(now.as_deref(), place, &name, &before) else { return };
            // As the ledger does.
            created.retain(|old| !put.created.iter().any(|new| new.path == old.path));
            created.extend(put.created);
            ours.push(ManagedEntry { name, replaced: put.replaced });
            now = Some(put.text);
        }
        while !ours.is_empty() {
            let it = ours.remove(self.rng.roll(ours.len()));
            let text = now.expect("a file with an entry of ours");
            let left = if ours.is_empty() { created.as_slice() } else { &[] };
            let left = if self.rng.roll(2) == 0 { &created } else { left };
            now = crate::remove(&text, place, &it.name, left, it.replaced.as_deref()).unwrap();
            self.count(&text);
            self.agree(Some(&text), now.as_deref(), place, &it.name, None);
        }
        let shown = |it: Option<&[u8]>| it.map(|it| String::from_utf8_lossy(it).into_owned());
        assert_eq!(shown(original), shown(now.as_deref()), "not as it was before us");
    }

    /// The names that stand in the file, or nothing if the file is refused.
    fn names(&mut self, original: Option<&[u8]>, place: ServersPath<'_>) -> Option<Vec<String>> {
        match crate::entries(original.unwrap_or_default(), place) {
            Ok(all) => Some(all.into_iter().map(|it| it.0).collect()),
            Err(err) => {
                self.refused(original, place, &err);
                None
            }
        }
    }

    fn refused(&self, original: Option<&[u8]>, place: ServersPath<'_>, err: &Error) {
        assert!(err.position().is_some(), "no line and column: {err}");
        let again = crate::put(original, place, "weather", &Entry::new(), IfExists::Replace);
        assert!(again.is_err(), "it cannot be read, and is written: {err}");
        self.figures.refused.fetch_add(1, Relaxed);
    }

    /// One of the file's own names, at times.
    fn name(&mut self, before: &[String]) -> String {
        match (self.rng.roll(3), before.len()) {
            (0, 1..) => before[self.rng.roll(before.len())].clone(),
            _ => self.rng.pick(NAMES).to_owned(),
        }
    }

    /// Puts an entry in, lets its user add to it, and brings it up to date: the last text, with what the first one
    /// made.
    fn install(
        &mut self,
        old: Option<&[u8]>,
        place: ServersPath<'_>,
        name: &str,
        before: &[String],
    ) -> Option<Insertion> {
        let entry = self.entry();
        let put = match crate::put(old, place, name, &entry, IfExists::Replace) {
            Ok(put) => put,
            // Another entry of the file may be broken in a way that only matters when the file is written.
            Err(err) if err.position().is_some() => {
                self.figures.refused.fetch_add(1, Relaxed);
                return None;
            }
            Err(err) => panic!("{err}"),
        };
        self.count(old.unwrap_or_default());
        assert_eq!(put.replaced.is_some(), before.iter().any(|it| it == name), "whose was {name:?}?");
        let old_bytes = old.unwrap_or_default();
        let ours = match &put.replaced {
            Some(replaced) => assertions::replaced(old_bytes, &put.text, replaced),
            None => assertions::inserted(old_bytes, &put.text),
        };
        self.agree(old, Some(&put.text), place, name, Some(&entry));
        self.nothing_to_do(&put.text, place, name, &entry);
        let text = self.updates(&put.text, place, name, &entry, &ours);
        Some(Insertion { text, ..put })
    }

    fn updates(
        &mut self,
        text: &[u8],
        place: ServersPath<'_>,
        name: &str,
        first: &Entry,
        ours: &Inserted,
    ) -> Vec<u8> {
        if self.rng.roll(3) == 0 {
            return text.to_vec();
        }
        let users =
            json!({"disabled": true, "env": {"USER_KEY": self.rng.pick(TEXTS)}, "autoApprove": ["now"]});
        let mut users = users.as_object().expect("an object").clone();
        users.retain(|key, _| !first.contains_key(key));
        let theirs = crate::put(Some(text), place, name, &users, IfExists::Update(&Entry::new())).unwrap();
        ours.holds(text, &theirs.text);
        let second = self.entry();
        let new = crate::put(Some(&theirs.text), place, name, &second, IfExists::Update(first)).unwrap();
        ours.holds(text, &new.text);
        assert!(new.created.is_empty() && new.replaced.is_none());
        let mut all = users.clone();
        for (key, value) in &second {
            assertions::merge(&mut all, key, value);
        }
        self.count(text);
        self.agree(Some(text), Some(&new.text), place, name, Some(&all));
        self.nothing_to_do(&new.text, place, name, &second);
        new.text
    }

    /// What is there already is not written again.
    fn nothing_to_do(&self, text: &[u8], place: ServersPath<'_>, name: &str, entry: &Entry) {
        let again = crate::put(Some(text), place, name, entry, IfExists::Update(entry)).unwrap();
        let (text, again_text) = (String::from_utf8_lossy(text), String::from_utf8_lossy(&again.text));
        assert_eq!(text, again_text, "a second install changed the file");
        assert!(again.created.is_empty() && again.replaced.is_none());
        self.figures.edits.fetch_add(1, Relaxed);
    }

    fn count(&self, old: &[u8]) {
        self.figures.edits.fetch_add(1, Relaxed);
        self.figures.bytes.fetch_add(old.len() as u64, Relaxed);
    }

    /// The other parser reads the same from both, but for our entry.
    fn agree(
        &self,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        place: ServersPath<'_>,
        name: &str,
        entry: Option<&Entry>,
    ) {
        let read = |it: Option<&[u8]>| {
            (self.kind.second)(std::str::from_utf8(it.unwrap_or_default()).expect("text"))
        };
        let (old, new) = (read(old), read(new));
        assertions::verify_only_changed(old, new, place, name, entry);
    }

    fn entry(&mut self) -> Entry {
        let mut entry = Entry::new();
        let args: Vec<&str> = (0..self.rng.roll(5)).map(|_| self.rng.pick(TEXTS)).collect();
        entry.insert("command".into(), self.rng.pick(TEXTS).into());
        entry.insert("args".into(), args.into());
        if self.rng.roll(3) == 0 {
            entry.insert("env".into(), json!({"A": self.rng.pick(TEXTS), "B_2": self.rng.pick(TEXTS)}));
        }
        if self.rng.roll(4) == 0 {
            let key = self.rng.pick(&["type", "a.b", "with space", "ключ", "on", "tools"]);
            let value = [json!("stdio"), json!(true), json!(30_000), json!({}), json!([])];
            entry.insert(key.into(), value[self.rng.roll(value.len())].clone());
        }
        if self.rng.roll(6) == 0 {
            entry.insert("headers".into(), json!({"x": {"deep": [self.rng.pick(TEXTS), "y"]}}));
        }
        entry
    }

    /// Bytes turned, cut out, doubled, or the end missing.
    fn broken(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        for _ in 0..1 + self.rng.roll(3) {
            let at = self.rng.roll(bytes.len() + 1);
            let to = (at + 1 + self.rng.roll(8)).min(bytes.len());
            match self.rng.roll(6) {
                _ if at >= bytes.len() => bytes.push(self.byte()),
                0 => bytes[at] ^= 1 << self.rng.roll(8),
                1 => bytes[at] = self.byte(),
                2 => drop(bytes.drain(at..to)),
                3 => bytes.truncate(at),
                4 => {
                    let piece = bytes[at..to].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => {
                    let from = self.rng.roll(bytes.len());
                    let piece = bytes[from..(from + 40).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        bytes
    }

    /// One that means something to some format, or none.
    fn byte(&mut self) -> u8 {
        const ALL: &[u8] = b"{}[]\",:#/*\\\n\r\t \0'=-|&!<\xFF";
        ALL[self.rng.roll(ALL.len())]
    }
}
