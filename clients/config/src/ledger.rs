//! What we wrote into whose files: by this we tell our entries from foreign ones of the same name.
//!
//! `ledger.json` in the state folder <-> `Ledger`. Invariant: the whole entry is kept, not a hash of it, so that a
//! change shows field by field; entries hold no secret, and the file is private.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Scope;
use crate::file;
use crate::fixable::fixable;
use drydock_edit::{CreatedParent, Entry};

const VERSION: u32 = 1;

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    version: u32,
    #[serde(default)]
    pub entries: Vec<Written>,
    #[serde(default)]
    files: Vec<Around>,
    #[serde(default)]
    undo: Vec<Undo>,
}

/// Our last change of a file: how to get back.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    file: PathBuf,
    /// The file as it was before; none: there was none.
    pub backup: Option<PathBuf>,
    /// The fingerprint of what we left; none: no file.
    pub left: Option<String>,
    /// What we knew of the file before.
    entries: Vec<Written>,
    around: Vec<Around>,
}

/// One entry of ours.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// The client's id.
    pub client: String,
    /// Ids of further clients that read the same file, and have the entry from us, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    pub scope: Scope,
    /// Where the bytes are: symbolic links followed.
    pub file: PathBuf,
    /// The keys down to the servers.
    pub at: Vec<String>,
    pub name: String,
    /// The server it is for; none when the command was given by hand.
    pub server: Option<String>,
    pub entry: Entry,
    /// The text of the foreign entry that it replaced (`--force`).
    pub replaced: Option<String>,
}

/// What we made in a file and around it, besides entries.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Around {
    file: PathBuf,
    made: Vec<CreatedParent>,
    folders: Vec<PathBuf>,
}

/// A field that is not as we wrote it.
#[derive(Debug, PartialEq, Serialize)]
pub struct Difference {
    pub field: String,
    /// `None`: somebody added the field.
    pub written: Option<Value>,
    /// `None`: somebody took it out.
    pub found: Option<Value>,
}

impl Difference {
    /// An added field is the user's own business; one of ours that is different is not what was approved.
    pub fn is_drift(&self) -> bool {
        self.written.is_some()
    }
}

/// Held while a command changes entries, so that two of them take turns.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

pub fn lock(state: &Path) -> Result<Lock> {
    let path = state.join("ledger.lock");
    let file = file::private(&path).with_context(|| format!("cannot open {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(Lock { _file: file })
}

impl Ledger {
    pub fn load(state: &Path) -> Result<Self> {
        let path = path(state);
        let Some(bytes) = file::read(&path)? else {
            return Ok(Self { version: VERSION, entries: Vec::new(), files: Vec::new(), undo: Vec::new() });
        };
        let ledger: Self = serde_json::from_slice(&bytes).map_err(|err| broken(&path, &err))?;
        ensure!(ledger.version == VERSION, "{} is from another version of Drydock", path.display());
        Ok(ledger)
    }

    /// Writes this one in the place of `old`, which is the one on disk, unless they are the same.
    pub fn replace(&self, old: &Self, state: &Path) -> Result<()> {
        if self == old { Ok(()) } else { self.save(state) }
    }

    fn save(&self, state: &Path) -> Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        file::write_private(&path(state), text.as_bytes())
    }

    /// What `after` knows, and what only we know: right before the step from us to it, and right behind.
    pub fn with(&self, after: &Self) -> Self {
        let mut both = after.clone();
        let gone = self.entries.iter().filter(|it| after.find(&it.file, &it.at, &it.name).is_none());
        both.entries.extend(gone.cloned());
        let gone = self.files.iter().filter(|it| !after.files.iter().any(|new| new.file == it.file));
        both.files.extend(gone.cloned());
        both
    }

    pub fn find(&self, file: &Path, at: &[String], name: &str) -> Option<&Written> {
        self.entries.iter().find(|it| it.file == file && it.at == at && it.name == name)
    }

    /// Notes an entry; one of the same place and name gives way, but what that one replaced stays known.
    pub fn note(&mut self, mut written: Written) {
        let old = self
            .entries
            .iter()
            .position(|it| it.file == written.file && it.at == written.at && it.name == written.name);
        if let Some(old) = old {
            let old = self.entries.remove(old);
            written.replaced = written.replaced.or(old.replaced);
        }
        self.entries.push(written);
    }

    pub fn note_made(&mut self, file: &Path, made: Vec<CreatedParent>, folders: Vec<PathBuf>) {
        if made.is_empty() && folders.is_empty() {
            return;
        }
        if !self.files.iter().any(|it| it.file == file) {
            self.files.push(Around { file: file.to_path_buf(), made: Vec::new(), folders: Vec::new() });
        }
        for it in self.files.iter_mut().filter(|it| it.file == file) {
            it.made.retain(|old| !made.iter().any(|new| new.path == old.path));
            it.made.extend(made.iter().cloned());
            it.folders.extend(folders.iter().cloned());
        }
    }

    pub fn undo(&self, file: &Path) -> Option<&Undo> {
        self.undo.iter().find(|it| it.file == file)
    }

    pub fn note_undo(&mut self, undo: Undo) {
        self.undo.retain(|it| it.file != undo.file);
        self.undo.push(undo);
    }

    /// What is known of a file, to come back to it.
    pub fn as_undo(&self, file: &Path, backup: Option<PathBuf>, left: Option<String>) -> Undo {
        Undo {
            file: file.to_path_buf(),
            backup,
            left,
            entries: self.entries.iter().filter(|it| it.file == file).cloned().collect(),
            around: self.files.iter().filter(|it| it.file == file).cloned().collect(),
        }
    }

    pub fn put_back(&mut self, undo: &Undo) {
        self.entries.retain(|it| it.file != undo.file);
        self.files.retain(|it| it.file != undo.file);
        self.entries.extend(undo.entries.iter().cloned());
        self.files.extend(undo.around.iter().cloned());
    }

    pub fn made(&self, file: &Path) -> &[CreatedParent] {
        self.files.iter().find(|it| it.file == file).map_or(&[], |it| &it.made)
    }

    pub fn folders(&self, file: &Path) -> &[PathBuf] {
        self.files.iter().find(|it| it.file == file).map_or(&[], |it| &it.folders)
    }

    /// Forgets an entry, and with a file's last one what we made around it.
    pub fn forget(&mut self, file: &Path, at: &[String], name: &str) {
        self.entries.retain(|it| !(it.file == file && it.at == at && it.name == name));
        if !self.entries.iter().any(|it| it.file == file) {
            self.files.retain(|it| it.file != file);
        }
    }
}

impl Written {
    pub fn is_of(&self, client: &str) -> bool {
        self.clients().any(|it| it == client)
    }

    pub fn clients(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.client).chain(&self.also).map(String::as_str)
    }

    /// The entry without this client; nothing if it was the last one.
    pub fn without(&self, client: &str) -> Option<Self> {
        let mut left = self.clients().filter(|it| *it != client).map(str::to_owned);
        let first = left.next()?;
        Some(Self { client: first, also: left.collect(), ..self.clone() })
    }

    /// How the entry in the file differs from the one that we wrote.
    pub fn differences(&self, found: &Value) -> Vec<Difference> {
        let mut all = Vec::new();
        match found {
            Value::Object(found) => compare("", &self.entry, found, &mut all),
            other => all.push(Difference {
                field: String::new(),
                written: Some(Value::Object(self.entry.clone())),
                found: Some(other.clone()),
            }),
        }
        all
    }
}

