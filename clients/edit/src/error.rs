//! Why a text was not read or not edited.
//!
//! Text + byte offset + what is wrong -> `Error`. Invariant: an error that is about the text has a position in it.

use std::fmt;

/// What every function of this crate returns.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a text was not read or not edited. Nothing was changed.
///
/// It is shown as `LINE:COLUMN: WHAT`, or as `WHAT` if it is not about a position: put a path and a colon in front,
/// and editors and terminals know where to jump.
///
/// ```
/// use drydock_edit::{Entry, ErrorKind, FileFormat, IfExists, ServersPath, put};
///
/// let at = ["mcpServers".to_owned()];
/// let servers = ServersPath::new(FileFormat::Json, &at);
/// let err = put(Some(b"{\n  \"a\": 1,,\n}"), servers, "weather", &Entry::new(), IfExists::Replace).unwrap_err();
/// assert_eq!(err.kind(), ErrorKind::Syntax);
/// assert_eq!(err.position().map(|it| it.line), Some(2));
/// assert!(err.to_string().starts_with("2:"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    position: Option<Position>,
    what: String,
    hint: Option<String>,
}

/// What sort of reason it is, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not what its format allows.
    Syntax,
    /// The text may be valid, but readers of the format disagree on what it means, or an edit would change more than
    /// its entry: it cannot be edited in safety.
    Unsupported,
    /// A name stands twice in the same object, and readers disagree on which one counts.
    Duplicate,
    /// Something on the way to the entries is not an object (or a list, where entries are in one).
    WrongType,
    /// The text has more bytes than [`ServersPath::max_size`](crate::ServersPath::max_size).
    TooLarge,
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The entry holds what its format cannot say: TOML has no null.
    InvalidEntry,
    /// The edit did not do what it should, which was noticed in time: a bug in this crate.
    Internal,
}

/// A place in a text, as editors count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// In characters (not bytes), from 1.
    pub column: usize,
}

impl Position {
    /// Of a byte offset into a text.
    fn of(text: &str, at: usize) -> Self {
        let before = &text.as_bytes()[..at.min(text.len())];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1);
        Self {
            line: before.iter().filter(|&&b| b == b'\n').count() + 1,
            column: before[line_start..].iter().filter(|&&b| b & 0xC0 != 0x80).count() + 1,
        }
    }
}

impl Error {
    /// What sort of reason it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Where in the text it is; `None` if it is about the whole, or about the entry.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// What is wrong, without the position.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to do about it, where there is a cure that is not plain from the message.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Of that kind, not about a position.
    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { kind, position: None, what: what.into(), hint: None }
    }

    /// Of that kind, at a byte offset into `text`.
    pub(crate) fn at(kind: ErrorKind, text: &str, at: usize, what: impl Into<String>) -> Self {
        Self { position: Some(Position::of(text, at)), ..Self::new(kind, what) }
    }

    pub(crate) fn at_position(kind: ErrorKind, position: Position, what: impl Into<String>) -> Self {
        Self { position: Some(position), ..Self::new(kind, what) }
    }

    pub(crate) fn syntax(text: &str, at: usize, what: impl Into<String>) -> Self {
        Self::at(ErrorKind::Syntax, text, at, what)
    }

    pub(crate) fn unsupported(text: &str, at: usize, what: impl Into<String>) -> Self {
        Self::at(ErrorKind::Unsupported, text, at, what)
    }

    pub(crate) fn duplicate(text: &str, at: usize, what: impl Into<String>) -> Self {
        Self::at(ErrorKind::Duplicate, text, at, what).with_hint("delete one of the two")
    }

    pub(crate) fn wrong_type(text: &str, at: usize, what: impl Into<String>) -> Self {
        Self::at(ErrorKind::WrongType, text, at, what)
    }

    /// A bug of this crate.
    pub(crate) fn internal(what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Internal, format!("internal error: please report it: {what}"))
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(Position { line, column }) => write!(f, "{line}:{column}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{FileFormat, IfExists, ServersPath, put};

    #[test]
    fn an_error_says_what_kind_it_is() {
        let at = ["servers".to_owned()];
        let refused = |format, text: &[u8], entry, max_size| {
            let place = ServersPath { max_size, ..ServersPath::new(format, &at) };
            let entry = serde_json::from_value(entry).unwrap();
            put(Some(text), place, "x", &entry, IfExists::Replace).unwrap_err()
        };
        for (format, text, kind) in [
            (FileFormat::Json, "{\"a\": 1,}", ErrorKind::Syntax),
            (FileFormat::Json, "{\"servers\": {}, \"servers\": {}}", ErrorKind::Duplicate),
            (FileFormat::Jsonc, "{} // \u{2028}", ErrorKind::Unsupported),
            (FileFormat::Toml, "a = ", ErrorKind::Syntax),
            (FileFormat::Toml, "servers = 1", ErrorKind::WrongType),
            (FileFormat::Toml, "a.b = 1\n[a]\nb = 1\n", ErrorKind::Duplicate),
            (FileFormat::Yaml, "a: [", ErrorKind::Syntax),
            (FileFormat::Yaml, "? a\n", ErrorKind::Unsupported),
            (FileFormat::Yaml, "servers: []", ErrorKind::WrongType),
            (FileFormat::Yaml, "a: 1\na: 2\n", ErrorKind::Duplicate),
        ] {
            let err = refused(format, text.as_bytes(), json!({}), 64);
            assert_eq!(err.kind(), kind, "{text}: {err}");
            assert!(err.position().is_some(), "{text}: {err}");
            assert_eq!(err.hint().is_some(), kind == ErrorKind::Duplicate || text.contains(",}"), "{text}");
        }
        let latin = refused(FileFormat::Json, b"{\n \xE9", json!({}), 64);
        assert_eq!(
            (latin.kind(), latin.to_string().as_str()),
            (ErrorKind::NotUtf8, "2:2: this byte is not UTF-8")
        );
        assert_eq!((latin.what(), latin.hint()), ("this byte is not UTF-8", Some("save the file as UTF-8")));
        for utf16 in [b"\xFF\xFE{\0}\0", b"\xFE\xFF\0{\0}"] {
            assert_eq!(
                refused(FileFormat::Json, utf16, json!({}), 64).what(),
                "the file is UTF-16, not UTF-8"
            );
        }
        let place = ServersPath { max_size: 3, ..ServersPath::new(FileFormat::Json, &at) };
        assert!(crate::entries(b"{}\n", place).is_ok(), "as large as it may be");
        let large = refused(FileFormat::Json, b"{}\n", json!({}), 2);
        assert_eq!((large.kind(), large.position()), (ErrorKind::TooLarge, None));
        let null = refused(FileFormat::Toml, b"", json!({"a": null}), 64);
        assert_eq!((null.kind(), null.position()), (ErrorKind::InvalidEntry, None));
    }
}
