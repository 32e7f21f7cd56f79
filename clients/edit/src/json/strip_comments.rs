//! Is a text what the client's JSON parser takes? And the strict JSON inside it, byte for byte in the same place.
//!
//! Text with comments and trailing commas -> strict JSON of the same length, or a refusal. Invariant: an offset into
//! the result is the same offset into the text. The strict rest is checked by serde_json: what it refuses (missing
//! commas, single quotes, `01`, control characters), no client reads either.

use std::ops::Range;

use serde::de::IgnoredAny;

use crate::{Error, ErrorKind, Position, Result};

pub(super) struct Syntax {
    pub(super) comments: bool,
    pub(super) trailing_commas: bool,
}

/// Blanks comments and trailing commas, and replaces halves of surrogate pairs (legal JSON, but no Rust string holds
/// them; clients that cut a text in the middle of an emoji do write them).
pub(super) fn strict(text: &str, syntax: &Syntax) -> Result<String> {
    let mut clean = Cleaner { text, out: text.as_bytes().to_vec(), before: 0, comma: None };
    let mut at = 0;
    while at < text.len() {
        at = clean.token(at, syntax)?;
    }
    let strict = String::from_utf8(clean.out).map_err(|_| Error::syntax(text, 0, "this is not UTF-8"))?;
    if !strict.trim_ascii().is_empty() {
        serde_json::from_str::<IgnoredAny>(&strict).map_err(|err| located(&strict, &err))?;
    }
    Ok(strict)
}

struct Cleaner<'a> {
    text: &'a str,
    out: Vec<u8>,
    /// The last byte that was neither white space nor comment nor comma.
    before: u8,
    /// A comma after which nothing has come yet.
    comma: Option<usize>,
}

impl Cleaner<'_> {
    /// Takes the token at `at` and returns where the next one starts.
    fn token(&mut self, at: usize, syntax: &Syntax) -> Result<usize> {
        let bytes = self.text.as_bytes();
        match bytes[at] {
            b' ' | b'\t' | b'\n' | b'\r' => return Ok(blanks_end(bytes, at + 1)),
            b'/' if matches!(bytes.get(at + 1), Some(b'/' | b'*')) => return self.comment(at, syntax),
            b',' if self.comma.is_none() && !matches!(self.before, 0 | b'{' | b'[' | b':') => {
                self.comma = Some(at);
                return Ok(at + 1);
            }
            b'}' | b']' => self.close(syntax)?,
            _ => {}
        }
        self.comma = None;
        self.before = bytes[at];
        Ok(if bytes[at] == b'"' { self.string(at) } else { at + 1 })
    }

    fn close(&mut self, syntax: &Syntax) -> Result<()> {
        let Some(comma) = self.comma else { return Ok(()) };
        if !syntax.trailing_commas {
            let what = "a comma before the closing bracket, which this client does not read";
            return Err(Error::syntax(self.text, comma, what).with_hint("take the comma out"));
        }
        self.out[comma] = b' ';
        Ok(())
    }

    fn comment(&mut self, at: usize, syntax: &Syntax) -> Result<usize> {
        if !syntax.comments {
            let what = "a comment, which this client does not read";
            return Err(Error::syntax(self.text, at, what).with_hint("take the comment out"));
        }
        let end = comment_end(self.text, at)
            .ok_or_else(|| Error::syntax(self.text, at, "a comment that does not end"))?;
        if let Some(odd) = odd_line_end(self.text, at..end) {
            let what = "a line end in a comment, at which some parsers end the comment and others do not";
            return Err(Error::unsupported(self.text, odd, what));
        }
        for byte in &mut self.out[at..end] {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        Ok(end)
    }

    /// Steps over a string; one that does not end is left for serde_json to refuse.
    fn string(&mut self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        // Nearly all strings: a search is many times faster than a look at each byte, above all in a debug build.
        if let Some(length) = self.text[start + 1..].find('"')
            && !self.text[start + 1..start + 1 + length].contains('\\')
        {
            return start + 1 + length + 1;
        }
        let mut at = start + 1;
        while let Some(byte) = bytes.get(at) {
            at += match (byte, escaped_unit(bytes, at)) {
                (b'"', _) => return at + 1,
                (_, Some(0xD800..=0xDBFF))
                    if matches!(escaped_unit(bytes, at + 6), Some(0xDC00..=0xDFFF)) =>
                {
                    12
                }
                (_, Some(0xD800..=0xDFFF)) => {
                    self.out[at..at + 6].copy_from_slice(b"\\ufffd");
                    6
                }
                (b'\\', _) => 2,
                _ => 1,
            };
        }
        bytes.len()
    }
}

fn blanks_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && matches!(bytes[at], b' ' | b'\t' | b'\n' | b'\r') {
        at += 1;
    }
    at
}

/// The UTF-16 unit that a `\uXXXX` at `at` stands for.
fn escaped_unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit * 16 + (digit as char).to_digit(16)? as u16))
}

/// Where the comment that starts at `at` ends: before its line's end, or after its `*/`.
pub(super) fn comment_end(text: &str, at: usize) -> Option<usize> {
    let rest = &text.as_bytes()[at + 2..];
    if text.as_bytes()[at + 1] == b'/' {
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        return Some(at + 2 + length);
    }
    rest.windows(2).position(|pair| pair == b"*/").map(|length| at + 2 + length + 2)
}

/// A `//` comment goes up to `\n` for all parsers, up to a `\r` of its own for most, and up to U+2028 for some.
fn odd_line_end(text: &str, comment: Range<usize>) -> Option<usize> {
    let (inside, behind) = (&text[comment.clone()], &text[comment.end..]);
    if !inside.starts_with("//") {
        return None;
    }
    let separator = inside.find(['\u{2028}', '\u{2029}']).map(|it| comment.start + it);
    separator.or_else(|| (behind.starts_with('\r') && !behind.starts_with("\r\n")).then_some(comment.end))
}

/// serde_json's error, without its own wording of the place.
fn located(text: &str, err: &serde_json::Error) -> Error {
    let line = text.lines().nth(err.line().saturating_sub(1)).unwrap_or_default();
    let before = line.as_bytes().iter().take(err.column().saturating_sub(1));
    let suffix = format!(" at line {} column {}", err.line(), err.column());
    let what = err.to_string();
    let column = before.filter(|&&byte| byte & 0xC0 != 0x80).count() + 1;
    let what = what.strip_suffix(&suffix).unwrap_or(&what);
    Error::at_position(ErrorKind::Syntax, Position { line: err.line(), column }, what)
}
