//! Edits JSON, with or without comments. Text in, text out; keeps every byte it does not own.
//!
//! Old text + place + entry -> new text, or a refusal with line and column. Invariant: every result is read again,
//! and all but our path is compared with the original, before anybody gets to see it.

mod check;
mod created;
#[cfg(test)]
pub(super) mod generate;
mod nodes;
mod splice;
mod strip_comments;
mod style;
#[cfg(test)]
mod tests;
mod trivia;
mod update;

use jsonc_parser::ast::Object;
use jsonc_parser::common::Ranged;
use serde_json::Value;

use self::created::prune_created_parents;
use self::nodes::{find, member, parse, root, strict, value, walk};
use self::style::Style;
use self::update::{Scene, Update};
use crate::format::{Edited, Format};
use crate::text::{Splice, apply};
use crate::{CreatedParent, Entry, IfExists, PreviousState, Result, ServersPath};

/// JSON, with or without comments.
pub(crate) struct Json;

impl Format for Json {
    fn entries(
        &self,
        text: &str,
        place: ServersPath<'_>,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<(String, Value)>> {
        let clean = strict(text, place)?;
        let Some(root) = root(&clean)? else { return Ok(Vec::new()) };
        let Some(object) = walk(text, &root, place.at)?.1 else { return Ok(Vec::new()) };
        let wanted = object.properties.iter().filter(|it| wanted(it.name.as_str()));
        Ok(wanted.map(|it| (it.name.as_str().to_owned(), value(&clean, &it.value))).collect())
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
        let Some(plan) = plan(text, place, name, entry, if_exists)? else {
            return new_document(old, place, name, entry);
        };
        let mut new = apply(text, &plan.update.splices);
        let path: Vec<&str> = at(place, name).collect();
        for stale in &plan.update.stale {
            let stale: Vec<&str> = path.iter().copied().chain(stale.iter().map(String::as_str)).collect();
            new = without(&new, place, &stale)?;
        }
        if new != text {
            check::verify_only_changed(text, &new, place, &path, Some(entry))?;
        }
        Ok(Edited { text: new, created: plan.created, replaced: plan.replaced })
    }

    fn remove(
        &self,
        old: &str,
        place: ServersPath<'_>,
        name: &str,
        created: &[CreatedParent],
        replaced: Option<&str>,
    ) -> Result<Option<String>> {
        let path: Vec<&str> = at(place, name).collect();
        let new = match replaced {
            Some(original) => {
                let clean = strict(old, place)?;
                let root = root(&clean)?;
                let Some((_, it)) = root.as_ref().map(|it| find(old, it, &path)).transpose()?.flatten()
                else {
                    return Ok(Some(old.to_owned()));
                };
                let range = it.value.start()..it.value.end();
                apply(old, &[Splice { range, with: original.to_owned() }])
            }
            None => without(old, place, &path)?,
        };
        check::verify_only_changed(old, &new, place, &path, None)?;
        let length = new.len();
        let Some(new) = prune_created_parents(new, place, created)? else { return Ok(None) };
        if new.len() != length {
            check::verify_only_changed(old, &new, place, &path[..1], None)?;
        }
        Ok(Some(new))
    }

    fn parse_entry(&self, text: &str, place: ServersPath<'_>) -> Result<Value> {
        let clean = strict(text, place)?;
        Ok(parse(&clean)?.map_or(Value::Null, |it| value(&clean, &it)))
    }

    fn render_snippet(&self, _: ServersPath<'_>, entries: &[(&str, &Entry)]) -> String {
        let style = Style::snippet();
        let all: Vec<String> = entries
            .iter()
            .map(|(name, entry)| style.member(name, &Value::Object((*entry).clone())))
            .collect();
        all.join(",\n") + "\n"
    }
}

#[derive(Default)]
struct Plan {
    update: Update,
    created: Vec<CreatedParent>,
    replaced: Option<String>,
}

