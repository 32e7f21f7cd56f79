//! New bytes in the place of the old ones.
//!
//! Path + what we read + new bytes -> the file replaced, or the news that somebody was quicker. Invariant: what comes out
//! of the file's place is looked at, and put back if it is not what we read; what may be somebody's only copy is kept.

use std::borrow::Cow;
use std::fs;
use std::io::{self, ErrorKind as IoKind};
use std::path::Path;
use std::time::Duration;

use tempfile::{NamedTempFile, TempPath};

use super::backup::Saved;
use super::{EditReport, Snapshot, Visibility, backup, parent, platform, read_regular, snapshot, temp};
use crate::error::{Context, Error, ErrorKind, Result};

/// How long a program may take from looking the path up to writing in place.
const LATE_WRITE_GRACE: Duration = Duration::from_millis(20);
/// How often two files change places before we take the other program for one that never rests.
const MAX_EXCHANGES: usize = 100;

/// One replacement; `before` and `new`: `None` where there is, or shall be, no file.
pub(super) struct Replacement<'a> {
    pub(super) path: &'a Path,
    pub(super) before: Option<&'a Snapshot>,
    pub(super) new: Option<&'a [u8]>,
}

impl Replacement<'_> {
    /// `false`: another program was quicker, nothing was changed.
    pub(super) fn run(&self, state: &Path, visibility: Visibility, report: &mut EditReport) -> Result<bool> {
        let saved = self.before.map(|before| self.back_up(before, state, report)).transpose()?;
        let before = (std::mem::take(&mut report.changed), report.backup.take());
        let done = self.attempt(visibility, report)?;
        // A backup of what we have not replaced would only push out older ones.
        let needed = done || report.changed;
        report.changed |= before.0;
        report.backup = before.1;
        match saved {
            Some(saved) if needed => {
                backup::prune(state, self.path).unwrap_or_else(|err| report.add_note(format!("{err:#}")));
                report.backup = Some(saved.path);
            }
            Some(saved) if saved.is_new => drop(fs::remove_file(saved.path)),
            _ => {}
        }
        Ok(done)
    }

    fn attempt(&self, visibility: Visibility, report: &mut EditReport) -> Result<bool> {
        let temp = self.prepare(visibility).map_err(|err| self.failed(err))?;
        if snapshot(self.path)?.as_ref() != self.before {
            return Ok(false);
        }
        let temp = temp::ready(temp, self.new.unwrap_or_default()).map_err(|err| self.failed(err))?;
        let swapped = match (self.before, self.new) {
            (None, _) => create(temp, self.path),
            (Some(before), Some(new)) => exchange(temp, self.path, before, new, report),
            (Some(before), None) => delete(temp, self.path, before),
        };
        if !swapped.map_err(|err| self.failed(err))? {
            return Ok(false);
        }
        // From here on the file is the new one: a complaint must not read as if it were not.
        report.changed = true;
        match self.now() {
            Ok(now) => Ok(now.as_ref().map(|it| it.bytes.as_slice()) == self.new),
            Err(err) => {
                let path = self.path.display();
                report.add_note(format!("{path} is written, but perhaps not safely on disk ({err:#})"));
                Ok(true)
            }
        }
    }

    fn back_up(&self, before: &Snapshot, state: &Path, report: &mut EditReport) -> Result<Saved> {
        if before.identity.read_only() {
            let problem = format!("{} is read-only; it is unchanged", self.path.display());
            return Err(Error::new(ErrorKind::InvalidFile, problem)
                .with_path(self.path)
                .with_hint(read_only_hint(self.path)));
        }
        let saved = backup::save(state, self.path, &before.bytes).with_context(|| self.unchanged())?;
        before.identity.note().into_iter().for_each(|it| report.add_note(it));
        Ok(saved)
    }

    /// The new bytes beside the file, on disk, with all that the old file has.
    fn prepare(&self, visibility: Visibility) -> io::Result<NamedTempFile> {
        let temp = temp::write(self.path, self.new.unwrap_or_default())?;
        match self.before {
            Some(before) => platform::copy_metadata(&temp, self.path, &before.identity)?,
            None => platform::set_new_metadata(&temp, self.path, visibility)?,
        }
        temp.as_file().sync_all()?;
        Ok(temp)
    }

    fn now(&self) -> Result<Option<Snapshot>> {
        let folder = parent(self.path)?;
        platform::sync_folder(folder).with_context(|| format!("cannot sync {}", folder.display()))?;
        snapshot(self.path)
    }

    fn unchanged(&self) -> String {
        format!("cannot replace {}; it is unchanged", self.path.display())
    }

    /// With the reason that the bare error does not tell.
    pub(super) fn failed(&self, err: io::Error) -> Error {
        if err.kind() == IoKind::ReadOnlyFilesystem {
            return super::failed(err, self.path, self.unchanged()).with_hint(GENERATED);
        }
        if err.kind() != IoKind::ResourceBusy {
            return super::failed(err, self.path, self.unchanged());
        }
        let failed = Error::new(ErrorKind::Io, self.unchanged()).with_path(self.path);
        let reason = "the file is mounted on its own, so it cannot be replaced as a whole";
        failed.with_source(io::Error::new(err.kind(), reason)).with_hint(
            "edit the file outside the container or sandbox that it is mounted into, or use `--print`",
        )
    }
}

