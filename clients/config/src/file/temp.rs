//! The file beside the one that it is to replace, and what an interrupted command leaves of it.
//!
//! Path + bytes -> `.NAME.drydock-XXXXXX.new`, which is ours alone; at the exchange it is `.NAME.drydock-XXXXXX.HASH`,
//! and from then on may hold somebody's only copy. Invariant: what is tidied up is ours, or saved elsewhere.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use super::read_regular;
use crate::fingerprint::fingerprint;

const NEW: &str = ".new";

/// A private file beside `path` with these bytes. It goes away by itself if anything fails.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut temp = tempfile::Builder::new().prefix(&prefix(path)?).suffix(NEW).tempfile_in(folder)?;
    temp.write_all(bytes)?;
    Ok(temp)
}

/// The same file under the name that it has while it changes places with the other one.
pub(super) fn ready(temp: NamedTempFile, bytes: &[u8]) -> io::Result<TempPath> {
    let temp = temp.into_temp_path();
    let name = temp.with_extension(fingerprint(bytes));
    fs::rename(&temp, &name)?;
    let _ = temp.keep(); // it has gone
    TempPath::try_from_path(name)
}

/// Removes what interrupted commands have left beside `path`; the caller holds the lock, so nobody else is at work.
/// Returns what it left there: files that hold neither our bytes nor any that `is_saved` knows, and what is no regular
/// file, which is not ours whatever its name.
pub(super) fn remove_stale(path: &Path, is_saved: impl Fn(&[u8]) -> bool) -> Vec<PathBuf> {
    let mut left = Vec::new();
    for it in leftovers(path) {
        let extension = it.extension().unwrap_or_default().to_string_lossy().into_owned();
        let is_known = |bytes: Vec<u8>| extension == fingerprint(&bytes) || is_saved(&bytes);
        let ours = it.symlink_metadata().is_ok_and(|it| it.is_file())
            && (extension == NEW[1..] || read_regular(&it).is_ok_and(is_known));
        if !ours || fs::remove_file(&it).is_err() {
            left.push(it);
        }
    }
    left
}

fn leftovers(path: &Path) -> Vec<PathBuf> {
    let (Ok(prefix), Some(Ok(entries))) = (prefix(path), path.parent().map(fs::read_dir)) else {
        return Vec::new();
    };
    let ours = entries.flatten().filter(|it| it.file_name().to_string_lossy().starts_with(&prefix));
    ours.map(|it| it.path()).collect()
}

fn prefix(path: &Path) -> io::Result<String> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    Ok(format!(".{name}.drydock-"))
}