/// What is to be done to a text; `None` if it holds no value at all.
fn plan(
    text: &str,
    place: ServersPath<'_>,
    name: &str,
    entry: &Entry,
    if_exists: IfExists<'_>,
) -> Result<Option<Plan>> {
    let clean = strict(text, place)?;
    let Some(root) = root(&clean)? else { return Ok(None) };
    let (depth, object) = walk(text, &root, place.at)?;
    let found = object.map(|it| member(text, it, name)).transpose()?.flatten();
    let mut plan = Plan::default();
    match (found, if_exists) {
        (None, _) => (plan.update.splices, plan.created) = add(text, &root, place.at, depth, name, entry),
        (Some(it), IfExists::Update(written)) if it.value.as_object().is_some() => {
            let scene = Scene { text, clean: &clean, root: &root };
            plan.update.object(&scene, it.value.as_object(), Some(written), entry, &mut Vec::new())?;
            plan.update.splices.sort_by_key(|it| it.range.start);
        }
        (Some(it), _) => {
            let range = it.value.start()..it.value.end();
            plan.replaced = matches!(if_exists, IfExists::Replace).then(|| text[range.clone()].to_owned());
            let holder = object.unwrap_or(&root);
            let with = Style::of(text, &root, holder).value(&Value::Object(entry.clone()));
            plan.update.splices = vec![Splice { range, with }];
        }
    }
    Ok(Some(plan))
}

fn at<'a>(place: ServersPath<'a>, name: &'a str) -> impl Iterator<Item = &'a str> {
    place.at.iter().map(String::as_str).chain([name])
}

/// `entry` as the only thing in a file; what stood in there (white space, comments) stays in front of it.
fn new_document(old: Option<&str>, place: ServersPath<'_>, name: &str, entry: &Entry) -> Result<Edited> {
    let path: Vec<&str> = at(place, name).collect();
    let nested = nested(&path[1..], entry);
    let style = Style::ours();
    let before = old.unwrap_or_default();
    let kept = if before.trim().is_empty() { String::new() } else { format!("{}\n", before.trim_end()) };
    let text = format!("{kept}{{\n  {}\n}}\n", style.member(path[0], &nested));
    let previous = old.map_or(PreviousState::Missing, |_| PreviousState::Blank(before.to_owned()));
    let mut created = vec![CreatedParent { path: Vec::new(), previous }];
    created.extend(missing(place.at, 0));
    check::verify_only_changed(before, &text, place, &path, Some(entry))?;
    Ok(Edited { text, created, replaced: None })
}

/// `entry` below those keys.
fn nested(path: &[&str], entry: &Entry) -> Value {
    path.iter().rev().fold(Value::Object(entry.clone()), |inner, key| {
        Value::Object([((*key).to_owned(), inner)].into_iter().collect())
    })
}

/// That the objects below `depth` keys did not exist.
fn missing(at: &[String], depth: usize) -> impl Iterator<Item = CreatedParent> {
    (depth + 1..=at.len())
        .map(move |depth| CreatedParent { path: at[..depth].to_vec(), previous: PreviousState::Missing })
}

/// A new entry, with the objects on the way to it that are missing.
fn add(
    text: &str,
    root: &Object<'_>,
    path: &[String],
    depth: usize,
    name: &str,
    entry: &Entry,
) -> (Vec<Splice>, Vec<CreatedParent>) {
    let mut object = root;
    for key in &path[..depth] {
        object = object.get_object(key).unwrap_or(object); // `walk` previous here before
    }
    let full: Vec<&str> = path[depth..].iter().map(String::as_str).chain([name]).collect();
    let splices = splice::insert(text, root, object, &[(full[0], &nested(&full[1..], entry))]);
    let mut created = Vec::new();
    if object.properties.is_empty() {
        let inner = text[object.range.start + 1..object.range.end - 1].to_owned();
        created.push(CreatedParent { path: path[..depth].to_vec(), previous: PreviousState::Empty(inner) });
    }
    created.extend(missing(path, depth));
    (splices, created)
}

/// The text without the member at `path`, if it is there.
fn without(text: &str, place: ServersPath<'_>, path: &[&str]) -> Result<String> {
    let clean = strict(text, place)?;
    let root = root(&clean)?;
    let Some((holder, it)) = root.as_ref().map(|it| find(text, it, path)).transpose()?.flatten() else {
        return Ok(text.to_owned());
    };
    let index = holder.properties.iter().position(|other| std::ptr::eq(other, it)).unwrap_or_default();
    Ok(apply(text, &splice::remove(text, holder, index)))
}
