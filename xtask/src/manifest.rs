//! One `server.json`: the MCP registry's own format (schema 2025-12-11) with our settings in its `_meta`.
//!
//! Text -> `Manifest`. Invariant: what is wrong is refused with file, field and rule; what the format does not know is
//! left alone, since the format allows it, except among our own settings, where an unknown key is a typing error.

mod field;
#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use self::field::Field;

const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
const PUBLISHER: &str = "io.modelcontextprotocol.registry/publisher-provided";
const OURS: &str = "dev.drydock";

/// What we take from the file.
#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    /// The registry's name, `namespace/name`.
    pub(crate) id: String,
    pub(crate) title: Option<String>,
    pub(crate) description: String,
    pub(crate) version: String,
    /// The repository's URL.
    pub(crate) source: Option<String>,
    pub(crate) packages: Vec<Package>,
    pub(crate) settings: Settings,
}

#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// `npm`, `pypi`, `oci`, `cargo`, or another that we do not use.
    pub(crate) registry: String,
    pub(crate) variables: Vec<Variable>,
}

/// One of `environmentVariables`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) secret: bool,
    pub(crate) required: bool,
    /// A value that the person cannot change.
    pub(crate) fixed: Option<String>,
    pub(crate) default: Option<String>,
    pub(crate) choices: Vec<String>,
}

/// Our own settings, as they stand in the file; what is missing takes the kind's default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) network: Option<Network>,
    pub(crate) memory: Option<u64>,
    pub(crate) cpus: Option<f64>,
    pub(crate) pids: Option<u64>,
    pub(crate) sessions: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Network {
    None,
    Internet,
}

/// Reads the file's text; `file` is only named in errors.
pub(crate) fn parse(file: &Path, text: &str) -> Result<Manifest> {
    let value: Value = serde_json::from_str(text).with_context(|| format!("{}: not JSON", file.display()))?;
    let root = Field { file, path: String::new(), value: &value };
    if let Some(schema) = root.get("$schema")? {
        schema.one_of(&[SCHEMA])?;
    }
    icons(&root)?;
    for remote in root.list("remotes")? {
        transport(&remote, &["streamable-http", "sse"])?;
    }
    if let Some(url) = root.get("websiteUrl")? {
        url.url()?;
    }
    Ok(Manifest {
        id: id(&root.need("name")?)?,
        title: root.get("title")?.map(|it| it.text(100)).transpose()?,
        description: root.need("description")?.text(100)?,
        version: root.need("version")?.version()?,
        source: repository(&root)?,
        packages: root.list("packages")?.iter().map(package).collect::<Result<_>>()?,
        settings: settings(&root)?,
    })
}

fn id(name: &Field) -> Result<String> {
    let text = name.word(200)?;
    let good = |part: &str, extra: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
    };
    match text.split_once('/') {
        Some((space, name)) if good(space, ".-") && good(name, "._-") => Ok(text),
        _ => Err(name.wrong("must be `namespace/name` of letters, digits, dots and dashes")),
    }
}

fn repository(root: &Field) -> Result<Option<String>> {
    let Some(repository) = root.get("repository")? else { return Ok(None) };
    repository.need("source")?.word(100)?;
    if let Some(subfolder) = repository.get("subfolder")? {
        let text = subfolder.word(300)?;
        if text.starts_with('/') || text.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(subfolder.wrong("must be a clean relative path"));
        }
    }
    repository.need("url")?.url().map(Some)
}

fn icons(root: &Field) -> Result<()> {
    for icon in root.list("icons")? {
        let src = icon.need("src")?;
        if !src.url()?.starts_with("https://") {
            return Err(src.wrong("must be an https URL"));
        }
        if let Some(theme) = icon.get("theme")? {
            theme.one_of(&["light", "dark"])?;
        }
        if let Some(mime) = icon.get("mimeType")? {
            mime.one_of(&["image/png", "image/jpeg", "image/jpg", "image/svg+xml", "image/webp"])?;
        }
    }
    Ok(())
}

fn package(package: &Field) -> Result<Package> {
    let registry = package.need("registryType")?.word(50)?;
    let identifier = package.need("identifier")?;
    let image = identifier.word(500)?;
    let tag = image.rsplit('/').next().and_then(|last| last.split_once([':', '@'])).map(|(_, tag)| tag);
    match package.get("version")? {
        Some(version) => drop(version.version()?),
        None if registry == "oci" && matches!(tag, None | Some("latest")) => {
            return Err(identifier.wrong("must end with an exact tag or digest, as in `name:1.0.0`"));
        }
        None => {}
    }
    transport(&package.need("transport")?, &["stdio", "streamable-http", "sse"])?;
    for key in ["runtimeArguments", "packageArguments"] {
        package.list(key)?.iter().try_for_each(argument)?;
    }
    let variables = package.list("environmentVariables")?.iter().map(variable).collect::<Result<_>>()?;
    Ok(Package { registry, variables })
}

