//! One `drydock.toml`: what the person allows a server beyond the strict default, and adds to how it is started.
//!
//! Text + what kind of server -> `Grants`. Invariants: an unknown key is an error, so that no limit is lost to a typing
//! error; every value has a ceiling; an error says file, line and rule.

mod place;
#[cfg(test)]
mod tests;
mod value;

use std::path::Path;

use drydock_contract::env::MAX_WARM;

use crate::error::Error;
use crate::manifest::is_variable_name;
use crate::sandbox::{Network, Volume};
use crate::server::Kind;

use self::place::Places;
use self::value::Value;

/// The file's name.
pub(crate) const FILE: &str = "drydock.toml";

const KEYS: [&str; 11] = [
    "network",
    "memory",
    "cpus",
    "pids",
    "sessions",
    "warm",
    "volumes",
    "writable",
    "install-scripts",
    "args",
    "env",
];
/// Folders of each sort, arguments, and variables.
const MAX_FOLDERS: usize = 8;
const MAX_ITEMS: usize = 64;
/// Characters of an argument or of a variable's value.
const MAX_TEXT_CHARS: usize = 4096;

/// What stands in the file; what is missing takes the kind's default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grants {
    /// The keys that are there, whatever they say.
    pub(crate) keys: Vec<String>,
    pub(crate) network: Option<Network>,
    /// In bytes.
    pub(crate) memory: Option<u64>,
    pub(crate) cpus: Option<f64>,
    pub(crate) pids: Option<u64>,
    pub(crate) sessions: Option<u64>,
    /// Started and waiting for the next sessions.
    pub(crate) warm: Option<u64>,
    pub(crate) volumes: Vec<Volume>,
    /// Folders that are private, in memory, and gone with the container.
    pub(crate) writable: Vec<String>,
    pub(crate) install_scripts: bool,
    /// After those of the `server.json`.
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
}

impl Grants {
    /// Whether the person has answered a publisher's wish, in whatever way.
    pub(crate) fn answers(&self, key: &str) -> bool {
        let key = if key == "mounts" { "volumes" } else { key }; // as it was once called
        self.keys.iter().any(|it| it == key) || self.env.iter().any(|(it, _)| it == key)
    }
}

/// Whose grants they are: some keys mean nothing to some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Server(Kind),
    RuntimeImage,
}

/// Reads the file's text; `file` is only named in errors.
pub(crate) fn parse(file: &Path, text: &str, owner: Owner) -> Result<Grants, Error> {
    let table = value::parse(file, text)?;
    let root = Value::root(file, text, &table);
    for key in root.keys()? {
        if !KEYS.contains(&key.name()) {
            return Err(key.unknown(&KEYS));
        }
        if let Some(why) = meaningless(key.name(), owner) {
            return Err(key.wrong(why));
        }
    }
    let mut places = Places::default();
    Ok(Grants {
        keys: root.keys()?.iter().map(|it| it.name().to_owned()).collect(),
        network: root.get("network", network)?,
        memory: root.get("memory", memory)?,
        cpus: root.get("cpus", |it| it.number(0.05, 64.0))?,
        pids: root.get("pids", |it| it.whole(8, 4096))?,
        sessions: root.get("sessions", |it| it.whole(1, 1000))?,
        warm: root.get("warm", |it| it.whole(0, MAX_WARM as u64))?,
        volumes: root.list("volumes", MAX_FOLDERS, |it| volume(it, &mut places))?,
        writable: root.list("writable", MAX_FOLDERS, |it| places.take(it))?,
        install_scripts: root.get("install-scripts", Value::flag)?.unwrap_or_default(),
        args: root.list("args", MAX_ITEMS, |it| it.text(MAX_TEXT_CHARS))?,
        env: root.get("env", variables)?.unwrap_or_default(),
    })
}

/// Why a key can do nothing here.
fn meaningless(key: &str, owner: Owner) -> Option<&'static str> {
    match (key, owner) {
        ("warm", Owner::Server(Kind::Rust)) => {
            Some("is for servers whose sessions are programs of their own, not for a Rust server")
        }
        ("install-scripts", Owner::Server(Kind::Rust)) => {
            Some("is for packages from npm and PyPI, not for a Rust server")
        }
        ("args", Owner::Server(Kind::Rust)) => Some(
            "is for programs that Drydock starts; a Rust server takes its settings from variables: `[env]`",
        ),
        ("warm" | "install-scripts" | "args", Owner::RuntimeImage) => {
            Some("is for servers; a runtime image has none of its own")
        }
        _ => None,
    }
}

fn network(value: &Value<'_>) -> Result<Network, Error> {
    match value.text(20)?.as_str() {
        "none" => Ok(Network::None),
        "internet" => Ok(Network::Internet),
        _ => Err(value.wrong("must be \"none\" or \"internet\"")),
    }
}

/// Bytes, from `64m` or `1g`.
fn memory(value: &Value<'_>) -> Result<u64, Error> {
    let text = value.text(20)?;
    let (digits, unit) = match (text.strip_suffix('m'), text.strip_suffix('g')) {
        (Some(digits), _) => (digits, 1 << 20),
        (_, Some(digits)) => (digits, 1 << 30),
        _ => ("", 0),
    };
    let number = if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse::<u64>().ok() } else { None };
    number
        .and_then(|number| number.checked_mul(unit))
        .filter(|bytes| (16 << 20..=64 << 30).contains(bytes))
        .ok_or_else(|| value.wrong("must be a size from \"16m\" to \"64g\""))
}

fn volume(value: &Value<'_>, places: &mut Places) -> Result<Volume, Error> {
    let known = ["name", "path"];
    if let Some(key) = value.keys()?.into_iter().find(|it| !known.contains(&it.name())) {
        return Err(key.unknown(&known));
    }
    let name = value.need("name", |name| {
        let text = name.text(32)?;
        let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if plain && !text.is_empty() && !text.starts_with('-') && places.name(&text) {
            return Ok(text);
        }
        Err(name.wrong("must be a name of its own of a-z, 0-9 and `-`, not beginning with `-`"))
    })?;
    Ok(Volume { name, path: value.need("path", |it| places.take(it))? })
}

fn variables(value: &Value<'_>) -> Result<Vec<(String, String)>, Error> {
    let mut all = Vec::new();
    for it in value.keys()? {
        if !is_variable_name(it.name()) {
            return Err(
                it.wrong("is no variable's name: letters, digits and `_`, not beginning with a digit")
            );
        }
        all.push((it.name().to_owned(), it.text(MAX_TEXT_CHARS)?));
    }
    if all.len() > MAX_ITEMS {
        return Err(value.wrong(&format!("must have at most {MAX_ITEMS} variables")));
    }
    Ok(all)
}
