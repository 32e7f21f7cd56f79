//! What we wrote into whose files: by this we tell our entries from unmanaged ones of the same name.
//!
//! `ledger.json` in the state folder <-> `Ledger`. Invariant: the whole entry is kept, not a hash of it, so that a
//! change shows field by field; entries hold no secret, and the file is private. The names in the file are promised:
//! a ledger that an earlier version wrote is read.

mod moved;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};

use drydock_edit::{CreatedParent, Entry};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Scope;
use crate::drift::{self, Difference};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::file;

const VERSION: u32 = 1;

/// Every entry that we have written and not taken out again, and how to undo the last change of each file.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    version: u32,
    /// Our entries, in the order in which they were written.
    #[serde(default)]
    pub entries: Vec<InstalledEntry>,
    #[serde(default, rename = "files")]
    scaffolding: Vec<CreatedScaffolding>,
    #[serde(default)]
    undo: Vec<Undo>,
}

/// What every ledger has, whatever its version.
#[derive(Deserialize)]
struct Version {
    version: u64,
}

/// Our last change of a file: how to get back.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Undo {
    file: PathBuf,
    /// The file as it was before; none: there was none.
    pub(crate) backup: Option<PathBuf>,
    /// The fingerprint of what we left; none: no file.
    pub(crate) left: Option<String>,
    /// What we knew of the file before.
    entries: Vec<InstalledEntry>,
    #[serde(rename = "around")]
    scaffolding: Vec<CreatedScaffolding>,
}

/// One entry of ours.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct InstalledEntry {
    /// The client's id.
    pub client: String,
    /// Ids of further clients that read the same file, and have the entry from us, too.
    #[serde(default, rename = "also", skip_serializing_if = "Vec::is_empty")]
    pub shared_with: Vec<String>,
    /// Whose file it is in.
    pub scope: Scope,
    /// Where the bytes are: symbolic links followed.
    pub file: PathBuf,
    /// The keys down to the servers.
    pub at: Vec<String>,
    /// The entry's key.
    pub name: String,
    /// The server it is for; none when the command was given by hand.
    pub server: Option<String>,
    /// What we wrote.
    pub entry: Entry,
    /// The text of the unmanaged entry that it replaced.
    pub replaced: Option<String>,
    /// What we wrote before. Only while a write is under way: where it was cut short, the file still holds that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previous: Vec<Entry>,
}

/// What we made in a file and around it, besides entries.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct CreatedScaffolding {
    file: PathBuf,
    #[serde(rename = "made")]
    parents: Vec<CreatedParent>,
    folders: Vec<PathBuf>,
}

/// Held while a command changes entries, so that two of them take turns.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

pub(crate) fn lock(state: &Path) -> Result<Lock> {
    let path = state.join("ledger.lock");
    let file = file::open_private(&path)?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(Lock { _file: file })
}

impl Ledger {
    /// The ledger in this state folder; an empty one where there is none yet.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidLedger`] when it is broken or from another version of Drydock, [`ErrorKind::Io`].
    pub fn load(state: &Path) -> Result<Self> {
        let path = path(state);
        let Some(bytes) = file::read(&path)? else {
            return Ok(Self {
                version: VERSION,
                entries: Vec::new(),
                scaffolding: Vec::new(),
                undo: Vec::new(),
            });
        };
        // First of all: of the rest nothing may be as we know it.
        let Version { version } = serde_json::from_slice(&bytes).map_err(|err| broken(&path, &err))?;
        if version != u64::from(VERSION) {
            return Err(of_another_version(&path, version));
        }
        let mut ledger: Self = serde_json::from_slice(&bytes).map_err(|err| broken(&path, &err))?;
        moved::follow(&mut ledger, state);
        Ok(ledger)
    }

    /// Writes this one in the place of `old`, which is the one on disk, unless they are the same.
    pub(crate) fn replace(&self, old: &Self, state: &Path) -> Result<()> {
        if self == old { Ok(()) } else { self.save(state) }
    }

    fn save(&self, state: &Path) -> Result<()> {
        let path = path(state);
        let mut text = serde_json::to_string_pretty(self).map_err(|err| {
            Error::new(ErrorKind::InvalidLedger, format!("cannot write {}", path.display())).with_source(err)
        })?;
        text.push('\n');
        file::write_private(&path, text.as_bytes())?;
        moved::record(state);
        Ok(())
    }

    /// What `after` knows, and what only we know: right before the step from us to it, and right behind.
    pub(crate) fn union(&self, after: &Self) -> Self {
        let mut both = after.clone();
        for it in &mut both.entries {
            if let Some(before) = self.find(&it.file, &it.at, &it.name)
                && before.entry != it.entry
            {
                it.previous = before.previous.iter().chain([&before.entry]).cloned().collect();
            }
        }
        let gone = self.entries.iter().filter(|it| after.find(&it.file, &it.at, &it.name).is_none());
        both.entries.extend(gone.cloned());
        let gone =
            self.scaffolding.iter().filter(|it| !after.scaffolding.iter().any(|new| new.file == it.file));
        both.scaffolding.extend(gone.cloned());
        both
    }

