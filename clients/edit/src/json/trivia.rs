//! What stands between two values: blanks, line ends, comments, and at most one comma.
//!
//! Text + range that holds no value -> pieces. Invariant: the pieces follow each other without a gap.

use std::ops::Range;

use super::strip_comments::comment_end;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Blank,
    LineEnd,
    LineComment,
    BlockComment,
    Comma,
}

impl Kind {
    pub(super) fn is_comment(self) -> bool {
        matches!(self, Kind::LineComment | Kind::BlockComment)
    }
}

pub(super) fn trivia(text: &str, range: Range<usize>) -> impl Iterator<Item = (Kind, Range<usize>)> {
    let bytes = &text.as_bytes()[..range.end];
    let mut at = range.start;
    std::iter::from_fn(move || {
        let start = at;
        let kind = match bytes.get(at)? {
            b'\r' | b'\n' => Kind::LineEnd,
            b',' => Kind::Comma,
            b'/' if bytes.get(at + 1) == Some(&b'/') => Kind::LineComment,
            b'/' => Kind::BlockComment,
            _ => Kind::Blank,
        };
        at = match kind {
            Kind::LineEnd if bytes[at..].starts_with(b"\r\n") => at + 2,
            Kind::LineEnd | Kind::Comma | Kind::Blank => at + 1,
            Kind::LineComment | Kind::BlockComment => {
                comment_end(text, at).map_or(range.end, |end| end.min(range.end))
            }
        };
        Some((kind, start..at))
    })
}

pub(super) fn comma(text: &str, range: Range<usize>) -> Option<usize> {
    trivia(text, range).find(|(kind, _)| *kind == Kind::Comma).map(|(_, at)| at.start)
}

/// The end of the comments that start on the same line, or the range's start without any.
pub(super) fn after_comments_of_line(text: &str, range: Range<usize>) -> usize {
    let start = range.start;
    let line = trivia(text, range).take_while(|(kind, _)| !matches!(kind, Kind::LineEnd | Kind::Comma));
    line.filter(|(kind, _)| kind.is_comment()).last().map_or(start, |(_, at)| at.end)
}

/// The end of the last comment, or the range's start without any.
pub(super) fn after_comments(text: &str, range: Range<usize>) -> usize {
    let start = range.start;
    trivia(text, range).filter(|(kind, _)| kind.is_comment()).last().map_or(start, |(_, at)| at.end)
}
