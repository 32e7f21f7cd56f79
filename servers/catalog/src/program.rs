//! What a server's folder and manifest say is to be run: a crate, a package of a registry, or files of its own.
//!
//! Folder + manifest -> `Chosen`. Invariants: a folder's own program comes before one that its manifest names; a package has
//! an exact version; what is left out of a manifest is told, and refuses nothing.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::error::{Error, io};
use crate::excerpt::quoted;
use crate::launcher::{self, LauncherArguments};
use crate::manifest::{Listed, Manifest, MissingArgument, Package, Variable};
use crate::server::Kind;

/// What the bridge starts. Nothing of it matters for a Rust server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// From npm or PyPI; without one it is the folder's own.
    pub package: Option<Pinned>,
    /// The package's extras, of PyPI.
    pub extras: Vec<String>,
    /// What is installed beside the package, from PyPI.
    pub with: Vec<Requirement>,
    /// Which of the package's programs is started; without one it is that of its own name, or the only one.
    pub script: Option<String>,
    /// The version of Python that it asks for, as `3.13`.
    pub python: Option<String>,
    /// The folder's Python file that is run.
    pub file: Option<String>,
    /// For the interpreter.
    pub runtime: Vec<String>,
    /// For the program itself.
    pub args: Vec<String>,
}

/// A package of a registry, with the one version that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// As the registry calls it.
    pub name: String,
    /// One exact version.
    pub version: String,
}

/// A package of PyPI, as a line of a requirements.txt; `Display` is that line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// As the registry calls it.
    pub name: String,
    /// Parts of it that are installed, too.
    pub extras: Vec<String>,
    /// As in `==1.0`; it may be empty.
    pub version: String,
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extras =
            if self.extras.is_empty() { String::new() } else { format!("[{}]", self.extras.join(",")) };
        write!(f, "{}{extras}{}", self.name, self.version)
    }
}

impl Program {
    /// What is installed from PyPI: the package itself first.
    #[must_use]
    pub fn requirements(&self) -> Vec<Requirement> {
        let package = self.package.iter().map(|it| Requirement {
            name: it.name.clone(),
            extras: self.extras.clone(),
            version: format!("=={}", it.version),
        });
        package.chain(self.with.iter().cloned()).collect()
    }
}

/// What is run, and what is to be said of it.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) kind: Kind,
    pub(crate) program: Program,
    /// Those of the package that is run.
    pub(crate) variables: Vec<Variable>,
    /// What it does not start without.
    pub(crate) wanted: Vec<MissingArgument>,
    pub(crate) notes: Vec<String>,
}

impl Chosen {
    pub(crate) fn bare(kind: Kind) -> Self {
        let (program, variables) = (Program::default(), Vec::new());
        Self { kind, program, variables, wanted: Vec::new(), notes: Vec::new() }
    }

    /// What the publisher requires, where the person's `args` do not hold it.
    pub(crate) fn check_wanted(&self, args: &[String]) -> Result<(), Error> {
        let Some(wanted) = self.wanted.iter().find(|it| !it.is_among(args)) else { return Ok(()) };
        let words: Vec<_> = wanted.example.iter().map(|it| quoted(it)).collect();
        let about =
            wanted.description.as_ref().map(|it| format!(" (its publisher: {it})")).unwrap_or_default();
        let words = words.join(", ");
        let hint = format!("say what it is in drydock.toml, beside server.json: args = [{words}]{about}");
        Err(Error::new(wanted.problem.clone()).with_hint(hint))
    }
}

pub(crate) fn of(dir: &Path, manifest: &mut Manifest) -> Result<Chosen, Error> {
    let holds = |file: &str| dir.join(file).is_file();
    let packages = std::mem::take(&mut manifest.packages);
    if holds("Cargo.toml") {
        check_identifiers(dir, &manifest.version, &packages)?;
        let (package, notes) = own_package(packages, "cargo")?;
        let variables = package.map(|it| it.variables).unwrap_or_default();
        Ok(Chosen { variables, notes, ..Chosen::bare(Kind::Rust) })
    } else if holds("package.json") {
        let (package, notes) = own_package(packages, "npm")?;
        own_node(dir, package, notes)
    } else if holds("pyproject.toml") {
        own_python(packages, None)
    } else if holds("requirements.txt") {
        own_python(packages, Some(python_file(dir)?))
    } else {
        from_registry(packages, manifest.remotes)
    }
}

