//! What the tests of every format do with hand-picked files.
//!
//! Text + place -> an entry in and out again. Invariant: nothing here knows a format.

use serde_json::{Value, json};

use crate::{CreatedParent, Entry, Error, IfExists, Insertion, Result, ServersPath};

pub(super) fn entry() -> Entry {
    object(json!({"command": "docker", "args": ["exec", "-i", "mcp-weather", "/mcp", "stdio"]}))
}

pub(super) fn object(value: Value) -> Entry {
    value.as_object().unwrap().clone()
}

pub(super) fn text(put: &Insertion) -> &str {
    std::str::from_utf8(&put.text).unwrap()
}

pub(super) fn entries(text: &str, place: ServersPath<'_>) -> Result<Vec<(String, Value)>> {
    crate::entries(text.as_bytes(), place)
}

pub(super) fn put(
    old: Option<&str>,
    place: ServersPath<'_>,
    name: &str,
    entry: &Entry,
    if_exists: IfExists<'_>,
) -> Result<Insertion> {
    crate::put(old.map(str::as_bytes), place, name, entry, if_exists)
}

pub(super) fn remove(
    old: &str,
    place: ServersPath<'_>,
    name: &str,
    created: &[CreatedParent],
    replaced: Option<&str>,
) -> Result<Option<Vec<u8>>> {
    crate::remove(old.as_bytes(), place, name, created, replaced)
}

/// Why the entry cannot be put in, and where.
#[track_caller]
pub(super) fn refusal(old: &str, place: ServersPath<'_>, entry: &Entry) -> Error {
    let refused = put(Some(old), place, "weather", entry, IfExists::Replace).unwrap_err();
    assert!(refused.position().is_some(), "no line and column: {refused}");
    refused
}

/// In and out again is the original; in twice is in once. Returns the text with the entry.
#[track_caller]
pub(super) fn round_trip(old: Option<&str>, place: ServersPath<'_>, entry: &Entry) -> String {
    let first = put(old, place, "weather", entry, IfExists::Replace).unwrap();
    let again = put(Some(text(&first)), place, "weather", entry, IfExists::Update(entry)).unwrap();
    assert_eq!(text(&first), text(&again), "a second install changed the file");
    assert!(again.created.is_empty() && again.replaced.is_none());
    let back = remove(text(&first), place, "weather", &first.created, first.replaced.as_deref()).unwrap();
    let back = back.as_deref().map(|it| std::str::from_utf8(it).unwrap());
    assert_eq!(old, back, "after: {}", text(&first));
    text(&first).to_owned()
}

/// The text with the entry `weather` brought up to date.
#[track_caller]
pub(super) fn updated(old: &str, place: ServersPath<'_>, written: &Entry, wanted: &Entry) -> String {
    text(&put(Some(old), place, "weather", wanted, IfExists::Update(written)).unwrap()).to_owned()
}

/// What is left of a text without the entry `weather`.
#[track_caller]
pub(super) fn left(
    old: &str,
    place: ServersPath<'_>,
    created: &[CreatedParent],
    replaced: Option<&str>,
) -> Option<String> {
    remove(old, place, "weather", created, replaced).unwrap().map(|it| String::from_utf8(it).unwrap())
}
