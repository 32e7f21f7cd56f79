//! What the tests of every format do with hand-picked files.
//!
//! Text + place -> an entry in and out again. Invariant: nothing here knows a format.

use serde_json::{Value, json};

use crate::{Entry, IfExists, Insertion, ServersPath, put, remove};

pub(super) fn entry() -> Entry {
    object(json!({"command": "docker", "args": ["exec", "-i", "mcp-weather", "/mcp", "stdio"]}))
}

pub(super) fn object(value: Value) -> Entry {
    value.as_object().unwrap().clone()
}

pub(super) fn text(put: &Insertion) -> &str {
    std::str::from_utf8(&put.text).unwrap()
}

/// In and out again is the original; in twice is in once. Returns the text with the entry.
#[track_caller]
pub(super) fn round_trip(old: Option<&str>, place: ServersPath<'_>, entry: &Entry) -> String {
    let first = put(old.map(str::as_bytes), place, "weather", entry, IfExists::Replace).unwrap();
    let again = put(Some(&first.text), place, "weather", entry, IfExists::Ours(entry)).unwrap();
    assert_eq!(text(&first), text(&again), "a second install changed the file");
    assert!(again.made.is_empty() && again.replaced.is_none());
    let back = remove(&first.text, place, "weather", &first.made, first.replaced.as_deref()).unwrap();
    let back = back.as_deref().map(|it| std::str::from_utf8(it).unwrap());
    assert_eq!(old, back, "after: {}", text(&first));
    text(&first).to_owned()
}
