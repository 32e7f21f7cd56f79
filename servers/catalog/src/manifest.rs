//! One `server.json`: the MCP registry's own format, in any of its versions, as its publisher wrote it.
//!
//! Text -> `Manifest`. Invariants: what is used and wrong is refused with file, field and rule; what is not used, and what
//! the format does not know, is in nobody's way; nothing in it is a grant.

mod arguments;
mod field;
mod input;
mod json;
mod packages;
mod requests;
mod template;
#[cfg(test)]
mod tests;
mod version;

use std::path::Path;

use serde_json::Value;

use crate::error::Error;

pub(crate) use self::arguments::MissingArgument;
use self::field::Field;
pub(crate) use self::packages::{Listed, Package};
pub(crate) use self::requests::{Request, take_reserved};
pub(crate) use self::version::is_exact_pypi;

/// The versions of the schema that we know, by their dates. They differ in names and in what they allow besides.
const SCHEMAS: [&str; 7] =
    ["2025-07-09", "2025-09-16", "2025-09-29", "2025-10-11", "2025-10-17", "2025-11-18", "2025-12-11"];
/// Characters of a description; the registry takes 100, and publishers write more.
const MAX_DESCRIPTION_CHARS: usize = 1000;

/// What we take from the file.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// The registry's name, `namespace/name`.
    pub(crate) id: String,
    pub(crate) title: Option<String>,
    pub(crate) description: String,
    pub(crate) version: String,
    /// The repository's URL.
    pub(crate) source: Option<String>,
    pub(crate) packages: Vec<Listed>,
    /// How many servers of its publisher's it names, which are reached over HTTP.
    pub(crate) remotes: usize,
    /// What its publisher would like to be granted.
    pub(crate) requests: Vec<Request>,
    /// What was read otherwise than it stands there.
    pub(crate) notes: Vec<String>,
}

/// An environment variable that a server declares: one of `environmentVariables`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Letters, digits and `_`, not beginning with a digit.
    pub name: String,
    /// Whether its value is a secret: then it has neither `fixed` nor `default`.
    pub secret: bool,
    /// Whether the server does not start without it.
    pub required: bool,
    /// A value that the person cannot change.
    pub fixed: Option<String>,
    /// Its value where the person sets none.
    pub default: Option<String>,
    /// The values that it takes; any, where there are none.
    pub choices: Vec<String>,
}

/// Reads the file's text; `file` is only named in errors.
pub(crate) fn parse(file: &Path, text: &str) -> Result<Manifest, Error> {
    let value: Value = json::parse(text).map_err(|err| {
        Error::new(format!("{}: not what a server.json may be", file.display())).with_source(err)
    })?;
    let root = entry(Field { file, path: String::new(), value: &value })?;
    let mut notes = Vec::new();
    notes.extend(schema(&root)?);
    let source = repository(&root).unwrap_or_else(|problem| {
        notes.push(format!("{problem}: left out"));
        None
    });
    Ok(Manifest {
        id: id(&root.need("name")?)?,
        title: root.get("title")?.map(|it| it.text(MAX_DESCRIPTION_CHARS)).transpose()?,
        description: root.need("description")?.text(MAX_DESCRIPTION_CHARS)?,
        version: version(&root)?,
        source,
        packages: packages::read(&root)?,
        remotes: root.get("remotes")?.and_then(|it| it.value.as_array()).map_or(0, Vec::len),
        requests: requests::settings(&root)?,
        notes,
    })
}

/// The entry itself, also where the file holds an answer of the registry's API: `{"server": {..}, "_meta": {..}}`.
fn entry(root: Field<'_>) -> Result<Field<'_>, Error> {
    let has = |key: &str| root.value.get(key).is_some();
    if has("name") {
        return Ok(root);
    }
    if has("servers") {
        return Err(root.wrong("is a list of the registry's: take one of its `servers`"));
    }
    match root.get("server")? {
        Some(server) if server.value.is_object() => Ok(server),
        _ => Ok(root),
    }
}

/// What is to be said of `$schema`: it is known by its date, whoever hosts it.
fn schema(root: &Field) -> Result<Option<String>, Error> {
    let Some(schema) = root.get("$schema")? else { return Ok(None) };
    let text = schema.value.as_str().unwrap_or_default();
    if SCHEMAS.iter().any(|date| text.split('/').any(|part| part == *date)) {
        return Ok(None);
    }
    let newest = SCHEMAS[SCHEMAS.len() - 1];
    let rule = format!("is no version that Drydock knows, so the file is read as one of {newest}");
    Ok(Some(schema.wrong(&rule).to_string()))
}

fn id(name: &Field) -> Result<String, Error> {
    let text = name.word(200)?;
    let good = |part: &str, extra: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
    };
    match text.split_once('/') {
        Some((space, name)) if good(space, ".-") && good(name, "._-") => Ok(text),
        _ => Err(name.wrong("must be `namespace/name` of letters, digits, dots and dashes")),
    }
}

/// The drafts before the first version have it in `version_detail`.
fn version(root: &Field) -> Result<String, Error> {
    match (root.get("version")?, root.get("version_detail")?) {
        (None, Some(detail)) => detail.need("version")?.version(),
        _ => root.need("version")?.version(),
    }
}

fn repository(root: &Field) -> Result<Option<String>, Error> {
    let Some(repository) = root.get("repository")? else { return Ok(None) };
    if repository.value.is_string() {
        return repository.url().map(Some);
    }
    repository.get("url")?.map(|it| it.url()).transpose()
}

/// Whether it can be an environment variable: letters, digits and `_`, not beginning with a digit.
pub(crate) fn is_variable_name(text: &str) -> bool {
    let known = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    known && !text.starts_with(|c: char| c.is_ascii_digit()) && !text.is_empty()
}
