//! What a server's folder and manifest say is to be run: a crate, a package of a registry, or files of its own.
//!
//! Folder + manifest -> kind + `Program`. Invariant: a folder's own program comes before one that its manifest names,
//! and a package has an exact version.

use std::fs;
use std::path::Path;

use crate::error::{Error, io};
use crate::manifest::{Manifest, Package, Variable};
use crate::server::Kind;

/// What the bridge starts. Nothing of it matters for a Rust server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// From npm or PyPI; without one it is the folder's own.
    pub package: Option<Pinned>,
    /// The folder's Python file that is run.
    pub file: Option<String>,
    /// For the interpreter.
    pub runtime: Vec<String>,
    /// For the program itself.
    pub args: Vec<String>,
    /// Arguments for `npx` or `uvx`, which nobody runs.
    pub ignored: Vec<String>,
}

/// A package of a registry, with the one version that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// As the registry calls it.
    pub name: String,
    /// One exact version.
    pub version: String,
}

pub(crate) fn of(dir: &Path, manifest: &Manifest) -> Result<(Kind, Program), Error> {
    let holds = |file: &str| dir.join(file).is_file();
    let package = |registry: &str| {
        let all = || manifest.packages.iter().filter(|it| it.registry == registry);
        all().find(|it| it.stdio).or_else(|| all().next())
    };
    if holds("Cargo.toml") {
        Ok((Kind::Rust, Program::default()))
    } else if holds("package.json") {
        Ok((Kind::Node, own_node(dir, package("npm"))?))
    } else if holds("pyproject.toml") {
        Ok((Kind::Python, Program { args: words(manifest), ..Program::default() }))
    } else if holds("requirements.txt") {
        let file = Some(python_file(dir)?);
        Ok((Kind::Python, Program { file, args: words(manifest), ..Program::default() }))
    } else if let Some(package) = package("npm") {
        Ok((Kind::Node, installed(package)?))
    } else if let Some(package) = package("pypi") {
        Ok((Kind::Python, installed(package)?))
    } else {
        let hint = "give it a Cargo.toml, package.json, pyproject.toml or requirements.txt, or name an npm or pypi \
                    package in server.json";
        Err(Error::new("it holds no program").with_hint(hint))
    }
}

/// Those of the package that is run; of all packages where the program is the folder's own.
pub(crate) fn variables(program: &Program, packages: Vec<Package>) -> Vec<Variable> {
    let run = |it: &Package| program.package.as_ref().is_none_or(|pinned| pinned.name == it.identifier);
    packages.into_iter().filter(run).flat_map(|it| it.variables).collect()
}

fn installed(package: &Package) -> Result<Program, Error> {
    if !package.stdio {
        let problem = format!("{} speaks MCP over HTTP only", package.identifier);
        return Err(Error::new(problem).with_hint("take a package whose transport is stdio"));
    }
    let version = package.version.clone().ok_or_else(|| Error::new("the package has no version"))?;
    let harmless = |it: &&String| !["-y", "--yes", "-q", "--quiet"].contains(&it.as_str());
    let interpreter = matches!(package.runtime.as_deref(), Some("node" | "python" | "python3"));
    let (runtime, ignored) = match interpreter {
        true => (package.runtime_arguments.clone(), Vec::new()),
        false => (Vec::new(), package.runtime_arguments.iter().filter(harmless).cloned().collect()),
    };
    let package_name = package.identifier.clone();
    Ok(Program {
        package: Some(Pinned { name: package_name, version }),
        file: None,
        runtime,
        args: package.arguments.clone(),
        ignored,
    })
}

/// A package.json of our own: its own program, or that of a package which it locks.
fn own_node(dir: &Path, package: Option<&Package>) -> Result<Program, Error> {
    let file = dir.join("package.json");
    let text = fs::read_to_string(&file).map_err(io("read", &file))?;
    let json: serde_json::Value = serde_json::from_str(&text)
        .map_err(|err| Error::new(format!("{}: not JSON", file.display())).with_source(err))?;
    let Some(package) = package else { return Ok(Program::default()) };
    let program = installed(package)?;
    let Some(wanted) = json["dependencies"].get(&package.identifier) else {
        return Ok(Program { package: None, ..program });
    };
    let version = program.package.as_ref().map(|it| it.version.as_str());
    if wanted.as_str() != version {
        let problem = format!("{}: {} is there as {wanted}", file.display(), package.identifier);
        return Err(Error::new(problem).with_hint("write the same exact version there and into server.json"));
    }
    Ok(program)
}

/// The arguments of the first package: a program of the folder's own has no other place for them.
fn words(manifest: &Manifest) -> Vec<String> {
    manifest.packages.first().map(|it| it.arguments.clone()).unwrap_or_default()
}

/// The only one, or the one with the usual name.
fn python_file(dir: &Path) -> Result<String, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(io("list", dir))? {
        let name = entry.map_err(io("list", dir))?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".py") && !name.starts_with('.') {
            found.push(name);
        }
    }
    found.sort();
    let usual = ["server.py", "main.py", "__main__.py"];
    match (found.as_slice(), usual.iter().find(|it| found.iter().any(|name| name == *it))) {
        ([], _) => Err(Error::new("it has a requirements.txt and no Python file")),
        ([only], _) => Ok(only.clone()),
        (_, Some(usual)) => Ok((*usual).to_owned()),
        (_, None) => {
            let problem = format!("which of {} is the server?", found.join(", "));
            Err(Error::new(problem)
                .with_hint("call it server.py, put the others into a folder, or write a pyproject.toml"))
        }
    }
}
