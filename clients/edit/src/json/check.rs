//! The last look at an edit before anybody gets to see it.
//!
//! Old and new text -> nothing, or an error. Invariant: it reads both texts from the beginning and trusts nothing that
//! the edit found out.

use std::ops::Range;

use jsonc_parser::ast::Object;
use jsonc_parser::common::Ranged;
use serde_json::Value;

use super::nodes::{member, root, strict, value};
use crate::{Entry, Result, ServersPath, verify};

/// Reads both texts again, and makes sure that they differ in what stands at the path at most, and that this holds
/// what was to be written there.
pub(super) fn verify_only_changed(
    old: &str,
    new: &str,
    place: ServersPath<'_>,
    path: &[&str],
    entry: Option<&Entry>,
) -> Result<()> {
    // One syntax tree at a time: that of a large file is a multiple of it.
    let old = Outline::of(old, place, path)?;
    let new = Outline::of(new, place, path).map_err(verify::broken)?;
    let same = old.only_objects && new.only_objects && old.others().eq(new.others());
    let path = path.join(".");
    verify::only_changed(same, &path)?;
    let Some(entry) = entry else { return Ok(()) };
    verify::written(old.value.as_ref(), new.value.as_ref(), &Value::Object(entry.clone()), &path)
}

/// A text, seen from a path.
struct Outline<'t> {
    text: &'t str,
    /// The members beside the path, for each of its keys.
    beside: Vec<Vec<Range<usize>>>,
    /// Whether every key on the way leads to an object, as far as it is there.
    only_objects: bool,
    /// What stands at the end.
    value: Option<Value>,
}

impl<'t> Outline<'t> {
    fn of(text: &'t str, place: ServersPath<'_>, path: &[&str]) -> Result<Self> {
        let clean = strict(text, place)?;
        let root = root(&clean)?;
        let mut it = Self { text, beside: Vec::new(), only_objects: true, value: None };
        let mut object = root.as_ref();
        for (n, key) in path.iter().enumerate() {
            it.beside.push(beside(object, key));
            let found = object.map(|it| member(text, it, key)).transpose()?.flatten();
            object = found.and_then(|it| it.value.as_object());
            if n + 1 == path.len() {
                it.value = found.map(|it| value(&clean, &it.value));
            } else {
                it.only_objects &= found.is_none() || object.is_some();
            }
        }
        Ok(it)
    }

    /// The members beside the path, byte for byte.
    fn others(&self) -> impl Iterator<Item = (usize, &'t str)> {
        let levels = self.beside.iter().enumerate();
        levels.flat_map(move |(depth, all)| all.iter().map(move |it| (depth, &self.text[it.clone()])))
    }
}

fn beside(object: Option<&Object<'_>>, key: &str) -> Vec<Range<usize>> {
    let all = object.into_iter().flat_map(|it| &it.properties);
    all.filter(|it| it.name.as_str() != key).map(|it| it.start()..it.end()).collect()
}
