//! The servers of this workspace: every folder under `servers/` that holds a `server.json`.
//!
//! Folders -> `Server`s, by name. Invariant: a `Server` is valid: its name, version and variables can stand in any
//! argument vector as they are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::fixable::fixable;
use crate::manifest::{self, Network, Settings, Variable};

/// The base settings that every Rust server takes from its library, besides those in its `server.json`.
const KIT: [&str; 6] =
    ["MCP_LOG", "MCP_LOG_FORMAT", "MCP_STALL_TIMEOUT", "MCP_CALL_TIMEOUT", "MCP_MAX_CALLS", SESSIONS];
/// How many sessions a server takes before it refuses more.
const SESSIONS: &str = "MCP_MAX_SESSIONS";

#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// The folder's name.
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) kind: Kind,
    /// The registry's name, `namespace/name`.
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) version: String,
    /// The repository's URL.
    pub(crate) source: Option<String>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) limits: Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Rust,
    Node,
    Python,
}

/// What the sandbox lets the server have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Limits {
    pub(crate) network: Network,
    /// In bytes.
    pub(crate) memory: u64,
    pub(crate) cpus: f64,
    pub(crate) pids: u64,
    /// More are refused, so that those that are open keep their share.
    pub(crate) sessions: u64,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Rust => "rust",
            Kind::Node => "node",
            Kind::Python => "python",
        }
    }

    /// The strict default, with what the manifest sets instead.
    fn limits(self, set: &Settings) -> Limits {
        let (memory, pids) = match self {
            Kind::Rust => (256 << 20, 256),
            Kind::Node | Kind::Python => (1 << 30, 512),
        };
        let (memory, pids) = (set.memory.unwrap_or(memory), set.pids.unwrap_or(pids));
        // Measured, idle: 0.6 MB and 1 thread in Rust, 69 MB and 7 threads in Node; a call takes more.
        let (share, threads) = match self {
            Kind::Rust => (2 << 20, 2),
            Kind::Node | Kind::Python => (80 << 20, 8),
        };
        Limits {
            network: set.network.unwrap_or(Network::None),
            memory,
            cpus: set.cpus.unwrap_or(1.0),
            pids,
            sessions: set.sessions.unwrap_or_else(|| (memory / share).min(pids / threads).max(1)),
        }
    }
}

