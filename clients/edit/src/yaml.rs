//! Edits YAML. Text in, text out; keeps every byte it does not own.
//!
//! Old text + place + entry -> new text, or a refusal with line and column. Invariant: every result is read again,
//! and all but our path is compared with the original, before anybody gets to see it.

mod block;
mod check;
mod flow;
#[cfg(test)]
mod judges;
mod place;
mod read;
mod scalar;
mod splice;
#[cfg(test)]
mod tests;
mod text;
mod tree;
#[cfg(test)]
pub(super) mod ugly;
mod update;
mod value;
mod whole;
mod write;

use anyhow::Result;
use serde_json::Value;

use self::place::{Found, Way, name_of, named, walk};
use self::splice::Member;
use self::tree::{Kind, Tree};
use self::update::Update;
use self::write::Style;
use crate::text::{Splice, apply, split_bom};
use crate::{CreatedParent, EditError, Entry, IfExists, Insertion, Layout, PreviousState, ServersPath};

/// What a list's item holds its entry's name under.
const NAME: &str = "name";

pub(crate) fn entries(
    text: &str,
    place: ServersPath<'_>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Value)>> {
    let tree = Tree::read(split_bom(text).1)?;
    let Some(holder) = walk(&tree, place)?.and_then(|it| it.container(place)) else { return Ok(Vec::new()) };
    let all: Vec<(String, usize)> = match place.layout {
        Layout::Map => tree.keys(holder).map(|key| (tree.scalar(key).into_owned(), key + 1)).collect(),
        Layout::List => tree
            .children(holder)
            .filter_map(|item| Some((name_of(&tree, item)?.into_owned(), item)))
            .collect(),
    };
    let wanted = all.into_iter().filter(|(name, _)| wanted(name));
    wanted.map(|(name, node)| Ok((name, tree.value(node)?))).collect()
}

pub(crate) fn put(
    old: Option<&str>,
    place: ServersPath<'_>,
    name: &str,
    entry: &Entry,
    present: IfExists<'_>,
) -> Result<Insertion> {
    let (bom, text) = split_bom(old.unwrap_or_default());
    let tree = Tree::read(text)?;
    let Some(way) = walk(&tree, place)? else {
        let whole = whole::made(&tree, place, name, entry);
        let made = whole::missing(
            place.at,
            old.map_or(PreviousState::Missing, |_| PreviousState::Blank(text.to_owned())),
        );
        return checked(&tree, place, name, entry, bom, whole, (made, None));
    };
    let found = way.container(place).map(|it| named(&tree, place, it, name)).transpose()?.flatten();
    match (found, present) {
        (None, _) => {
            let (splices, made) = add(&tree, place, &way, name, entry)?;
            checked(&tree, place, name, entry, bom, apply(text, &splices), (made, None))
        }
        (Some(it), IfExists::Ours(written)) if tree.nodes[it.value].kind == Kind::Map => {
            let update = Update::of(&tree, &it, written, entry)?;
            let mut new = apply(text, &update.splices);
            for stale in &update.stale {
                new = update::without_field(&new, place, name, stale)?;
            }
            checked(&tree, place, name, entry, bom, new, (Vec::new(), None))
        }
        (Some(it), present) => {
            nothing_points_into(&tree, &it)?;
            // That entry can give way as well, and then this one could not be put back.
            if let (IfExists::Replace, Some(alias)) =
                (present, tree.alias_beside(&it.nodes(&tree), it.holder))
            {
                return Err(tree.refuse(alias, "an alias of another entry").into());
            }
            let range = it.slot(&tree);
            let replaced = matches!(present, IfExists::Replace).then(|| text[range.clone()].to_owned());
            let with = it.slot_text(&tree, place, name, entry);
            checked(
                &tree,
                place,
                name,
                entry,
                bom,
                apply(text, &[Splice { range, with }]),
                (Vec::new(), replaced),
            )
        }
    }
}

fn checked(
    old: &Tree<'_>,
    place: ServersPath<'_>,
    name: &str,
    entry: &Entry,
    bom: &str,
    new: String,
    (made, replaced): (Vec<CreatedParent>, Option<String>),
) -> Result<Insertion> {
    if new != old.text {
        check::same_but(old, &new, place, name, place.at.len() + 1, Some(entry))?;
    }
    Ok(Insertion { text: format!("{bom}{new}").into_bytes(), made, replaced })
}

