//! Takes our entries out of clients' files, and tells what became of them.
//!
//! Entries of the ledger -> files changed, a report on stderr. Invariant: what somebody has changed is refused unless it is
//! forced, and is in no other entry's way.

use std::path::PathBuf;

use anyhow::{Error, Result};
use drydock_config::ErrorKind;
use drydock_config::client::{Client, Scope};
use drydock_config::entries::{ChangeOptions, ClientConfigFile, EntryState};
use drydock_config::ledger::{InstalledEntry, Ledger};

use crate::batch::try_each;
use crate::ops::install::{print_report, show_diff};
use crate::workspace::Workspace;

/// How entries are taken out.
#[derive(Clone, Copy)]
pub(crate) struct Uninstall<'a> {
    pub(crate) ws: &'a Workspace,
    pub(crate) options: ChangeOptions,
}

/// An entry as a person finds it: `cursor: "weather" in FILE`.
pub(crate) fn shown(it: &InstalledEntry) -> String {
    let clients: Vec<_> = it.clients().collect();
    format!("{}: {:?} in {}", clients.join(", "), it.name, it.file.display())
}

impl Uninstall<'_> {
    /// Those of these entries that these clients have.
    pub(crate) fn each(self, clients: &[Client], ledger: &Ledger, ours: &[&InstalledEntry]) -> Result<()> {
        try_each(clients, "clients were not changed", |client| {
            let mut files: Vec<(&PathBuf, Scope)> = Vec::new();
            for it in ours.iter().filter(|it| it.is_of(&client.id)) {
                if !files.contains(&(&it.file, it.scope)) {
                    files.push((&it.file, it.scope));
                }
            }
            files.into_iter().try_for_each(|(file, scope)| {
                let config_file = ClientConfigFile::at(client, scope, file.clone())?;
                let names = ours
                    .iter()
                    .filter(|it| config_file.holds(it) && it.is_of(&client.id))
                    .map(|it| it.name.clone());
                self.ours(ledger, &config_file, names.collect())
            })
        })
    }

    fn ours(self, ledger: &Ledger, config_file: &ClientConfigFile<'_>, names: Vec<String>) -> Result<()> {
        // Files of 10 MB are read once where nothing was changed.
        let removed = self.entries(config_file, &names);
        let is_refused = |err: &Error| {
            err.downcast_ref::<drydock_config::Error>().is_some_and(|it| it.kind() == ErrorKind::Modified)
        };
        if names.len() == 1 || !removed.as_ref().is_err_and(is_refused) {
            return removed;
        }
        let listed = config_file.list_known(ledger)?;
        let is_modified = |name: &String| {
            listed.iter().any(|it| it.name == *name && it.needs_force && it.state == EntryState::Modified)
        };
        let (modified, others): (Vec<_>, Vec<_>) = names.into_iter().partition(is_modified);
        if !others.is_empty() {
            self.entries(config_file, &others)?;
        }
        try_each(&modified, "entries were not removed", |it| {
            self.entries(config_file, std::slice::from_ref(it))
        })
    }

    /// The entries of these names in one file.
    pub(crate) fn entries(self, config_file: &ClientConfigFile<'_>, names: &[String]) -> Result<()> {
        let outcome = config_file.uninstall(&self.ws.state, names, self.options)?;
        if self.options.dry_run {
            return show_diff(config_file, &outcome);
        }
        print_report(config_file, &outcome);
        Ok(())
    }
}
