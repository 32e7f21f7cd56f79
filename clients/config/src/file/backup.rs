//! Copies of files as they were before we replaced them, in the state folder: the last ten of each.
//!
//! Path + bytes -> `backups/<the file's whole path>/000042`. Invariant: a backup is private, on disk before the file
//! is touched, and never written twice.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::read_regular;
use crate::error::{Context, Result};

const MAX_BACKUPS: usize = 10;

/// A backup that holds the bytes.
pub(super) struct Saved {
    pub(super) path: PathBuf,
    /// It was not there before.
    pub(super) is_new: bool,
}

/// Saves the bytes; when the newest backup is the same already, that one. Older ones go with [`prune`].
pub(super) fn save(state: &Path, path: &Path, bytes: &[u8]) -> Result<Saved> {
    let folder = folder(state, path);
    let all = list(&folder)?;
    if let Some((_, newest)) = all.last()
        && read_regular(newest).is_ok_and(|it| it == bytes)
    {
        return Ok(Saved { path: newest.clone(), is_new: false });
    }
    let number = all.last().map_or(1, |(number, _)| number + 1);
    let backup = folder.join(format!("{number:06}"));
    super::write_private(&backup, bytes).context("the backup failed")?;
    Ok(Saved { path: backup, is_new: true })
}

/// Takes the oldest away, as far as there are more than we keep.
pub(super) fn prune(state: &Path, path: &Path) -> Result<()> {
    let all = list(&folder(state, path))?;
    let old = all.len().saturating_sub(MAX_BACKUPS);
    for (_, path) in all.iter().take(old) {
        fs::remove_file(path).with_context(|| format!("cannot remove the old backup {}", path.display()))?;
    }
    Ok(())
}

/// The newest backup whose bytes are not `current`, and its bytes.
pub(crate) fn latest(
    state: &Path,
    path: &Path,
    current: Option<&[u8]>,
) -> Result<Option<(PathBuf, Vec<u8>)>> {
    for (_, backup) in list(&folder(state, path))?.iter().rev() {
        let bytes = read_regular(backup).with_context(|| format!("cannot read {}", backup.display()))?;
        if Some(bytes.as_slice()) != current {
            return Ok(Some((backup.clone(), bytes)));
        }
    }
    Ok(None)
}

/// Whether one of the backups holds these bytes.
pub(super) fn has(state: &Path, path: &Path, bytes: &[u8]) -> bool {
    let all = list(&folder(state, path)).unwrap_or_default();
    all.iter().any(|(_, it)| read_regular(it).is_ok_and(|it| it == bytes))
}

/// Where the backups of a file are.
pub(crate) fn folder(state: &Path, path: &Path) -> PathBuf {
    let parts = path.components().filter_map(|it| match it {
        Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
        Component::Prefix(drive) => Some(drive.as_os_str().to_string_lossy().replace([':', '\\', '?'], "")),
        _ => None,
    });
    state.join("backups").join(parts.collect::<PathBuf>())
}

/// The backups in a folder with their numbers, oldest first. (A subfolder belongs to another file.)
fn list(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot list {}", folder.display()))?.path();
        let number = path.file_name().and_then(|it| it.to_str()?.parse().ok());
        if let Some(number) = number.filter(|_| path.symlink_metadata().is_ok_and(|it| it.is_file())) {
            all.push((number, path));
        }
    }
    all.sort();
    Ok(all)
}
