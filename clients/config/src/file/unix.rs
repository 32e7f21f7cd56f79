//! What only Unix has: modes, owners, extended attributes, and the exchange of two files in one step.
//!
//! Invariant: a file is given away to nobody: what of the old file's access cannot be kept stops the replacement.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, OFlags, RenameFlags, XattrFlags};
use rustix::io::Errno;
use tempfile::NamedTempFile;

use super::Visibility;

/// What tells one state of a file from another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
    modified: (i64, i64),
    mode: u32,
    owner: (u32, u32),
    names: u64,
}

impl FileIdentity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            mode: metadata.mode() & 0o7777,
            owner: (metadata.uid(), metadata.gid()),
            names: metadata.nlink(),
        }
    }

    pub(super) fn read_only(&self) -> bool {
        self.mode & 0o222 == 0
    }

    pub(super) fn note(&self) -> Option<String> {
        let others = self.names.saturating_sub(1);
        (others > 0)
            .then(|| format!("the file had {others} more name(s) (hard links), which keep the old content"))
    }
}

/// Opens for reading; a pipe that has just taken the file's place does not block.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits();
    OpenOptions::new().read(true).custom_flags(flags as i32).open(path)
}

pub(super) fn open_folder(folder: &Path) -> io::Result<File> {
    File::open(folder)
}

/// Creates it if it is missing. A pipe or a link in its place is an error.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits();
    let options = |new| {
        let mut it = OpenOptions::new();
        it.create_new(new).write(true).mode(0o600).custom_flags(flags as i32);
        it
    };
    match options(true).open(path) {
        Ok(file) => give_to_owner_of_folder(&file, path).map(|()| file),
        Err(err) if err.kind() == ErrorKind::AlreadyExists => options(false).open(path),
        Err(err) => Err(err),
    }
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(err) if err.kind() == ErrorKind::InvalidInput => Ok(()), // a file system whose folders cannot be synced
        result => result,
    }
}

/// Makes `folder`, of which `missing` does not exist yet, outermost first.
pub(super) fn create_folders(folder: &Path, missing: &[PathBuf], private: bool) -> io::Result<()> {
    let mode = if private { 0o700 } else { 0o755 };
    for it in missing {
        match DirBuilder::new().mode(mode).create(it) {
            Ok(()) => give_to_owner_of_folder(&open_new_folder(it)?, it)?,
            Err(err) if err.kind() == ErrorKind::AlreadyExists && it.is_dir() => {} // another command was faster
            Err(err) => return Err(err),
        }
    }
    if folder.is_dir() { Ok(()) } else { Err(ErrorKind::NotADirectory.into()) }
}

/// Without following: whoever owns the folder above could have put a link there by now.
pub(super) fn open_new_folder(folder: &Path) -> io::Result<File> {
    let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits();
    OpenOptions::new().read(true).custom_flags(flags as i32).open(folder)
}

/// Who this process acts as.
pub(super) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// What somebody else has made in a folder of ours, at this path or above it: outermost.
pub(super) fn made_by_another(path: &Path, me: u32) -> Option<PathBuf> {
    let owner = |it: &Path| it.symlink_metadata().ok().map(|it| it.uid());
    let others = |it: &&Path| owner(it).is_some_and(|it| it != me) && it.parent().and_then(owner) == Some(me);
    path.ancestors().filter(others).last().map(Path::to_path_buf)
}

/// What root makes in a person's folder belongs to that person: a folder of root's would lock the client out.
fn give_to_owner_of_folder(file: &File, path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().map(Path::metadata).transpose()?
        && folder.uid() != file.metadata()?.uid()
    {
        let _ = fchown(file, Some(folder.uid()), Some(folder.gid())); // only root can, and nobody else needs it
    }
    Ok(())
}

/// Gives the new file what the old one has.
pub(super) fn copy_metadata(temp: &NamedTempFile, path: &Path, old: &FileIdentity) -> io::Result<()> {
    let file = temp.as_file();
    if FileIdentity::of(&file.metadata()?).owner != old.owner {
        fchown(file, Some(old.owner.0), Some(old.owner.1))
            .map_err(|err| io::Error::new(err.kind(), format!("its owner cannot be kept: {err}")))?;
    }
    file.set_permissions(Permissions::from_mode(old.mode))?;
    copy_attributes(path, temp)
}

/// Of a file that did not exist.
pub(super) fn set_new_metadata(temp: &NamedTempFile, path: &Path, visibility: Visibility) -> io::Result<()> {
    let mode = if visibility == Visibility::Private { 0o600 } else { 0o644 };
    temp.as_file().set_permissions(Permissions::from_mode(mode))?;
    give_to_owner_of_folder(temp.as_file(), path)
}

/// Access lists among them: without its list a file's mode means another thing. What the kernel keeps for itself
/// (labels, capabilities) it gives the new file as it sees fit.
fn copy_attributes(from: &Path, to: &NamedTempFile) -> io::Result<()> {
    let mut names = vec![0; 64 << 10];
    let Ok(length) = rustix::fs::listxattr(from, &mut names[..]) else { return Ok(()) }; // a file system without them
    for name in names[..length].split(|&byte| byte == 0).filter(|it| !it.is_empty()) {
        let mut value = vec![0; 64 << 10];
        let copied = rustix::fs::getxattr(from, name, &mut value[..]).and_then(|length| {
            rustix::fs::fsetxattr(to.as_file(), name, &value[..length], XattrFlags::empty())
        });
        if let Err(err) = copied
            && (name.starts_with(b"user.") || name == b"system.posix_acl_access")
        {
            let name = String::from_utf8_lossy(name);
            return Err(io::Error::new(
                io::Error::from(err).kind(),
                format!("its attribute {name} cannot be kept: {err}"),
            ));
        }
    }
    Ok(())
}

/// Swaps two files in one step; `Unsupported` where the file system cannot.
pub(super) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Err(ErrorKind::Unsupported.into()),
        result => Ok(result?),
    }
}
