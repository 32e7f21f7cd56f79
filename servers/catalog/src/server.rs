//! One server: what it is called, what is built for it, what it may do, and the environment of its container.
//!
//! Manifest + folder -> `Server`. Invariant: only variables that the manifest declares, and the settings of `/mcp` itself,
//! can be set; a secret never is.

use std::path::{Path, PathBuf};

use drydock_contract::env;

use crate::error::Error;
use crate::manifest::{Manifest, Variable};
use crate::program::{self, Program};
use crate::sandbox::Sandbox;

/// The settings that every Rust server takes from its library, besides those in its `server.json`.
const KIT_SETTINGS: [&str; 6] =
    [env::LOG, env::LOG_FORMAT, env::STALL_TIMEOUT, env::CALL_TIMEOUT, env::MAX_CALLS, env::MAX_SESSIONS];
/// And those that every other server takes from the bridge.
const BRIDGE_SETTINGS: [&str; 5] =
    [env::LOG, env::LOG_FORMAT, env::STALL_TIMEOUT, env::MAX_SESSIONS, env::WARM];

/// A server of the workspace, or a runtime image.
#[derive(Debug, Clone)]
pub struct Server {
    /// The folder's name: at most 32 of `a-z`, `0-9` and `-`.
    pub name: String,
    /// Its folder.
    pub dir: PathBuf,
    /// What it is written in.
    pub kind: Kind,
    /// A runtime image: a shell and package managers, and no server of its own.
    pub is_runtime: bool,
    /// The registry's name, `namespace/name`.
    pub id: String,
    /// As people call it.
    pub title: String,
    /// One sentence.
    pub description: String,
    /// One exact version.
    pub version: String,
    /// The repository's URL.
    pub source: Option<String>,
    /// The environment variables that it declares.
    pub variables: Vec<Variable>,
    /// What the bridge starts.
    pub program: Program,
    /// What its container may do.
    pub sandbox: Sandbox,
    /// Sessions at the same time. More are refused, so that those that are open keep their share.
    pub sessions: u64,
    /// Children started and waiting, where sessions are children of the bridge.
    pub warm: u64,
}

/// What a server is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A crate of this workspace, on `servers/kit`.
    Rust,
    /// A package from npm, or a folder with a `package.json`.
    Node,
    /// A package from PyPI, or a folder with a `pyproject.toml` or `requirements.txt`.
    Python,
}

impl Kind {
    /// `rust`, `node` or `python`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Rust => "rust",
            Kind::Node => "node",
            Kind::Python => "python",
        }
    }
}

impl Server {
    pub(crate) fn new(dir: &Path, name: String, kind: Kind, program: Program, manifest: Manifest) -> Self {
        let sandbox = kind.sandbox(&manifest.settings);
        let capacity = kind.capacity(&manifest.settings, &sandbox);
        Self {
            title: manifest.title.unwrap_or_else(|| name.clone()),
            name,
            dir: dir.to_path_buf(),
            kind,
            is_runtime: false,
            id: manifest.id,
            description: manifest.description,
            version: manifest.version,
            source: manifest.source,
            variables: program::variables(&program, manifest.packages),
            program,
            sandbox,
            sessions: capacity.sessions,
            warm: capacity.warm,
        }
    }

    /// The image's tag: `drydock/NAME:VERSION`.
    #[must_use]
    pub fn image(&self) -> String {
        format!("drydock/{}:{}", self.name, self.version.replace('+', "_")) // a tag holds no `+`
    }

    /// The container's name: `mcp-NAME` after the prefix.
    #[must_use]
    pub fn container(&self, prefix: &str) -> String {
        format!("{prefix}mcp-{}", self.name)
    }

    /// Why engine `host` cannot run it.
    #[must_use]
    pub fn needs_a_container(&self) -> Error {
        let problem =
            format!("`{}` is a {} server, which runs in a container only", self.name, self.kind.name());
        Error::new(problem)
            .with_hint("leave out `--engine host` and `--via host`; it needs a container engine")
    }

    /// The variables whose values are secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &Variable> {
        self.variables.iter().filter(|it| it.secret)
    }

    /// The environment of a container, ordered by name: fixed values, then what the person set, then defaults that are
    /// not empty.
    ///
    /// # Errors
    /// A variable is not declared, secret, fixed, set twice, has a value that the manifest excludes, or is required and
    /// has none.
    pub fn environment(&self, set: &[(String, String)]) -> Result<Vec<(String, String)>, Error> {
        for (i, (name, value)) in set.iter().enumerate() {
            self.check_variable(name, value)?;
            if set[..i].iter().any(|(earlier, _)| earlier == name) {
                return Err(Error::new(format!("{name} is set twice")));
            }
        }
        let mut all: Vec<(String, String)> = set.to_vec();
        for it in self.variables.iter().filter(|it| !it.secret) {
            let is_set = all.iter().any(|(name, _)| *name == it.name);
            match it.fixed.as_ref().or(it.default.as_ref()).filter(|it| !it.is_empty()) {
                Some(value) if !is_set => all.push((it.name.clone(), value.clone())),
                None if it.required && !is_set => {
                    let hint = format!("cargo xtask up {} --env {}=VALUE", self.name, it.name);
                    let problem = format!("`{}` needs the variable {}", self.name, it.name);
                    return Err(Error::new(problem).with_hint(hint));
                }
                _ => {}
            }
        }
        let mut default = |name: &str, value: u64| {
            if !all.iter().any(|(it, _)| it == name) {
                all.push((name.to_owned(), value.to_string()));
            }
        };
        default(env::MAX_SESSIONS, self.sessions);
        if self.kind != Kind::Rust && !self.is_runtime {
            default(env::WARM, self.warm);
        }
        all.sort();
        Ok(all)
    }

    /// Whether a person may set this variable to this value on the command line.
    fn check_variable(&self, name: &str, value: &str) -> Result<(), Error> {
        let settings: &[&str] = if self.kind == Kind::Rust { &KIT_SETTINGS } else { &BRIDGE_SETTINGS };
        let Some(variable) = self.variables.iter().find(|it| it.name == name) else {
            if settings.contains(&name) {
                return check_value(name, value);
            }
            let open = self.variables.iter().filter(|it| !it.secret && it.fixed.is_none());
            let known: Vec<_> = open.map(|it| it.name.as_str()).chain(settings.iter().copied()).collect();
            let problem = format!("`{}` declares no variable {name:?}", self.name);
            let hint = format!("it takes {}", known.join(", "));
            let known = known.into_iter().map(str::to_owned).collect();
            return Err(Error::unknown(problem, name, known).with_hint(hint));
        };
        if variable.secret {
            let problem =
                format!("{name} is a secret of `{}`: secrets never stand on a command line", self.name);
            return Err(Error::new(problem));
        }
        if variable.fixed.is_some() {
            let problem = format!("{name} has a fixed value in the server.json of `{}`", self.name);
            return Err(Error::new(problem));
        }
        if !variable.choices.is_empty() && !variable.choices.iter().any(|it| it == value) {
            return Err(Error::new(format!("{name} must be one of {}", variable.choices.join(", "))));
        }
        check_value(name, value)
    }
}

fn check_value(name: &str, value: &str) -> Result<(), Error> {
    if value.chars().any(char::is_control) {
        return Err(Error::new(format!("the value of {name} holds control characters")));
    }
    Ok(())
}
