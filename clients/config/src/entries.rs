//! Entries in a client's file: which are ours, and how they get in and out.
//!
//! Spot (client, scope, file) + ledger -> what stands there; wanted entries -> the file changed and the ledger with
//! it. Invariant: the ledger knows an entry before the file does, and longer, so that no interruption can make ours
//! foreign; a foreign entry is replaced only by force, and comes back when ours goes.

#[cfg(test)]
mod cases;
mod restore;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use anyhow::{Error, Result};
use serde_json::Value;

use crate::client::{Client, Machine, Scope};
use crate::file::{self, Audience, Done};
use crate::fingerprint::fingerprint;
use crate::fixable::fixable;
use crate::ledger::{self, Difference, Ledger, Written};
use drydock_edit::{self as edit, Entry, IfExists, ServersPath};

/// A file of a client.
#[derive(Debug)]
pub struct Spot<'a> {
    pub client: &'a Client,
    pub scope: Scope,
    /// As the client names it.
    pub path: PathBuf,
    /// Where the bytes are: symbolic links followed.
    real: PathBuf,
    place: ServersPath<'a>,
}

/// An entry that stands in a file, or should.
#[derive(Debug)]
pub struct Found {
    pub name: String,
    pub state: State,
    pub server: Option<String>,
    pub differences: Vec<Difference>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Ours,
    /// Ours, and somebody has changed what we wrote.
    Drifted,
    /// Ours, and somebody has taken it out.
    Missing,
    Foreign,
}

/// An entry to be written.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub name: String,
    pub server: Option<String>,
    pub entry: Entry,
}

/// What happened, or would happen, to a file.
#[derive(Debug, Default)]
pub struct Outcome {
    pub old: Option<Vec<u8>>,
    pub new: Option<Vec<u8>>,
    pub entries: Vec<(String, Fate)>,
    pub done: Done,
}

#[derive(Debug, PartialEq)]
pub enum Fate {
    Added,
    /// Ours was brought up to date; what somebody had changed in it.
    Updated(Vec<Difference>),
    Unchanged,
    /// The very same entry was there already, and is not ours.
    AlreadyThere,
    /// The very same entry was there already, and is ours from now on.
    Adopted,
    /// A foreign entry gave way.
    Replaced,
    Removed,
    /// With what somebody had changed in it or added to it.
    RemovedWith(Vec<Difference>),
    /// A foreign entry was put back in the place of ours.
    GivenBack,
    /// Somebody else had taken it out before.
    Gone,
    /// It stays for these clients, which read the same file.
    Kept(Vec<String>),
}

/// The file's new bytes, and what that means for each entry.
type Change = (Option<Vec<u8>>, Vec<(String, Fate)>);

impl<'a> Spot<'a> {
    pub fn of(client: &'a Client, scope: Scope, machine: &Machine, project: &Path) -> Result<Self> {
        let path = client.file(machine, project, scope)?;
        Self::at(client, scope, path)
    }

    /// The same with a file that we know from the ledger.
    pub fn at(client: &'a Client, scope: Scope, path: PathBuf) -> Result<Self> {
        let place = client.place();
        let real = file::resolve(&path)?;
        Ok(Self { client, scope, path, real, place })
    }

    pub fn holds(&self, written: &Written) -> bool {
        written.file == self.real && written.at == self.place.at
    }

    /// Every entry in the file, and every one of ours that should be.
    pub fn list(&self, ledger: &Ledger) -> Result<Vec<Found>> {
        let bytes = file::read(&self.path)?;
        let entries = edit::entries(bytes.as_deref().unwrap_or_default(), self.place)
            .map_err(|err| self.refused(err.into(), "read"))?;
        let missing = ledger
            .entries
            .iter()
            .filter(|it| self.holds(it) && !entries.iter().any(|(name, _)| *name == it.name));
        let missing = missing.map(|it| Found {
            name: it.name.clone(),
            state: State::Missing,
            server: it.server.clone(),
            differences: Vec::new(),
        });
        Ok(entries.iter().map(|(name, value)| self.judge(ledger, name, value)).chain(missing).collect())
    }

