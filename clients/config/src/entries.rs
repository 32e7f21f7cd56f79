//! Entries in a client's file: which are ours, and how they get in and out.
//!
//! `ClientConfigFile` (client, scope, file) + ledger -> what stands there; desired entries -> the file changed and the
//! ledger with it. Invariant: the ledger knows an entry before the file does, and longer, so that no interruption can
//! make ours unmanaged; an unmanaged entry is replaced only by force, and comes back when ours goes.

mod adopt;
#[cfg(test)]
mod cases;
mod identity;
mod install;
mod refusal;
mod restore;
#[cfg(test)]
mod tests;
mod uninstall;

use std::path::{Path, PathBuf};

use drydock_edit::{self as edit, Entry, ServersPath};
use serde::Serialize;
use serde_json::Value;

pub(crate) use self::identity::Destination;
use self::refusal::Operation;
pub use self::restore::Restoration;
use crate::client::{Caveat, Client, HostEnv, Scope, Surroundings};
use crate::drift::Difference;
use crate::error::Result;
use crate::file::{self, EditReport, Visibility};
use crate::fingerprint::fingerprint;
use crate::ledger::{self, InstalledEntry, Ledger};

/// A client's file in one scope.
#[derive(Debug)]
pub struct ClientConfigFile<'a> {
    /// Whose file it is.
    pub client: &'a Client,
    /// A person's or a project's.
    pub scope: Scope,
    /// As the client names it.
    pub path: PathBuf,
    /// Where the bytes are: symbolic links followed.
    real: PathBuf,
    servers: ServersPath<'a>,
    /// For a person's file that may be new: what else a write would change.
    host_env: Option<HostEnv>,
    /// Where we looked it up from, and the project's folder.
    origin: Option<(HostEnv, PathBuf)>,
}

/// An entry that stands in a file, or should.
#[derive(Debug)]
pub struct ListedEntry {
    /// Its key.
    pub name: String,
    /// Whether it is ours, and as we wrote it.
    pub state: EntryState,
    /// The server that we wrote it for, where it is ours and not for a command given by hand.
    pub server: Option<String>,
    /// How it differs from what we wrote; also what was added to it, which alone does not make it `Modified`.
    pub differences: Vec<Difference>,
    /// Whether it is replaced, or taken out, by force only: it is not ours, or leads elsewhere than ours did.
    pub needs_force: bool,
    /// Whether a client that takes it starts, or reaches, what we wrote and nothing else.
    pub runs_as_written: bool,
}

impl ListedEntry {
    /// Whether all of ours is in it, and something else besides, which a new `install` leaves there.
    #[must_use]
    pub fn is_only_added_to(&self) -> bool {
        let added = !self.differences.is_empty() && self.differences.iter().all(|it| it.written.is_none());
        added && !self.needs_force
    }
}

/// Whose an entry is. Serialised in kebab-case: `managed`, `modified`, `missing`, `unmanaged`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryState {
    /// Ours, and as we wrote it.
    Managed,
    /// Ours, and somebody has changed what we wrote, or added what may change what is started (a variable, a folder).
    Modified,
    /// Ours, and somebody has taken it out.
    Missing,
    /// Not ours: shown, and never touched without force. Also one that somebody put in the place of ours, and that has
    /// nothing of it.
    Unmanaged,
}

/// An entry to be written.
#[derive(Clone, Debug)]
pub struct DesiredEntry {
    /// Its key; see [`Client::check_name`].
    pub name: String,
    /// The server it is for; none for a command given by hand.
    pub server: Option<String>,
    /// In the client's form: from [`Client::stdio_entry`] or [`Client::http_entry`].
    pub entry: Entry,
}

/// How a file may be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeOptions {
    /// Also what is not managed by Drydock; with a restore, also what was written since.
    pub force: bool,
    /// Say what would happen, and change nothing.
    pub dry_run: bool,
}

/// What happened, or would happen, to a file.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The file's bytes before; none: there was no file.
    pub old: Option<Vec<u8>>,
    /// The file's bytes after; none: there is no file.
    pub new: Option<Vec<u8>>,
    /// What became of each entry that was named.
    pub entries: Vec<(String, EntryAction)>,
    /// How the file was replaced.
    pub report: EditReport,
}