    /// Our entry of that name, below those keys in that file (symbolic links followed).
    pub fn find(&self, file: &Path, at: &[String], name: &str) -> Option<&InstalledEntry> {
        self.entries.iter().find(|it| it.file == file && it.at == at && it.name == name)
    }

    /// Records an entry; one of the same place and name gives way, but what that one replaced stays known.
    pub(crate) fn record(&mut self, mut entry: InstalledEntry) {
        let old = self
            .entries
            .iter()
            .position(|it| it.file == entry.file && it.at == entry.at && it.name == entry.name);
        if let Some(old) = old {
            let old = self.entries.remove(old);
            entry.replaced = entry.replaced.or(old.replaced);
        }
        self.entries.push(entry);
    }

    pub(crate) fn record_created(&mut self, file: &Path, parents: Vec<CreatedParent>, folders: Vec<PathBuf>) {
        if parents.is_empty() && folders.is_empty() {
            return;
        }
        if !self.scaffolding.iter().any(|it| it.file == file) {
            let file = file.to_path_buf();
            self.scaffolding.push(CreatedScaffolding { file, parents: Vec::new(), folders: Vec::new() });
        }
        for it in self.scaffolding.iter_mut().filter(|it| it.file == file) {
            it.parents.retain(|old| !parents.iter().any(|new| new.path == old.path));
            it.parents.extend(parents.iter().cloned());
            it.folders.extend(folders.iter().cloned());
        }
    }

    pub(crate) fn undo(&self, file: &Path) -> Option<&Undo> {
        self.undo.iter().find(|it| it.file == file)
    }

    pub(crate) fn record_undo(&mut self, undo: Undo) {
        self.undo.retain(|it| it.file != undo.file);
        self.undo.push(undo);
    }

    /// What is known of a file, to come back to it.
    pub(crate) fn as_undo(&self, file: &Path, backup: Option<PathBuf>, left: Option<String>) -> Undo {
        Undo {
            file: file.to_path_buf(),
            backup,
            left,
            entries: self.entries.iter().filter(|it| it.file == file).cloned().collect(),
            scaffolding: self.scaffolding.iter().filter(|it| it.file == file).cloned().collect(),
        }
    }

    pub(crate) fn restore(&mut self, undo: &Undo) {
        self.entries.retain(|it| it.file != undo.file);
        self.scaffolding.retain(|it| it.file != undo.file);
        self.entries.extend(undo.entries.iter().cloned());
        self.scaffolding.extend(undo.scaffolding.iter().cloned());
    }

    pub(crate) fn created_parents(&self, file: &Path) -> &[CreatedParent] {
        self.scaffolding.iter().find(|it| it.file == file).map_or(&[], |it| &it.parents)
    }

    pub(crate) fn created_folders(&self, file: &Path) -> &[PathBuf] {
        self.scaffolding.iter().find(|it| it.file == file).map_or(&[], |it| &it.folders)
    }

    /// Forgets an entry, and with a file's last one what we made around it.
    pub(crate) fn forget(&mut self, file: &Path, at: &[String], name: &str) {
        self.entries.retain(|it| !(it.file == file && it.at == at && it.name == name));
        if !self.entries.iter().any(|it| it.file == file) {
            self.scaffolding.retain(|it| it.file != file);
        }
    }
}

impl InstalledEntry {
    /// Whether the client of this id has it from us.
    pub fn is_of(&self, client: &str) -> bool {
        self.clients().any(|it| it == client)
    }

    /// The ids of all clients that have it from us.
    pub fn clients(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.client).chain(&self.shared_with).map(String::as_str)
    }

    /// The entry without this client; nothing if it was the last one.
    pub(crate) fn without(&self, client: &str) -> Option<Self> {
        let mut left = self.clients().filter(|it| *it != client).map(str::to_owned);
        let first = left.next()?;
        Some(Self { client: first, shared_with: left.collect(), ..self.clone() })
    }

    /// How the entry in the file differs from the one that we wrote.
    pub fn differences(&self, found: &Value) -> Vec<Difference> {
        drift::differences(&self.entry, found)
    }
}

fn broken(path: &Path, err: &serde_json::Error) -> Error {
    let hint = "it tells which entries are ours. To go on without it, move it aside: our entries then count as \
                unmanaged, and stay; `install-client --force` takes them over";
    let problem = format!("{} is broken: {err}; nothing was changed", path.display());
    Error::new(ErrorKind::InvalidLedger, problem).with_path(path).with_hint(hint)
}

fn of_another_version(path: &Path, version: u64) -> Error {
    let newer = if version > u64::from(VERSION) { "a newer" } else { "another" };
    let problem = format!(
        "{} was written by {newer} version of Drydock (format {version}, and this one reads {VERSION}); nothing was changed",
        path.display()
    );
    let hint = "use that version for what it wrote (`git pull`, or the branch that you were on); until then this one can \
                work with a state of its own: DRYDOCK_STATE=FOLDER";
    Error::new(ErrorKind::InvalidLedger, problem).with_path(path).with_hint(hint)
}

fn path(state: &Path) -> PathBuf {
    state.join("ledger.json")
}
