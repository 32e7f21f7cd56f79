//! Edits YAML. Text in, text out; keeps every byte it does not own.
//!
//! Old text + place + entry -> new text, or a refusal with line and column. Invariant: every result is read again,
//! and all but our path is compared with the original, before anybody gets to see it.

mod block;
mod check;
#[cfg(test)]
mod differential;
mod flow;
#[cfg(test)]
pub(super) mod generate;
mod new_document;
mod place;
mod read;
mod scalar;
mod splice;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod update;
mod value;
mod write;

use serde_json::Value;

use self::place::{Found, ResolvedPath, name_of, named, walk};
use self::splice::Member;
use self::tree::{Kind, Tree};
use self::update::Update;
use self::write::Style;
use crate::format::{Edited, Format};
use crate::servers::with_name;
use crate::text::{Splice, apply};
use crate::{
    CreatedParent, Entry, Error, ErrorKind, IfExists, Layout, PreviousState, Result, ServersPath, verify,
};

/// YAML.
pub(crate) struct Yaml;

impl Format for Yaml {
    fn entries(
        &self,
        text: &str,
        place: ServersPath<'_>,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<(String, Value)>> {
        let tree = Tree::read(text)?;
        let Some(holder) = walk(&tree, place)?.and_then(|it| it.container(place)) else {
            return Ok(Vec::new());
        };
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

    fn put(
        &self,
        old: Option<&str>,
        place: ServersPath<'_>,
        name: &str,
        entry: &Entry,
        if_exists: IfExists<'_>,
    ) -> Result<Edited> {
        let text = old.unwrap_or_default();
        let tree = Tree::read(text)?;
        let Some(resolved) = walk(&tree, place)? else {
            let whole = new_document::render(&tree, place, name, entry);
            let created = new_document::missing(
                place.at,
                old.map_or(PreviousState::Missing, |_| PreviousState::Blank(text.to_owned())),
            );
            return checked(&tree, place, name, entry, whole, (created, None));
        };
        let found = resolved.container(place).map(|it| named(&tree, place, it, name)).transpose()?.flatten();
        match (found, if_exists) {
            (None, _) => {
                let (splices, created) = add(&tree, place, &resolved, name, entry)?;
                checked(&tree, place, name, entry, apply(text, &splices), (created, None))
            }
            (Some(it), IfExists::Update(written)) if tree.nodes[it.value].kind == Kind::Map => {
                let update = Update::of(&tree, &it, written, entry)?;
                let mut new = apply(text, &update.splices);
                for stale in &update.stale {
                    new = update::without_field(&new, place, name, stale)?;
                }
                checked(&tree, place, name, entry, new, (Vec::new(), None))
            }
            (Some(it), _) => {
                nothing_points_into(&tree, &it)?;
                // That entry can give resolved as well, and then this one could not be put back.
                if let (IfExists::Replace, Some(alias)) =
                    (if_exists, tree.alias_beside(&it.nodes(&tree), it.holder))
                {
                    return Err(tree.unsupported(alias, "an alias of another entry"));
                }
                let range = it.slot(&tree);
                let replaced = matches!(if_exists, IfExists::Replace).then(|| text[range.clone()].to_owned());
                let with = it.slot_text(&tree, place, name, entry);
                checked(
                    &tree,
                    place,
                    name,
                    entry,
                    apply(text, &[Splice { range, with }]),
                    (Vec::new(), replaced),
                )
            }
        }
    }

    fn remove(
        &self,
        old: &str,
        place: ServersPath<'_>,
        name: &str,
        created: &[CreatedParent],
        replaced: Option<&str>,
    ) -> Result<Option<String>> {
        let tree = Tree::read(old)?;
        let container = walk(&tree, place)?.and_then(|it| it.container(place));
        let Some(it) = container.map(|it| named(&tree, place, it, name)).transpose()?.flatten() else {
            return Ok(Some(old.to_owned()));
        };
        nothing_points_into(&tree, &it)?;
        let (splices, emptied) = match replaced {
            Some(original) => (vec![Splice { range: it.slot(&tree), with: original.to_owned() }], false),
            None => {
                (splice::remove(&tree, it.holder, it.index)?, tree.children(it.holder).count() <= it.step())
            }
        };
        let new = apply(old, &splices);
        let checked = check::verify_only_changed(&tree, &new, place, name, place.at.len() + 1, None);
        checked.map_err(|err| match replaced {
            Some(original) => verify::does_not_fit(old, tree.nodes[it.value].head(), name, original),
            None => err,
        })?;
        if !emptied {
            return Ok(Some(new));
        }
        let Some(new) = new_document::prune_created_parents(new, place, created)? else { return Ok(None) };
        check::verify_only_changed(&tree, &new, place, name, 1, None)?;
        Ok(Some(new))
    }

    fn parse_entry(&self, text: &str, place: ServersPath<'_>) -> Result<Value> {
        // `slot` says what the text of an unmanaged entry looks like.
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
            None => Err(Error::new(ErrorKind::Syntax, "not the text of an entry")),
        }
    }

