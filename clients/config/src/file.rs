//! The only place that replaces a user's file.
//!
//! Path + edit (old bytes -> new bytes) -> the file replaced, or left as it was. Invariant: at every moment the file
//! is the old one or the new one, whole; what another program wrote meanwhile is never lost; nothing that we could
//! not read is ever replaced. Symbolic links are followed and kept, mode, owner and extended attributes too.

mod backup;
#[cfg(not(unix))]
#[path = "file/other.rs"]
mod platform;
#[cfg(unix)]
#[path = "file/unix.rs"]
mod platform;
mod temp;
#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempPath;

pub use self::backup::latest as latest_backup;
use self::platform::Stamp;
use crate::fixable::fixable;

/// In bytes. A larger file is no configuration, and would only be read slowly.
pub const MAX_FILE_SIZE: usize = 64 << 20;
/// How often we start again when another program writes the file between our reading and our writing.
const TRIES: usize = 3;
/// How long a program may take from looking the path up to writing in place.
const LATE: Duration = Duration::from_millis(20);
const LOCK_TRIES: usize = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Who is meant to read a file that does not exist yet. An existing file keeps its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// One person's settings: 0600, new folders 0700.
    Person,
    /// Part of a project, shared like its sources: 0644, new folders 0755 (less the umask).
    Project,
}

/// What an edit did.
#[derive(Debug, Default)]
pub struct Done {
    pub changed: bool,
    /// The copy of what was there before.
    pub backup: Option<PathBuf>,
    /// Folders that did not exist, outermost first.
    pub folders: Vec<PathBuf>,
    /// Something that the person should know.
    pub note: Option<String>,
}

impl Done {
    pub fn say(&mut self, note: String) {
        match &mut self.note {
            Some(old) if old.contains(&note) => {}
            Some(old) => *old = format!("{old}; {note}"),
            None => self.note = Some(note),
        }
    }
}

/// A file as we read it.
#[derive(Debug, PartialEq)]
struct Snapshot {
    bytes: Vec<u8>,
    stamp: Stamp,
}

/// Reads, changes and replaces a file. `change` gets the bytes (`None`: there is no file) and gives the new ones
/// (`None`: there shall be no file); it may be called again when another program writes at the same time.
pub fn edit(
    path: &Path,
    state: &Path,
    audience: Audience,
    mut change: impl FnMut(Option<&[u8]>) -> Result<Option<Vec<u8>>>,
) -> Result<Done> {
    let path = resolve(path)?;
    let folder = path.parent().context("it has no folder")?;
    let mut done = Done::default();
    let mut lock = folder.is_dir().then(|| lock(folder)).transpose()?;
    if let Some(Some(_)) = lock {
        tidy(&path, state, &mut done);
    }
    for tries_left in (0..=TRIES).rev() {
        let before = snapshot(&path)?;
        let new = change(before.as_ref().map(|it| it.bytes.as_slice()))?;
        if new.as_deref() == before.as_ref().map(|it| it.bytes.as_slice()) {
            return Ok(done); // also if a rival wrote after our last try, and kept what is ours
        }
        if tries_left == 0 {
            break;
        }
        if lock.is_none() {
            done.folders = make_folders(folder, audience)?;
            lock = Some(self::lock(folder)?);
        }
        match replace(&path, before.as_ref(), new.as_deref(), state, audience, &mut done) {
            Ok(true) => return Ok(done),
            Ok(false) => {}
            Err(err) => {
                remove_empty(&done.folders);
                return Err(err);
            }
        }
    }
    remove_empty(&done.folders);
    let hint = "close the program that writes it, and try again";
    Err(fixable(format!("another program keeps writing {}; nothing of ours is in it", path.display()), hint))
}

/// The file's bytes, `None` if there is no file. Refuses what is no regular file, without blocking on it.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    Ok(snapshot(&resolve(path)?)?.map(|it| it.bytes))
}

/// Where the bytes really are: symbolic links followed, also one that leads to nothing yet.
pub fn resolve(path: &Path) -> Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..40 {
        let name = path.file_name().with_context(|| format!("{} names no file", path.display()))?.to_owned();
        let folder = existing(path.parent().context("it has no folder")?)?;
        path = folder.join(name);
        match fs::read_link(&path) {
            Ok(target) => path = folder.join(target),
            Err(_) => return Ok(path),
        }
    }
    bail!("{} is a loop of symbolic links", path.display())
}

/// Takes away folders, innermost first, as far as they are empty.
pub fn remove_empty(folders: &[PathBuf]) {
    for folder in folders.iter().rev() {
        if fs::remove_dir(folder).is_err() {
            return; // something else lives in it by now
        }
    }
}

