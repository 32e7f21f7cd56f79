//! The same where there is no Unix: no modes to keep, and no exchange. Compiles for Windows; nobody has run it there.
//!
//! Invariant: what cannot be done reports `Unsupported`, and the caller takes the next best way.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::NamedTempFile;

use super::Visibility;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct FileIdentity {
    modified: Option<SystemTime>,
    read_only: bool,
}

impl FileIdentity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { modified: metadata.modified().ok(), read_only: metadata.permissions().readonly() }
    }

    pub(super) fn read_only(&self) -> bool {
        self.read_only
    }

    pub(super) fn note(&self) -> Option<String> {
        None
    }
}

pub(super) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

pub(super) fn open_folder(_folder: &Path) -> io::Result<File> {
    Err(ErrorKind::Unsupported.into())
}

pub(super) fn open_private(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(path)
}

pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn create_folders(folder: &Path, _missing: &[PathBuf], _private: bool) -> io::Result<()> {
    fs::create_dir_all(folder)
}

pub(super) fn user() -> u32 {
    0
}

pub(super) fn made_by_another(_path: &Path, _me: u32) -> Option<PathBuf> {
    None
}

pub(super) fn copy_metadata(_temp: &NamedTempFile, _path: &Path, _old: &FileIdentity) -> io::Result<()> {
    Ok(())
}

pub(super) fn set_new_metadata(_temp: &NamedTempFile, _path: &Path, _audience: Visibility) -> io::Result<()> {
    Ok(())
}

pub(super) fn exchange(_one: &Path, _other: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}