/// Every server, ordered by name.
pub(crate) fn load(root: &Path) -> Result<Vec<Server>> {
    let folder = root.join("servers");
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let dir = entry?.path();
        if dir.join("server.json").is_file() {
            found.push(server(root, &dir)?);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// The servers of these names; all of them when there are none.
pub(crate) fn pick(root: &Path, names: &[String]) -> Result<Vec<Server>> {
    let all = load(root)?;
    if names.is_empty() {
        return Ok(all);
    }
    let mut picked: Vec<Server> = Vec::new();
    for name in names {
        let Some(server) = all.iter().find(|it| it.name == *name) else {
            let known: Vec<_> = all.iter().map(|it| it.name.as_str()).collect();
            let hint = format!("the servers of this workspace: {}", known.join(", "));
            return Err(fixable(format!("there is no server {name:?}"), hint));
        };
        if !picked.iter().any(|it| it.name == server.name) {
            picked.push(server.clone());
        }
    }
    Ok(picked)
}

impl Server {
    pub(crate) fn image(&self) -> String {
        format!("drydock/{}:{}", self.name, self.version.replace('+', "_")) // a tag holds no `+`
    }

    pub(crate) fn container(&self, prefix: &str) -> String {
        format!("{prefix}mcp-{}", self.name)
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
        if !all.iter().any(|(name, _)| name == SESSIONS) {
            all.push((SESSIONS.to_owned(), self.limits.sessions.to_string()));
        }
        all.sort();
        Ok(all)
    }

    /// Whether a person may set this variable to this value on the command line.
    fn accepts(&self, name: &str, value: &str) -> Result<()> {
        let variable = self.variables.iter().find(|it| it.name == name);
        let open =
            self.variables.iter().filter(|it| !it.secret && it.fixed.is_none()).map(|it| it.name.as_str());
        let kit: &[&str] = if self.kind == Kind::Rust { &KIT } else { &[] };
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
    let file = dir.join("server.json");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let manifest = manifest::parse(&shown.join("server.json"), &text)?;
    let kind = kind(dir, &manifest)
        .with_context(|| format!("{}: cannot tell what kind of server it is", shown.display()))?;
    Ok(Server {
        title: manifest.title.unwrap_or_else(|| name.clone()),
        name,
        dir: dir.to_path_buf(),
        kind,
        id: manifest.id,
        description: manifest.description,
        version: manifest.version,
        source: manifest.source,
        variables: manifest.packages.into_iter().flat_map(|it| it.variables).collect(),
        limits: kind.limits(&manifest.settings),
    })
}

fn kind(dir: &Path, manifest: &manifest::Manifest) -> Result<Kind> {
    let holds = |file: &str| dir.join(file).is_file();
    let named = |registry: &str| manifest.packages.iter().any(|it| it.registry == registry);
    if holds("Cargo.toml") {
        Ok(Kind::Rust)
    } else if holds("package.json") || named("npm") {
        Ok(Kind::Node)
    } else if holds("pyproject.toml") || holds("requirements.txt") || named("pypi") {
        Ok(Kind::Python)
    } else {
        let hint = "give it a Cargo.toml, a package.json, a pyproject.toml, or an npm or pypi package in server.json";
        Err(fixable("it holds no program", hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(folders: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (folder, manifest) in folders {
            let dir = root.path().join("servers").join(folder);
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join("Cargo.toml"), "").unwrap();
            fs::write(dir.join("server.json"), manifest).unwrap();
        }
        root
    }

    const WEATHER: &str = r#"{
        "name": "io.github.ana/weather", "description": "Weather", "version": "1.2.3+b4",
        "packages": [{
            "registryType": "cargo", "identifier": "weather", "transport": { "type": "stdio" },
            "environmentVariables": [
                { "name": "URL", "default": "https://example.com" },
                { "name": "UNITS", "choices": ["metric", "imperial"], "isRequired": true },
                { "name": "KEY", "isSecret": true }
            ]
        }]
    }"#;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect()
    }

    #[test]
    fn a_server_is_named_by_its_folder() {
        let root = workspace(&[("weather", WEATHER), ("abc-1", WEATHER)]);
        fs::create_dir_all(root.path().join("servers/kit")).unwrap();
        let all = load(root.path()).unwrap();
        assert_eq!(all.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["abc-1", "weather"]);
        assert_eq!(all[1].image(), "drydock/weather:1.2.3_b4");
        assert_eq!(all[1].container("t-"), "t-mcp-weather");
        assert_eq!(all[1].kind, Kind::Rust);
        assert_eq!(all[1].limits.network, Network::None, "strict by default");
    }

    #[test]
    fn names_that_could_be_flags_or_paths_are_refused() {
        for bad in ["-v", "Weather", "we ather", "wetter_1", &"a".repeat(33)] {
            let err = load(workspace(&[(bad, WEATHER)]).path()).unwrap_err();
            assert!(err.to_string().contains("a server's folder is named"), "{bad}: {err}");
        }
    }

    #[test]
    fn an_unknown_server_is_an_error_that_lists_the_known() {
        let root = workspace(&[("weather", WEATHER)]);
        let err = pick(root.path(), &["wether".into()]).unwrap_err();
        assert_eq!(crate::fixable::hints(&err), ["the servers of this workspace: weather"]);
        let twice = pick(root.path(), &["weather".into(), "weather".into()]).unwrap();
        assert_eq!(twice.len(), 1);
    }

    #[test]
    fn only_declared_open_variables_can_be_set() {
        let root = workspace(&[("weather", WEATHER)]);
        let server = load(root.path()).unwrap().remove(0);
        let set = pairs(&[("UNITS", "metric"), ("MCP_LOG", "debug")]);
        let expected = [
            ("MCP_LOG", "debug"),
            ("MCP_MAX_SESSIONS", "128"),
            ("UNITS", "metric"),
            ("URL", "https://example.com"),
        ];
        assert_eq!(server.environment(&set).unwrap(), pairs(&expected));
        for bad in [("UNITS", "kelvin"), ("KEY", "x"), ("LD_PRELOAD", "x"), ("URL", "a\nb")] {
            assert!(server.environment(&pairs(&[("UNITS", "metric"), bad])).is_err(), "{bad:?}");
        }
        assert!(server.environment(&[]).unwrap_err().to_string().contains("needs the variable UNITS"));
    }

    #[test]
    fn the_cap_on_sessions_fits_memory_and_pids() {
        let cap = |kind: Kind, memory: u64, pids| {
            kind.limits(&Settings { memory: Some(memory << 20), pids: Some(pids), ..Settings::default() })
                .sessions
        };
        assert_eq!(cap(Kind::Rust, 64, 1000), 32);
        assert_eq!(cap(Kind::Rust, 1024, 32), 16);
        assert_eq!(cap(Kind::Node, 256, 512), 3);
        assert_eq!(cap(Kind::Node, 16, 8), 1, "at least one");
    }
}
