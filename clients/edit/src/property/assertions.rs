//! What must hold between a text before and after an edit.
//!
//! Two texts, or two values -> panics where they differ in more than our entry. Invariant: knows nothing of any format
//! and nothing of how the edits work.

use serde_json::{Map, Value};

use crate::{Entry, Layout, ServersPath};

/// How many bytes at the beginning and at the end of a text are not ours.
pub(super) struct Inserted {
    before: usize,
    behind: usize,
}

impl Inserted {
    /// Nothing but what was ours is different.
    #[track_caller]
    pub(super) fn holds(&self, old: &[u8], new: &[u8]) {
        let same = new.len() >= self.before + self.behind
            && old[..self.before] == new[..self.before]
            && old[old.len() - self.behind..] == new[new.len() - self.behind..];
        assert!(same, "changed outside of our entry:\n{}\n----\n{}", show(old), show(new));
    }
}

/// The old text is in the new one: all of it, in two or three pieces between what was put in. (White space in which
/// nothing stood may have given way, and so may a `~` or `{}` that says so; a removal puts it back.)
#[track_caller]
pub(super) fn inserted(old: &[u8], new: &[u8]) -> Inserted {
    let (before, mut behind) = common(old, new);
    let gone = end_of_nothing(old, before);
    if let Some(end) = gone {
        // Ours may end as it did, or as the lines above do.
        let rest = &old[end.max(old.len() - behind)..];
        behind = rest.len() - rest.iter().position(|it| matches!(it, b'\r' | b'\n')).unwrap_or(rest.len());
    }
    let old_middle = &old[gone.unwrap_or(before)..old.len() - behind];
    let old_middle = if gone.is_some() { old_middle.trim_ascii() } else { old_middle };
    let new_middle = &new[before..new.len() - behind];
    let kept = old_middle.is_empty()
        || old_middle.trim_ascii().is_empty()
        || new_middle.windows(old_middle.len()).any(|it| it == old_middle);
    assert!(kept, "lost {:?} of:\n{}\n----\n{}", show(old_middle), show(old), show(new));
    Inserted { before, behind }
}

/// Where a `~`, `null`, `{}` or `[]` ends that stands at `at`, but for blanks.
fn end_of_nothing(text: &[u8], at: usize) -> Option<usize> {
    let rest = text[at..].trim_ascii_start();
    let empty = [(b"{", b"}"), (b"[", b"]")];
    let empty = empty
        .iter()
        .find_map(|(open, close)| rest.strip_prefix(*open)?.trim_ascii_start().strip_prefix(*close));
    let behind = empty
        .or_else(|| ["~", "null", "Null", "NULL"].iter().find_map(|it| rest.strip_prefix(it.as_bytes())))?;
    Some(text.len() - behind.len())
}

/// The old text is in the new one but for the entry that gave way.
#[track_caller]
pub(super) fn replaced(old: &[u8], new: &[u8], replaced: &str) -> Inserted {
    let before = common(old, new).0;
    let length = replaced.len();
    // What stands behind the entry may begin as ours goes on.
    let behind = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let first = (old.len() - behind).saturating_sub(length);
    let Some(at) = (first..=before).find(|at| old.get(*at..at + length) == Some(replaced.as_bytes())) else {
        panic!("lost more than {replaced:?} of:\n{}\n----\n{}", show(old), show(new))
    };
    // What ours and the other happen to have in common is ours.
    Inserted { before: at, behind: old.len() - (at + length) }
}

/// How many bytes are the same at the beginning, and at the end of the rest.
fn common(old: &[u8], new: &[u8]) -> (usize, usize) {
    let before = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let behind = old[before..].iter().rev().zip(new[before..].iter().rev());
    (before, behind.take_while(|(old, new)| old == new).count())
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Both values are the same but for the entry, and the tables around it that the old one does not have. With `entry`,
/// that is what the new one holds.
#[track_caller]
pub(super) fn verify_only_changed(
    old: Value,
    new: Value,
    place: ServersPath<'_>,
    name: &str,
    entry: Option<&Entry>,
) {
    if let Some(entry) = entry {
        let found = find(&new, place, name);
        let expected = Value::Object(entry.clone());
        assert_eq!(found.as_ref(), Some(&expected), "{name:?} is not what was written");
    }
    let (old, new) = (table(old), table(new));
    let (old, new) = (without(old, place, place.at, name), without(new, place, place.at, name));
    // As text: the order counts too.
    assert_eq!(old.to_string(), new.to_string(), "the other parser sees another file");
}

fn table(value: Value) -> Value {
    if value.is_null() { Value::Object(Map::new()) } else { value }
}

fn find(value: &Value, place: ServersPath<'_>, name: &str) -> Option<Value> {
    let servers = place.at.iter().try_fold(value, |it, key| it.get(key))?;
    match place.layout {
        Layout::Map => servers.get(name).cloned(),
        Layout::List => {
            let mut found = servers.as_array()?.iter().find(|it| it["name"] == name)?.clone();
            found.as_object_mut()?.shift_remove("name");
            Some(found)
        }
    }
}

/// The value without the entry, and without what is empty then, or stands in every new file of this client.
fn without(mut value: Value, place: ServersPath<'_>, at: &[String], name: &str) -> Value {
    match (at.split_first(), &mut value) {
        (Some((key, deeper)), Value::Object(map)) => {
            if let Some(inner) = map.get_mut(key) {
                *inner = without(inner.take(), place, deeper, name);
                if is_empty(inner) {
                    map.shift_remove(key);
                }
            }
            if at.len() == place.at.len() && map.iter().all(|(key, it)| is_of_a_new_file(place, key, it)) {
                map.clear();
            }
        }
        (None, Value::Object(map)) => drop(map.shift_remove(name)),
        (None, Value::Array(list)) => list.retain(|it| it["name"] != name),
        _ => {}
    }
    value
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

fn is_of_a_new_file(place: ServersPath<'_>, key: &str, value: &Value) -> bool {
    place.new_file.and_then(|it| it.get(key)) == Some(value)
}

/// What our second entry leaves of what the user had added: objects are merged.
pub(super) fn merge(all: &mut Entry, key: &str, value: &Value) {
    match (all.get_mut(key), value) {
        (Some(Value::Object(old)), Value::Object(new)) => {
            new.iter().for_each(|(key, it)| merge(old, key, it))
        }
        _ => drop(all.insert(key.to_owned(), value.clone())),
    }
}
