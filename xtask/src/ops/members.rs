//! Which servers are crates of the workspace: `members` in Cargo.toml, and Cargo.lock with it.
//!
//! A server's name -> its line put in, or taken out with what profiles say of its crate. Invariants: of Cargo.toml every other
//! byte stays; what can fail or take long is done in a hidden workspace, before anything is changed; with both files written,
//! `--locked` commands work.

mod hidden;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use drydock_config::ErrorKind;
use drydock_config::file::{self, Visibility};
use drydock_edit::{FileFormat, ServersPath};

pub(crate) use self::hidden::{Hidden, write};
use crate::hint::with_hint;
use crate::ops::turn::{self, Turn};
use crate::ui::progress;
use crate::workspace::Workspace;
use crate::{cargo, interrupt};

const KEYS: [&str; 2] = ["workspace", "members"];

/// One command at a time changes which servers there are.
pub(crate) fn take_turn(ws: &Workspace) -> Result<Turn> {
    turn::take(ws.state_dir()?, "change", "the-workspace")
}

/// Whether the workspace has a line for the server.
pub(crate) fn contains(root: &Path, name: &str) -> Result<bool> {
    let file = root.join("Cargo.toml");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let manifest: toml::Table = text.parse().with_context(|| format!("cannot read {}", file.display()))?;
    let members = manifest.get("workspace").and_then(|it| it.get("members")?.as_array());
    Ok(members.is_some_and(|it| it.iter().any(|it| it.as_str() == Some(&*member(name)))))
}

fn member(name: &str) -> String {
    format!("servers/{name}")
}

/// Whether a server comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Add,
    Remove,
}

/// What both files will hold, found out beside the workspace.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    ws: &'a Workspace,
    name: String,
    /// Of a crate that leaves, what cargo calls it.
    package: Option<String>,
    direction: Direction,
    hidden: Hidden,
    manifest: Replacement,
    lock: Replacement,
}

/// A file's bytes, as they are and as they will be.
#[derive(Debug, Default)]
struct Replacement {
    old: Vec<u8>,
    new: Vec<u8>,
}

type Edited = Result<Vec<u8>, drydock_edit::Error>;

impl<'a> Change<'a> {
    /// Lays the hidden workspace out. A new server's files go into [`Change::new_folder`] next.
    pub(crate) fn new(ws: &'a Workspace, name: &str, direction: Direction) -> Result<Self> {
        let hidden = Hidden::new(ws)?;
        let old = file::read(&ws.root.join("Cargo.toml"))?.unwrap_or_default();
        let mut change = Self {
            manifest: Replacement { new: Vec::new(), old },
            lock: Replacement::default(),
            name: name.to_owned(),
            package: package(&ws.root, name).filter(|_| direction == Direction::Remove),
            ws,
            direction,
            hidden,
        };
        let edit = change.edit(&change.manifest.old, direction);
        change.manifest.new = edit.context("cannot change Cargo.toml")?;
        let leaves = ws.root.join(member(name));
        hidden::lay_out(ws, &change.hidden.path, |it| direction == Direction::Add || it != leaves)?;
        change.hidden.write("Cargo.toml", &change.manifest.new)?;
        if let Some(lock) = file::read(&ws.root.join("Cargo.lock"))? {
            change.hidden.write("Cargo.lock", &lock)?;
            change.lock.old = lock;
        }
        Ok(change)
    }

    /// Where a new server stands before anybody sees it.
    pub(crate) fn new_folder(&self) -> PathBuf {
        self.hidden.path.join(member(&self.name))
    }

    /// Has cargo say what Cargo.lock will hold. Only what concerns our own crates is changed in it. A new server needs nothing
    /// that is not locked already, so the registry is asked only where cargo has forgotten what it said.
    pub(crate) fn resolve(&mut self) -> Result<()> {
        let update = |more: &[&str]| {
            let args = [&["update", "--workspace"], more].concat();
            progress::run("resolving the workspace", cargo::cargo(&self.hidden.path, &args)?).map(drop)
        };
        let offline = update(&["--offline"]);
        let resolved = match offline {
            Err(_) if interrupt::check().is_ok() => update(&[]),
            done => done,
        };
        resolved.context("cargo cannot resolve the workspace")?;
        let file = self.hidden.path.join("Cargo.lock");
        self.lock.new = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        interrupt::check()
    }