fn compare(prefix: &str, written: &Entry, found: &Entry, all: &mut Vec<Difference>) {
    for (key, old) in written {
        let field = format!("{prefix}{key}");
        match (old, found.get(key)) {
            (Value::Object(old), Some(Value::Object(new))) => compare(&format!("{field}."), old, new, all),
            (old, Some(new)) if old == new => {}
            (old, new) => all.push(Difference { field, written: Some(old.clone()), found: new.cloned() }),
        }
    }
    for (key, new) in found.iter().filter(|(key, _)| !written.contains_key(*key)) {
        all.push(Difference { field: format!("{prefix}{key}"), written: None, found: Some(new.clone()) });
    }
}

fn broken(path: &Path, err: &serde_json::Error) -> anyhow::Error {
    let hint = "it tells which entries are ours. To go on without it, move it aside: our entries then count as somebody \
        else's, and stay; `install-client --force` takes them over";
    fixable(format!("{} is broken: {err}; nothing was changed", path.display()), hint)
}

fn path(state: &Path) -> PathBuf {
    state.join("ledger.json")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use drydock_edit::PreviousState;

    fn written(name: &str, entry: Value) -> Written {
        Written {
            client: "cursor".into(),
            also: Vec::new(),
            scope: Scope::User,
            file: "/f".into(),
            at: vec!["mcpServers".into()],
            name: name.into(),
            server: None,
            entry: entry.as_object().unwrap().clone(),
            replaced: None,
        }
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let temp = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::load(temp.path()).unwrap();
        ledger.note(written("a", json!({"command": "x"})));
        ledger.note_made(
            Path::new("/f"),
            vec![CreatedParent { path: vec![], previous: PreviousState::Blank(" ".into()) }],
            vec!["/g".into()],
        );
        ledger.save(temp.path()).unwrap();
        let mut loaded = Ledger::load(temp.path()).unwrap();
        assert_eq!(loaded.entries, ledger.entries);
        assert_eq!(loaded.made(Path::new("/f")), ledger.made(Path::new("/f")));
        loaded.forget(Path::new("/f"), &["mcpServers".into()], "a");
        assert!(loaded.made(Path::new("/f")).is_empty() && loaded.folders(Path::new("/f")).is_empty());
    }

    #[test]
    fn a_broken_ledger_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(path(temp.path()), "{\"version\": 2}").unwrap();
        assert!(Ledger::load(temp.path()).unwrap_err().to_string().contains("another version"));
        std::fs::write(path(temp.path()), "").unwrap();
        assert!(Ledger::load(temp.path()).unwrap_err().to_string().contains("is broken"));
    }

    #[test]
    fn every_changed_field_is_shown() {
        let ours = written("a", json!({"command": "docker", "args": ["x"], "env": {"A": "1", "B": "2"}}));
        let found = json!({"command": "evil", "env": {"A": "1", "B": "3", "C": "4"}, "disabled": true});
        let all = ours.differences(&found);
        let shown: Vec<_> = all.iter().map(|it| (it.field.as_str(), it.is_drift())).collect();
        assert_eq!(
            shown,
            [("command", true), ("args", true), ("env.B", true), ("env.C", false), ("disabled", false)]
        );
        assert!(ours.differences(&Value::Object(ours.entry.clone())).is_empty());
        assert!(ours.differences(&json!(null))[0].is_drift());
    }
}
