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
mod replace;
mod resolve;
mod temp;
#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind as IoKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(crate) use self::backup::{folder as backups_of, latest as latest_backup};
use self::platform::FileIdentity;
use self::replace::Replacement;
pub(crate) use self::resolve::is_below;
use self::resolve::parent;
pub use self::resolve::resolve;
use crate::error::{Context, Error, ErrorKind, Result};

/// In bytes. A larger file is not read: an edit holds several copies of it in memory.
pub const MAX_FILE_SIZE: usize = 64 << 20;
/// How long we start again, and how often at least, when another program writes the file between our reading and our
/// writing: one that writes several times a second leaves a gap in that time.
const RETRY_FOR: Duration = Duration::from_secs(5);
const MIN_TRIES: usize = 4;
const RETRY_PAUSE: Duration = Duration::from_millis(10);
const LOCK_ATTEMPTS: usize = 200;
const LOCK_RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Who is meant to read a file that does not exist yet. An existing file keeps its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// One person's settings: 0600, new folders 0700.
    Private,
    /// Part of a project, shared like its sources: 0644, new folders 0755 (less the umask).
    Shared,
}

/// What an edit did.
#[derive(Debug, Default)]
pub struct EditReport {
    /// Whether the file is another one now.
    pub changed: bool,
    /// The copy of what was there before.
    pub backup: Option<PathBuf>,
    /// Folders that did not exist, outermost first.
    pub folders: Vec<PathBuf>,
    /// Something that the person should know.
    pub note: Option<String>,
}

impl EditReport {
    pub(crate) fn add_note(&mut self, note: String) {
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
    identity: FileIdentity,
}

/// Reads, changes and replaces a file; a backup of what was there goes into the folder `state`.
///
/// `change` gets the bytes (`None`: there is no file) and gives the new ones (`None`: there shall be no file); it may be
/// called again when another program writes at the same time. The same bytes are not written.
///
/// # Errors
/// What `change` returns; [`ErrorKind::Conflict`] when another program keeps writing the file (it is tried for 5 s) or
/// holds its folder's lock for 10 s; [`ErrorKind::InvalidFile`] and [`ErrorKind::Io`]. The file is unchanged then.
pub fn edit(
    path: &Path,
    state: &Path,
    visibility: Visibility,
    mut change: impl FnMut(Option<&[u8]>) -> Result<Option<Vec<u8>>>,
) -> Result<EditReport> {
    let path = resolve(path)?;
    let folder = parent(&path)?;
    let mut report = EditReport::default();
    let mut lock = folder.is_dir().then(|| lock(folder)).transpose()?;
    if let Some(Some(_)) = lock {
        remove_stale_temps(&path, state, &mut report);
    }
    let begin = Instant::now();
    for tries in 1.. {
        let is_last = tries >= MIN_TRIES && begin.elapsed() >= RETRY_FOR;
        let before = snapshot(&path)?;
        let old = before.as_ref().map(|it| it.bytes.as_slice());
        let new = change(old)?;
        if new.as_deref() == old {
            return Ok(report); // also if a rival wrote after our last try, and kept what is ours
        }
        if is_last {
            break;
        }
        if lock.is_none() {
            report.folders = make_folders(folder, visibility)?;
            lock = Some(self::lock(folder)?);
        }
        let replacement = Replacement { path: &path, before: before.as_ref(), new: new.as_deref() };
        match replacement.run(state, visibility, &mut report) {
            Ok(true) => return Ok(report),
            Ok(false) => std::thread::sleep(RETRY_PAUSE),
            Err(err) => {
                remove_empty(&report.folders);
                return Err(err);
            }
        }
    }
    remove_empty(&report.folders);
    let problem = format!(
        "another program keeps writing {} (tried for {} s); nothing of ours is in it",
        path.display(),
        RETRY_FOR.as_secs()
    );
    Err(Error::new(ErrorKind::Conflict, problem)
        .with_path(&path)
        .with_hint("close the program that writes it, and try again"))
}

/// The file's bytes, `None` if there is no file. Does not block on a pipe.
///
/// # Errors
/// [`ErrorKind::InvalidFile`] for what is no regular file or larger than [`MAX_FILE_SIZE`], [`ErrorKind::Io`].
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    Ok(snapshot(&resolve(path)?)?.map(|it| it.bytes))
}