/// Whatever makes the files there makes them again.
const GENERATED: &str = "it is made by your system's configuration: put the entry there; `--print` shows it";

/// The cure of a read-only file.
pub(super) fn read_only_hint(path: &Path) -> String {
    if ["/nix/store", "/gnu/store"].iter().any(|it| path.starts_with(it)) {
        return GENERATED.to_owned();
    }
    "make it writable first, if it is you who edits it; else put the entry where it is made: `--print` shows it".to_owned()
}

fn create(temp: TempPath, path: &Path) -> io::Result<bool> {
    match temp.persist_noclobber(path) {
        Ok(()) => Ok(true),
        Err(err) if err.error.kind() == IoKind::AlreadyExists => Ok(false),
        Err(err) => Err(err.error),
    }
}

/// Swaps the two files, and looks at what came out: if it is not what we read, another program wrote after our last
/// look, and the swap is undone.
fn exchange(
    temp: TempPath,
    path: &Path,
    before: &Snapshot,
    new: &[u8],
    report: &mut EditReport,
) -> io::Result<bool> {
    // No copies: files of 60 MB are held in memory several times already.
    let mut expected = Cow::Borrowed(before.bytes.as_slice());
    let mut put_in = Cow::Borrowed(new);
    for turn in 0..MAX_EXCHANGES {
        match platform::exchange(&temp, path) {
            Ok(()) => {}
            Err(err) if turn == 0 && err.kind() == IoKind::Unsupported => {
                return temp.persist(path).map(|()| true).map_err(|err| err.error);
            }
            Err(err) if turn == 0 => return Err(err),
            Err(err) => return Err(persist_rescued(temp, &err)),
        }
        let came_out = match read_regular(&temp) {
            Ok(bytes) => bytes,
            Err(err) if platform::exchange(&temp, path).is_ok() => return Err(err),
            Err(err) => return Err(persist_rescued(temp, &err)),
        };
        if *came_out != *expected {
            expected = std::mem::replace(&mut put_in, Cow::Owned(came_out));
            continue;
        }
        drop(came_out);
        if turn > 0 {
            return Ok(false);
        } else if let Some(late) = late_write(&temp, &before.bytes) {
            expected = std::mem::replace(&mut put_in, Cow::Owned(late));
        } else {
            discard(temp, report);
            return Ok(true);
        }
    }
    Err(persist_rescued(temp, &io::Error::other("another program keeps writing it")))
}

fn delete(temp: TempPath, path: &Path, before: &Snapshot) -> io::Result<bool> {
    fs::rename(path, &temp)?;
    match read_regular(&temp) {
        Ok(bytes) if bytes == before.bytes && late_write(&temp, &before.bytes).is_none() => {
            return Ok(true);
        }
        _ => {} // somebody wrote after our last look: back with it
    }
    temp.persist_noclobber(path).map_err(|err| persist_rescued(err.path, &err.error))?;
    Ok(false)
}

/// What another program put into the old file although it is out of its place already: it had looked the path up
/// before. Only such a program writes there, so that one which renames loses nothing by our waiting.
fn late_write(old: &Path, before: &[u8]) -> Option<Vec<u8>> {
    std::thread::sleep(LATE_WRITE_GRACE);
    read_regular(old).ok().filter(|it| it != before)
}

/// The old file, which an exchange leaves behind.
fn discard(old: TempPath, report: &mut EditReport) {
    let path = old.to_path_buf();
    if let Err(err) = old.close() {
        report.add_note(format!("{} holds the old content and can be removed ({err})", path.display()));
    }
}

/// Never throws away what may be somebody's only copy.
fn persist_rescued(temp: TempPath, err: &io::Error) -> io::Error {
    match temp.keep() {
        Ok(path) => {
            io::Error::other(format!("{err}; another program's version is kept in {}", path.display()))
        }
        Err(err) => err.error,
    }
}

#[cfg(test)]
mod tests;