/// Takes away what interrupted commands have left beside the file, and says what is not ours to take away.
fn tidy(path: &Path, state: &Path, done: &mut Done) {
    let left = temp::tidy(path, |bytes| backup::has(state, path, bytes));
    for it in left {
        let note =
            format!("{} is left from an interrupted change; it may be another program's", it.display());
        done.say(note);
    }
}

/// Replaces a file of our own, in the state folder.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().context("it has no folder")?;
    make_folders(folder, Audience::Person)?;
    temp::tidy(path, |_| true);
    let write = || -> Result<()> {
        let temp = temp::write(path, bytes)?;
        temp.as_file().sync_all()?;
        temp.persist(path).map_err(|err| err.error)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    platform::sync_folder(folder).with_context(|| format!("cannot write {}", folder.display()))
}

/// A file of our own, in the state folder, that is there to be locked.
pub fn private(path: &Path) -> Result<File> {
    make_folders(path.parent().context("it has no folder")?, Audience::Person)?;
    Ok(platform::open_private(path)?)
}

/// The same path, with every folder that exists written in its one true way.
fn existing(folder: &Path) -> Result<PathBuf> {
    match fs::canonicalize(folder) {
        Ok(folder) => Ok(folder),
        Err(err) if err.kind() == ErrorKind::NotFound && fs::symlink_metadata(folder).is_err() => {
            let name = folder.file_name().with_context(|| format!("{} does not exist", folder.display()))?;
            Ok(existing(folder.parent().context("it has no folder")?)?.join(name))
        }
        Err(err) => Err(err).with_context(|| format!("cannot open the folder {}", folder.display())),
    }
}

fn snapshot(path: &Path) -> Result<Option<Snapshot>> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(err).with_context(|| format!("cannot read {}", path.display())),
    };
    if metadata.is_dir() {
        bail!("{} is a folder, not a file", path.display());
    }
    if !metadata.is_file() {
        bail!("{} is not a regular file", path.display());
    }
    let read = || -> io::Result<Option<Snapshot>> {
        let file = match platform::open(path) {
            Ok(file) => file,
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(err),
        };
        let stamp = Stamp::of(&file.metadata()?);
        let mut bytes = Vec::new();
        file.take(MAX_FILE_SIZE as u64 + 1).read_to_end(&mut bytes)?;
        Ok(Some(Snapshot { bytes, stamp }))
    };
    let snapshot = read().with_context(|| format!("cannot read {}", path.display()))?;
    if snapshot.as_ref().is_some_and(|it| it.bytes.len() > MAX_FILE_SIZE) {
        bail!(
            "{} is larger than {} MiB, so it is no configuration file",
            path.display(),
            MAX_FILE_SIZE >> 20
        );
    }
    Ok(snapshot)
}

/// Keeps other installers away from the folder's files. The lock is on the folder itself, so nothing is left behind.
fn lock(folder: &Path) -> Result<Option<File>> {
    let Ok(file) = platform::open_folder(folder) else { return Ok(None) }; // what is written is compared anyway
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(_)) => return Ok(None), // a file system without locks
        }
    }
    let hint = "wait for the other `cargo xtask` to end";
    Err(fixable(format!("another program holds the lock on {}; nothing was changed", folder.display()), hint))
}

fn make_folders(folder: &Path, audience: Audience) -> Result<Vec<PathBuf>> {
    let missing: Vec<PathBuf> =
        folder.ancestors().take_while(|it| !it.exists()).map(Path::to_path_buf).collect::<Vec<_>>();
    let missing: Vec<PathBuf> = missing.into_iter().rev().collect();
    platform::create_folders(folder, audience == Audience::Person)
        .and_then(|()| missing.iter().filter_map(|it| it.parent()).try_for_each(platform::sync_folder))
        .inspect_err(|_| remove_empty(&missing))
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(missing)
}

