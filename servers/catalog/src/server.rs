//! One server: what it is called, what is built for it, what it may do, and the environment of its container.
//!
//! Manifest + grants + folder -> `Server`. Invariant: on a command line only variables that the manifest or the person's
//! `drydock.toml` name, and the settings of `/mcp` itself, can be set; a secret never is.

use std::path::{Path, PathBuf};

use drydock_contract::env;

use crate::error::Error;
use crate::grants::Grants;
use crate::manifest::{self, Manifest, Variable};
use crate::program::{self, Chosen, Program};
use crate::sandbox::{Network, Sandbox};
use crate::settings;

/// The settings that every Rust server takes from its library, besides those in its `server.json`.
const KIT_SETTINGS: [&str; 7] = [
    env::LOG,
    env::LOG_FORMAT,
    env::STALL_TIMEOUT,
    env::CALL_TIMEOUT,
    env::MAX_CALLS,
    env::MAX_SESSIONS,
    env::ALLOW_PRIVATE,
];
/// And those that every other server takes from the bridge.
const BRIDGE_SETTINGS: [&str; 5] =
    [env::LOG, env::LOG_FORMAT, env::STALL_TIMEOUT, env::MAX_SESSIONS, env::WARM];
/// What `/mcp` is told by Drydock alone.
const NOT_SETTINGS: [&str; 4] = [env::SOCKET, env::CONFIG, env::HTTP, env::ARGS];

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
    /// Whether packages may run code while its image is built.
    pub install_scripts: bool,
    /// What the person adds to the program's arguments.
    pub args: Vec<String>,
    /// The variables that the person sets.
    pub env: Vec<(String, String)>,
    /// What its publisher asks for and the person has not answered, each as it would stand in `drydock.toml`. Shown, never
    /// taken.
    pub requests: Vec<String>,
    /// What of its `server.json` is left out, or read otherwise than it stands there, each in a sentence.
    pub notes: Vec<String>,
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

