//! A state folder that was moved, together with the clone that it is in.
//!
//! Ledger + where its folder is now -> the same with paths that are there. Invariant: a path is changed only when nothing
//! is at the old one and something at the new one, so that a copy claims nothing.

use std::fs;
use std::path::{Path, PathBuf};

use super::{InstalledEntry, Ledger, Undo};
use crate::file;

/// The name of a state folder in its clone, which is the folder above.
const IN_CLONE: &str = ".drydock";

/// Notes where the folder is. Without the note a move is only seen by the backups, so that a failure is nobody's concern.
pub(super) fn record(state: &Path) {
    let Ok(now) = fs::canonicalize(state) else { return };
    if let Some(text) = now.to_str()
        && recorded(state).as_deref() != Some(&*now)
    {
        let _ = file::write_private(&location(state), text.as_bytes());
    }
}

/// Follows a move.
pub(super) fn follow(ledger: &mut Ledger, state: &Path) {
    let before = recorded(state).or_else(|| ledger.undo.iter().find_map(state_of));
    for undo in &mut ledger.undo {
        follow_backup(undo, state);
    }
    let now = fs::canonicalize(state).unwrap_or_else(|_| state.to_path_buf());
    if let Some(before) = before.filter(|it| it.ends_with(IN_CLONE) && now.ends_with(IN_CLONE) && *it != now)
        && let (Some(from), Some(to)) = (before.parent(), now.parent())
    {
        let moved = |path: &mut PathBuf| rebase(path, from, to);
        ledger.entries.iter_mut().for_each(|it| moved(&mut it.file));
        for it in &mut ledger.scaffolding {
            moved(&mut it.file);
            it.folders.iter_mut().for_each(moved);
        }
        for undo in &mut ledger.undo {
            moved(&mut undo.file);
            let of = |it: &mut InstalledEntry| moved(&mut it.file);
            undo.entries.iter_mut().for_each(of);
            undo.scaffolding.iter_mut().for_each(|it| moved(&mut it.file));
        }
    }
}

fn location(state: &Path) -> PathBuf {
    state.join("location")
}

fn recorded(state: &Path) -> Option<PathBuf> {
    let bytes = file::read_regular(&location(state)).ok()?;
    Some(PathBuf::from(String::from_utf8(bytes).ok()?))
}

/// The state folder that a backup was written into.
fn state_of(undo: &Undo) -> Option<PathBuf> {
    let backup = undo.backup.as_ref()?;
    let below = file::backups_of(Path::new(""), &undo.file).join(backup.file_name()?);
    let depth = below.components().count();
    backup.ends_with(&below).then(|| backup.ancestors().nth(depth).map(Path::to_path_buf)).flatten()
}

/// The backup of this state folder, before the one of the folder that it may have been copied from.
fn follow_backup(undo: &mut Undo, state: &Path) {
    let Some(name) = undo.backup.as_ref().and_then(|it| it.file_name()) else { return };
    let here = file::backups_of(state, &undo.file).join(name);
    if here.is_file() {
        undo.backup = Some(here);
    }
}

fn rebase(path: &mut PathBuf, from: &Path, to: &Path) {
    if let Ok(below) = path.strip_prefix(from)
        && !path.exists()
    {
        let now = to.join(below);
        if now.exists() {
            *path = now;
        }
    }
}
