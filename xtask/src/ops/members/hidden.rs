//! A workspace that nobody sees: manifests and empty sources, enough for cargo to resolve it.
//!
//! The workspace -> a folder below `servers/` whose name begins with a dot. Invariants: it is on the file system that servers are
//! on, so that one can be renamed out of it, or into it; no command takes it for a server, and git ignores it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::workspace::Workspace;

/// Names below `servers/` that begin so are ours, and nobody's server.
const PREFIX: &str = ".drydock-";

/// It goes, with all that is in it, when it is dropped.
#[derive(Debug)]
pub(crate) struct Hidden {
    pub(crate) path: PathBuf,
    folder: TempDir,
}

impl Hidden {
    /// Also removes those that killed commands have left: who has the turn is alone.
    pub(crate) fn new(ws: &Workspace) -> Result<Self> {
        let servers = ws.root.join("servers");
        let failed = || format!("cannot make a folder in {}; nothing was changed", servers.display());
        for entry in fs::read_dir(&servers).with_context(failed)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                // What cannot be removed is in nobody's way.
                drop(fs::remove_dir_all(entry.path()));
            }
        }
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&servers).with_context(failed)?;
        Ok(Self { path: folder.path().to_path_buf(), folder })
    }

    pub(super) fn write(&self, file: &str, bytes: &[u8]) -> Result<()> {
        write(&self.path.join(file), bytes)
    }

    /// With all that is in it.
    pub(crate) fn remove(self) -> Result<()> {
        let failed = || format!("cannot remove {}, which nothing needs any more", self.path.display());
        self.folder.close().with_context(failed)
    }
}

/// A file, and the folders above it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, bytes));
    written.with_context(|| format!("cannot write {}; nothing was changed", path.display()))
}

/// The members that are wanted, by their folders: each one's manifest, and an empty source for each of its programs, libraries and tests.
pub(super) fn lay_out(ws: &Workspace, to: &Path, is_wanted: impl Fn(&Path) -> bool) -> Result<()> {
    let below = |path: &Path| path.strip_prefix(&ws.root).ok().map(|it| to.join(it));
    for (manifest, sources) in ws.metadata()?.outlines() {
        if !manifest.parent().is_some_and(&is_wanted) {
            continue;
        }
        // A member outside of the root stays outside: cargo says so if it needs it.
        let Some(copy) = below(manifest) else { continue };
        let text = fs::read(manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
        write(&copy, &text)?;
        sources.filter_map(below).try_for_each(|it| write(&it, b""))?;
    }
    Ok(())
}
