//! Members of an object put in and taken out, as replacements of ranges of the text.
//!
//! Text + object -> splices. Invariant: taking out what was just put in gives the text back, but for an empty object
//! that became several lines (see `PreviousState::Empty`); comments are never touched.

use std::ops::Range;

use jsonc_parser::ast::Object;
use jsonc_parser::common::Ranged;
use serde_json::Value;

use super::style::Style;
use super::trivia::{Kind, after_comments, after_comments_of_line, comma, trivia};
use crate::text::Splice;

/// New members at the object's end: behind the last one, its comma, and the comments on its line.
pub(super) fn insert(
    text: &str,
    root: &Object<'_>,
    object: &Object<'_>,
    members: &[(&str, &Value)],
) -> Vec<Splice> {
    let style = Style::of(text, root, object);
    let body = style.members(members.iter().copied());
    let close = object.range.end - 1;
    let Some(last) = object.properties.last() else {
        return insert_first(text, object, &style, &body);
    };
    let end = last.value.end();
    let body = format!("{}{body}", style.separator());
    if let Some(trailing) = comma(text, end..close) {
        let at = after_comments_of_line(text, trailing + 1..close);
        return vec![Splice { range: at..at, with: format!("{body},") }];
    }
    let at = after_comments_of_line(text, end..close);
    vec![Splice { range: end..end, with: ",".into() }, Splice { range: at..at, with: body }]
}

fn insert_first(text: &str, object: &Object<'_>, style: &Style, body: &str) -> Vec<Splice> {
    let (open, close) = (object.range.start + 1, object.range.end - 1);
    let at = after_comments(text, open..close);
    let rest = &text[at..close];
    let Some(lines) = &style.lines else {
        let blank = if open == close { "" } else { " " };
        return vec![Splice { range: at..at, with: format!("{blank}{body}") }];
    };
    let body = format!("{}{}{body}", lines.end, lines.inner);
    if rest.contains(['\n', '\r']) {
        return vec![Splice { range: at..at, with: body }];
    }
    vec![Splice { range: at..close, with: format!("{body}{}{}", lines.end, lines.outer) }]
}

/// One member, its comma (the one behind it, or else the one before it), and the white space that leads to it.
pub(super) fn remove(text: &str, object: &Object<'_>, index: usize) -> Vec<Splice> {
    let member = &object.properties[index];
    let (start, end) = (member.start(), member.value.end());
    let next = object.properties.get(index + 1).map_or(object.range.end - 1, Ranged::start);
    let previous =
        index.checked_sub(1).map_or(object.range.start + 1, |it| object.properties[it].value.end());
    let behind = comma(text, end..next);
    let before = if behind.is_none() { comma(text, previous..start) } else { None };
    let lead = lead(text, previous..start, behind.map_or(end, |it| it + 1)..next);
    let mut cuts: Vec<Range<usize>> = before.map(|it| it..it + 1).into_iter().collect();
    cuts.push(lead..end);
    cuts.extend(behind.map(|it| it..it + 1));
    cuts.into_iter().map(|range| Splice { range, with: String::new() }).collect()
}

/// Where the white space before a member starts that goes with it.
fn lead(text: &str, before: Range<usize>, behind: Range<usize>) -> usize {
    let gap: Vec<_> = trivia(text, before.clone()).collect();
    let blanks = gap.iter().rev().take_while(|(kind, _)| *kind == Kind::Blank).count();
    let without_blanks = &gap[..gap.len() - blanks];
    let after_blanks = without_blanks.last().map_or(before.start, |(_, at)| at.end);
    let Some((Kind::LineEnd, line_end)) = without_blanks.last() else { return after_blanks };
    let line_comment = without_blanks.iter().rev().nth(1).is_some_and(|(kind, _)| *kind == Kind::LineComment);
    match trivia(text, behind).find(|(kind, _)| *kind != Kind::Blank) {
        // A comment of the entry's own line stays, on a line of its own.
        Some((Kind::LineComment | Kind::BlockComment, _)) => before.end,
        Some((Kind::LineEnd, _)) => line_end.start,
        // What follows must not end up in the comment of the line above.
        _ if line_comment => after_blanks,
        _ => line_end.start,
    }
}