    fn render_snippet(&self, place: ServersPath<'_>, entries: &[(&str, &Entry)]) -> String {
        let style = Style::ours();
        let all = entries.iter().map(|(name, entry)| match place.layout {
            Layout::Map => style.member(name, &Value::Object((*entry).clone()), 0),
            Layout::List => style.item(&Value::Object(with_name(name, entry)), 0),
        });
        all.map(|it| it + "\n").collect()
    }
}

fn checked(
    old: &Tree<'_>,
    place: ServersPath<'_>,
    name: &str,
    entry: &Entry,
    new: String,
    (created, replaced): (Vec<CreatedParent>, Option<String>),
) -> Result<Edited> {
    if new != old.text {
        check::verify_only_changed(old, &new, place, name, place.at.len() + 1, Some(entry))?;
    }
    Ok(Edited { text: new, created, replaced })
}

/// A new entry, with the collections on the resolved to it that are missing.
fn add(
    tree: &Tree<'_>,
    place: ServersPath<'_>,
    resolved: &ResolvedPath,
    name: &str,
    entry: &Entry,
) -> Result<(Vec<Splice>, Vec<CreatedParent>)> {
    let style = Style::of(tree, Some(resolved.node));
    let empty = tree.is_empty(resolved.node);
    let missing = (resolved.depth + 1..=place.at.len())
        .map(|it| CreatedParent { path: place.at[..it].to_vec(), previous: PreviousState::Missing });
    if empty && resolved.key.is_none() {
        let raw = tree.raw(resolved.node).to_owned();
        let created = [CreatedParent { path: Vec::new(), previous: PreviousState::Empty(raw) }];
        return Ok((
            new_document::instead_of_empty(tree, place, name, entry),
            created.into_iter().chain(missing).collect(),
        ));
    }
    let value = nested(place, resolved.depth + 1, name, entry);
    let member = match place.at.get(resolved.depth) {
        Some(key) => Member::Pair(key, &value),
        None if place.layout == Layout::Map => Member::Pair(name, &value),
        None => Member::Item(&value),
    };
    let Some(key) = resolved.key.filter(|_| empty) else {
        return Ok((
            splice::append(tree, resolved.node, resolved.around, &style, &[member])?,
            missing.collect(),
        ));
    };
    let previous = tree.text[tree.nodes[key].end()..tree.nodes[resolved.node].end()].to_owned();
    let created = [CreatedParent {
        path: place.at[..resolved.depth].to_vec(),
        previous: PreviousState::Empty(previous),
    }];
    let splices = splice::fill(tree, resolved.holder, key, &style, member)?;
    Ok((splices, created.into_iter().chain(missing).collect()))
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

/// An entry whose parts are used elsewhere cannot be taken away.
fn nothing_points_into(tree: &Tree<'_>, found: &Found) -> Result<()> {
    match tree.alias_into(&found.nodes(tree)) {
        Some(alias) => Err(tree.unsupported(alias, "this alias needs the entry that would change")),
        None => Ok(()),
    }
}