    /// What the ledger knows of an entry; nothing if the foreign one that it had replaced is back in its place.
    fn ours<'l>(&self, ledger: &'l Ledger, name: &str, found: Option<&Value>) -> Option<&'l Written> {
        let written = ledger.find(&self.real, self.place.at, name)?;
        let replaced = written.replaced.as_ref().and_then(|it| edit::parse_entry(it, self.place).ok());
        (replaced.is_none() || replaced.as_ref() != found).then_some(written)
    }

    fn judge(&self, ledger: &Ledger, name: &str, value: &Value) -> Found {
        let Some(written) = self.ours(ledger, name, Some(value)) else {
            return Found {
                name: name.to_owned(),
                state: State::Foreign,
                server: None,
                differences: Vec::new(),
            };
        };
        let differences = written.differences(value);
        let state = if differences.iter().any(Difference::is_drift) { State::Drifted } else { State::Ours };
        Found { name: name.to_owned(), state, server: written.server.clone(), differences }
    }

    /// Puts entries in; `dry`: only says what would happen.
    pub fn install(&self, state: &Path, wanted: &[Wanted], force: bool, dry: bool) -> Result<Outcome> {
        self.change(state, dry, |old, ledger, again| self.put(old, ledger, wanted, force, again)).map_err(
            |err| self.named(err, "add", &wanted.iter().map(|it| it.name.as_str()).collect::<Vec<_>>()),
        )
    }

    /// Takes entries out.
    pub fn uninstall(&self, state: &Path, names: &[String], force: bool, dry: bool) -> Result<Outcome> {
        self.change(state, dry, |old, ledger, _| self.take(old, ledger, names, force))
            .map_err(|err| self.named(err, "remove", &names.iter().map(String::as_str).collect::<Vec<_>>()))
    }

    /// `work` is told whether it is called again, because another program wrote at the same time.
    fn change(
        &self,
        state: &Path,
        dry: bool,
        mut work: impl FnMut(Option<&[u8]>, &mut Ledger, bool) -> Result<Change>,
    ) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        if dry {
            outcome.old = file::read(&self.path)?;
            let mut ledger = Ledger::load(state)?;
            (outcome.new, outcome.entries) = work(outcome.old.as_deref(), &mut ledger, false)?;
            outcome.done.changed = outcome.old != outcome.new;
            return Ok(outcome);
        }
        let _lock = ledger::lock(state)?;
        let before = Ledger::load(state)?;
        let mut after = before.clone();
        let audience = if self.scope == Scope::User { Audience::Person } else { Audience::Project };
        let mut again = false;
        let done = file::edit(&self.path, state, audience, |old| {
            after = before.clone();
            let (new, entries) = work(old, &mut after, std::mem::replace(&mut again, true))?;
            before.with(&after).replace(&before, state)?;
            (outcome.old, outcome.new, outcome.entries) = (old.map(<[u8]>::to_vec), new.clone(), entries);
            Ok(new)
        });
        let known = before.with(&after);
        match done {
            Ok(done) => {
                after.note_made(&self.real, Vec::new(), done.folders.clone());
                if outcome.new.is_none() {
                    file::remove_empty(before.folders(&self.real));
                }
                if done.changed {
                    let left = outcome.new.as_deref().map(fingerprint);
                    after.note_undo(before.as_undo(&self.real, done.backup.clone(), left));
                }
                outcome.done = done;
                // It knows more than is in the file then, which the next command finds out.
                if let Err(err) = after.replace(&known, state) {
                    outcome.done.say(format!("the ledger could not be brought up to date: {err:#}"));
                }
                Ok(outcome)
            }
            Err(err) => match before.replace(&known, state) {
                Ok(()) => Err(err),
                Err(and) => Err(err.context(format!(
                    "{} is as it was, but the ledger could not be put back ({and:#})",
                    self.path.display()
                ))),
            },
        }
    }

    fn put(
        &self,
        old: Option<&[u8]>,
        ledger: &mut Ledger,
        wanted: &[Wanted],
        force: bool,
        again: bool,
    ) -> Result<Change> {
        let mut bytes = old.map(<[u8]>::to_vec);
        let mut fates = Vec::new();
        let there = self.look(old, ledger, |name| wanted.iter().any(|it| it.name == name))?;
        self.forget_missing(ledger, &there);
        for it in wanted {
            let found = there.iter().find(|(name, _)| *name == it.name).map(|(_, value)| value);
            let ours = self.ours(ledger, &it.name, found).cloned();
            let entry = self.shared(ours.as_ref(), &it.entry);
            let fate = match (found, &ours) {
                (None, _) => Fate::Added,
                (Some(found), Some(written)) => {
                    let mut drift = written.differences(found);
                    drift.retain(Difference::is_drift);
                    if drift.is_empty() && written.entry == entry {
                        Fate::Unchanged
                    } else {
                        Fate::Updated(drift)
                    }
                }
                // A rival has kept what we wrote a moment ago.
                (Some(found), None) if again && *found == Value::Object(it.entry.clone()) => Fate::Added,
                (Some(found), None) if *found == Value::Object(it.entry.clone()) => {
                    if force {
                        Fate::Adopted
                    } else {
                        Fate::AlreadyThere
                    }
                }
                (Some(_), None) if force => Fate::Replaced,
                (Some(_), None) => return Err(self.foreign(&it.name, wanted)),
            };
            if fate == Fate::Adopted || fate == Fate::Added && found.is_some() {
                ledger.note(self.written(it, entry, None, None));
            } else if fate != Fate::AlreadyThere {
                let present = ours.as_ref().map_or(IfExists::Replace, |it| IfExists::Update(&it.entry));
                let put = edit::put(bytes.as_deref(), self.place, &it.name, &entry, present)?;
                ledger.note(self.written(it, entry, ours.as_ref(), put.replaced));
                ledger.note_made(&self.real, put.created, Vec::new());
                bytes = Some(put.text);
            }
            fates.push((it.name.clone(), fate));
        }
        Ok((bytes, fates))
    }

    fn take(&self, old: Option<&[u8]>, ledger: &mut Ledger, names: &[String], force: bool) -> Result<Change> {
        let mut bytes = old.map(<[u8]>::to_vec);
        let mut fates = Vec::new();
        let there = self.look(old, ledger, |name| names.iter().any(|it| it == name))?;
        for name in names {
            let found = there.iter().find(|(it, _)| it == name).map(|(_, value)| value);
            let ours = self.ours(ledger, name, found).cloned();
            if let Some(left) = ours.as_ref().and_then(|it| it.without(&self.client.id)) {
                fates.push((name.clone(), Fate::Kept(left.clients().map(str::to_owned).collect())));
                ledger.note(left);
                continue;
            }
            let known = ledger.find(&self.real, self.place.at, name).is_some();
            if found.is_some() && ours.is_none() && !known && !force {
                return Err(self.foreign(name, &[]));
            }
            let here = found.is_some() && (ours.is_some() || force);
            let replaced = ours.as_ref().and_then(|it| it.replaced.as_deref());
            if let (true, Some(now)) = (here, &bytes) {
                bytes = edit::remove(now, self.place, name, ledger.made(&self.real), replaced)?;
            }
            let changed = ours.as_ref().zip(found).map(|(it, found)| it.differences(found));
            let fate = match (here, replaced, changed.unwrap_or_default()) {
                (false, _, _) => Fate::Gone,
                (true, Some(_), _) => Fate::GivenBack,
                (true, None, changed) if changed.is_empty() => Fate::Removed,
                (true, None, changed) => Fate::RemovedWith(changed),
            };
            ledger.forget(&self.real, self.place.at, name);
            fates.push((name.clone(), fate));
        }
        Ok((bytes, fates))
    }

    /// The entries that matter: ours, and those of certain names.
    fn look(
        &self,
        old: Option<&[u8]>,
        ledger: &Ledger,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, Value)>> {
        let ours = |name: &str| ledger.find(&self.real, self.place.at, name).is_some();
        Ok(edit::entries_named(old.unwrap_or_default(), self.place, |name| wanted(name) || ours(name))?)
    }

    /// Entries of ours that somebody took out are no longer ours; what we made around them is then not ours either.
    fn forget_missing(&self, ledger: &mut Ledger, there: &[(String, Value)]) {
        let missing = |it: &&Written| self.holds(it) && !there.iter().any(|(name, _)| *name == it.name);
        let missing: Vec<String> = ledger.entries.iter().filter(missing).map(|it| it.name.clone()).collect();
        for name in missing {
            ledger.forget(&self.real, self.place.at, &name);
        }
    }

    /// An entry that other clients read, too, keeps what these need.
    fn shared(&self, ours: Option<&Written>, wanted: &Entry) -> Entry {
        let others = ours.filter(|it| it.clients().any(|id| id != self.client.id));
        let mut entry = others.map_or_else(Entry::new, |it| it.entry.clone());
        entry.extend(wanted.clone());
        entry
    }

    fn written(
        &self,
        wanted: &Wanted,
        entry: Entry,
        before: Option<&Written>,
        replaced: Option<String>,
    ) -> Written {
        let others = before.into_iter().flat_map(Written::clients).filter(|it| *it != self.client.id);
        Written {
            client: self.client.id.clone(),
            also: others.map(str::to_owned).collect(),
            scope: self.scope,
            file: self.real.clone(),
            at: self.place.at.to_vec(),
            name: wanted.name.clone(),
            server: wanted.server.clone(),
            entry,
            replaced,
        }
    }

    /// Refuses for the whole file: of several entries, the hint names the others.
    fn foreign(&self, name: &str, wanted: &[Wanted]) -> Error {
        let problem =
            format!("{} has an entry {name:?} that is not ours; file left unchanged", self.path.display());
        let others = wanted.iter().filter(|it| it.name != name).filter_map(|it| it.server.as_deref());
        let others: Vec<_> = others.map(|it| format!("--server {it}")).collect();
        let another = match others.as_slice() {
            [] => "take another name with `--name`".to_owned(),
            some => format!("write the others alone with `{}`", some.join(" ")),
        };
        fixable(problem, format!("{another}, or `--force`: a foreign entry comes back when ours goes"))
    }

    /// A refusal of the file's text with the file's name, in the form that editors understand.
    fn refused(&self, err: Error, what: &str) -> Error {
        let Some(it) = err.downcast_ref::<edit::Error>() else { return err };
        let Some(position) = it.position() else { return err };
        let path = self.path.display();
        let left = if what == "read" { "" } else { "; file left unchanged" };
        let problem = format!("{path}:{it}{left}");
        let hint = match what {
            "add" => {
                format!("fix line {}, or run with `--print` and paste the entry yourself", position.line)
            }
            _ => format!("fix line {} and try again", position.line),
        };
        fixable(problem, hint)
    }

    fn named(&self, err: Error, what: &str, names: &[&str]) -> Error {
        let names: Vec<_> = names.iter().map(|it| format!("`{it}`")).collect();
        let (way, client) = (if what == "add" { "to" } else { "from" }, self.client.name());
        self.refused(err, what).context(format!("cannot {what} {} {way} {client}", names.join(", ")))
    }
}
