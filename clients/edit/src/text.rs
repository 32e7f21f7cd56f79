//! What every format's edits have in common: bytes as text, and ranges of it, replaced.
//!
//! Text + splices -> text. Invariant: a byte outside of the ranges is copied as it is.

use std::ops::Range;

use crate::{Error, ErrorKind, Result};

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

pub(super) fn join_bom(bom: &str, rest: String) -> Vec<u8> {
    if bom.is_empty() { rest.into_bytes() } else { format!("{bom}{rest}").into_bytes() }
}

/// The bytes as text that every format could hold. Offsets have 32 bits.
pub(super) fn decode(bytes: &[u8], max_size: usize) -> Result<&str> {
    let max_size = max_size.min(u32::MAX as usize - 1);
    if bytes.len() > max_size {
        let what = format!("it has {} bytes, and a configuration file at most {max_size}", bytes.len());
        return Err(Error::new(ErrorKind::TooLarge, what));
    }
    std::str::from_utf8(bytes).map_err(|err| {
        let good = std::str::from_utf8(&bytes[..err.valid_up_to()]).unwrap_or_default();
        let utf16 = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
        let what = if utf16 { "the file is UTF-16, not UTF-8" } else { "this byte is not UTF-8" };
        Error::at(ErrorKind::NotUtf8, good, good.len(), what).with_hint("save the file as UTF-8")
    })
}