/// A new entry, with the collections on the way to it that are missing.
fn add(
    tree: &Tree<'_>,
    place: ServersPath<'_>,
    way: &Way,
    name: &str,
    entry: &Entry,
) -> Result<(Vec<Splice>, Vec<CreatedParent>)> {
    let style = Style::of(tree, Some(way.node));
    let empty = tree.is_empty(way.node);
    let missing = (way.depth + 1..=place.at.len())
        .map(|it| CreatedParent { path: place.at[..it].to_vec(), was: PreviousState::Missing });
    if empty && way.key.is_none() {
        let raw = tree.raw(way.node).to_owned();
        let made = [CreatedParent { path: Vec::new(), was: PreviousState::Empty(raw) }];
        return Ok((
            whole::instead_of_empty(tree, place, name, entry),
            made.into_iter().chain(missing).collect(),
        ));
    }
    let value = nested(place, way.depth + 1, name, entry);
    let member = match place.at.get(way.depth) {
        Some(key) => Member::Pair(key, &value),
        None if place.layout == Layout::Map => Member::Pair(name, &value),
        None => Member::Item(&value),
    };
    let Some(key) = way.key.filter(|_| empty) else {
        return Ok((splice::append(tree, way.node, way.around, &style, &[member])?, missing.collect()));
    };
    let was = tree.text[tree.nodes[key].end()..tree.nodes[way.node].end()].to_owned();
    let made = [CreatedParent { path: place.at[..way.depth].to_vec(), was: PreviousState::Empty(was) }];
    let splices = splice::fill(tree, way.holder, key, &style, member)?;
    Ok((splices, made.into_iter().chain(missing).collect()))
}

/// What stands at that depth of the path: the entry itself, or the collections around it.
fn nested(place: ServersPath<'_>, depth: usize, name: &str, entry: &Entry) -> Value {
    let entry = Value::Object(match place.layout {
        Layout::Map => entry.clone(),
        Layout::List => with_name(name, entry),
    });
    if depth > place.at.len() {
        return entry;
    }
    let all = match place.layout {
        Layout::Map => Value::Object([(name.to_owned(), entry)].into_iter().collect()),
        Layout::List => Value::Array(vec![entry]),
    };
    place.at[depth..]
        .iter()
        .rev()
        .fold(all, |inner, key| Value::Object([(key.clone(), inner)].into_iter().collect()))
}

/// The entry as an item of a list: its name comes first.
fn with_name(name: &str, entry: &Entry) -> Entry {
    let rest = entry.iter().filter(|(key, _)| *key != NAME).map(|(key, value)| (key.clone(), value.clone()));
    std::iter::once((NAME.to_owned(), name.into())).chain(rest).collect()
}

/// An entry whose parts are used elsewhere cannot be taken away.
fn nothing_points_into(tree: &Tree<'_>, found: &Found) -> Result<(), EditError> {
    match tree.alias_into(&found.nodes(tree)) {
        Some(alias) => Err(tree.refuse(alias, "this alias needs the entry that would change")),
        None => Ok(()),
    }
}

pub(crate) fn remove(
    text: &str,
    place: ServersPath<'_>,
    name: &str,
    made: &[CreatedParent],
    replaced: Option<&str>,
) -> Result<Option<Vec<u8>>> {
    let (bom, old) = split_bom(text);
    let tree = Tree::read(old)?;
    let container = walk(&tree, place)?.and_then(|it| it.container(place));
    let Some(it) = container.map(|it| named(&tree, place, it, name)).transpose()?.flatten() else {
        return Ok(Some(text.as_bytes().to_vec()));
    };
    nothing_points_into(&tree, &it)?;
    let (splices, emptied) = match replaced {
        Some(original) => (vec![Splice { range: it.slot(&tree), with: original.to_owned() }], false),
        None => (splice::remove(&tree, it.holder, it.index), tree.children(it.holder).count() <= it.step()),
    };
    let new = apply(old, &splices);
    check::same_but(&tree, &new, place, name, place.at.len() + 1, None)?;
    if !emptied {
        return Ok(Some(format!("{bom}{new}").into_bytes()));
    }
    let Some(new) = whole::unmade(new, place, made)? else { return Ok(None) };
    check::same_but(&tree, &new, place, name, 1, None)?;
    Ok(Some(format!("{bom}{new}").into_bytes()))
}

pub(crate) fn parse_entry(text: &str, place: ServersPath<'_>) -> Result<Value> {
    // `slot` says what the text of a foreign entry looks like.
    let key = "x";
    let item = text.trim_start_matches(' ').starts_with("- ");
    let whole = match place.layout {
        Layout::Map if text.trim_ascii().is_empty() => return Ok(Value::Null),
        Layout::Map => format!("{key}{text}"),
        Layout::List if item => format!("{key}:\n{text}"),
        Layout::List => format!("{key}: [{text}]"),
    };
    let tree = Tree::read(&whole)?;
    let value = 2; // behind the outermost mapping and its key
    let node = if place.layout == Layout::List { value + 1 } else { value };
    match tree.nodes.get(node) {
        Some(_) => Ok(tree.value(node)?),
        None => anyhow::bail!("not the text of an entry"),
    }
}

pub(crate) fn render_snippet(place: ServersPath<'_>, entries: &[(&str, &Entry)]) -> String {
    let style = Style::ours();
    let all = entries.iter().map(|(name, entry)| match place.layout {
        Layout::Map => style.member(name, &Value::Object((*entry).clone()), 0),
        Layout::List => style.item(&Value::Object(with_name(name, entry)), 0),
    });
    all.map(|it| it + "\n").collect()
}
