//! The servers of this workspace: every folder under `servers/` that holds a `server.json`; and the bases under `docker/`.
//!
//! Folders -> `Server`s, by name. Invariant: a `Server` is valid: its name, version and variables can stand in any
//! argument vector as they are.

mod limits;
mod program;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

pub(crate) use self::limits::Limits;
pub(crate) use self::program::Program;
use crate::fixable::{fixable, nearest};
use crate::manifest::{self, Variable};
use crate::progress;

/// The base settings that every Rust server takes from its library, besides those in its `server.json`.
const KIT: [&str; 6] =
    ["MCP_LOG", "MCP_LOG_FORMAT", "MCP_STALL_TIMEOUT", "MCP_CALL_TIMEOUT", "MCP_MAX_CALLS", SESSIONS];
/// And those that every other server takes from the bridge.
const BRIDGE: [&str; 5] = ["MCP_LOG", "MCP_LOG_FORMAT", "MCP_STALL_TIMEOUT", SESSIONS, WARM];
/// How many sessions a server takes before it refuses more.
const SESSIONS: &str = "MCP_MAX_SESSIONS";
/// How many children the bridge keeps started and waiting.
const WARM: &str = "MCP_WARM";
/// The images to run any package by hand, under `docker/`.
const BASES: [(&str, Kind); 2] = [("node", Kind::Node), ("python", Kind::Python)];

#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// The folder's name.
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) kind: Kind,
    /// A runtime with a shell and no server of its own.
    pub(crate) base: bool,
    /// The registry's name, `namespace/name`.
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) version: String,
    /// The repository's URL.
    pub(crate) source: Option<String>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) program: Program,
    pub(crate) limits: Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Rust,
    Node,
    Python,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Rust => "rust",
            Kind::Node => "node",
            Kind::Python => "python",
        }
    }
}

/// Every server, ordered by name; one whose `server.json` is wrong is an error.
pub(crate) fn load(root: &Path) -> Result<Vec<Server>> {
    folders(root)?.iter().map(|it| server(root, it)).collect()
}

/// The servers that are described as they should be, and what is wrong with the others.
pub(crate) fn survey(root: &Path) -> Result<(Vec<Server>, Vec<anyhow::Error>)> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for dir in folders(root)? {
        match server(root, &dir) {
            Ok(it) => good.push(it),
            Err(problem) => bad.push(problem),
        }
    }
    Ok((good, bad))
}

/// As `survey`; says what is left out.
pub(crate) fn known(root: &Path) -> Result<Vec<Server>> {
    let (good, bad) = survey(root)?;
    for problem in bad {
        progress::say(&format!("left out: {problem:#}"));
    }
    Ok(good)
}

/// The folders of servers, ordered by name.
fn folders(root: &Path) -> Result<Vec<PathBuf>> {
    let folder = root.join("servers");
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let dir = entry?.path();
        if dir.join("server.json").is_file() {
            found.push(dir);
        }
    }
    found.sort();
    Ok(found)
}

/// The bases of this workspace.
pub(crate) fn bases(root: &Path) -> Result<Vec<Server>> {
    let known = BASES.into_iter().map(|(name, kind)| (root.join("docker").join(name), kind));
    known
        .filter(|(dir, _)| dir.join("server.json").is_file())
        .map(|(dir, kind)| base(root, &dir, kind))
        .collect()
}

/// The servers of these names, whatever is wrong with others; all of them when there are none.
pub(crate) fn pick(root: &Path, names: &[String]) -> Result<Vec<Server>> {
    choose(root, &[], names).map_err(|problem| match bases(root) {
        Ok(bases) if bases.iter().any(|it| names.contains(&it.name)) => {
            let hint =
                "it runs any command: cargo xtask install-client ID --container mcp-NAME -- npx -y PACKAGE";
            fixable(format!("{problem:#}: that is a base, which has no server of its own"), hint)
        }
        _ => problem,
    })
}

/// As `pick`, and bases by their names.
pub(crate) fn pick_with_bases(root: &Path, names: &[String]) -> Result<Vec<Server>> {
    choose(root, &bases(root)?, names)
}

