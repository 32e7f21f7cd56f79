//! Edits JSON, with or without comments. Text in, text out; keeps every byte it does not own.
//!
//! Old text + place + entry -> new text, or a refusal with line and column. Invariant: every result is read again,
//! and all but our path is compared with the original, before anybody gets to see it.

mod check;
mod clean;
mod splice;
mod style;
#[cfg(test)]
mod tests;
mod trivia;
#[cfg(test)]
pub(super) mod ugly;

use anyhow::Result;
use jsonc_parser::ParseOptions;
use jsonc_parser::ast::{Object, ObjectProp, Value as Ast};
use jsonc_parser::common::Ranged;
use serde_json::Value;

use self::style::Style;
use crate::text::{Splice, apply, split_bom};
use crate::{CreatedParent, EditError, Entry, FileFormat, IfExists, Insertion, PreviousState, ServersPath};

pub(crate) fn entries(
    text: &str,
    place: ServersPath<'_>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Value)>> {
    let text = split_bom(text).1;
    let clean = clean(text, place)?;
    let Some(root) = root(&clean)? else { return Ok(Vec::new()) };
    let Some(object) = walk(text, &root, place.at)?.1 else { return Ok(Vec::new()) };
    let wanted = object.properties.iter().filter(|it| wanted(it.name.as_str()));
    Ok(wanted.map(|it| (it.name.as_str().to_owned(), value(&clean, &it.value))).collect())
}

pub(crate) fn put(
    old: Option<&str>,
    place: ServersPath<'_>,
    name: &str,
    entry: &Entry,
    present: IfExists<'_>,
) -> Result<Insertion> {
    let (bom, text) = split_bom(old.unwrap_or_default());
    let Some(plan) = plan(text, place, name, entry, present)? else {
        return whole_file(old, place, name, entry);
    };
    let mut new = apply(text, &plan.update.splices);
    let path: Vec<&str> = at(place, name).collect();
    for stale in &plan.update.stale {
        let stale: Vec<&str> = path.iter().copied().chain(stale.iter().map(String::as_str)).collect();
        new = without(&new, place, &stale)?;
    }
    if new != text {
        check::same_but(text, &new, place, &path, Some(entry))?;
    }
    Ok(Insertion { text: format!("{bom}{new}").into_bytes(), made: plan.made, replaced: plan.replaced })
}

#[derive(Default)]
struct Plan {
    update: Update,
    made: Vec<CreatedParent>,
    replaced: Option<String>,
}

/// What is to be done to a text; `None` if it holds no value at all.
fn plan(
    text: &str,
    place: ServersPath<'_>,
    name: &str,
    entry: &Entry,
    present: IfExists<'_>,
) -> Result<Option<Plan>> {
    let clean = clean(text, place)?;
    let Some(root) = root(&clean)? else { return Ok(None) };
    let (depth, object) = walk(text, &root, place.at)?;
    let found = object.map(|it| member(text, it, name)).transpose()?.flatten();
    let mut plan = Plan::default();
    match (found, present) {
        (None, _) => (plan.update.splices, plan.made) = add(text, &root, place.at, depth, name, entry),
        (Some(it), IfExists::Ours(written)) if it.value.as_object().is_some() => {
            let scene = Scene { text, clean: &clean, root: &root };
            plan.update.object(&scene, it.value.as_object(), Some(written), entry, &mut Vec::new())?;
            plan.update.splices.sort_by_key(|it| it.range.start);
        }
        (Some(it), present) => {
            let range = it.value.start()..it.value.end();
            plan.replaced = matches!(present, IfExists::Replace).then(|| text[range.clone()].to_owned());
            let holder = object.unwrap_or(&root);
            let with = Style::of(text, &root, holder).value(&Value::Object(entry.clone()));
            plan.update.splices = vec![Splice { range, with }];
        }
    }
    Ok(Some(plan))
}

pub(crate) fn remove(
    text: &str,
    place: ServersPath<'_>,
    name: &str,
    made: &[CreatedParent],
    replaced: Option<&str>,
) -> Result<Option<Vec<u8>>> {
    let (bom, old) = split_bom(text);
    let path: Vec<&str> = at(place, name).collect();
    let new = match replaced {
        Some(original) => {
            let clean = clean(old, place)?;
            let root = root(&clean)?;
            let Some((_, it)) = root.as_ref().map(|it| find(old, it, &path)).transpose()?.flatten() else {
                return Ok(Some(text.as_bytes().to_vec()));
            };
            let range = it.value.start()..it.value.end();
            apply(old, &[Splice { range, with: original.to_owned() }])
        }
        None => without(old, place, &path)?,
    };
    check::same_but(old, &new, place, &path, None)?;
    let length = new.len();
    let Some(new) = prune_created_parents(new, place, made)? else { return Ok(None) };
    if new.len() != length {
        check::same_but(old, &new, place, &path[..1], None)?;
    }
    Ok(Some(format!("{bom}{new}").into_bytes()))
}

