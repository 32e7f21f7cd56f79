//! Why something was not done, which file it is about, and how to get out of it.
//!
//! Failure -> kind, message, file, hint and source. Invariant: callers branch on the kind and people read the message;
//! the hint never repeats the message.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use drydock_edit::Position;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure it is: for callers that branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The system refused to read, write, lock or list.
    Io,
    /// What stands at the path cannot be edited: a folder, a pipe, a read-only or far too large file, or text that is
    /// not in the client's format (then with a [`position`](Error::position)).
    InvalidFile,
    /// An entry of that name stands in the file, and is not managed by Drydock.
    Unmanaged,
    /// An entry of ours stands there, and somebody has changed where it leads.
    Modified,
    /// With the entry in its file, the client would change, or no longer read, other settings of the person's.
    SideEffect,
    /// The only installation of the client here reads another file.
    NotRead,
    /// Another program has changed the file since, keeps changing it, or holds its lock.
    Conflict,
    /// No such client.
    UnknownClient,
    /// No such scope, entry or earlier change.
    NotFound,
    /// A name, header or URL that the client does not take, or that would put a secret into its file.
    InvalidInput,
    /// The client cannot do that at all.
    Unsupported,
    /// An entry that is no command line and no endpoint, or not in the client's form.
    InvalidEntry,
    /// A `clients/ID.toml` that is not right.
    InvalidDefinition,
    /// A ledger that is broken, or from another version of Drydock.
    InvalidLedger,
}

/// A failure. `{}` is this failure's own message; `{:#}` has those of its sources behind it.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    path: Option<PathBuf>,
    position: Option<Position>,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// A failure with a message for people: lower case, no full stop, literals in backticks.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), path: None, position: None, hint: None, source: None }
    }

    /// The same with a cure that the person can apply.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same with the file that it is about.
    #[must_use]
    pub fn with_path(self, path: &Path) -> Self {
        Self { path: Some(path.to_path_buf()), ..self }
    }

    /// The same with the place in that file.
    #[must_use]
    pub fn with_position(self, position: Position) -> Self {
        Self { position: Some(position), ..self }
    }

    /// The same with what caused it.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// The same failure, seen from what was to be done: kind, path and position stay, and it becomes
    /// the source.
    #[must_use]
    pub fn context(self, message: impl Into<String>) -> Self {
        Self {
            kind: self.kind,
            message: message.into(),
            path: self.path.clone(),
            position: self.position,
            hint: None,
            source: Some(Box::new(self)),
        }
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The file that it is about, where there is one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Where in that file, if it is about its text.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// How to get out of it: its own hint, or else the one of its source.
    pub fn hint(&self) -> Option<&str> {
        let of_source = || self.source.as_ref()?.downcast_ref::<Self>()?.hint();
        self.hint.as_deref().or_else(of_source)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause = self.source().filter(|_| f.alternate());
        while let Some(it) = cause {
            write!(f, ": {it}")?;
            cause = it.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|it| it as &(dyn StdError + 'static))
    }
}

/// Says what was being done when something failed.
pub(crate) trait Context<T> {
    fn context(self, message: impl Into<String>) -> Result<T>;
    fn with_context(self, message: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, message: impl Into<String>) -> Result<T> {
        self.map_err(|err| Error::new(ErrorKind::Io, message).with_source(err))
    }

    fn with_context(self, message: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|err| Error::new(ErrorKind::Io, message()).with_source(err))
    }
}

impl<T> Context<T> for Result<T> {
    fn context(self, message: impl Into<String>) -> Result<T> {
        self.map_err(|err| err.context(message))
    }

    fn with_context(self, message: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|err| err.context(message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_its_kind_its_path_and_its_hint_whatever_is_said_around_it() {
        let inner = io::Error::from(io::ErrorKind::NotFound);
        let err = Error::new(ErrorKind::Io, "cannot read /f").with_source(inner).with_path(Path::new("/f"));
        let err = err.with_hint("make it").context("cannot add `x`");
        assert_eq!(
            (err.kind(), err.path(), err.hint()),
            (ErrorKind::Io, Some(Path::new("/f")), Some("make it"))
        );
        assert_eq!(err.to_string(), "cannot add `x`");
        assert_eq!(format!("{err:#}"), "cannot add `x`: cannot read /f: entity not found");
    }
}