/// Takes away folders, innermost first, as far as they are empty.
pub(crate) fn remove_empty(folders: &[PathBuf]) {
    for folder in folders.iter().rev() {
        if fs::remove_dir(folder).is_err() {
            return; // something else lives in it by now
        }
    }
}

/// Makes a folder for files of our own, and those above it that are missing: 0700, and their owner is the one of the folder
/// above, also when root makes them.
///
/// # Errors
/// [`ErrorKind::Io`].
pub fn make_private_folder(folder: &Path) -> Result<()> {
    make_folders(folder, Visibility::Private).map(drop)
}

/// Makes a file of our own: 0600. `false`: one is there already, and stays.
///
/// # Errors
/// [`ErrorKind::Io`].
pub fn write_new_private(path: &Path, bytes: &[u8]) -> Result<bool> {
    make_private_folder(parent(path)?)?;
    let write = || {
        let temp = temp::write(path, bytes)?;
        platform::set_new_metadata(&temp, path, Visibility::Private)?;
        match temp.persist_noclobber(path) {
            Ok(_) => Ok(true),
            Err(err) if err.error.kind() == IoKind::AlreadyExists => Ok(false),
            Err(err) => Err(err.error),
        }
    };
    write().map_err(|err| failed(err, path, format!("cannot write {}", path.display())))
}

/// Replaces a file of our own, in the state folder.
///
/// # Errors
/// [`ErrorKind::Io`].
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = parent(path)?;
    make_folders(folder, Visibility::Private)?;
    temp::remove_stale(path, |_| true);
    let write = || -> io::Result<()> {
        let temp = temp::write(path, bytes)?;
        platform::set_new_metadata(&temp, path, Visibility::Private)?;
        temp.as_file().sync_all()?;
        temp.persist(path).map_err(|err| err.error)?;
        Ok(())
    };
    write().map_err(|err| failed(err, path, format!("cannot write {}", path.display())))?;
    platform::sync_folder(folder).with_context(|| format!("cannot write {}", folder.display()))
}

/// A file of our own, in the state folder, that is there to be locked. It is made if it is missing.
///
/// # Errors
/// [`ErrorKind::Io`] and its like: it cannot be made, or a link or a pipe stands in its place.
pub fn open_private(path: &Path) -> Result<File> {
    make_folders(parent(path)?, Visibility::Private)?;
    platform::open_private(path).map_err(|err| failed(err, path, format!("cannot open {}", path.display())))
}

/// A failure of the system's, with the cure where the cause is what another user made: root, most often.
fn failed(err: io::Error, path: &Path, message: String) -> Error {
    let denied = err.kind() == IoKind::PermissionDenied;
    let made = denied.then(|| platform::made_by_another(path, platform::user())).flatten();
    let failed = Error::new(ErrorKind::Io, message).with_path(path).with_source(err);
    match made {
        None => failed,
        Some(made) => {
            let hint = "another user made it, as a command under sudo does";
            failed.with_hint(format!("{hint}: sudo chown -R \"$(id -u):$(id -g)\" {made:?}"))
        }
    }
}

/// Takes away what interrupted commands have left beside the file, and says what is not ours to take away.
fn remove_stale_temps(path: &Path, state: &Path, report: &mut EditReport) {
    for left in temp::remove_stale(path, |bytes| backup::has(state, path, bytes)) {
        let note =
            format!("{} is left from an interrupted change; it may be another program's", left.display());
        report.add_note(note);
    }
}

