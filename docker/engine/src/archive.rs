//! Archives (tar) that come out of a sandbox, and those that go into one.
//!
//! Bytes + [`Rules`] -> the same files as bytes that any engine unpacks alike, and what they are ([`Contents`]). Invariants:
//! what goes on holds regular files, folders, and links that stay among them, below the places of the rules, with owner,
//! mode and time of ours and nothing else; what the rules do not take is an error that names it, never left out.
//!
//! ```
//! use drydock_engine::archive::{self, Kind, ROOT, Rules};
//!
//! let folder = tempfile::tempdir()?;
//! std::fs::write(folder.path().join("server.mjs"), "start()")?;
//! let mut packed = Vec::new();
//! archive::pack(folder.path(), "out/app", ROOT, &mut packed)?;
//! let rules =
//!     Rules { strip: "out", places: &["app"], below: "", owner: ROOT, max_bytes: 1 << 20, max_entries: 100 };
//! let contents = archive::filter(packed.as_slice(), std::io::sink(), &rules)?;
//! assert_eq!((contents.kind("app/server.mjs"), contents.bytes), (Some(Kind::File), 7));
//!
//! let err = archive::filter(packed.as_slice(), std::io::sink(), &Rules { places: &["lib"], ..rules }).unwrap_err();
//! assert_eq!(err.to_string(), "out/app/: it is outside of what a build may leave (lib)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod filter;
mod only_file;
mod pack;
mod paths;
#[cfg(test)]
pub(crate) mod raw;
mod reader;
mod writer;

use std::collections::BTreeMap;

use drydock_catalog::User;

pub(crate) use self::filter::SETUID_SETGID;
pub use self::filter::filter;
pub(crate) use self::only_file::only_file;
pub use self::pack::pack;
pub(crate) use self::paths::normalize;
pub(crate) use self::reader::{Entry, each, unreadable};
pub(crate) use self::writer::Writer;

/// Whose the files of an image are.
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
    /// By their paths after `strip`, before `below`.
    found: BTreeMap<Vec<u8>, Kind>,
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
    pub fn kind(&self, path: &str) -> Option<Kind> {
        self.found.get(path.as_bytes()).copied()
    }

    /// How many files, folders and links.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.found.len()
    }
}