/// What became of an entry.
#[derive(Debug, PartialEq)]
pub enum EntryAction {
    /// It is new.
    Added,
    /// Ours was brought up to date; what somebody had changed in it.
    Updated(Vec<Difference>),
    /// Ours was as it should be.
    Unchanged,
    /// The very same entry was there already, and is not ours.
    Identical,
    /// The very same entry was there already, and is ours from now on.
    Adopted,
    /// An unmanaged entry gave way.
    Replaced,
    /// Ours is gone.
    Removed,
    /// Ours is gone, with what somebody had changed in it or added to it.
    RemovedWith(Vec<Difference>),
    /// An unmanaged entry was put back in the place of ours.
    Restored,
    /// Somebody else had taken it out before.
    AlreadyAbsent,
    /// Somebody has put an entry of their own in the place of ours: that one stays, and we know of it no more.
    LeftUnmanaged,
    /// It stays for these clients, which read the same file.
    Kept(Vec<String>),
}

/// The file's new bytes, and what that means for each entry.
type Change = (Option<Vec<u8>>, Vec<(String, EntryAction)>);

impl<'a> ClientConfigFile<'a> {
    /// The file that the client reads in that scope; `project` is the project's folder.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the client has no such scope on this system, and those of
    /// [`at`](Self::at).
    pub fn of(client: &'a Client, scope: Scope, host_env: &HostEnv, project: &Path) -> Result<Self> {
        let path = client.file(host_env, project, scope)?;
        let origin = Some((host_env.clone(), project.to_path_buf()));
        let host_env = (scope == Scope::User).then(|| host_env.clone());
        Ok(Self { host_env, origin, ..Self::below(client, scope, path, Some(project))? })
    }

    /// The same with a file that we know from the ledger.
    ///
    /// # Errors
    /// [`InvalidFile`](crate::ErrorKind::InvalidFile) for a project's file that symbolic links put outside of the project,
    /// and those of [`file::resolve`].
    pub fn at(client: &'a Client, scope: Scope, path: PathBuf) -> Result<Self> {
        let project = client.project_of(&path);
        Self::below(client, scope, path, project.as_deref())
    }

    fn below(client: &'a Client, scope: Scope, path: PathBuf, project: Option<&Path>) -> Result<Self> {
        let servers = client.servers_path(scope);
        let real = file::resolve(&path)?;
        // Its repository is what others wrote: a link in it must not make us write to a person's own files.
        if scope == Scope::Project && real != path {
            let inside = project.map(|it| file::is_below(&real, it)).transpose()?;
            if inside != Some(true) {
                return Err(refusal::outside_of_project(&path, &real));
            }
        }
        Ok(Self { client, scope, path, real, servers, host_env: None, origin: None })
    }

    /// Why entries of these names do not count, or not everywhere, although they stand in the file. Nothing is known of a
    /// file from [`at`](Self::at).
    pub fn caveats(&self, names: &[String]) -> Vec<Caveat> {
        let Some((host_env, project)) = &self.origin else { return Vec::new() };
        let bytes = file::read(&self.real).ok().flatten();
        let around = Surroundings { host_env, project, scope: self.scope, bytes: bytes.as_deref() };
        self.client.caveats(around, names)
    }

    /// Whether this entry of ours belongs to this file.
    pub fn holds(&self, entry: &InstalledEntry) -> bool {
        entry.file == self.real && entry.at == self.servers.at
    }