fn snapshot(path: &Path) -> Result<Option<Snapshot>> {
    let cannot_read = |err| failed(err, path, format!("cannot read {}", path.display()));
    let invalid = |what: &str| {
        Err(Error::new(ErrorKind::InvalidFile, format!("{} is {what}", path.display())).with_path(path))
    };
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(err) if err.kind() == IoKind::NotFound => return Ok(None),
        Err(err) => return Err(cannot_read(err)),
    };
    if metadata.is_dir() {
        return invalid("a folder, not a file");
    }
    if !metadata.is_file() {
        return invalid("not a regular file");
    }
    if metadata.len() > MAX_FILE_SIZE as u64 {
        return Err(too_large(path, metadata.len()));
    }
    let snapshot = read_snapshot(path).map_err(cannot_read)?;
    if snapshot.as_ref().is_some_and(|it| it.bytes.len() > MAX_FILE_SIZE) {
        return Err(too_large(path, metadata.len()));
    }
    Ok(snapshot)
}

fn too_large(path: &Path, size: u64) -> Error {
    let problem = format!(
        "{} has {} MiB: an edit is checked with several copies of the file in memory, so that files of up to {} MiB are \
         read",
        path.display(),
        size.div_ceil(1 << 20),
        MAX_FILE_SIZE >> 20
    );
    Error::new(ErrorKind::InvalidFile, problem).with_path(path).with_hint(
        "`install-client ID --print` shows the entry, for the program's own command or to be pasted; or make the file smaller",
    )
}

/// The bytes of the regular file at this very place, which others can write to, too: no link is followed, nothing blocks,
/// and not more is read than a configuration file has.
pub(crate) fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() {
        return Err(not_regular());
    }
    let snapshot = read_snapshot(path)?.ok_or(IoKind::NotFound)?;
    if snapshot.bytes.len() > MAX_FILE_SIZE {
        return Err(io::Error::new(IoKind::FileTooLarge, format!("larger than {} MiB", MAX_FILE_SIZE >> 20)));
    }
    Ok(snapshot.bytes)
}

fn not_regular() -> io::Error {
    io::Error::new(IoKind::InvalidInput, "not a regular file")
}

/// At most one byte more than a configuration file has.
fn read_snapshot(path: &Path) -> io::Result<Option<Snapshot>> {
    let file = match platform::open(path) {
        Ok(file) => file,
        Err(err) if err.kind() == IoKind::NotFound => return Ok(None),
        Err(err) => return Err(err),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(not_regular()); // it has just taken the file's place
    }
    let identity = FileIdentity::of(&metadata);
    let mut bytes = Vec::new();
    file.take(MAX_FILE_SIZE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Some(Snapshot { bytes, identity }))
}

/// Keeps other installers away from the folder's files. The lock is on the folder itself, so nothing is left behind.
fn lock(folder: &Path) -> Result<Option<File>> {
    let Ok(file) = platform::open_folder(folder) else { return Ok(None) }; // what is written is compared anyway
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_RETRY_INTERVAL),
            Err(TryLockError::Error(_)) => return Ok(None), // a file system without locks
        }
    }
    let problem = format!("another program holds the lock on {}; nothing was changed", folder.display());
    Err(Error::new(ErrorKind::Conflict, problem)
        .with_path(folder)
        .with_hint("wait for the other `cargo xtask` to end"))
}

fn make_folders(folder: &Path, visibility: Visibility) -> Result<Vec<PathBuf>> {
    let mut missing: Vec<PathBuf> =
        folder.ancestors().take_while(|it| !it.exists()).map(Path::to_path_buf).collect();
    missing.reverse();
    let private = visibility == Visibility::Private;
    platform::create_folders(folder, &missing, private)
        .and_then(|()| missing.iter().filter_map(|it| it.parent()).try_for_each(platform::sync_folder))
        .inspect_err(|_| remove_empty(&missing))
        .map_err(|err| failed(err, folder, format!("cannot make the folder {}", folder.display())))?;
    Ok(missing)
}
