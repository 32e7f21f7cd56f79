//! Where we are: the clone's root, its state folder, and the options that every command shares.
//!
//! Environment and global flags -> `Workspace`. Invariant: the state folder is the only place in the clone that
//! commands write to besides `target/` and what the person asked for; it is private (0700) and git-ignored.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};
use drydock_config::file;
use drydock_engine::Engine;

use crate::cargo::{self, Metadata};
use crate::hint::{self, usage, with_hint};

const ENGINE: &str = "DRYDOCK_ENGINE";
const NAME_PREFIX: &str = "DRYDOCK_NAME_PREFIX";

/// As they were given. The variables are read by us: an option that clap takes from a variable stands in its usage lines as
/// if it were required.
#[derive(clap::Args, Debug)]
pub(crate) struct GlobalArgs {
    /// Which engine runs the servers: docker, podman or host (Rust servers as plain processes, no sandbox) [env:
    /// DRYDOCK_ENGINE]
    #[arg(long, global = true, value_name = "ENGINE", help_heading = "Options of every command")]
    engine: Option<String>,
    /// Put before every container's name, so that two workspaces can share an engine [env: DRYDOCK_NAME_PREFIX]
    #[arg(long, global = true, value_name = "PREFIX", help_heading = "Options of every command")]
    name_prefix: Option<String>,
}

/// The options of every command.
#[derive(Debug)]
pub(crate) struct Global {
    /// The engine that was named.
    pub(crate) engine: Option<String>,
    /// Before every container's name; may be empty.
    pub(crate) name_prefix: String,
}

impl GlobalArgs {
    /// With what the environment says where the command line does not.
    fn resolve(self) -> Result<Global> {
        let given = |option: Option<String>, name: &str| match (option, std::env::var_os(name)) {
            (Some(given), _) => Ok(Some(given)),
            (None, None) => Ok(None),
            (None, Some(value)) => {
                let unreadable = |_| usage(format!("{name} is not UTF-8"), "set it to a name, or unset it");
                value.into_string().map(Some).map_err(unreadable)
            }
        };
        // An empty variable is one that was not set.
        let engine = given(self.engine, ENGINE)?.filter(|it| !it.is_empty());
        if let Some(other) = engine.as_ref().filter(|it| !ENGINES.contains(&it.as_str())) {
            let hint = "the engines are docker, podman and host";
            return Err(usage(format!("there is no engine {other:?}"), hint));
        }
        let name_prefix = given(self.name_prefix, NAME_PREFIX)?.unwrap_or_default();
        prefix_is_plain(&name_prefix)?;
        Ok(Global { engine, name_prefix })
    }
}

const ENGINES: [&str; 3] = ["docker", "podman", "host"];

#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder with the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// `.drydock/`, or `DRYDOCK_STATE`. It may not exist yet: see [`Workspace::state_dir`].
    pub(crate) state: PathBuf,
    pub(crate) global: Global,
    engine: OnceLock<Result<Engine, drydock_engine::Error>>,
    metadata: OnceLock<Metadata>,
}

impl Workspace {
    /// The workspace around the current folder.
    pub(crate) fn open(args: GlobalArgs) -> Result<Self> {
        let here = std::env::current_dir().context("cannot tell the current folder")?;
        // Set by the cargo that runs us now; what stood there when we were compiled may be another clone.
        let of_cargo = std::env::var_os("CARGO_MANIFEST_DIR").and_then(|it| std::fs::canonicalize(it).ok());
        let root = [Some(here.as_path()), of_cargo.as_deref()].into_iter().flatten().find_map(find_root);
        let Some(root) = root else {
            let problem = format!("there is no Drydock workspace in {} or above it", here.display());
            return Err(with_hint(problem, "go into your clone of Drydock, and run it again there"));
        };
        let state = match std::env::var_os("DRYDOCK_STATE").filter(|it| !it.is_empty()) {
            Some(state) => std::path::absolute(state)?,
            None => root.join(".drydock"),
        };
        let ws = Self::at(root, state, args.resolve()?);
        hint::set_given_options(&ws.given_options(&ws.global.name_prefix));
        Ok(ws)
    }

    pub(crate) fn at(root: PathBuf, state: PathBuf, global: Global) -> Self {
        Self { root, state, global, engine: OnceLock::new(), metadata: OnceLock::new() }
    }

    /// The engine that was named, or the first that answers; asked once a command.
    pub(crate) fn engine(&self) -> Result<&Engine> {
        let found = self.engine.get_or_init(|| drydock_engine::find(self.global.engine.as_deref()));
        found.as_ref().map_err(|err| err.clone().into())
    }

    /// What cargo knows about the crates; asked once a command.
    pub(crate) fn metadata(&self) -> Result<&Metadata> {
        if let Some(metadata) = self.metadata.get() {
            return Ok(metadata);
        }
        let found = cargo::metadata(&self.root)?;
        Ok(self.metadata.get_or_init(|| found))
    }

    /// A command to be pasted, with the options that this one was given: without them it would mean another container.
    /// What the environment says reaches the next command by itself.
    pub(crate) fn command(&self, words: &str) -> String {
        self.command_for(words, &self.global.name_prefix)
    }

    /// The same for a container whose name has another prefix.
    pub(crate) fn command_for(&self, words: &str, prefix: &str) -> String {
        format!("cargo xtask {words} {}", self.given_options(prefix)).trim_end().to_owned()
    }