    /// Every entry in the file, and every one of ours that should be.
    ///
    /// # Errors
    /// [`InvalidFile`](crate::ErrorKind::InvalidFile) with line and column when it is not in the client's format, and
    /// those of [`file::read`].
    pub fn list(&self, ledger: &Ledger) -> Result<Vec<ListedEntry>> {
        let bytes = file::read(&self.real)?;
        let entries = edit::entries(bytes.as_deref().unwrap_or_default(), self.servers)
            .map_err(|err| self.refused(err, Operation::Read))?;
        let missing = ledger
            .entries
            .iter()
            .filter(|it| self.holds(it) && !entries.iter().any(|(name, _)| *name == it.name));
        let missing = missing.map(|it| ListedEntry {
            name: it.name.clone(),
            state: EntryState::Missing,
            server: it.server.clone(),
            differences: Vec::new(),
            needs_force: false,
            runs_as_written: false,
        });
        Ok(entries.iter().map(|(name, value)| self.classify(ledger, name, value)).chain(missing).collect())
    }

    /// As [`list`](Self::list), without what the ledger does not know: for files with very many entries.
    ///
    /// # Errors
    /// Those of [`list`](Self::list).
    pub fn list_known(&self, ledger: &Ledger) -> Result<Vec<ListedEntry>> {
        let bytes = file::read(&self.real)?;
        let entries = self.relevant_entries(bytes.as_deref(), ledger, |_| false, Operation::Read)?;
        Ok(entries.iter().map(|(name, value)| self.classify(ledger, name, value)).collect())
    }

    /// The entries that matter: ours, and those of certain names.
    fn relevant_entries(
        &self,
        old: Option<&[u8]>,
        ledger: &Ledger,
        named: impl Fn(&str) -> bool,
        operation: Operation,
    ) -> Result<Vec<(String, Value)>> {
        let ours = |name: &str| ledger.find(&self.real, self.servers.at, name).is_some();
        edit::entries_named(old.unwrap_or_default(), self.servers, |name| named(name) || ours(name))
            .map_err(|err| self.refused(err, operation))
    }

    /// `work` is told whether it is called again, because another program wrote at the same time.
    fn change(
        &self,
        state: &Path,
        options: ChangeOptions,
        mut work: impl FnMut(Option<&[u8]>, &mut Ledger, bool) -> Result<Change>,
    ) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        if options.dry_run {
            outcome.old = file::read(&self.real)?;
            let mut ledger = Ledger::load(state)?;
            (outcome.new, outcome.entries) = work(outcome.old.as_deref(), &mut ledger, false)?;
            outcome.report.changed = outcome.old != outcome.new;
            return Ok(outcome);
        }
        let _lock = ledger::lock(state)?;
        let before = Ledger::load(state)?;
        let mut after = before.clone();
        let mut again = false;
        let edited = file::edit(&self.real, state, self.visibility(), |old| {
            after = before.clone();
            let (new, entries) = work(old, &mut after, std::mem::replace(&mut again, true))?;
            before.union(&after).replace(&before, state)?;
            (outcome.old, outcome.new, outcome.entries) = (old.map(<[u8]>::to_vec), new.clone(), entries);
            Ok(new)
        });
        match edited {
            Ok(report) => {
                outcome.report = report;
                self.settle(&before, after, &mut outcome, state);
                Ok(outcome)
            }
            Err(err) => match before.replace(&before.union(&after), state) {
                Ok(()) => Err(err),
                Err(and) => Err(err.context(format!(
                    "{} is as it was, but the ledger could not be put back ({and:#})",
                    self.path.display()
                ))),
            },
        }
    }

    /// Brings the ledger to what the file is now. If that fails it knows more than is in the file, which the next command
    /// finds out.
    fn settle(&self, before: &Ledger, mut after: Ledger, outcome: &mut Outcome, state: &Path) {
        let known = before.union(&after);
        after.record_created(&self.real, Vec::new(), outcome.report.folders.clone());
        if outcome.new.is_none() {
            file::remove_empty(before.created_folders(&self.real));
        }
        if outcome.report.changed {
            let left = outcome.new.as_deref().map(fingerprint);
            after.record_undo(before.as_undo(&self.real, outcome.report.backup.clone(), left));
        }
        if let Err(err) = after.replace(&known, state) {
            outcome.report.add_note(format!("the ledger could not be brought up to date: {err:#}"));
        }
    }

    fn visibility(&self) -> Visibility {
        match self.scope {
            Scope::User => Visibility::Private,
            Scope::Project => Visibility::Shared,
        }
    }
}