fn transport(transport: &Field, kinds: &[&str]) -> Result<()> {
    let kind = transport.need("type")?.one_of(kinds)?;
    for header in transport.list("headers")? {
        header.need("name")?.word(200)?;
        input(&header)?;
    }
    if kind != "stdio" {
        transport.need("url")?.url()?;
    }
    Ok(())
}

fn argument(argument: &Field) -> Result<()> {
    match argument.need("type")?.one_of(&["named", "positional"])? {
        "named" => drop(argument.need("name")?.text(200)?),
        _ if argument.get("value")?.is_none() && argument.get("valueHint")?.is_none() => {
            return Err(argument.wrong("must have `value` or `valueHint`"));
        }
        _ => {}
    }
    input(argument).map(drop)
}

fn variable(field: &Field) -> Result<Variable> {
    let name = field.need("name")?;
    let text = name.word(100)?;
    let mut chars = text.chars();
    let head = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !head || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(name.wrong("must be letters, digits and `_`, not beginning with a digit"));
    }
    let variable = Variable { name: text, ..input(field)? };
    if variable.secret && (variable.fixed.is_some() || variable.default.is_some()) {
        return Err(field.wrong("is a secret, so the file must not hold its `value` or `default`"));
    }
    Ok(variable)
}

/// The format's `Input`: what headers, arguments and variables have in common.
fn input(field: &Field) -> Result<Variable> {
    if let Some(format) = field.get("format")? {
        format.one_of(&["string", "number", "boolean", "filepath"])?;
    }
    let value = |key| field.get(key)?.map(|it| it.value(4096)).transpose();
    Ok(Variable {
        name: String::new(),
        secret: field.flag("isSecret")?,
        required: field.flag("isRequired")?,
        fixed: value("value")?,
        default: value("default")?,
        choices: field.list("choices")?.iter().map(|it| it.value(4096)).collect::<Result<_>>()?,
    })
}

fn settings(root: &Field) -> Result<Settings> {
    let mut field = Some(root.clone());
    for key in ["_meta", PUBLISHER, OURS] {
        field = field.map(|it| it.get(key)).transpose()?.flatten();
    }
    let Some(field) = field else { return Ok(Settings::default()) };
    for key in field.object()?.keys() {
        match key.as_str() {
            "network" | "memory" | "cpus" | "pids" | "sessions" => {}
            "mounts" | "warm" => {
                return Err(field.child(key).wrong("is not supported yet by this version of Drydock"));
            }
            _ => {
                return Err(field
                    .child(key)
                    .wrong("is unknown; known are network, memory, cpus, pids and sessions"));
            }
        }
    }
    Ok(Settings {
        network: field.get("network")?.map(|it| network(&it)).transpose()?,
        memory: field.get("memory")?.map(|it| memory(&it)).transpose()?,
        cpus: field.get("cpus")?.map(|it| cpus(&it)).transpose()?,
        pids: field.get("pids")?.map(|it| it.whole(8, 32_768)).transpose()?,
        sessions: field.get("sessions")?.map(|it| it.whole(1, 10_000)).transpose()?,
    })
}

fn network(field: &Field) -> Result<Network> {
    Ok(match field.one_of(&["none", "internet"])? {
        "internet" => Network::Internet,
        _ => Network::None,
    })
}

/// Bytes, from `64m` or `1g`.
fn memory(field: &Field) -> Result<u64> {
    let text = field.word(20)?;
    let (digits, unit) = match (text.strip_suffix('m'), text.strip_suffix('g')) {
        (Some(digits), _) => (digits, 1 << 20),
        (_, Some(digits)) => (digits, 1 << 30),
        _ => ("", 0),
    };
    let number = if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse::<u64>().ok() } else { None };
    number
        .and_then(|number| number.checked_mul(unit))
        .filter(|bytes| (16 << 20..=1 << 40).contains(bytes))
        .ok_or_else(|| field.wrong("must be a size from `16m` to `1024g`, such as `256m`"))
}

fn cpus(field: &Field) -> Result<f64> {
    let number = field.value.as_f64().filter(|it| (0.05..=256.0).contains(it));
    number.ok_or_else(|| field.wrong("must be a number from 0.05 to 256"))
}