pub(crate) fn parse_entry(text: &str, place: ServersPath<'_>) -> Result<Value> {
    let clean = clean(text, place)?;
    Ok(jsonc_parser::parse_to_ast(&clean, &Default::default(), &ParseOptions::default())?
        .value
        .map_or(Value::Null, |it| value(&clean, &it)))
}

pub(crate) fn render_snippet(entries: &[(&str, &Entry)]) -> String {
    let style = Style::render_snippet();
    let all: Vec<String> =
        entries.iter().map(|(name, entry)| style.member(name, &Value::Object((*entry).clone()))).collect();
    all.join(",\n") + "\n"
}

fn at<'a>(place: ServersPath<'a>, name: &'a str) -> impl Iterator<Item = &'a str> {
    place.at.iter().map(String::as_str).chain([name])
}

fn clean(text: &str, place: ServersPath<'_>) -> Result<String> {
    let comments = place.format == FileFormat::Jsonc;
    Ok(clean::strict(text, &clean::Syntax { comments, trailing_commas: place.trailing_commas })?)
}

/// The outermost object of clean text; `None` in a file without any value.
fn root(clean: &str) -> Result<Option<Object<'_>>> {
    let parse_entry = jsonc_parser::parse_to_ast(clean, &Default::default(), &ParseOptions::default());
    let parse_entry = parse_entry.map_err(|err| EditError {
        line: err.line_display(),
        column: err.column_display(),
        what: err.kind().to_string().to_lowercase(),
    })?;
    match parse_entry.value {
        None => Ok(None),
        Some(Ast::Object(object)) => Ok(Some(object)),
        Some(other) => {
            Err(EditError::at(clean, other.start(), format!("expected an object, found {}", kind(&other)))
                .into())
        }
    }
}

fn kind(value: &Ast<'_>) -> &'static str {
    match value {
        Ast::StringLit(_) => "a string",
        Ast::NumberLit(_) => "a number",
        Ast::BooleanLit(_) => "a boolean",
        Ast::Object(_) => "an object",
        Ast::Array(_) => "a list",
        Ast::NullKeyword(_) => "null",
    }
}

/// The member of that name. Two of them are refused: clients disagree on which one counts.
fn member<'a, 'o>(text: &str, object: &'o Object<'a>, name: &str) -> Result<Option<&'o ObjectProp<'a>>> {
    let mut all = object.properties.iter().filter(|it| it.name.as_str() == name);
    let first = all.next();
    match all.next() {
        Some(second) => {
            Err(EditError::at(text, second.start(), format!("a second `{name}` in the same object")).into())
        }
        None => Ok(first),
    }
}

/// Follows the keys as far as they exist: how many did, and the object at the end if all did.
fn walk<'a, 'o>(
    text: &str,
    root: &'o Object<'a>,
    path: &[String],
) -> Result<(usize, Option<&'o Object<'a>>)> {
    let mut object = root;
    for (depth, key) in path.iter().enumerate() {
        let Some(it) = member(text, object, key)? else { return Ok((depth, None)) };
        let Some(next) = it.value.as_object() else {
            let what = format!("`{key}` must be an object, and is {}", kind(&it.value));
            return Err(EditError::at(text, it.value.start(), what).into());
        };
        object = next;
    }
    Ok((path.len(), Some(object)))
}

/// The member at the end of a path, and the object that holds it.
fn find<'a, 'o>(
    text: &str,
    root: &'o Object<'a>,
    path: &[&str],
) -> Result<Option<(&'o Object<'a>, &'o ObjectProp<'a>)>> {
    let Some((name, keys)) = path.split_last() else { return Ok(None) };
    let mut object = root;
    for key in keys {
        match member(text, object, key)?.and_then(|it| it.value.as_object()) {
            Some(next) => object = next,
            None => return Ok(None),
        }
    }
    Ok(member(text, object, name)?.map(|it| (object, it)))
}

fn value(clean: &str, ast: &Ast<'_>) -> Value {
    serde_json::from_str(&clean[ast.start()..ast.end()]).unwrap_or_else(|_| large(clean, ast))
}

/// The same with numbers that no `f64` holds (`1e400`), as text: they are legal, and somebody else's.
fn large(clean: &str, ast: &Ast<'_>) -> Value {
    match ast {
        Ast::Object(it) => {
            it.properties.iter().map(|it| (it.name.as_str(), value(clean, &it.value))).collect()
        }
        Ast::Array(it) => it.elements.iter().map(|it| value(clean, it)).collect(),
        other => clean[other.start()..other.end()].into(),
    }
}

/// `entry` as the only thing in a file; what stood in there (white space, comments) stays in front of it.
fn whole_file(old: Option<&str>, place: ServersPath<'_>, name: &str, entry: &Entry) -> Result<Insertion> {
    let path: Vec<&str> = at(place, name).collect();
    let nested = nested(&path[1..], entry);
    let style = Style::ours();
    let (bom, rest) = split_bom(old.unwrap_or_default());
    let kept = if rest.trim().is_empty() { String::new() } else { format!("{}\n", rest.trim_end()) };
    let text = format!("{bom}{kept}{{\n  {}\n}}\n", style.member(path[0], &nested));
    let was = old.map_or(PreviousState::Missing, |_| PreviousState::Blank(rest.to_owned()));
    let mut made = vec![CreatedParent { path: Vec::new(), was }];
    made.extend(missing(place.at, 0));
    check::same_but(rest, split_bom(&text).1, place, &path, Some(entry))?;
    Ok(Insertion { text: text.into_bytes(), made, replaced: None })
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
        .map(move |depth| CreatedParent { path: at[..depth].to_vec(), was: PreviousState::Missing })
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
        object = object.get_object(key).unwrap_or(object); // `walk` was here before
    }
    let full: Vec<&str> = path[depth..].iter().map(String::as_str).chain([name]).collect();
    let splices = splice::insert(text, root, object, &[(full[0], &nested(&full[1..], entry))]);
    let mut made = Vec::new();
    if object.properties.is_empty() {
        let inner = text[object.range.start + 1..object.range.end - 1].to_owned();
        made.push(CreatedParent { path: path[..depth].to_vec(), was: PreviousState::Empty(inner) });
    }
    made.extend(missing(path, depth));
    (splices, made)
}

