//! Archives (tar) that come out of a sandbox, and those that go into one.
//!
//! Bytes + [`Rules`] -> the same files as bytes that any engine unpacks alike, and what they are ([`Contents`]). Invariants:
//! what goes on holds regular files, folders, and links that stay among them, below the places of the rules, with owner,
//! mode and time of ours and nothing else; what the rules do not take is an error that names it, never left out.

use std::io::{Read, Write};
use std::path::Path;

use drydock_catalog::User;

use crate::error::Error;

/// Files that any engine gives to root.
pub const ROOT: User = User { uid: 0, gid: 0 };

/// What may stand in an archive, and where it goes.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The folder that every entry of the archive is in, and that is taken off: `out`. Empty for none.
    pub strip: &'a str,
    /// Where files may be after that, with everything below: `app`, `usr/lib`. The folders above them may be there, too. One
    /// that is empty is everywhere.
    pub places: &'a [&'a str],
    /// The folder that all goes below then, as in `work`. Empty for none. What an absolute link says stays as it is.
    pub below: &'a str,
    /// Whose they become.
    pub owner: User,
    /// All files together, in bytes.
    pub max_bytes: u64,
    /// Files, folders and links.
    pub max_entries: usize,
}

/// What stands in an archive that was let through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// All files together.
    pub bytes: u64,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing but other paths below it.
    Folder,
    /// A regular file, also one of several names of the same one.
    File,
    /// A symbolic link.
    Link,
}

impl Contents {
    /// What stands at this path, as in `app/server.mjs`: after `strip`, before `below`.
    #[must_use]
    pub fn kind(&self, _path: &str) -> Option<Kind> {
        todo!()
    }

    /// How many files, folders and links.
    #[must_use]
    pub fn entries(&self) -> usize {
        todo!()
    }
}

/// Copies the archive as far as the rules let it. The order stays: an engine writes the names of a folder in order, so the
/// same files give the same bytes.
///
/// # Errors
/// Something in it is against the rules (its path is named), or it cannot be read or written. What was written until then is
/// of no use.
pub fn filter(_input: impl Read, _output: impl Write, _rules: &Rules<'_>) -> Result<Contents, Error> {
    todo!()
}

/// Packs a folder of this machine with everything in it, names in order, under its own top folder `below`.
///
/// # Errors
/// It cannot be read, or holds something other than files and folders.
pub fn pack(_folder: &Path, _below: &str, _owner: User, _output: impl Write) -> Result<(), Error> {
    todo!()
}