/// Puts the new bytes in the place of the old ones. `false`: somebody else was quicker, nothing was changed.
fn replace(
    path: &Path,
    before: Option<&Snapshot>,
    new: Option<&[u8]>,
    state: &Path,
    audience: Audience,
    done: &mut Done,
) -> Result<bool> {
    let unchanged = || format!("cannot replace {}; it is unchanged", path.display());
    if let Some(before) = before {
        if before.stamp.read_only() {
            return Err(fixable(
                format!("{} is read-only; it is unchanged", path.display()),
                "make it writable first",
            ));
        }
        done.backup = Some(backup::save(state, path, &before.bytes).with_context(unchanged)?);
        before.stamp.note().into_iter().for_each(|it| done.say(it));
    }
    let temp = temp::write(path, new.unwrap_or_default()).with_context(unchanged)?;
    match before {
        Some(before) => platform::dress(&temp, path, &before.stamp).with_context(unchanged)?,
        None => platform::dress_new(&temp, path, audience).with_context(unchanged)?,
    }
    temp.as_file().sync_all().with_context(unchanged)?;
    if snapshot(path)?.as_ref() != before {
        return Ok(false);
    }
    let temp = temp::ready(temp, new.unwrap_or_default()).with_context(unchanged)?;
    let swapped = match (before, new) {
        (None, _) => create(temp, path),
        (Some(before), Some(new)) => exchange(temp, path, before, new, done),
        (Some(before), None) => delete(temp, path, before),
    };
    if !swapped.map_err(explain).with_context(unchanged)? {
        return Ok(false);
    }
    // From here on the file is the new one: a complaint must not read as if it were not.
    done.changed = true;
    let folder = path.parent().context("it has no folder")?;
    match platform::sync_folder(folder).map_err(Into::into).and_then(|()| snapshot(path)) {
        Ok(after) => Ok(after.as_ref().map(|it| it.bytes.as_slice()) == new),
        Err(err) => {
            done.say(format!("{} is written, but perhaps not safely on disk ({err:#})", path.display()));
            Ok(true)
        }
    }
}

fn create(temp: TempPath, path: &Path) -> io::Result<bool> {
    match temp.persist_noclobber(path) {
        Ok(()) => Ok(true),
        Err(err) if err.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(err) => Err(err.error),
    }
}

/// Swaps the two files, and looks at what came out: if it is not what we read, another program wrote after our last
/// look, and the swap is undone.
fn exchange(temp: TempPath, path: &Path, before: &Snapshot, new: &[u8], done: &mut Done) -> io::Result<bool> {
    let mut expected = before.bytes.clone();
    let mut put_in = new.to_vec();
    for turn in 0..100 {
        match platform::exchange(&temp, path) {
            Ok(()) => {}
            Err(err) if turn == 0 && err.kind() == ErrorKind::Unsupported => {
                return temp.persist(path).map(|()| true).map_err(|err| err.error);
            }
            Err(err) if turn == 0 => return Err(err),
            Err(err) => return Err(keep(temp, &err)),
        }
        let came_out = match fs::read(&temp) {
            Ok(bytes) => bytes,
            Err(err) if platform::exchange(&temp, path).is_ok() => return Err(err),
            Err(err) => return Err(keep(temp, &err)),
        };
        if came_out != expected {
            expected = std::mem::replace(&mut put_in, came_out);
        } else if turn > 0 {
            return Ok(false);
        } else if let Some(late) = written_late(&temp, &before.bytes) {
            expected = std::mem::replace(&mut put_in, late);
        } else {
            throw_away(temp, done);
            return Ok(true);
        }
    }
    Err(keep(temp, &io::Error::other("another program keeps writing it")))
}

/// What another program put into the old file although it is out of its place already: it had looked the path up
/// before. Only such a program writes there, so that one which renames loses nothing by our waiting.
fn written_late(old: &Path, before: &[u8]) -> Option<Vec<u8>> {
    std::thread::sleep(LATE);
    fs::read(old).ok().filter(|it| it != before)
}

/// The old file, which an exchange leaves behind.
fn throw_away(old: TempPath, done: &mut Done) {
    let path = old.to_path_buf();
    if let Err(err) = old.close() {
        done.say(format!("{} holds the old content and can be removed ({err})", path.display()));
    }
}

/// Never throws away what may be somebody's only copy.
fn keep(temp: TempPath, err: &io::Error) -> io::Error {
    match temp.keep() {
        Ok(path) => {
            io::Error::other(format!("{err}; another program's version is kept in {}", path.display()))
        }
        Err(err) => err.error,
    }
}

fn delete(temp: TempPath, path: &Path, before: &Snapshot) -> io::Result<bool> {
    fs::rename(path, &temp)?;
    match fs::read(&temp) {
        Ok(bytes) if bytes == before.bytes && written_late(&temp, &before.bytes).is_none() => {
            return Ok(true);
        }
        _ => {} // somebody wrote after our last look: back with it
    }
    temp.persist_noclobber(path).map_err(|err| keep(err.path, &err.error))?;
    Ok(false)
}

/// The reason that the bare error does not tell.
fn explain(err: io::Error) -> anyhow::Error {
    if err.kind() == ErrorKind::ResourceBusy {
        let hint = "edit the file outside the container or sandbox that it is mounted into, or use `--print`";
        return fixable("the file is mounted on its own, so it cannot be replaced as a whole", hint);
    }
    err.into()
}