    fn given_options(&self, prefix: &str) -> String {
        let says = |variable: &str, value: &str| std::env::var(variable).unwrap_or_default() == value;
        let mut words = Vec::new();
        if !says(NAME_PREFIX, prefix) {
            words.push(format!("--name-prefix {}", if prefix.is_empty() { "''" } else { prefix }));
        }
        let engine = self.global.engine.as_deref().unwrap_or_default();
        if !engine.is_empty() && !says(ENGINE, engine) {
            words.push(format!("--engine {engine}"));
        }
        words.join(" ")
    }

    /// The state folder, made if it is missing.
    pub(crate) fn state_dir(&self) -> Result<&Path> {
        file::make_private_folder(&self.state)?;
        Ok(&self.state)
    }

    /// Where the state is, as containers are labelled: the machine, and the folder as the system has it.
    pub(crate) fn state_label(&self) -> Result<String> {
        let state = std::fs::canonicalize(self.state_dir()?)?;
        Ok(format!("{}:{}", machine(), state.display()))
    }

    /// Takes another id: what carries it on the engine is ours from now on.
    pub(crate) fn take_id(&self, id: &str) -> Result<()> {
        let path = self.state.join("workspace-id");
        let id = known_id(&path, id)?;
        Ok(file::write_private(&path, id.as_bytes())?)
    }

    /// The random id by which we know what is ours on an engine that others use too.
    pub(crate) fn id(&self) -> Result<String> {
        let path = self.state.join("workspace-id");
        if let Some(bytes) = file::read(&path)? {
            return known_id(&path, String::from_utf8_lossy(&bytes).trim());
        }
        let id = format!("{:016x}", RandomState::new().build_hasher().finish());
        match file::write_new_private(&path, id.as_bytes())? {
            true => Ok(id),
            false => self.id(), // another command was faster
        }
    }
}

/// The name of this machine; an engine may serve several.
#[cfg(unix)]
pub(crate) fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().replace(':', "-")
}

#[cfg(not(unix))]
pub(crate) fn machine() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

/// The nearest folder from here upwards that is a clone of Drydock.
fn find_root(from: &Path) -> Option<PathBuf> {
    let parts = ["Cargo.toml", "xtask/Cargo.toml", "servers", "clients"];
    from.ancestors().find(|it| parts.iter().all(|part| it.join(part).exists())).map(Path::to_path_buf)
}

fn known_id(path: &Path, id: &str) -> Result<String> {
    if id.len() != 16 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        let problem = format!("{}: {id:?} is not a workspace's id", path.display());
        let hint = "put the id back (the engine's `inspect` shows it in the label dev.drydock.workspace), or delete the file: \
                    containers made until now are then unmanaged";
        return Err(with_hint(problem, hint));
    }
    Ok(id.to_owned())
}

/// A prefix becomes the beginning of a container's name, which is an argument.
fn prefix_is_plain(prefix: &str) -> Result<()> {
    let head = prefix.chars().next().is_none_or(|c| c.is_ascii_alphanumeric());
    let rest = prefix.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    if head && rest && prefix.len() <= 64 {
        return Ok(());
    }
    Err(usage(
        format!("--name-prefix {prefix:?} cannot begin a container's name"),
        "use at most 64 letters, digits, `_`, `.` and `-`, and begin with a letter or digit",
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn open(state: &Path) -> Workspace {
        let global = Global { engine: None, name_prefix: String::new() };
        Workspace::at(PathBuf::new(), state.to_path_buf(), global)
    }

    #[test]
    fn the_id_stays_and_the_folder_is_private() {
        let temp = tempfile::tempdir().unwrap();
        let ws = open(&temp.path().join("new/state"));
        let id = ws.id().unwrap();
        assert_eq!(open(&ws.state).id().unwrap(), id);
        assert_ne!(open(&temp.path().join("other")).id().unwrap(), id);
        #[cfg(unix)]
        {
            let mode =
                std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&ws.state).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o700);
        }
    }

    #[test]
    fn the_workspace_is_the_one_around_the_current_folder() {
        let temp = tempfile::tempdir().unwrap();
        let (outer, inner) = (temp.path().join("outer"), temp.path().join("outer/servers/inner"));
        for root in [&outer, &inner] {
            for folder in ["xtask", "servers", "clients"] {
                fs::create_dir_all(root.join(folder)).unwrap();
            }
            fs::write(root.join("Cargo.toml"), "").unwrap();
            fs::write(root.join("xtask/Cargo.toml"), "").unwrap();
        }
        assert_eq!(find_root(&inner.join("clients")).as_deref(), Some(&*inner));
        assert_eq!(find_root(&outer.join("servers")).as_deref(), Some(&*outer));
        assert_eq!(find_root(temp.path()), None);
    }

    #[test]
    fn a_command_to_be_pasted_has_what_was_given() {
        let global = Global { engine: Some("podman".to_owned()), name_prefix: "t-".to_owned() };
        let ws = Workspace::at(PathBuf::new(), PathBuf::new(), global);
        assert_eq!(ws.command("up weather"), "cargo xtask up weather --name-prefix t- --engine podman");
        assert_eq!(ws.command_for("up a", ""), "cargo xtask up a --engine podman");
        assert_eq!(open(Path::new("")).command("up"), "cargo xtask up");
    }

    #[test]
    fn a_broken_id_is_not_replaced() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("workspace-id"), "../../x").unwrap();
        assert!(open(temp.path()).id().is_err());
    }

    #[test]
    fn prefixes_cannot_be_flags() {
        for bad in ["-t", "a b", "a/", "é", ".a", "a\n"] {
            assert!(prefix_is_plain(bad).is_err(), "{bad:?}");
        }
        for fine in ["", "t-", "1_a.b-"] {
            assert!(prefix_is_plain(fine).is_ok(), "{fine:?}");
        }
    }
}
