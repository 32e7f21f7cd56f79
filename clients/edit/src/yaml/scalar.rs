//! What a scalar says.
//!
//! Source text of a scalar (checked by the reader) -> its text; a plain one's text -> its value by YAML 1.2's core
//! schema, as Goose and Continue read it. Invariant: no text makes these panic.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Number, Value};

use super::tree::{after_break, line_end};

pub(super) fn is_null(plain: &str) -> bool {
    matches!(plain, "" | "~" | "null" | "Null" | "NULL")
}

/// The value of a plain scalar.
pub(super) fn resolve(plain: &str) -> Value {
    match plain {
        _ if is_null(plain) => Value::Null,
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        _ => number(plain).map_or_else(|| plain.into(), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return u64::from_str_radix(digits, radix)
                .ok()
                .filter(|_| !digits.starts_with('+'))
                .map(Number::from);
        }
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|it: char| it.is_ascii_digit() || it == '.')
        || !digits.contains(|it: char| it.is_ascii_digit())
        || digits.contains(|it: char| !(it.is_ascii_digit() || matches!(it, '.' | 'e' | 'E' | '+' | '-')))
    {
        return None;
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    if digits.bytes().all(|it| it.is_ascii_digit()) {
        return text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok();
    }
    Number::from_f64(text.parse().ok()?)
}

pub(super) fn plain(raw: &str) -> Cow<'_, str> {
    if has_break(raw) { folded(raw).into() } else { raw.into() }
}

pub(super) fn single(raw: &str) -> Cow<'_, str> {
    let inside = &raw[1..raw.len() - 1];
    match (has_break(inside), inside.contains('\'')) {
        (false, false) => inside.into(),
        (false, true) => inside.replace("''", "'").into(),
        (true, _) => folded(inside).replace("''", "'").into(),
    }
}

fn has_break(text: &str) -> bool {
    text.as_bytes().contains(&b'\n') || text.as_bytes().contains(&b'\r')
}

/// One line end is a blank, further ones stay; blanks around them do not count.
fn folded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\n', '\r']) {
        out.push_str(rest[..at].trim_end_matches([' ', '\t']));
        let breaks;
        (breaks, rest) = skip_breaks(&rest[at..]);
        out.push_str(&if breaks == 1 { " ".into() } else { "\n".repeat(breaks - 1) });
    }
    out + rest
}

/// How many line ends there are with nothing but blanks between, and what is behind them and their blanks.
fn skip_breaks(mut rest: &str) -> (usize, &str) {
    let mut breaks = 0;
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t']);
        match after_break(trimmed, 0) {
            0 => return (breaks, trimmed),
            width => {
                breaks += 1;
                rest = &trimmed[width..];
            }
        }
    }
}

pub(super) fn double(raw: &str) -> Cow<'_, str> {
    let inside = &raw[1..raw.len() - 1];
    if !has_break(inside) && !inside.contains('\\') {
        return inside.into();
    }
    let mut out = String::new();
    let mut kept = 0; // blanks behind this were written as such, and give resolved to a line end
    let mut rest = inside;
    while let Some(next) = rest.chars().next() {
        match next {
            '\\' => {
                let (length, text) = escape(rest).unwrap_or((2, Some('\\')));
                rest = &rest[length..];
                match text {
                    Some(text) => out.push(text),
                    None => {
                        let breaks;
                        (breaks, rest) = skip_breaks(rest);
                        out.push_str(&"\n".repeat(breaks.saturating_sub(1)));
                    }
                }
                kept = out.len();
            }
            '\n' | '\r' => {
                let solid = out.trim_end_matches([' ', '\t']).len();
                out.truncate(solid.max(kept));
                let breaks;
                (breaks, rest) = skip_breaks(rest);
                out.push_str(&if breaks == 1 { " ".into() } else { "\n".repeat(breaks - 1) });
                kept = out.len();
            }
            _ => {
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    out.into()
}

/// The length of the escape that `text` starts with, and what it stands for: nothing at the end of a line (whose line
/// end is then not part of the length).
pub(super) fn escape(text: &str) -> Option<(usize, Option<char>)> {
    let digits = |count: usize| {
        let code = text.get(2..2 + count).filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()))?;
        Some((2 + count, Some(char::from_u32(u32::from_str_radix(code, 16).ok()?)?)))
    };
    let one = match text[1..].chars().next()? {
        '\n' | '\r' => return Some((1, None)),
        'x' => return digits(2),
        'u' => return digits(4),
        'U' => return digits(8),
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{B}',
        'f' => '\u{C}',
        'r' => '\r',
        'e' => '\u{1B}',
        it @ (' ' | '"' | '/' | '\\') => it,
        'N' => '\u{85}',
        '_' => '\u{A0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        _ => return None,
    };
    Some((2, Some(one)))
}

/// The first line of a block scalar: `|` or `>`, and in any order a digit, and `+` or `-`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Header {
    pub(super) folds: bool,
    pub(super) indent: Option<usize>,
    pub(super) chomp: Option<u8>,
    /// Of the header without blanks and comment.
    pub(super) length: usize,
}

pub(super) fn header(text: &str) -> Header {
    let mut header = Header { folds: text.starts_with('>'), length: 1, ..Header::default() };
    for byte in text.bytes().skip(1) {
        match byte {
            b'1'..=b'9' if header.indent.is_none() => header.indent = Some((byte - b'0') as usize),
            b'+' | b'-' if header.chomp.is_none() => header.chomp = Some(byte),
            _ => break,
        }
        header.length += 1;
    }
    header
}

/// The text of a block scalar in a collection of that column.
pub(super) fn block(text: &str, range: Range<usize>, column: usize) -> String {
    let header = header(&text[range.clone()]);
    let mut at = after_break(text, line_end(text, range.start));
    let mut indent = header.indent.map(|it| column + it);
    let (mut out, mut first_break, mut more_breaks) = (String::new(), "", String::new());
    let mut was_blank = false;
    while at <= range.end && at < text.len() {
        let end = line_end(text, at);
        let line = &text[at..end];
        at = after_break(text, end);
        let here = line.len() - line.trim_start_matches(' ').len();
        if indent.is_none() && here < line.len() {
            indent = Some(here);
        }
        let Some(line) = indent.and_then(|it| line.get(it..)).filter(|it| !it.is_empty()) else {
            more_breaks.push('\n');
            continue;
        };
        let blank = line.starts_with([' ', '\t']);
        if header.folds && !first_break.is_empty() && !was_blank && !blank {
            out.push_str(if more_breaks.is_empty() { " " } else { "" });
        } else {
            out.push_str(first_break);
        }
        out.push_str(&std::mem::take(&mut more_breaks));
        out.push_str(line);
        was_blank = blank;
        first_break = if at > end { "\n" } else { "" };
    }
    if header.chomp != Some(b'-') {
        out.push_str(first_break);
    }
    if header.chomp == Some(b'+') {
        out.push_str(&more_breaks);
    }
    out
}
