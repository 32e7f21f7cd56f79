//! Where a file's bytes really are.
//!
//! Path -> path without symbolic links. Invariant: what does not exist yet resolves, too, and nothing is made.

use std::fs;
use std::io::ErrorKind as IoKind;
use std::path::{Path, PathBuf};

use crate::error::{Context, Error, ErrorKind, Result};

/// More links than this are a loop: as many as Linux follows.
const MAX_LINKS: usize = 40;

/// Where the bytes really are: symbolic links followed, also one that leads to nothing yet.
///
/// # Errors
/// [`ErrorKind::InvalidFile`] for a path that names no file and for a loop of links, [`ErrorKind::Io`] for a folder that
/// cannot be opened.
pub fn resolve(path: &Path) -> Result<PathBuf> {
    let mut path =
        std::path::absolute(path).with_context(|| format!("cannot use the path {:?}", path.display()))?;
    for _ in 0..MAX_LINKS {
        let name = path
            .file_name()
            .ok_or_else(|| Error::new(ErrorKind::InvalidFile, format!("{} names no file", path.display())))?
            .to_owned();
        let folder = existing(parent(&path)?)?;
        path = folder.join(name);
        match fs::read_link(&path) {
            Ok(target) => path = folder.join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(Error::new(ErrorKind::InvalidFile, format!("{} is a loop of symbolic links", path.display()))
        .with_path(&path))
}

/// Whether a resolved path lies below a folder, wherever links lead to that folder.
pub(crate) fn is_below(path: &Path, folder: &Path) -> Result<bool> {
    let folder =
        std::path::absolute(folder).with_context(|| format!("cannot use the path {:?}", folder.display()))?;
    Ok(path.starts_with(existing(&folder)?))
}

/// The folder that a file is in.
pub(super) fn parent(path: &Path) -> Result<&Path> {
    path.parent().ok_or_else(|| {
        Error::new(ErrorKind::InvalidFile, format!("{} is in no folder", path.display())).with_path(path)
    })
}

/// The same path, with every folder that exists written in its one true way.
fn existing(folder: &Path) -> Result<PathBuf> {
    match fs::canonicalize(folder) {
        Ok(folder) => Ok(folder),
        Err(err) if err.kind() == IoKind::NotFound && fs::symlink_metadata(folder).is_err() => {
            let name = folder.file_name().ok_or_else(|| {
                Error::new(ErrorKind::InvalidFile, format!("{} does not exist", folder.display()))
            })?;
            Ok(existing(parent(folder)?)?.join(name))
        }
        Err(err) => Err(err).with_context(|| format!("cannot open the folder {}", folder.display())),
    }
}
