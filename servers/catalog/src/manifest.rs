//! One `server.json`: the MCP registry's own format (schema 2025-12-11), as its publisher wrote it.
//!
//! Text -> `Manifest`. Invariants: what is wrong is refused with file, field and rule; what the format does not know is
//! left alone, since the format allows it; nothing in it is a grant.

mod field;
mod input;
mod json;
mod requests;
#[cfg(test)]
mod tests;

use std::path::Path;

use serde_json::Value;

use crate::error::Error;

use self::field::Field;
use self::input::Input;
pub(crate) use self::requests::{Request, take_reserved};

const SCHEMA: (&str, &str) = ("https://static.modelcontextprotocol.io/schemas/", "/server.schema.json");
/// The first version of the schema with the names that we read; entries of the registry have one from then on.
const OLDEST: &str = "2025-09-16";

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
    /// What its publisher would like to be granted.
    pub(crate) requests: Vec<Request>,
}

#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// `npm`, `pypi`, `oci`, `cargo`, or another that we do not use.
    pub(crate) registry: String,
    pub(crate) identifier: String,
    /// Always there for `npm` and `pypi`.
    pub(crate) version: Option<String>,
    /// Whether it speaks MCP on stdin and stdout.
    pub(crate) stdio: bool,
    /// For the program that the registry would start it with: `npx`, `uvx`, `node`, ..
    pub(crate) runtime: Option<String>,
    pub(crate) runtime_arguments: Vec<String>,
    /// The server's own, as they stand on its command line.
    pub(crate) arguments: Vec<String>,
    pub(crate) variables: Vec<Variable>,
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
    let root = Field { file, path: String::new(), value: &value };
    if let Some(schema) = root.get("$schema")? {
        let text = schema.word(200)?;
        let date = text.strip_prefix(SCHEMA.0).and_then(|it| it.strip_suffix(SCHEMA.1)).unwrap_or_default();
        let plain = date.len() == OLDEST.len() && date.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        if !plain || date < OLDEST {
            let rule = format!("must be {}2025-12-11{}, or another from {OLDEST} on", SCHEMA.0, SCHEMA.1);
            return Err(schema.wrong(&rule));
        }
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
        packages: root.list("packages")?.iter().map(package).collect::<Result<_, _>>()?,
        requests: requests::settings(&root)?,
    })
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

fn repository(root: &Field) -> Result<Option<String>, Error> {
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

fn icons(root: &Field) -> Result<(), Error> {
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

fn package(package: &Field) -> Result<Package, Error> {
    let registry = package.need("registryType")?.word(50)?;
    let field = package.need("identifier")?;
    let identifier = match registry.as_str() {
        "npm" => field.npm_name()?,
        "pypi" => field.pypi_name()?,
        _ => field.word(500)?,
    };
    let tag = identifier.rsplit('/').next().and_then(|last| last.split_once([':', '@'])).map(|(_, tag)| tag);
    let version = package.get("version")?.map(|it| it.version()).transpose()?;
    match registry.as_str() {
        "oci" if version.is_none() && matches!(tag, None | Some("latest")) => {
            return Err(field.wrong("must end with an exact tag or digest, as in `name:1.0.0`"));
        }
        "npm" | "pypi" if version.is_none() => return Err(package.wrong("must have `version`")),
        _ => {}
    }
    let stdio = transport(&package.need("transport")?, &["stdio", "streamable-http", "sse"])? == "stdio";
    let variables = package.list("environmentVariables")?.iter().map(variable).collect::<Result<_, _>>()?;
    Ok(Package {
        registry,
        identifier,
        version,
        stdio,
        runtime: package.get("runtimeHint")?.map(|it| it.word(50)).transpose()?,
        runtime_arguments: arguments(package, "runtimeArguments")?,
        arguments: arguments(package, "packageArguments")?,
        variables,
    })
}

fn transport<'a>(transport: &Field<'a>, kinds: &[&'a str]) -> Result<&'a str, Error> {
    let kind = transport.need("type")?.one_of(kinds)?;
    for header in transport.list("headers")? {
        header.need("name")?.word(200)?;
        Input::read(&header)?;
    }
    if kind != "stdio" {
        transport.need("url")?.url()?;
    }
    Ok(kind)
}

fn arguments(package: &Field, key: &str) -> Result<Vec<String>, Error> {
    let words = package.list(key)?.iter().map(argument).collect::<Result<Vec<_>, Error>>()?;
    Ok(words.concat())
}

/// The words that an argument puts on the command line: none for one that is optional and has no value.
fn argument(field: &Field) -> Result<Vec<String>, Error> {
    let named = field.need("type")?.one_of(&["named", "positional"])? == "named";
    let input = Input::read(field)?;
    if !named {
        if field.get("value")?.is_none() && field.get("valueHint")?.is_none() {
            return Err(field.wrong("must have `value` or `valueHint`"));
        }
        return Ok(input.on_a_command_line(field)?.into_iter().collect());
    }
    let name = field.need("name")?.text(200)?;
    let value = input.on_a_command_line(field)?;
    Ok(match value.as_deref() {
        // A switch: it is there, or it is not.
        Some("") => vec![name],
        Some("true") if input.boolean => vec![name],
        Some("false") if input.boolean => Vec::new(),
        Some(value) => vec![name, value.to_owned()],
        None => Vec::new(),
    })
}

fn variable(field: &Field) -> Result<Variable, Error> {
    let name = field.need("name")?;
    let text = name.word(100)?;
    if !is_variable_name(&text) {
        return Err(name.wrong("must be letters, digits and `_`, not beginning with a digit"));
    }
    let input = Input::read(field)?;
    if input.is_secret() && input.value().is_some() {
        return Err(field.wrong("is a secret, so the file must not hold its `value` or `default`"));
    }
    Ok(Variable {
        name: text,
        fixed: if input.fixed.is_some() { input.value() } else { None },
        default: if input.fixed.is_none() { input.value() } else { None },
        secret: input.is_secret(),
        required: input.required,
        choices: input.choices,
    })
}

/// Whether it can be an environment variable: letters, digits and `_`, not beginning with a digit.
pub(crate) fn is_variable_name(text: &str) -> bool {
    let known = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    known && !text.starts_with(|c: char| c.is_ascii_digit()) && !text.is_empty()
}
