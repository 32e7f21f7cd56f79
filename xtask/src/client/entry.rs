//! Entries: a command line in a client's own shape, and back again.
//!
//! `Launch` -> entry, entry -> `Launch` as the client would start it. Invariant: reading back what was written gives
//! the same launch.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use super::data::Expands;
use super::{Client, Machine, Scope};
use crate::edit::{self, Entry};
use crate::file;
use crate::fixable::fixable;

/// A server's command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Launch {
    pub(crate) command: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) cwd: Option<String>,
    /// Only `env` counts: nothing of our own environment is passed on.
    pub(crate) bare: bool,
}

impl Client {
    /// The entry that makes this client start that command.
    pub(crate) fn entry(&self, name: &str, launch: &Launch) -> Entry {
        let members = self.data.entry.stdio.iter();
        members.filter_map(|(key, it)| Some((key.clone(), fill(it, name, launch)?))).collect()
    }

    /// What the client would start for the entry of that name, with everything replaced that it replaces itself.
    pub(crate) fn read_entry(
        &self,
        machine: &Machine,
        project: &Path,
        scope: Scope,
        name: &str,
    ) -> Result<Launch> {
        let path = self.file(machine, project, scope)?;
        let refused = || format!("cannot read {}", path.display());
        let bytes = file::read(&path).with_context(refused)?.unwrap_or_default();
        let entries = edit::entries(&bytes, self.place()).with_context(refused)?;
        let Some((_, entry)) = entries.iter().rev().find(|(it, _)| it == name) else {
            let hint = format!("cargo xtask install-client {} --scope {scope}", self.id);
            return Err(fixable(
                format!("{} has no entry {name:?} in {}", self.name(), path.display()),
                hint,
            ));
        };
        let mut launch =
            self.read(entry).with_context(|| format!("the entry {name:?} in {}", path.display()))?;
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

    /// An entry as it stands, nothing replaced.
    pub(crate) fn read(&self, entry: &Value) -> Result<Launch> {
        let entry = entry.as_object().context("it is not an object")?;
        let mut launch = Launch::default();
        for (key, template) in &self.data.entry.stdio {
            take(key, template, entry, &mut launch)?;
        }
        if launch.command.is_empty() {
            bail!("it starts no command (an entry for a server over HTTP?)");
        }
        Ok(launch)
    }
}

fn fill(template: &toml::Value, name: &str, launch: &Launch) -> Option<Value> {
    Some(match template {
        toml::Value::String(it) => match it.as_str() {
            "{name}" => name.into(),
            "{command}" => launch.command.as_str().into(),
            "{args}" => launch.args.clone().into(),
            "{env}" if launch.env.is_empty() => return None,
            "{env}" => {
                launch.env.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect()
            }
            "{cwd}" => launch.cwd.as_deref()?.into(),
            fixed => fixed.into(),
        },
        // `["{command}", "{args}"]` is one list.
        toml::Value::Array(list) => {
            let items = list.iter().filter_map(|it| Some((it, fill(it, name, launch)?)));
            items.flat_map(|(it, value)| if is_args(it) { strings(value) } else { vec![value] }).collect()
        }
        toml::Value::Table(table) => {
            let members = table.iter().filter_map(|(key, it)| Some((key.clone(), fill(it, name, launch)?)));
            Value::Object(members.collect())
        }
        toml::Value::Integer(it) => (*it).into(),
        toml::Value::Float(it) => (*it).into(),
        toml::Value::Boolean(it) => (*it).into(),
        toml::Value::Datetime(it) => it.to_string().into(),
    })
}

fn is_args(template: &toml::Value) -> bool {
    template.as_str() == Some("{args}")
}

fn strings(value: Value) -> Vec<Value> {
    if let Value::Array(list) = value { list } else { vec![value] }
}

/// Takes out of the entry what stands under `key`, as the template says.
fn take(key: &str, template: &toml::Value, entry: &Map<String, Value>, launch: &mut Launch) -> Result<()> {
    let Some(value) = entry.get(key) else { return Ok(()) };
    match template {
        toml::Value::String(it) => match it.as_str() {
            "{command}" => launch.command = text(key, value)?,
            "{args}" => launch.args = texts(key, value)?,
            "{env}" => {
                let env = value.as_object().with_context(|| format!("`{key}` must be an object"))?;
                let pairs = env.iter().map(|(name, value)| Ok((name.clone(), text(name, value)?)));
                launch.env = pairs.collect::<Result<_>>()?;
            }
            "{cwd}" => launch.cwd = Some(text(key, value)?),
            _ => {}
        },
        toml::Value::Array(list) => {
            let mut rest = texts(key, value)?.into_iter();
            for it in list {
                match it.as_str() {
                    Some("{command}") => launch.command = rest.next().unwrap_or_default(),
                    Some("{args}") => launch.args = rest.by_ref().collect(),
                    _ => drop(rest.next()),
                }
            }
        }
        toml::Value::Table(table) => {
            let inner = value.as_object().with_context(|| format!("`{key}` must be an object"))?;
            for (key, template) in table {
                take(key, template, inner, launch)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn text(key: &str, value: &Value) -> Result<String> {
    Ok(value.as_str().with_context(|| format!("`{key}` must be a text, and is {value}"))?.to_owned())
}

fn texts(key: &str, value: &Value) -> Result<Vec<String>> {
    let list = value.as_array().with_context(|| format!("`{key}` must be a list"))?;
    list.iter().map(|it| text(key, it)).collect()
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
