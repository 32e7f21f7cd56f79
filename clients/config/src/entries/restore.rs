//! Undoes our last change of a client's file: the file as it was before, and what the ledger knew of it then.
//!
//! `ClientConfigFile` + ledger -> the file of before (or none, where there was none). Invariant: what somebody wrote into
//! the file since is given up only by force, and stands in a backup then; undoing twice gives the very same file and
//! ledger.

use std::path::{Path, PathBuf};

use super::{ChangeOptions, ClientConfigFile, Outcome};
use crate::error::{Error, ErrorKind, Result};
use crate::file;
use crate::fingerprint::fingerprint;
use crate::ledger::Undo;

/// What a restore did.
#[derive(Debug)]
pub struct Restoration {
    /// What happened to the file.
    pub outcome: Outcome,
    /// What the file was made from; none: there was no file.
    pub backup: Option<PathBuf>,
    /// Our entries came and went with the bytes.
    pub with_entries: bool,
}

impl ClientConfigFile<'_> {
    /// Undoes our last change of the file; a second time, that.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when somebody has changed the file since and `force` was not given,
    /// [`NotFound`](ErrorKind::NotFound) when nothing is known to be undone, and those of [`file::edit`].
    // All that decides is looked at while nobody else may change the file by us: also by another installer.
    pub fn restore(&self, state: &Path, options: ChangeOptions) -> Result<Restoration> {
        let (mut backup, mut with_entries) = (None, false);
        let outcome = self.change(state, options, |now, ledger, again| {
            let undo = ledger.undo(&self.real).cloned();
            with_entries = undo.is_some();
            let bytes = match undo {
                Some(undo) => {
                    if !undo.left(now) && !options.force && !options.dry_run {
                        return Err(self.changed_since());
                    }
                    ledger.restore(&undo);
                    backup = undo.backup;
                    backup.as_deref().map(saved).transpose()?
                }
                // Our own first try has made a backup of what a rival has changed since.
                None if again => return Err(self.changed_since()),
                None => {
                    let (newest, bytes) = self.newest_backup(state, now)?;
                    backup = Some(newest);
                    Some(bytes)
                }
            };
            Ok((bytes, Vec::new()))
        })?;
        Ok(Restoration { outcome, backup, with_entries })
    }

    /// Of a change that was interrupted, or is older than the notes about changes, only the backup is known.
    fn newest_backup(&self, state: &Path, now: Option<&[u8]>) -> Result<(PathBuf, Vec<u8>)> {
        file::latest_backup(state, &self.real, now)?.ok_or_else(|| {
            let problem = format!("nothing of ours is to be undone in {}", self.path.display());
            Error::new(ErrorKind::NotFound, problem)
                .with_path(&self.path)
                .with_hint("`cargo xtask clients` shows what stands in it")
        })
    }

    fn changed_since(&self) -> Error {
        let path = self.path.display();
        let problem = format!(
            "{path} was changed since our last change, by you or by the client; nothing was restored"
        );
        Error::new(ErrorKind::Conflict, problem).with_path(&self.path).with_hint(
            "`--restore --dry-run` shows what would go; `--restore --force` does it, and keeps what is there now as a backup",
        )
    }
}

fn saved(backup: &Path) -> Result<Vec<u8>> {
    let gone = || {
        let problem = format!("the backup {} is gone; nothing was restored", backup.display());
        let hint = "`cargo xtask uninstall-client` takes our entries out without it";
        Error::new(ErrorKind::NotFound, problem).with_path(backup).with_hint(hint)
    };
    file::read(backup)?.ok_or_else(gone)
}

impl Undo {
    /// Whether the file is what our change made of it.
    fn left(&self, current: Option<&[u8]>) -> bool {
        self.left == current.map(fingerprint)
    }
}
