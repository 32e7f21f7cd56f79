//! The fragments of a file that an entry is made of: tables with their headers, and lines with keys.
//!
//! Tree + node -> ranges, and what takes them out. Invariant: a piece begins at the beginning of a line and ends at
//! the end of one, before its line end; comments before it and behind it are not part of it.

use std::ops::Range;

use super::doc::{Doc, Id};
use super::lines;
use crate::text::Splice;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fragment {
    /// Tables with headers, one behind the other.
    Tables(Range<usize>),
    /// A key with its value.
    Line { range: Range<usize>, value: Range<usize> },
}

impl Fragment {
    pub(super) fn range(&self) -> Range<usize> {
        match self {
            Fragment::Tables(range) | Fragment::Line { range, .. } => range.clone(),
        }
    }
}

pub(super) fn of(doc: &Doc<'_>, id: Id) -> Vec<Fragment> {
    let mut all: Vec<Fragment> = Vec::new();
    let mut last = 0;
    for (index, section) in doc.sections.iter().enumerate().skip(1).filter(|(_, it)| doc.within(it.node, id))
    {
        match all.last_mut() {
            Some(Fragment::Tables(range)) if last + 1 == index => range.end = section.range.end,
            _ => all.push(Fragment::Tables(section.range.clone())),
        }
        last = index;
    }
    let lines = doc.leaves(id).into_iter().map(|it| doc.range(it));
    let alone = lines.filter(|it| !doc.within(doc.section_at(it.start).node, id));
    all.extend(alone.map(|value| {
        let range = lines::start(doc.text, value.start)..lines::end(doc.text, value.end);
        Fragment::Line { range, value }
    }));
    all.sort_by_key(|it| it.range().start);
    all
}

/// Splices in the order of the text. The first line of a file takes the line end behind it along when it is cut; what
/// comes in there, or takes it too, goes before that.
pub(super) fn in_order(mut splices: Vec<Splice>) -> Vec<Splice> {
    splices.sort_by_key(|it| (it.range.start, it.range.end));
    for index in 1..splices.len() {
        let next = splices[index].range.start;
        let range = &mut splices[index - 1].range;
        range.end = range.end.min(next.max(range.start));
    }
    splices
}

/// Takes a piece out, with the white space that `put` would have put in front of it.
pub(super) fn cut(text: &str, piece: &Fragment) -> Splice {
    let range = match piece {
        Fragment::Tables(range) => {
            let start = lines::before(text, range.start);
            let blank = lines::start(text, start)..start;
            let apart = range.start > 0 && text[blank.clone()].trim().is_empty();
            let start =
                if apart && lines::blank_follows(text, range.end) { blank.start } else { range.start };
            with_line_end(text, start..range.end)
        }
        Fragment::Line { range, value } => {
            let tail = &text[value.end..range.end];
            match tail.find('#') {
                // A comment of the user's stays, on a line of its own.
                Some(comment) => {
                    let start = range.start + lines::indent(text, range.start).len();
                    start..value.end + comment
                }
                None => with_line_end(text, range.clone()),
            }
        }
    };
    Splice { range, with: String::new() }
}

/// Whole lines, with the line end before them, or else the one behind.
fn with_line_end(text: &str, range: Range<usize>) -> Range<usize> {
    match lines::before(text, range.start) {
        before if before < range.start => before..range.end,
        start => start..lines::after(text, range.end),
    }
}