/// A crate of this workspace is published under its own name: an identifier that was copied from another server's file would
/// be that one's.
fn check_identifiers(dir: &Path, version: &str, packages: &[Listed]) -> Result<(), Error> {
    let folder = dir.file_name().unwrap_or_default().to_string_lossy();
    let image = image(&folder, version);
    for package in packages.iter().filter_map(|it| Some((&it.registry, it.package.as_ref().ok()?))) {
        let (registry, found) = (package.0.as_str(), package.1.identifier.as_str());
        let expected = match registry {
            "cargo" => crate_name(dir)?,
            "oci" if found.starts_with("drydock/") => Some(image.clone()),
            _ => None,
        };
        if let Some(expected) = expected.filter(|it| it != found) {
            let problem = format!("its server.json calls its {registry} package {}", quoted(found));
            return Err(Error::new(problem).with_hint(format!("its own `identifier` is {expected}")));
        }
    }
    Ok(())
}

/// The image's tag: `drydock/NAME:VERSION`.
pub(crate) fn image(name: &str, version: &str) -> String {
    format!("drydock/{name}:{}", version.replace('+', "_")) // a tag holds no `+`
}

/// As its Cargo.toml says.
fn crate_name(dir: &Path) -> Result<Option<String>, Error> {
    let file = dir.join("Cargo.toml");
    let text = fs::read_to_string(&file).map_err(io("read", &file))?;
    let cargo: toml::Table = text.parse().map_err(|err: toml::de::Error| {
        Error::new(format!("cannot read {}", file.display())).with_source(err)
    })?;
    let name = cargo.get("package").and_then(|it| it.get("name")?.as_str());
    Ok(name.map(str::to_owned))
}

/// The package that a folder with a program of its own is published as: the first of its kind of registry, or else the
/// first. That one must be right, the others are nobody's.
fn own_package(mut packages: Vec<Listed>, registry: &str) -> Result<(Option<Package>, Vec<String>), Error> {
    if packages.is_empty() {
        return Ok((None, Vec::new()));
    }
    let own = |it: &Listed| it.registry == registry;
    let is_stdio = |it: &Listed| it.package.as_ref().is_ok_and(|it| it.stdio);
    let at = packages.iter().position(|it| own(it) && is_stdio(it));
    let at = at.or_else(|| packages.iter().position(own)).unwrap_or(0);
    let mut package = packages.swap_remove(at).package?;
    let notes = std::mem::take(&mut package.notes);
    Ok((Some(package), notes))
}

/// The first package that can be run, with what is said of the others.
fn from_registry(packages: Vec<Listed>, remotes: usize) -> Result<Chosen, Error> {
    let (mut chosen, mut first_problem): (Option<Chosen>, Option<Error>) = (None, None);
    let (mut left, mut taken) = (Vec::new(), String::new());
    for it in packages {
        let kind = match it.registry.as_str() {
            "npm" => Kind::Node,
            "pypi" => Kind::Python,
            _ => {
                left.push(it.shown);
                continue;
            }
        };
        if chosen.is_some() {
            left.push(it.shown);
            continue;
        }
        match it.package.and_then(|package| installed(package, kind)) {
            Ok(good) => {
                taken.clone_from(&it.shown);
                chosen = Some(good);
            }
            Err(problem) => {
                left.push(format!("{} ({problem})", it.shown));
                first_problem.get_or_insert(problem);
            }
        }
    }
    left.extend(match remotes {
        0 => None,
        1 => Some("a remote server".to_owned()),
        several => Some(format!("{several} remote servers")),
    });
    match (chosen, first_problem) {
        (Some(mut chosen), _) => {
            if !left.is_empty() {
                chosen.notes.insert(0, format!("takes its {taken}, and leaves out {}", left.join(", ")));
            }
            Ok(chosen)
        }
        (None, Some(problem)) => Err(problem),
        (None, None) => Err(nothing_to_run(&left)),
    }
}

