//! What every format's edits have in common: ranges of a text, replaced.
//!
//! Text + splices -> text. Invariant: a byte outside of the ranges is copied as it is.

use std::ops::Range;

const BOM: &str = "\u{FEFF}";

#[derive(Debug)]
pub(super) struct Splice {
    pub(super) range: Range<usize>,
    pub(super) with: String,
}

/// Splices in the order of their ranges, which do not overlap.
pub(super) fn apply(text: &str, splices: &[Splice]) -> String {
    let mut out = String::with_capacity(text.len() + splices.iter().map(|it| it.with.len()).sum::<usize>());
    let mut at = 0;
    for it in splices {
        out.push_str(&text[at..it.range.start]);
        out.push_str(&it.with);
        at = it.range.end;
    }
    out.push_str(&text[at..]);
    out
}

/// The byte order mark, if there is one, and the rest.
pub(super) fn split_bom(text: &str) -> (&str, &str) {
    text.split_at(if text.starts_with(BOM) { BOM.len() } else { 0 })
}
