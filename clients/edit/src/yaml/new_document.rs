//! Files that are ours from the start, and the resolved back to what was there before.
//!
//! Tree without members + entry -> text; text + `CreatedParent` -> text, or no file. Invariant: what was made is
//! taken away only while it is exactly as we made it, with nothing of anybody else's in it.

use serde_json::Value;

use super::place::walk;
use super::splice::{self, has_comment, has_tail};
use super::tree::{Kind, Tree, before_break, line_end as end_of_line, line_start};
use super::write::{Style, flow};
use super::{Entry, nested};
use crate::text::{Splice, apply};
use crate::{CreatedParent, Layout, PreviousState, Result, ServersPath};

/// All that stands in a file of ours.
fn content(place: ServersPath<'_>, name: &str, entry: &Entry) -> Entry {
    let mut all = place.new_file.cloned().unwrap_or_default();
    if let Value::Object(ours) = nested(place, 0, name, entry) {
        all.extend(ours);
    }
    all
}

/// The entry in a file that holds no value: behind what does stand in it (comments, `---`).
pub(super) fn render(tree: &Tree<'_>, place: ServersPath<'_>, name: &str, entry: &Entry) -> String {
    let style = Style { line_end: Style::of(tree, None).line_end, ..Style::ours() };
    let body = style.members(&content(place, name, entry), 0);
    let kept = tree.text[..tree.close].trim_ascii_end();
    let line_end = style.line_end;
    if kept.is_empty() {
        return format!("{body}{line_end}{}", &tree.text[tree.close..]);
    }
    let (before, behind) = tree.text.split_at(end_of_line(tree.text, kept.len()));
    format!("{before}{line_end}{body}{behind}")
}

/// The same in the place of an empty `{}`.
pub(super) fn instead_of_empty(
    tree: &Tree<'_>,
    place: ServersPath<'_>,
    name: &str,
    entry: &Entry,
) -> Vec<Splice> {
    let (text, root) = (tree.text, tree.range(0));
    let content = content(place, name, entry);
    let line = line_start(text, root.start);
    let inside = &text[root.start + 1..root.end - 1];
    if line == root.start
        && inside.trim_matches([' ', '\t']).is_empty()
        && end_of_line(text, root.end) == root.end
        && !has_tail(text, root.end, 0)
    {
        let with = Style { line_end: Style::of(tree, None).line_end, ..Style::ours() }.members(&content, 0);
        return vec![Splice { range: root, with }];
    }
    let flow = flow(&Value::Object(content));
    let with = flow[1..flow.len() - 1].to_owned();
    vec![Splice { range: root.end - 1..root.end - 1, with }]
}

/// That nothing on the path existed, and what the file was.
pub(super) fn missing(at: &[String], file: PreviousState) -> Vec<CreatedParent> {
    let inner = (1..=at.len())
        .map(|depth| CreatedParent { path: at[..depth].to_vec(), previous: PreviousState::Missing });
    std::iter::once(CreatedParent { path: Vec::new(), previous: file }).chain(inner).collect()
}

/// Undoes, from the inside out, what we made around entries, as long as nothing of anybody else's is in it.
pub(super) fn prune_created_parents(
    mut text: String,
    place: ServersPath<'_>,
    created: &[CreatedParent],
) -> Result<Option<String>> {
    for depth in (1..=place.at.len()).rev() {
        let Some(it) = created.iter().find(|it| it.path == place.at[..depth]) else { return Ok(Some(text)) };
        let tree = Tree::read(&text)?;
        let Some((splices, more)) = step(&tree, place, depth, &it.previous)? else { return Ok(Some(text)) };
        text = apply(&text, &splices);
        if !more {
            return Ok(Some(text));
        }
    }
    match created.iter().find(|it| it.path.is_empty()) {
        Some(it) => prune_file(text, place, &it.previous),
        None => Ok(Some(text)),
    }
}

/// One level of it, and whether that was missing.
fn step(
    tree: &Tree<'_>,
    place: ServersPath<'_>,
    depth: usize,
    previous: &PreviousState,
) -> Result<Option<(Vec<Splice>, bool)>> {
    // Only what holds the entries themselves can be a list.
    let layout = if depth == place.at.len() { place.layout } else { Layout::Map };
    let Some(resolved) = walk(tree, ServersPath { at: &place.at[..depth], layout, ..place })? else {
        return Ok(None);
    };
    let Some(key) = resolved.key.filter(|_| resolved.depth == depth && tree.is_empty(resolved.node)) else {
        return Ok(None);
    };
    let value = tree.range(resolved.node);
    if tree.text[value.clone()].contains('#') {
        return Ok(None);
    }
    if let PreviousState::Empty(previous) = previous {
        let range = tree.nodes[key].end()..value.end;
        // `a:,` is a text: somebody has put a comma there since.
        let swallows = tree.nodes[key].kind == Kind::Plain
            && previous.ends_with(':')
            && tree.text[value.end..].starts_with(',');
        let with = format!("{previous}{}", if swallows { " " } else { "" });
        return Ok(Some((vec![Splice { range, with }], false)));
    }
    let holder = &tree.nodes[resolved.holder];
    let others = !holder.flow
        && (has_comment(tree.text, value.end..value.end) || has_tail(tree.text, value.end, holder.column()));
    if *previous != PreviousState::Missing || others {
        return Ok(None);
    }
    let index = tree.keys(resolved.holder).position(|it| it == key).unwrap_or_default();
    // Where that would change a string above it, it stays, empty.
    Ok(splice::remove(tree, resolved.holder, index).ok().map(|it| (it, true)))
}

/// The file as it was, if all that is left in it is what we wrote into it.
fn prune_file(text: String, place: ServersPath<'_>, previous: &PreviousState) -> Result<Option<String>> {
    let tree = Tree::read(&text)?;
    let Some(root) = tree.root().filter(|it| tree.nodes[*it].kind == Kind::Map) else {
        return Ok(Some(text));
    };
    let range = tree.range(root);
    let left = tree.raw(root);
    let nothing = Entry::new();
    let of_a_new_file = place.new_file.unwrap_or(&nothing);
    let style = Style::of(&tree, None);
    let column = tree.nodes[root].column();
    let brace = if let PreviousState::Empty(previous) = previous {
        previous.strip_suffix('}').unwrap_or_default()
    } else {
        "{"
    };
    let in_braces = format!("{brace}{}", &flow(&Value::Object(of_a_new_file.clone()))[1..]);
    if ![style.members(of_a_new_file, column), in_braces, "{}".into()].iter().any(|it| it == left) {
        return Ok(Some(text));
    }
    let without = |from: usize| format!("{}{}", &text[..from], &text[range.end..]);
    let around = without(range.start);
    let without_lines = without(before_break(&text, line_start(&text, range.start)));
    Ok(match previous {
        PreviousState::Missing if around.trim_ascii().is_empty() => None,
        PreviousState::Blank(previous)
            if without_lines == *previous || around.trim_ascii() == previous.trim_ascii() =>
        {
            Some(previous.clone())
        }
        PreviousState::Empty(previous) => Some(apply(&text, &[Splice { range, with: previous.clone() }])),
        _ => Some(text),
    })
}