fn nothing_to_run(named: &[String]) -> Error {
    let what = match named {
        [] => "it holds no program, and its server.json names none".to_owned(),
        named => format!("it holds no program that Drydock runs: its server.json names {}", named.join(", ")),
    };
    let hint = "Drydock runs packages from npm and PyPI that speak MCP over stdio, and what the folder itself holds: a \
                Cargo.toml, package.json, pyproject.toml or requirements.txt; images, bundles and remote servers it does \
                not";
    Error::new(what).with_hint(hint)
}

fn installed(package: Package, kind: Kind) -> Result<Chosen, Error> {
    if !package.stdio {
        let problem = format!("{} speaks MCP over HTTP only", package.identifier);
        return Err(Error::new(problem).with_hint("take a package whose transport is stdio"));
    }
    let version = package.version.clone().ok_or_else(|| Error::new("the package has no version"))?;
    let LauncherArguments { runtime, args, extras, with, script, python, wanted, notes } =
        launcher::read(&package, kind == Kind::Python)?;
    let package_name = package.identifier;
    let pinned = Some(Pinned { name: package_name, version });
    let program = Program { package: pinned, extras, with, script, python, file: None, runtime, args };
    let notes = package.notes.into_iter().chain(notes).collect();
    Ok(Chosen { kind, program, variables: package.variables, wanted, notes })
}

/// A package.json of our own: its own program, or that of a package which it locks.
fn own_node(dir: &Path, package: Option<Package>, notes: Vec<String>) -> Result<Chosen, Error> {
    let file = dir.join("package.json");
    let text = fs::read_to_string(&file).map_err(io("read", &file))?;
    let json: serde_json::Value = serde_json::from_str(&text)
        .map_err(|err| Error::new(format!("{}: not JSON", file.display())).with_source(err))?;
    let Some(package) = package else { return Ok(Chosen { notes, ..Chosen::bare(Kind::Node) }) };
    let name = package.identifier.clone();
    let Some(wanted) = json["dependencies"].get(&name) else {
        return Ok(own_program(Kind::Node, package, notes));
    };
    let mut chosen = installed(package, Kind::Node)?;
    chosen.notes.splice(0..0, notes);
    let version = chosen.program.package.as_ref().map(|it| it.version.as_str());
    if wanted.as_str() != version {
        let problem = format!("{}: {name} is there as {wanted}", file.display());
        return Err(Error::new(problem).with_hint("write the same exact version there and into server.json"));
    }
    Ok(chosen)
}

fn own_python(packages: Vec<Listed>, file: Option<String>) -> Result<Chosen, Error> {
    let (package, notes) = own_package(packages, "pypi")?;
    let mut chosen = match package {
        Some(package) => own_program(Kind::Python, package, notes),
        None => Chosen { notes, ..Chosen::bare(Kind::Python) },
    };
    chosen.program.file = file;
    Ok(chosen)
}

/// A program of the folder's own, started with the arguments of the package that it is published as.
fn own_program(kind: Kind, package: Package, mut notes: Vec<String>) -> Chosen {
    notes.extend(package.arguments.notes);
    let words = package.runtime_arguments.words;
    let for_node = kind == Kind::Node && package.runtime.as_deref() == Some("node");
    if !for_node && words.iter().any(|it| !launcher::is_harmless(it)) {
        let shown = quoted(&words.join(" "));
        notes.push(format!("leaves out its `runtimeArguments` {shown}: the folder's own program is run"));
    }
    let runtime = if for_node { words } else { Vec::new() };
    let program = Program { args: package.arguments.words, runtime, ..Program::default() };
    Chosen { kind, program, variables: package.variables, wanted: package.arguments.wanted, notes }
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
