//! The last look at an edit before anybody gets to see it.
//!
//! Old and new text -> nothing, or an error. Invariant: it reads both texts from the beginning and trusts nothing that
//! the edit found out.

use anyhow::{Result, ensure};
use jsonc_parser::ast::{Object, Value as Ast};
use jsonc_parser::common::Ranged;
use serde_json::Value;

use super::{clean, find, root, value};
use crate::edit::{Entry, Place};

/// Reads both texts again, and makes sure that they differ in what stands at the path at most, and that this holds
/// what was to be written there.
pub(super) fn same_but(
    old: &str,
    new: &str,
    place: Place<'_>,
    path: &[&str],
    entry: Option<&Entry>,
) -> Result<()> {
    let (old_clean, new_clean) = (clean(old, place)?, clean(new, place)?);
    let (old_root, new_root) = (root(&old_clean)?, root(&new_clean)?);
    let same = same_members((old, old_root.as_ref()), (new, new_root.as_ref()), path);
    ensure!(same, "the edit would have changed more than `{}` (this is a fault of ours)", path.join("."));
    let Some(entry) = entry else { return Ok(()) };
    let found = new_root.as_ref().map(|it| find(new, it, path)).transpose()?.flatten();
    let value = found.map(|(_, it)| value(&new_clean, &it.value));
    let holds = value.is_some_and(|it| contains(&it, &Value::Object(entry.clone())));
    ensure!(holds, "the edit would not have written `{}` as meant (this is a fault of ours)", path.join("."));
    Ok(())
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        _ => whole == part,
    }
}

type Side<'a> = (&'a str, Option<&'a Object<'a>>);

/// Whether the members are the same, byte for byte, but for the one at the end of the path.
fn same_members(old: Side<'_>, new: Side<'_>, path: &[&str]) -> bool {
    let Some((key, deeper)) = path.split_first() else { return true };
    if !others(old, key).eq(others(new, key)) {
        return false;
    }
    let (old_inner, new_inner) = (inner(old, key), inner(new, key));
    if deeper.is_empty() {
        return true;
    }
    let objects = [old_inner, new_inner].into_iter().flatten().all(|it| it.as_object().is_some());
    let (old_inner, new_inner) = (old_inner.and_then(Ast::as_object), new_inner.and_then(Ast::as_object));
    objects && same_members((old.0, old_inner), (new.0, new_inner), deeper)
}

/// The source of every member but `key`.
fn others<'a>((text, object): Side<'a>, key: &str) -> impl Iterator<Item = &'a str> {
    let all = object.into_iter().flat_map(|it| &it.properties);
    all.filter(move |it| it.name.as_str() != key).map(move |it| &text[it.start()..it.end()])
}

fn inner<'a>((_, object): Side<'a>, key: &str) -> Option<&'a Ast<'a>> {
    object?.properties.iter().find(|it| it.name.as_str() == key).map(|it| &it.value)
}