    /// Replaces both files; what another program writes into them meanwhile stays. Where one cannot be replaced, both are as they
    /// were.
    pub(crate) fn write(&self) -> Result<()> {
        self.replace("Cargo.toml", |now| {
            if now == self.manifest.old {
                Ok(self.manifest.new.clone())
            } else {
                self.edit(now, self.direction)
            }
        })?;
        let is_ours = |now: &[u8]| now == self.lock.old;
        let locked = self
            .replace("Cargo.lock", |now| Ok(if is_ours(now) { self.lock.new.clone() } else { now.to_vec() }));
        locked.map_err(|err| match self.undo_manifest() {
            Ok(()) => err,
            Err(left) => {
                let problem = format!("{err:#}; and Cargo.toml could not be put back: {left:#}");
                with_hint(problem, "`git diff Cargo.toml` shows what is left")
            }
        })
    }

    /// Once nobody needs it; what cannot be removed is said.
    pub(crate) fn into_hidden(self) -> Hidden {
        self.hidden
    }

    fn undo_manifest(&self) -> Result<()> {
        let back = match self.direction {
            Direction::Add => Direction::Remove,
            Direction::Remove => Direction::Add,
        };
        self.replace("Cargo.toml", |now| {
            if now == self.manifest.new { Ok(self.manifest.old.clone()) } else { self.edit(now, back) }
        })
    }

    fn edit(&self, old: &[u8], direction: Direction) -> Edited {
        edited(old, &self.name, self.package.as_deref(), direction)
    }

    fn replace(&self, name: &str, edit: impl Fn(&[u8]) -> Edited) -> Result<()> {
        let path = self.ws.root.join(name);
        file::edit(&path, self.ws.state_dir()?, Visibility::Shared, |old| {
            edit(old.unwrap_or_default()).map(Some).map_err(|err| {
                let problem = format!("cannot change {}", path.display());
                drydock_config::Error::new(ErrorKind::InvalidFile, problem).with_path(&path).with_source(err)
            })
        })?;
        Ok(())
    }
}

fn edited(old: &[u8], name: &str, package: Option<&str>, direction: Direction) -> Edited {
    match direction {
        Direction::Add => drydock_edit::add_string(old, &KEYS, &member(name)),
        Direction::Remove => {
            let new = drydock_edit::remove_string(old, &KEYS, &member(name))?;
            match package {
                Some(it) => without_profiles(new, it),
                None => Ok(new),
            }
        }
    }
}

/// Of a crate that is gone cargo would complain at each build.
fn without_profiles(manifest: Vec<u8>, package: &str) -> Edited {
    let text = str::from_utf8(&manifest).unwrap_or_default();
    profiles_of(text, package).into_iter().try_fold(manifest, |text, profile| {
        let at = ["profile", &profile, "package"].map(str::to_owned);
        let place = ServersPath::new(FileFormat::Toml, &at);
        Ok(drydock_edit::remove(&text, place, package, &[], None)?.unwrap_or_default())
    })
}

/// The profiles that say how a crate is compiled.
fn profiles_of(manifest: &str, package: &str) -> Vec<String> {
    let table: toml::Table = manifest.parse().unwrap_or_default();
    let profiles = table.get("profile").and_then(|it| it.as_table()).into_iter().flatten();
    let named = profiles.filter(|(_, it)| it.get("package").is_some_and(|it| it.get(package).is_some()));
    named.map(|(profile, _)| profile.clone()).collect()
}

/// What cargo calls a server's crate: the folder may be called otherwise, as a library is.
fn package(root: &Path, name: &str) -> Option<String> {
    let manifest = fs::read_to_string(root.join(member(name)).join("Cargo.toml")).ok()?;
    let manifest: toml::Table = manifest.parse().ok()?;
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

/// The tables of the workspace's Cargo.toml that go with a server.
pub(crate) fn profiles(root: &Path, name: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let of = |package: String| {
        let profiles = profiles_of(&manifest, &package).into_iter();
        profiles.map(|it| format!("[profile.{it}.package.{package}]")).collect()
    };
    package(root, name).map(of).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_server_is_compiled_goes_with_it() {
        let with = "[workspace]\nmembers = [\n    \"servers/a\",\n    \"servers/b\",\n]\n\n# Small.\n[profile.release.package.\"*\"]\n\
            opt-level = \"z\"\n\n[profile.release.package.a]\nopt-level = \"z\"\n\n# Quick.\n[profile.quick]\nopt-level = 1\n";
        let without = "[workspace]\nmembers = [\n    \"servers/b\",\n]\n\n# Small.\n[profile.release.package.\"*\"]\n\
            opt-level = \"z\"\n\n# Quick.\n[profile.quick]\nopt-level = 1\n";
        let left = |package| edited(with.as_bytes(), "a", package, Direction::Remove).unwrap();
        assert_eq!(String::from_utf8(left(Some("a"))).unwrap(), without);
        // A library of that name is none of its business.
        assert!(String::from_utf8(left(Some("a-server"))).unwrap().contains("[profile.release.package.a]"));
    }
}
