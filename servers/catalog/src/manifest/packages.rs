//! `packages` of a `server.json`: each read alone, so that one that is not used refuses nothing.
//!
//! JSON list -> `Listed`. Invariant: what is read is right as a whole, and what cannot be read says why.

use super::arguments::{self, Arguments};
use super::field::Field;
use super::input::{Filled, Input};
use super::version::{is_exact_npm, is_exact_pypi};
use super::{Variable, is_variable_name};
use crate::error::Error;
use crate::excerpt::{excerpt, quoted};

/// Packages, and environment variables of one.
const MAX_PACKAGES: usize = 64;
const MAX_VARIABLES: usize = 256;

/// One item of `packages`.
#[derive(Debug)]
pub(crate) struct Listed {
    /// `npm`, `pypi`, `oci`, or whatever stands there.
    pub(crate) registry: String,
    /// As it stands in messages: `npm package "it"`.
    pub(crate) shown: String,
    pub(crate) package: Result<Package, Error>,
}

#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) identifier: String,
    /// Always there for `npm` and `pypi`.
    pub(crate) version: Option<String>,
    /// Whether it speaks MCP on stdin and stdout.
    pub(crate) stdio: bool,
    /// For the program that the registry would start it with: `npx`, `uvx`, `node`, ..
    pub(crate) runtime: Option<String>,
    pub(crate) runtime_arguments: Arguments,
    /// The server's own, as they stand on its command line.
    pub(crate) arguments: Arguments,
    pub(crate) variables: Vec<Variable>,
    pub(crate) notes: Vec<String>,
}

/// All of them.
pub(super) fn read(root: &Field) -> Result<Vec<Listed>, Error> {
    let all = root.list("packages")?;
    if all.len() > MAX_PACKAGES {
        return Err(root.child("packages").wrong(&format!("must have at most {MAX_PACKAGES} items")));
    }
    Ok(all.iter().map(listed).collect())
}

fn listed(field: &Field) -> Listed {
    let text = |key| field.get(key).ok().flatten().and_then(|it| it.value.as_str()).unwrap_or_default();
    let registry = Some(text("registryType")).filter(|it| !it.is_empty()).unwrap_or(text("registry_name"));
    let identifier = Some(text("identifier")).filter(|it| !it.is_empty()).unwrap_or(text("name"));
    let kind =
        if registry.is_empty() { "?".to_owned() } else { excerpt(&registry.escape_debug().to_string()) };
    Listed {
        registry: registry.to_owned(),
        shown: format!("{kind} package {}", quoted(identifier)),
        package: package(field),
    }
}

fn package(package: &Field) -> Result<Package, Error> {
    // `registry_name` and `name`: as in the drafts before the first version.
    let registry = match package.get("registry_name")? {
        Some(old) if package.get("registryType")?.is_none() => old,
        _ => package.need("registryType")?,
    }
    .word(50)?;
    let field = match package.get("identifier")? {
        None if package.get("registry_name")?.is_some() => package.need("name")?,
        _ => package.need("identifier")?,
    };
    let identifier = match registry.as_str() {
        "npm" => field.npm_name()?,
        "pypi" => field.pypi_name()?,
        _ => field.word(500)?,
    };
    let version = package.get("version")?;
    let version = match registry.as_str() {
        "npm" => version.map(|it| it.package_version(is_exact_npm)),
        "pypi" => version.map(|it| it.package_version(is_exact_pypi)),
        _ => version.map(|it| it.version()),
    };
    let version = version.transpose()?;
    let tag = identifier.rsplit('/').next().and_then(|last| last.split_once([':', '@'])).map(|(_, tag)| tag);
    match registry.as_str() {
        "oci" if version.is_none() && matches!(tag, None | Some("latest")) => {
            return Err(field.wrong("must end with an exact tag or digest, as in `name:1.0.0`"));
        }
        "npm" | "pypi" if version.is_none() => return Err(package.wrong("must have `version`")),
        _ => {}
    }
    let mut notes = Vec::new();
    let stdio = match package.get("transport")? {
        Some(transport) => transport.need("type")?.string(50)? == "stdio",
        None => {
            notes
                .push(format!("{} has no `transport`, so it is taken for one of stdio", quoted(&identifier)));
            true
        }
    };
    let variables = package.list("environmentVariables")?;
    if variables.len() > MAX_VARIABLES {
        let rule = format!("must have at most {MAX_VARIABLES} items");
        return Err(package.child("environmentVariables").wrong(&rule));
    }
    Ok(Package {
        version,
        stdio,
        runtime: package.get("runtimeHint")?.map(|it| it.word(50)).transpose()?,
        runtime_arguments: arguments::read(package, "runtimeArguments")?,
        arguments: arguments::read(package, "packageArguments")?,
        variables: variables.iter().map(|it| variable(it, &mut notes)).collect::<Result<_, _>>()?,
        identifier,
        notes,
    })
}

fn variable(field: &Field, notes: &mut Vec<String>) -> Result<Variable, Error> {
    let name = field.need("name")?;
    let text = name.word(100)?;
    if !is_variable_name(&text) {
        return Err(name.wrong("must be letters, digits and `_`, not beginning with a digit"));
    }
    let input = Input::read(field)?;
    let (value, lacks) = match input.fill(field)? {
        Filled::Text(_) if input.is_secret() => {
            return Err(field.wrong("is a secret, so the file must not hold its `value` or `default`"));
        }
        Filled::Text(value) => (Some(value), false),
        Filled::Nothing => (None, false),
        Filled::Unknown { place, required, secret } => {
            if !secret {
                let left = field.wrong(&format!("has no value: nothing says what {place} stands for"));
                notes.push(format!("{left}; {text} can be given in drydock.toml, under `[env]`"));
            }
            (None, required)
        }
    };
    Ok(Variable {
        name: text,
        secret: input.is_secret(),
        required: input.required || lacks,
        default: value.clone().filter(|_| input.fixed.is_none()),
        fixed: value.filter(|_| input.fixed.is_some()),
        choices: input.choices,
    })
}
