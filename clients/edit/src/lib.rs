//! Edits of configuration files: text -> text, with one entry put in, brought up to date or taken out.
//!
//! Old bytes + place + entry -> new bytes, or a refusal that names line and column. Invariant: a byte that is not
//! part of our entry, or of what we once made around it, never changes. Nothing here touches the disk (see file.rs).

#[cfg(test)]
mod by_hand;
mod json;
#[cfg(test)]
mod property;
mod text;
mod toml;
mod verdict;
mod yaml;

use std::fmt;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A larger file is no configuration, and would only be read slowly.
pub const MAX_FILE_SIZE: usize = 64 << 20;

pub type Entry = Map<String, Value>;

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    Json,
    Jsonc,
    Toml,
    Yaml,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `{NAME: ENTRY}`
    Map,
    /// `[ENTRY]`, with the name inside the entry, under `name`. Only YAML has it.
    List,
}

/// Which file format a client's parser takes, and where in the file its servers stand.
#[derive(Clone, Copy, Debug)]
pub struct ServersPath<'a> {
    pub format: FileFormat,
    /// Whether the client's parser takes `{"a": 1,}`.
    pub trailing_commas: bool,
    /// The keys down to the object (or list) that holds the servers; a key may contain dots.
    pub at: &'a [String],
    pub layout: Layout,
    /// What the client wants to stand in a file that we make, before the servers. Only YAML files have it.
    pub new_file: Option<&'a Entry>,
}

/// Something that we made around our entry, and how it was before: what a removal puts back.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct CreatedParent {
    /// The keys down to the object in question; none for the file's outermost one.
    pub path: Vec<String>,
    pub was: PreviousState,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum PreviousState {
    /// It did not exist.
    Missing,
    /// The file existed, and held nothing but this white space.
    Blank(String),
    /// It was there without members, with this text between its braces.
    Empty(String),
}

/// How to treat an entry that already has the name.
#[derive(Clone, Copy, Debug)]
pub enum IfExists<'a> {
    /// It is ours: bring our fields up to date and keep what else is in it. Holds the entry as we wrote it.
    Ours(&'a Entry),
    /// It is somebody else's: replace the whole.
    Replace,
}

#[derive(Debug)]
pub struct Insertion {
    pub text: Vec<u8>,
    pub made: Vec<CreatedParent>,
    /// The text of the foreign entry that had to give way.
    pub replaced: Option<String>,
}

/// Why a file was not edited, and the place in it.
#[derive(Debug, PartialEq, Eq)]
pub struct EditError {
    pub line: usize,
    pub column: usize,
    pub what: String,
}

impl EditError {
    /// `at` is a byte offset into `text`; columns are counted in characters, from one.
    pub fn at(text: &str, at: usize, what: impl Into<String>) -> Self {
        let before = &text.as_bytes()[..at.min(text.len())];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1);
        Self {
            line: before.iter().filter(|&&b| b == b'\n').count() + 1,
            column: before[line_start..].iter().filter(|&&b| b & 0xC0 != 0x80).count() + 1,
            what: what.into(),
        }
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

impl std::error::Error for EditError {}

/// Every entry that stands at the place, in the file's order.
pub fn entries(old: &[u8], place: ServersPath<'_>) -> Result<Vec<(String, Value)>> {
    entries_named(old, place, |_| true)
}

/// The entries of those names only, for files with very many.
pub fn entries_named(
    old: &[u8],
    place: ServersPath<'_>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Value)>> {
    let old = text(old)?;
    match place.format {
        FileFormat::Json | FileFormat::Jsonc => json::entries(old, place, wanted),
        FileFormat::Toml => toml::entries(old, place, wanted),
        FileFormat::Yaml => yaml::entries(old, place, wanted),
    }
}

/// The file with `entry` under `name`. No file is the same as an empty one, but that `CreatedParent` remembers it.
pub fn put(
    old: Option<&[u8]>,
    place: ServersPath<'_>,
    name: &str,
    entry: &Entry,
    present: IfExists<'_>,
) -> Result<Insertion> {
    let old = old.map(text).transpose()?;
    match place.format {
        FileFormat::Json | FileFormat::Jsonc => json::put(old, place, name, entry, present),
        FileFormat::Toml => toml::put(old, place, name, entry, present),
        FileFormat::Yaml => yaml::put(old, place, name, entry, present),
    }
}

/// The file without `name`, and without what we made around it once nothing else needs that. `None`: there was no
/// file before us, and nothing of anybody else's is in it.
pub fn remove(
    old: &[u8],
    place: ServersPath<'_>,
    name: &str,
    made: &[CreatedParent],
    replaced: Option<&str>,
) -> Result<Option<Vec<u8>>> {
    let old = text(old)?;
    match place.format {
        FileFormat::Json | FileFormat::Jsonc => json::remove(old, place, name, made, replaced),
        FileFormat::Toml => toml::remove(old, place, name, made, replaced),
        FileFormat::Yaml => yaml::remove(old, place, name, made, replaced),
    }
}

/// The value of an entry's text, as `Insertion::replaced` holds it.
pub fn parse_entry(text: &str, place: ServersPath<'_>) -> Result<Value> {
    match place.format {
        FileFormat::Json | FileFormat::Jsonc => json::parse_entry(text, place),
        FileFormat::Toml => toml::parse_entry(text, place),
        FileFormat::Yaml => yaml::parse_entry(text, place),
    }
}

/// Entries with their names, as they would stand in a file of ours: to be pasted.
pub fn render_snippet(place: ServersPath<'_>, entries: &[(&str, &Entry)]) -> String {
    match place.format {
        FileFormat::Json | FileFormat::Jsonc => json::render_snippet(entries),
        FileFormat::Toml => toml::render_snippet(place, entries),
        FileFormat::Yaml => yaml::render_snippet(place, entries),
    }
}

/// The bytes as text that every format could hold; what the formats have in common is refused here.
fn text(bytes: &[u8]) -> Result<&str> {
    if bytes.len() > MAX_FILE_SIZE {
        bail!("it is larger than {} MiB, so it is no configuration file", MAX_FILE_SIZE >> 20);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(err) => {
            let good = std::str::from_utf8(&bytes[..err.valid_up_to()]).unwrap_or_default();
            let utf16 = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
            let what = if utf16 { "the file is UTF-16, not UTF-8" } else { "this byte is not UTF-8" };
            Err(EditError::at(good, good.len(), what).into())
        }
    }
}