fn choose(root: &Path, bases: &[Server], names: &[String]) -> Result<Vec<Server>> {
    if names.is_empty() {
        return load(root);
    }
    let folders = folders(root)?;
    let named = |it: &&PathBuf, name: &str| it.file_name().is_some_and(|it| it == name);
    let mut picked: Vec<Server> = Vec::new();
    for name in names.iter().enumerate().filter(|(i, it)| !names[..*i].contains(it)).map(|it| it.1) {
        picked.push(
            match (folders.iter().find(|it| named(it, name)), bases.iter().find(|it| it.name == *name)) {
                (Some(dir), _) => server(root, dir)?,
                (None, Some(base)) => base.clone(),
                (None, None) => return Err(unknown(name, &folders, bases)),
            },
        );
    }
    Ok(picked)
}

/// Whether there are servers of these names, however they are described.
pub(crate) fn check_names(root: &Path, names: &[String]) -> Result<()> {
    let folders = folders(root)?;
    match names.iter().find(|name| !folders.iter().any(|it| it.ends_with(name))) {
        Some(name) => Err(unknown(name, &folders, &[])),
        None => Ok(()),
    }
}

fn unknown(name: &str, folders: &[PathBuf], bases: &[Server]) -> anyhow::Error {
    let servers: Vec<_> = folders.iter().filter_map(|it| it.file_name()?.to_str()).collect();
    let mut hint = format!("the servers of this workspace: {}", servers.join(", "));
    if !bases.is_empty() {
        let bases: Vec<_> = bases.iter().map(|it| it.name.as_str()).collect();
        hint.push_str(&format!("; and the bases: {}", bases.join(", ")));
    }
    let known = servers.iter().copied().chain(bases.iter().map(|it| it.name.as_str()));
    if let Some(near) = nearest(name, known) {
        hint = format!("did you mean `{near}`? T{}", &hint[1..]);
    }
    fixable(format!("there is no server {name:?}"), hint)
}

/// What engine `host` can run: servers in Rust. Another that was named is an error, one that was not is left out.
pub(crate) fn on_host(servers: Vec<Server>, named: bool) -> Result<Vec<Server>> {
    let (rust, others): (Vec<_>, Vec<_>) = servers.into_iter().partition(|it| it.kind == Kind::Rust);
    match others.first() {
        Some(first) if named => Err(first.needs_a_container()),
        _ => {
            let names: Vec<_> = others.iter().map(|it| it.name.as_str()).collect();
            if !names.is_empty() {
                progress::say(&format!("left out, as they run in containers only: {}", names.join(", ")));
            }
            Ok(rust)
        }
    }
}

/// What every image but those of Rust servers has as `/mcp`, in the shape of a server that can be compiled.
pub(crate) fn bridge(root: &Path) -> Result<Server> {
    let file = root.join("Cargo.toml");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let manifest: toml::Table = text.parse().with_context(|| format!("cannot read {}", file.display()))?;
    let version = manifest.get("workspace").and_then(|it| it.get("package")?.get("version")?.as_str());
    Ok(Server {
        name: "bridge".to_owned(),
        dir: root.join("servers/bridge"),
        kind: Kind::Rust,
        base: false,
        id: "dev.drydock/bridge".to_owned(),
        title: "Bridge".to_owned(),
        description: "/mcp for servers that are not Drydock's own".to_owned(),
        version: version.with_context(|| format!("{} has no version", file.display()))?.to_owned(),
        source: None,
        variables: Vec::new(),
        program: Program::default(),
        limits: Kind::Rust.limits(&manifest::Settings::default()),
    })
}

impl Server {
    pub(crate) fn image(&self) -> String {
        format!("drydock/{}:{}", self.name, self.version.replace('+', "_")) // a tag holds no `+`
    }

    pub(crate) fn container(&self, prefix: &str) -> String {
        format!("{prefix}mcp-{}", self.name)
    }

    /// Why engine `host` cannot run it.
    pub(crate) fn needs_a_container(&self) -> anyhow::Error {
        fixable(
            format!("`{}` is a {} server, which runs in a container only", self.name, self.kind.name()),
            "start a container engine and leave `--engine host` away",
        )
    }

    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Variable> {
        self.variables.iter().filter(|it| it.secret)
    }

