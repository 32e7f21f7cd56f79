//! Why something could not be kept, or read again.
//!
//! Cause -> what a tool answers: what, where, in which state things are now, and how to get out of it. Invariant: the cause is told by
//! SQLite's codes, never by its words.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use drydock_contract::env;
use rusqlite::ErrorCode;

/// Why an operation on a [`State`](super::State) failed. What it was to change is as before.
///
/// It becomes a tool's `Err(String)` by `?`, and a string becomes one of these: what a closure says that was given to
/// [`update`](super::State::update) or [`transaction`](super::State::transaction).
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The folder is not there, or not to be written.
    Folder {
        /// Which one.
        folder: PathBuf,
        /// What the system says.
        problem: io::Error,
    },
    /// Something is wrong with the file.
    File {
        /// Which one.
        file: PathBuf,
        /// What.
        problem: FileProblem,
    },
    /// A key is empty, or too long.
    Key {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// A value is too large, is no JSON, or not of the collection's type.
    Value {
        /// Whose.
        collection: &'static str,
        /// Of which key.
        key: String,
        /// What does not fit.
        problem: String,
    },
    /// What the server's own code says.
    Refused(String),
}

/// What can be wrong with a state file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileProblem {
    /// It is another program's.
    NotOurs,
    /// It is of another version of this format.
    Version(i64),
    /// It does not hold together.
    Damaged,
    /// It must not be written.
    ReadOnly,
    /// The disk or the volume is full.
    Full,
    /// Other sessions kept it for too long.
    Busy,
    /// Whatever else the system or SQLite says.
    Other(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder { folder, problem } => write!(
                f,
                "cannot keep anything in {}: {problem}. In a container that is a volume: write `volumes = [{{ name = \"data\", path = \
                 \"/data\" }}]` into the server's drydock.toml, then run `cargo xtask up` with its name. Elsewhere, let the variable {} \
                 name a folder that exists",
                folder.display(),
                env::STATE
            ),
            Self::File { file, problem } => write!(f, "{}: {problem}", file.display()),
            Self::Key { bytes, max } => write!(f, "a key has 1 to {max} bytes, this one {bytes}"),
            Self::Value { collection, key, problem } => {
                write!(f, "the value of `{key}` in `{collection}`: {problem}; it was left as it is")
            }
            Self::Refused(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const AWAY: &str = "It was left as it is: move the folder's files away to begin anew";
        match self {
            Self::NotOurs => write!(f, "the file is not one of a Drydock server. {AWAY}"),
            Self::Version(found) => {
                let known = super::file::VERSION;
                write!(
                    f,
                    "the file is of version {found}, and this server knows {known}. {AWAY}, or run the version that wrote it"
                )
            }
            Self::Damaged => write!(f, "the file is damaged. {AWAY}, or put a backup in their place"),
            Self::ReadOnly => {
                f.write_str("the file must not be written. It was left as it is: make it this user's own")
            }
            Self::Full => f.write_str("the disk is full; nothing was changed"),
            Self::Busy => {
                f.write_str("other sessions kept the file for too long; nothing was changed: try again")
            }
            Self::Other(text) => write!(f, "{text}; nothing was changed"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for String {
    fn from(error: Error) -> Self {
        error.to_string()
    }
}

impl From<String> for Error {
    fn from(text: String) -> Self {
        Self::Refused(text)
    }
}

impl From<&str> for Error {
    fn from(text: &str) -> Self {
        Self::Refused(text.to_owned())
    }
}

/// What SQLite says of this file.
pub(super) fn in_file(file: &Path, error: rusqlite::Error) -> Error {
    let problem = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => FileProblem::Busy,
        Some(ErrorCode::DatabaseCorrupt) => FileProblem::Damaged,
        Some(ErrorCode::NotADatabase) => FileProblem::NotOurs,
        Some(ErrorCode::ReadOnly) => FileProblem::ReadOnly,
        Some(ErrorCode::DiskFull) => FileProblem::Full,
        _ => FileProblem::Other(error.to_string()),
    };
    Error::File { file: file.to_owned(), problem }
}