/// The name of a server's container: `mcp-NAME` after the prefix.
#[must_use]
pub fn container_name(prefix: &str, server: &str) -> String {
    format!("{prefix}mcp-{server}")
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
    pub(crate) fn new(dir: &Path, name: String, chosen: Chosen, manifest: Manifest, grants: Grants) -> Self {
        let Chosen { kind, program, mut variables, notes, wanted: _ } = chosen;
        let sandbox = kind.sandbox(&grants);
        let capacity = kind.capacity(&grants, &sandbox);
        let mut requests = manifest.requests;
        requests.extend(manifest::take_reserved(&mut variables));
        requests.retain(|it| !grants.answers(&it.key));
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
            variables,
            program,
            sandbox,
            sessions: capacity.sessions,
            warm: capacity.warm,
            install_scripts: grants.install_scripts,
            args: grants.args,
            env: grants.env,
            requests: requests.into_iter().map(|it| it.text).collect(),
            notes: manifest.notes.into_iter().chain(notes).collect(),
        }
    }

    /// What the person grants and adds beyond the strict default, each in a few words; nothing where nothing is.
    #[must_use]
    pub fn beyond_default(&self) -> Vec<String> {
        let strict = self.kind.sandbox(&Grants::default());
        let mut all = Vec::new();
        let mut say = |is_more: bool, what: String| all.extend(is_more.then_some(what));
        say(self.sandbox.network == Network::Internet, "network = \"internet\"".to_owned());
        say(self.sandbox.memory > strict.memory, format!("memory {} MiB", self.sandbox.memory >> 20));
        say(self.sandbox.cpus > strict.cpus, format!("{} cpus", self.sandbox.cpus));
        say(self.sandbox.pids > strict.pids, format!("{} pids", self.sandbox.pids));
        self.sandbox.volumes.iter().for_each(|it| say(true, format!("volume {} at {}", it.name, it.path)));
        let writable = self.sandbox.tmpfs.iter().filter(|it| !strict.tmpfs.contains(it));
        writable.for_each(|it| say(true, format!("writable {}", it.path)));
        say(self.install_scripts, "install-scripts".to_owned());
        say(!self.args.is_empty(), format!("args {}", quoted_words(&self.args)));
        let names: Vec<_> = self.env.iter().map(|(name, _)| name.as_str()).collect();
        say(!names.is_empty(), format!("env {}", names.join(" ")));
        all
    }

    /// The image's tag: `drydock/NAME:VERSION`. It is for people: every clone on an engine writes it.
    #[must_use]
    pub fn image(&self) -> String {
        program::image(&self.name, &self.version)
    }

    /// The tag of the image that this clone built: `drydock/NAME/WORKSPACE:VERSION`. No other clone writes it: a name holds no
    /// slash.
    #[must_use]
    pub fn own_image(&self, workspace: &str) -> String {
        program::image(&format!("{}/{workspace}", self.name), &self.version)
    }

    /// The container's name: `mcp-NAME` after the prefix.
    #[must_use]
    pub fn container(&self, prefix: &str) -> String {
        container_name(prefix, &self.name)
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

    /// The environment of a container, ordered by name: fixed values, then what the person set on the command line, then
    /// what stands in `drydock.toml`, then defaults that are not empty.
    ///
    /// # Errors
    /// A variable is not declared, secret, fixed, set twice, has a value that the manifest excludes, or is required and
    /// has none.
    pub fn environment(&self, set: &[(String, String)]) -> Result<Vec<(String, String)>, Error> {
        for (i, (name, value)) in set.iter().enumerate() {
            self.check_variable(name, value).map_err(Error::into_usage)?;
            if set[..i].iter().any(|(earlier, _)| earlier == name) {
                return Err(Error::new(format!("{name} is set twice")).into_usage());
            }
        }
        let mut all: Vec<(String, String)> = set.to_vec();
        let mut add = |name: &str, value: &str| {
            let is_set = all.iter().any(|(it, _)| it == name);
            all.extend((!is_set).then(|| (name.to_owned(), value.to_owned())));
        };
        for (name, value) in &self.env {
            self.check_granted(name, value)?;
            add(name, value);
        }
        for it in self.variables.iter().filter(|it| !it.secret) {
            match it.fixed.as_ref().or(it.default.as_ref()) {
                Some(value) if !value.is_empty() => add(&it.name, value),
                _ => {}
            }
        }
        add(env::MAX_SESSIONS, &self.sessions.to_string());
        if self.kind != Kind::Rust && !self.is_runtime {
            add(env::WARM, &self.warm.to_string());
        }
        if !self.args.is_empty() {
            add(env::ARGS, &serde_json::json!(self.args).to_string());
        }
        let has = |name: &str| all.iter().any(|(it, _)| it == name);
        if let Some(it) = self.variables.iter().find(|it| it.required && !it.secret && !has(&it.name)) {
            let hint = format!(
                "cargo xtask up {} --env {}=VALUE, or {} under [env] in {}",
                self.name,
                it.name,
                it.name,
                self.grants_file().display()
            );
            return Err(Error::new(format!("`{}` needs the variable {}", self.name, it.name)).with_hint(hint));
        }
        all.sort();
        Ok(all)
    }

    /// The settings that its `/mcp` takes.
    fn settings(&self) -> &'static [&'static str] {
        if self.kind == Kind::Rust { &KIT_SETTINGS } else { &BRIDGE_SETTINGS }
    }

    /// Whether a person may set this variable to this value on the command line.
    fn check_variable(&self, name: &str, value: &str) -> Result<(), Error> {
        let granted = self.env.iter().any(|(it, _)| it == name);
        if let Some(declared) = self.variables.iter().find(|it| it.name == name) {
            return self.check_declared(declared, value);
        }
        if granted || self.settings().contains(&name) {
            return self.check_setting(name, value).and_then(|()| check_value(name, value));
        }
        let open = self.variables.iter().filter(|it| !it.secret && it.fixed.is_none());
        let known: Vec<_> = open.map(|it| it.name.as_str()).chain(self.settings().iter().copied()).collect();
        let problem = format!("`{}` declares no variable {name:?}", self.name);
        let hint = format!(
            "it takes {}; others can be set in {}, under [env]",
            known.join(", "),
            self.grants_file().display()
        );
        let known = known.into_iter().map(str::to_owned).collect();
        Err(Error::unknown(problem, name, known).with_hint(hint))
    }

    /// Whether its `/mcp` takes this value, if the variable is one of its settings.
    fn check_setting(&self, name: &str, value: &str) -> Result<(), Error> {
        let problem = settings::problem(name, value).filter(|_| self.settings().contains(&name));
        problem.map_or(Ok(()), |it| Err(Error::new(it)))
    }

    /// Whether a variable of `drydock.toml` may be set: any, but those that decide what `/mcp` itself does.
    fn check_granted(&self, name: &str, value: &str) -> Result<(), Error> {
        let checked = match self.variables.iter().find(|it| it.name == name) {
            Some(declared) => self.check_declared(declared, value),
            None if NOT_SETTINGS.contains(&name) => {
                Err(Error::new(format!("{name} is what /mcp is told by Drydock alone")))
            }
            None => self.check_setting(name, value),
        };
        checked.map_err(|err| Error::new(format!("{}: `env.{name}`: {err}", self.grants_file().display())))
    }

    /// The person's own file, from the workspace's folder.
    #[must_use]
    pub fn grants_file(&self) -> PathBuf {
        let folder = if self.is_runtime { "docker" } else { "servers" };
        Path::new(folder).join(&self.name).join(crate::grants::FILE)
    }

    fn check_declared(&self, variable: &Variable, value: &str) -> Result<(), Error> {
        let name = &variable.name;
        if variable.secret {
            let place = "a secret stands on no command line and in no file of a workspace";
            return Err(Error::new(format!("{name} is a secret of `{}`: {place}", self.name)));
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

fn quoted_words(words: &[String]) -> String {
    words.iter().map(|it| format!("{it:?}")).collect::<Vec<_>>().join(" ")
}