    /// The environment of a container: fixed values, then what the person set, then defaults that are not empty.
    pub(crate) fn environment(&self, set: &[(String, String)]) -> Result<Vec<(String, String)>> {
        for (i, (name, value)) in set.iter().enumerate() {
            self.accepts(name, value)?;
            if set[..i].iter().any(|(earlier, _)| earlier == name) {
                bail!("{name} is set twice");
            }
        }
        let mut all: Vec<(String, String)> = set.to_vec();
        for it in self.variables.iter().filter(|it| !it.secret) {
            let value = it.fixed.as_ref().or(it.default.as_ref()).filter(|it| !it.is_empty());
            match value {
                Some(value) if !all.iter().any(|(name, _)| *name == it.name) => {
                    all.push((it.name.clone(), value.clone()));
                }
                None if it.required && !all.iter().any(|(name, _)| *name == it.name) => {
                    let hint = format!("cargo xtask up {} --env {}=VALUE", self.name, it.name);
                    return Err(fixable(format!("`{}` needs the variable {}", self.name, it.name), hint));
                }
                _ => {}
            }
        }
        let mut unless_set = |name: &str, value: u64| {
            if !all.iter().any(|(it, _)| it == name) {
                all.push((name.to_owned(), value.to_string()));
            }
        };
        unless_set(SESSIONS, self.limits.sessions);
        if self.kind != Kind::Rust && !self.base {
            unless_set(WARM, self.limits.warm);
        }
        all.sort();
        Ok(all)
    }

    /// Whether a person may set this variable to this value on the command line.
    fn accepts(&self, name: &str, value: &str) -> Result<()> {
        let variable = self.variables.iter().find(|it| it.name == name);
        let open =
            self.variables.iter().filter(|it| !it.secret && it.fixed.is_none()).map(|it| it.name.as_str());
        let kit: &[&str] = if self.kind == Kind::Rust { &KIT } else { &BRIDGE };
        let Some(variable) = variable else {
            if kit.contains(&name) {
                return plain(name, value);
            }
            let known: Vec<_> = open.chain(kit.iter().copied()).collect();
            let problem = format!("`{}` declares no variable {name:?}", self.name);
            return Err(fixable(problem, format!("it takes {}", known.join(", "))));
        };
        if variable.secret {
            bail!("{name} is a secret of `{}`: secrets never stand on a command line", self.name);
        }
        if variable.fixed.is_some() {
            bail!("{name} has a fixed value in the server.json of `{}`", self.name);
        }
        if !variable.choices.is_empty() && !variable.choices.iter().any(|it| it == value) {
            bail!("{name} must be one of {}", variable.choices.join(", "));
        }
        plain(name, value)
    }
}

fn plain(name: &str, value: &str) -> Result<()> {
    if value.chars().any(char::is_control) {
        bail!("the value of {name} holds control characters");
    }
    Ok(())
}

fn server(root: &Path, dir: &Path) -> Result<Server> {
    let shown = dir.strip_prefix(root).unwrap_or(dir);
    let name = dir.file_name().and_then(|it| it.to_str()).unwrap_or_default().to_owned();
    let good = !name.is_empty()
        && name.len() <= 32
        && !name.starts_with('-')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !good {
        bail!(
            "{}: a server's folder is named with at most 32 of a-z, 0-9 and `-`, not beginning with `-`",
            shown.display()
        );
    }
    if BASES.iter().any(|(base, _)| *base == name) {
        bail!("{}: `{name}` is the name of a base: call the server's folder otherwise", shown.display());
    }
    let manifest = manifest(root, dir)?;
    let (kind, program) = program::of(dir, &manifest)
        .with_context(|| format!("{}: cannot tell what to run", shown.display()))?;
    Ok(from(dir, name, kind, program, manifest))
}

fn base(root: &Path, dir: &Path, kind: Kind) -> Result<Server> {
    let name = dir.file_name().and_then(|it| it.to_str()).unwrap_or_default().to_owned();
    Ok(Server { base: true, ..from(dir, name, kind, Program::default(), manifest(root, dir)?) })
}

fn manifest(root: &Path, dir: &Path) -> Result<manifest::Manifest> {
    let file = dir.join("server.json");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    manifest::parse(file.strip_prefix(root).unwrap_or(&file), &text)
}

fn from(dir: &Path, name: String, kind: Kind, program: Program, manifest: manifest::Manifest) -> Server {
    let limits = kind.limits(&manifest.settings);
    Server {
        title: manifest.title.unwrap_or_else(|| name.clone()),
        name,
        dir: dir.to_path_buf(),
        kind,
        base: false,
        id: manifest.id,
        description: manifest.description,
        version: manifest.version,
        source: manifest.source,
        variables: program::variables(&program, manifest.packages),
        program,
        limits,
    }
}