struct Scene<'a> {
    text: &'a str,
    clean: &'a str,
    root: &'a Object<'a>,
}

/// What brings our entry up to date.
#[derive(Default)]
struct Update {
    splices: Vec<Splice>,
    /// Paths inside the entry that we wrote once, and that nobody has changed or needs any more.
    stale: Vec<Vec<String>>,
}

impl Update {
    fn object(
        &mut self,
        scene: &Scene<'_>,
        object: Option<&Object<'_>>,
        written: Option<&Entry>,
        wanted: &Entry,
        path: &mut Vec<String>,
    ) -> Result<()> {
        let Some(object) = object else { return Ok(()) };
        let mut new = Vec::new();
        for (key, want) in wanted {
            let Some(it) = member(scene.text, object, key)? else {
                new.push((key.as_str(), want));
                continue;
            };
            if let (Some(inner), Value::Object(want)) = (it.value.as_object(), want) {
                path.push(key.clone());
                self.object(scene, Some(inner), written.and_then(|it| it.get(key)?.as_object()), want, path)?;
                path.pop();
            } else if value(scene.clean, &it.value) != *want {
                let with = Style::of(scene.text, scene.root, object).value(want);
                self.splices.push(Splice { range: it.value.start()..it.value.end(), with });
            }
        }
        if !new.is_empty() {
            self.splices.extend(splice::insert(scene.text, scene.root, object, &new));
        }
        self.find_stale(scene, object, written, wanted, path)
    }

    fn find_stale(
        &mut self,
        scene: &Scene<'_>,
        object: &Object<'_>,
        written: Option<&Entry>,
        wanted: &Entry,
        path: &[String],
    ) -> Result<()> {
        for (key, old) in written.into_iter().flatten().filter(|(key, _)| !wanted.contains_key(*key)) {
            if let Some(it) = member(scene.text, object, key)?
                && value(scene.clean, &it.value) == *old
            {
                self.stale.push(path.iter().chain([key]).cloned().collect());
            }
        }
        Ok(())
    }
}

/// The text without the member at `path`, if it is there.
fn without(text: &str, place: ServersPath<'_>, path: &[&str]) -> Result<String> {
    let clean = clean(text, place)?;
    let root = root(&clean)?;
    let Some((holder, it)) = root.as_ref().map(|it| find(text, it, path)).transpose()?.flatten() else {
        return Ok(text.to_owned());
    };
    let index = holder.properties.iter().position(|other| std::ptr::eq(other, it)).unwrap_or_default();
    Ok(apply(text, &splice::remove(text, holder, index)))
}

/// Undoes, from the inside out, what we made around entries, as long as nothing of anybody else's is in it.
fn prune_created_parents(
    mut text: String,
    place: ServersPath<'_>,
    made: &[CreatedParent],
) -> Result<Option<String>> {
    for depth in (0..=place.at.len()).rev() {
        let path = &place.at[..depth];
        let Some(it) = made.iter().find(|it| it.path == path) else { break };
        let clean = clean(&text, place)?;
        let Some(root) = root(&clean)? else { break };
        let Some(object) = walk(&text, &root, path)?.1.filter(|it| it.properties.is_empty()) else { break };
        let inside = object.range.start + 1..object.range.end - 1;
        let inner = text[inside.clone()].trim();
        match &it.was {
            PreviousState::Empty(was) if was.trim() == inner => {
                text = apply(&text, &[Splice { range: inside, with: was.clone() }]);
                break;
            }
            PreviousState::Missing if depth > 0 && inner.is_empty() => {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                text = without(&text, place, &path)?;
            }
            PreviousState::Missing | PreviousState::Blank(_) if depth == 0 && inner.is_empty() => {
                let around = format!("{}{}", &text[..object.range.start], &text[object.range.end..]);
                match &it.was {
                    PreviousState::Missing if around.trim().is_empty() => return Ok(None),
                    PreviousState::Blank(was) if around.trim() == was.trim() => return Ok(Some(was.clone())),
                    _ => break,
                }
            }
            _ => break,
        }
    }
    Ok(Some(text))
}
