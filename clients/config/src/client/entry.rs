//! Entries: a command line in a client's own shape, and back again.
//!
//! `Launch` -> entry, entry -> `Launch` as the client would start it. Invariant: reading back what was written gives
//! the same launch.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::data::Expands;
use super::shape::{self, Values};
use super::{Client, Machine, Remote, Scope};
use crate::file;
use crate::fixable::fixable;
use drydock_edit::{self as edit, Entry};

/// A server's command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    pub command: String,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    pub cwd: Option<String>,
    /// Only `env` counts: nothing of our own environment is passed on.
    pub bare: bool,
}

/// What an entry leads to.
#[derive(Debug)]
pub enum Way {
    Start(Launch),
    Reach(Remote),
}

impl Client {
    /// The entry that makes this client start that command.
    pub fn entry(&self, name: &str, launch: &Launch) -> Entry {
        let mut values = Values::from([
            ("{name}", name.into()),
            ("{command}", launch.command.as_str().into()),
            ("{args}", launch.args.clone().into()),
        ]);
        if !launch.env.is_empty() {
            let env = launch.env.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str())));
            values.insert("{env}", env.collect());
        }
        if let Some(cwd) = &launch.cwd {
            values.insert("{cwd}", cwd.as_str().into());
        }
        shape::fill(&self.data.entry.stdio, &values)
    }

    /// What the client would start for the entry of that name, with everything replaced that it replaces itself.
    pub fn read_entry(&self, machine: &Machine, project: &Path, scope: Scope, name: &str) -> Result<Launch> {
        let (path, entry) = self.standing(machine, project, scope, name)?;
        let mut launch =
            self.read(&entry).with_context(|| format!("the entry {name:?} in {}", path.display()))?;
        let expand = |text: &mut String| *text = expanded(&self.data.expands, machine, project, text);
        expand(&mut launch.command);
        launch.args.iter_mut().for_each(expand);
        launch.env.iter_mut().for_each(|(_, value)| expand(value));
        launch.cwd.iter_mut().for_each(expand);
        if scope == Scope::Project && launch.cwd.is_none() {
            launch.cwd = Some(project.display().to_string());
        }
        Ok(launch)
    }

    /// What the entry of that name leads to: what the client would start, or reach.
    pub fn way(&self, machine: &Machine, project: &Path, scope: Scope, name: &str) -> Result<Way> {
        match self.read_remote(&self.standing(machine, project, scope, name)?.1) {
            Ok(remote) => Ok(Way::Reach(remote)),
            Err(_) => self.read_entry(machine, project, scope, name).map(Way::Start),
        }
    }

    /// The file, and the entry as it stands in it.
    fn standing(
        &self,
        machine: &Machine,
        project: &Path,
        scope: Scope,
        name: &str,
    ) -> Result<(PathBuf, Value)> {
        let path = self.file(machine, project, scope)?;
        let refused = || format!("cannot read {}", path.display());
        let bytes = file::read(&path).with_context(refused)?.unwrap_or_default();
        let entries = edit::entries(&bytes, self.place()).with_context(refused)?;
        let entry = entries.into_iter().rev().find(|(it, _)| it == name).map(|(_, entry)| entry);
        let entry = entry.ok_or_else(|| {
            let hint = format!("cargo xtask install-client {} --scope {scope}", self.id);
            fixable(format!("{} has no entry {name:?} in {}", self.name(), path.display()), hint)
        })?;
        Ok((path, entry))
    }

    /// An entry as it stands, nothing replaced.
    pub fn read(&self, entry: &Value) -> Result<Launch> {
        let entry = entry.as_object().context("it is not an object")?;
        let taken = shape::take(&self.data.entry.stdio, entry)?;
        let launch = Launch {
            command: taken.text("{command}")?.unwrap_or_default(),
            args: taken.texts("{args}")?,
            env: taken.pairs("{env}")?,
            cwd: taken.text("{cwd}")?,
            bare: false,
        };
        if launch.command.is_empty() {
            bail!("it starts no command (an entry for a server over HTTP?)");
        }
        Ok(launch)
    }
}

/// One pass from left to right, as the clients do it: what was put in is not looked at again.
fn expanded(rules: &Expands, machine: &Machine, project: &Path, text: &str) -> String {
    let home = machine.home.display().to_string();
    let folder = project.display().to_string();
    let name = project.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let fixed = [(&rules.home, &home), (&rules.workspace, &folder), (&rules.workspace_name, &name)];
    let mut out = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let fixed = fixed
            .iter()
            .find_map(|(sign, value)| Some((rest.strip_prefix(sign.as_ref()?.as_str())?, (*value).clone())));
        match fixed.or_else(|| variable(rules, machine, rest)) {
            Some((after, value)) => {
                out.push_str(&value);
                rest = after;
            }
            None => {
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    out
}

/// A variable at the beginning of the text: what follows it, and its value.
fn variable<'a>(rules: &Expands, machine: &Machine, text: &'a str) -> Option<(&'a str, String)> {
    let with_default = rules.defaults.iter().find_map(|template| {
        let (before, rest) = template.split_once("NAME")?;
        let (between, after) = rest.split_once("DEFAULT")?;
        let (name, rest) = name(text.strip_prefix(before)?);
        let (default, rest) = rest.strip_prefix(between)?.split_once(after)?;
        let value = machine.variable(name?).filter(|it| !it.is_empty());
        Some((rest, value.unwrap_or_else(|| default.to_owned())))
    });
    with_default.or_else(|| {
        rules.variables.iter().find_map(|template| {
            let (before, after) = template.split_once("NAME")?;
            let (name, rest) = name(text.strip_prefix(before)?);
            Some((rest.strip_prefix(after)?, machine.variable(name?)?))
        })
    })
}

/// A variable's name at the beginning of the text, and what follows.
fn name(text: &str) -> (Option<&str>, &str) {
    let end = text.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(text.len());
    ((end > 0).then_some(&text[..end]), &text[end..])
}
