//! Whether an entry in a file is still the one that we wrote: by where it leads, not by its name.
//!
//! Entry as written + entry as found -> `Identity`. Invariant: an entry that has nothing of our command, arguments or URL
//! is somebody's own, whatever the ledger says; one that has a part of it is replaced by force only.

use drydock_edit as edit;
use serde_json::Value;

use super::{ClientConfigFile, EntryState, ListedEntry};
use crate::drift::Difference;
use crate::ledger::{InstalledEntry, Ledger};

/// How much of what we wrote is left in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// It leads where ours did.
    Whole,
    /// Some of it is ours, and some was changed.
    Part,
    /// It is another entry.
    Nothing,
}

/// Where an entry leads, as far as it can be read.
#[derive(Debug, PartialEq)]
pub(crate) struct Destination {
    /// The command, and its arguments.
    pub(crate) words: Vec<String>,
    pub(crate) url: Option<String>,
}

impl ClientConfigFile<'_> {
    /// What the ledger knows of an entry; nothing if the unmanaged one that it had replaced is back in its place, or
    /// another one stands there.
    pub(super) fn ours<'l>(
        &self,
        ledger: &'l Ledger,
        name: &str,
        found: Option<&Value>,
    ) -> Option<&'l InstalledEntry> {
        let ours = ledger.find(&self.real, self.servers.at, name)?;
        let replaced = ours.replaced.as_ref().and_then(|it| edit::parse_entry(it, self.servers).ok());
        let is_back = replaced.is_some() && replaced.as_ref() == found;
        let is_other = found.is_some_and(|found| self.identity(ours, found) == Identity::Nothing);
        (!is_back && !is_other).then_some(ours)
    }

    pub(super) fn identity(&self, ours: &InstalledEntry, found: &Value) -> Identity {
        let written = [&ours.entry].into_iter().chain(&ours.previous);
        let all: Vec<_> = written.map(|it| self.compare(&Value::Object(it.clone()), found)).collect();
        [Identity::Whole, Identity::Part].into_iter().find(|it| all.contains(it)).unwrap_or(Identity::Nothing)
    }

    fn compare(&self, written: &Value, found: &Value) -> Identity {
        let destination = |it: &Value| self.client.destination(it);
        match (destination(written), destination(found)) {
            _ if found == written => Identity::Whole,
            (Some(written), Some(found)) => written.compare(&found),
            _ => Identity::Part, // not in the client's form, so nobody can tell
        }
    }

    pub(super) fn classify(&self, ledger: &Ledger, name: &str, value: &Value) -> ListedEntry {
        let name = name.to_owned();
        let Some(ours) = self.ours(ledger, &name, Some(value)) else {
            return ListedEntry {
                name,
                state: EntryState::Unmanaged,
                server: None,
                differences: Vec::new(),
                needs_force: true,
                runs_as_written: false,
            };
        };
        let differences = ours.differences(value);
        let needs_force = self.identity(ours, value) != Identity::Whole;
        let drifted = needs_force || differences.iter().any(Difference::is_drift);
        ListedEntry {
            name,
            state: if drifted { EntryState::Modified } else { EntryState::Managed },
            server: ours.server.clone(),
            needs_force,
            runs_as_written: !needs_force && !differences.iter().any(Difference::is_steering),
            differences,
        }
    }
}

impl Destination {
    fn compare(&self, found: &Self) -> Identity {
        if self == found {
            return Identity::Whole;
        }
        let same_words = !self.words.is_empty() && shares_words(&self.words, &found.words);
        let same_host = self
            .url
            .as_deref()
            .is_some_and(|it| found.url.as_deref().is_some_and(|other| host(it) == host(other)));
        if same_words || same_host { Identity::Part } else { Identity::Nothing }
    }
}

/// The same command, or at least half of the words.
fn shares_words(written: &[String], found: &[String]) -> bool {
    let mut left: Vec<_> = found.iter().collect();
    let common = written.iter().filter(|word| {
        let place = left.iter().position(|it| it == word);
        place.map(|it| left.swap_remove(it)).is_some()
    });
    written.first() == found.first() || common.count() * 2 >= written.len()
}

/// As in `https://host:1`.
fn host(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |it| it + 3);
    let end = url[begin..].find(['/', '?', '#']).map_or(url.len(), |it| begin + it);
    &url[..end]
}
