//! An environment of its own for a test: HOME, state folder and name prefix, in which `cargo xtask` runs.
//!
//! Name -> a place to run xtask in. Invariant: nothing outside of the environment and the build folder is written, and its
//! containers go when it goes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::engine::{Engine, run_prefix, workspace_id};
use crate::process::{BUILD_TIMEOUT, CommandOutput, command, run_with};

/// What describes the outer run must not reach the inner one; nor what moves a client's files out of HOME, or tells
/// a client that it runs inside another one.
const UNSET_VARIABLES: [&str; 21] = [
    "DRYDOCK_",
    "MCP_",
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "XDG_CONFIG",
    "XDG_DATA",
    "XDG_STATE",
    "XDG_CACHE",
    "CLAUDE",
    "CLINE_",
    "CODEX_",
    "COPILOT_",
    "GEMINI_",
    "GROK_",
    "HERMES_",
    "KIMI_",
    "OPENCLAW_",
    "OPENCODE",
    "QWEN_",
    "VIBE_",
];

/// The folders, the name prefix and the environment that a test runs xtask with.
#[derive(Debug)]
pub struct TestEnv {
    folder: TempDir,
    prefix: String,
    engine: Option<Engine>,
    /// What the commands take for the workspace.
    root: PathBuf,
}

impl TestEnv {
    /// On an engine.
    pub fn on(engine: &Engine, name: &str) -> Self {
        Self::new(name, Some(engine.clone()))
    }

    /// Where no container engine can be found.
    pub fn without_engine(name: &str) -> Self {
        Self::new(name, None)
    }

    fn new(name: &str, engine: Option<Engine>) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        for part in ["home", "state", "project"] {
            std::fs::create_dir(folder.path().join(part)).expect("a new folder");
        }
        std::fs::write(folder.path().join("state/workspace-id"), workspace_id()).expect("a new file");
        Self { folder, prefix: format!("{}{name}-", run_prefix()), engine, root: workspace_root() }
    }

    /// Takes another folder for the workspace: `root/servers`, `root/clients`; it is made to look like a clone.
    pub fn with_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = root.into();
        for part in ["xtask", "servers", "clients"] {
            std::fs::create_dir_all(self.root.join(part)).expect("a new folder");
        }
        for file in ["Cargo.toml", "xtask/Cargo.toml"] {
            // One that is there stays.
            drop(std::fs::File::options().write(true).create_new(true).open(self.root.join(file)));
        }
        self
    }

    /// HOME.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// `DRYDOCK_STATE`: the ledger, backups, the id of the workspace.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// An empty folder for whatever the test needs.
    pub fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// What the names of its containers begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The name of a server's container in this environment.
    pub fn container(&self, server: &str) -> String {
        format!("{}mcp-{server}", self.prefix)
    }

    /// `cargo xtask ARGS`, not started yet.
    pub fn xtask(&self, args: &[&str]) -> Command {
        let mut it = self.command(xtask());
        it.args(args);
        it
    }

    /// Any program, in this environment's environment.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut it = command(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if UNSET_VARIABLES.iter().any(|it| name.starts_with(it))
                || ["CI", "NO_COLOR", "OPEN_METEO_URL"].contains(&name.as_str())
            {
                it.env_remove(name);
            }
        }
        it.env("HOME", self.home())
            .env("CARGO_HOME", cargo_home())
            .env("RUSTUP_HOME", rustup_home())
            .env_remove("CARGO_MANIFEST_DIR")
            .env("DRYDOCK_STATE", self.state())
            .env("DRYDOCK_NAME_PREFIX", &self.prefix)
            .current_dir(&self.root);
        match &self.engine {
            // Only where it is not the default: the search for an engine is a part of what is tested.
            Some(engine) if engine.program() != "docker" => it.env("DRYDOCK_ENGINE", engine.program()),
            Some(_) => &mut it,
            None => it.env("PATH", path_without_engines()),
        };
        it
    }

    /// The outcome of `cargo xtask ARGS`, whatever it is.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> CommandOutput {
        run_with(&mut self.xtask(args), &[], BUILD_TIMEOUT)
    }

    /// `cargo xtask ARGS`, which must succeed.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> CommandOutput {
        self.run(args).ok()
    }

    /// The environment's own paths and prefix, made the same in every run.
    pub fn normalize(&self, text: &str) -> String {
        let folder = self.folder.path().to_string_lossy();
        text.replace(&*folder, "[TEMP]")
            .replace(&*self.root.to_string_lossy(), "[ROOT]")
            .replace(&self.prefix, "[PREFIX]")
            .lines()
            .map(|line| format!("{}\n", line.trim_end()))
            .collect()
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        if let Some(engine) = &self.engine {
            // Not what begins alike: an environment `base-python` may live longer than an environment `base`.
            engine.remove(&self.container(""));
        }
    }
}

/// The root of this workspace.
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_path_buf()
}

/// The same sources in another folder, with another version: what they make disturbs nobody.
pub fn copy_workspace(to: &Path, version: &str) {
    copy(&workspace_root(), to);
    let ours = env!("CARGO_PKG_VERSION");
    // A Rust server's own package names the version once more.
    for (file, key) in [
        ("servers/weather/server.json", "\"version\": \""),
        ("servers/weather/server.json", "\"drydock/weather:"),
        ("Cargo.toml", "version = \""),
    ] {
        let path = to.join(file);
        let text = std::fs::read_to_string(&path).expect("a file of the workspace");
        let ours = format!("{key}{ours}\"");
        assert!(text.contains(&ours), "{file} has no {ours} to change");
        std::fs::write(&path, text.replacen(&ours, &format!("{key}{version}\""), 1))
            .expect("a copy can be written");
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a new folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (name, kind) = (entry.file_name(), entry.file_type().expect("a kind of file"));
        if ["target", ".git", ".drydock", ".cursor", ".mcp.json", "node_modules"].iter().any(|it| name == *it)
        {
            continue;
        }
        if kind.is_dir() {
            copy(&entry.path(), &to.join(&name));
        } else {
            std::fs::copy(entry.path(), to.join(&name)).expect("a copy");
        }
    }
}

/// The xtask under test: the one that runs the tests, or a fresh build of it.
pub fn xtask() -> &'static Path {
    static XTASK: OnceLock<PathBuf> = OnceLock::new();
    XTASK.get_or_init(|| match std::env::var_os("DRYDOCK_XTASK") {
        Some(given) => given.into(),
        None => build(&["-p", "xtask", "--bin", "xtask"], "xtask"),
    })
}

/// Builds with cargo and returns the program's path, which cargo itself names.
pub fn build(args: &[&str], program: &str) -> PathBuf {
    build_with(args, program, &[])
}

/// As [`build`], with variables for cargo.
pub fn build_with(args: &[&str], program: &str, env: &[(&str, &str)]) -> PathBuf {
    let mut cargo = command("cargo");
    cargo
        .current_dir(workspace_root())
        .args(["build", "--message-format=json-render-diagnostics"])
        .args(args);
    // ring's build script looks at these, and compiles half of the tree anew when they come or go.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo.envs(env.iter().copied());
    let built = run_with(&mut cargo, &[], BUILD_TIMEOUT).ok();
    let messages = built.stdout.lines().filter_map(|it| serde_json::from_str::<serde_json::Value>(it).ok());
    messages
        .filter(|it| it["target"]["name"] == program)
        .find_map(|it| it["executable"].as_str().map(PathBuf::from))
        .unwrap_or_else(|| panic!("cargo names no `{program}`: {built}"))
}

fn cargo_home() -> PathBuf {
    std::env::var_os("CARGO_HOME").map_or_else(|| real_home().join(".cargo"), PathBuf::from)
}

fn rustup_home() -> PathBuf {
    std::env::var_os("RUSTUP_HOME").map_or_else(|| real_home().join(".rustup"), PathBuf::from)
}

fn real_home() -> PathBuf {
    std::env::home_dir().expect("a home folder")
}

/// The PATH, without any folder that holds a container engine; what else such a folder holds stays reachable.
fn path_without_engines() -> std::ffi::OsString {
    static FOLDER: OnceLock<Vec<PathBuf>> = OnceLock::new();
    let folders = FOLDER.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .map(|it| if has_engine(&it) { links_without_engines(&it) } else { it })
            .collect()
    });
    std::env::join_paths(folders).expect("folders from PATH fit into PATH")
}

const ENGINES: [&str; 2] = ["docker", "podman"];

fn has_engine(folder: &Path) -> bool {
    ENGINES.iter().any(|it| folder.join(it).exists())
}

/// A folder of links to everything in `folder` but the engines.
fn links_without_engines(folder: &Path) -> PathBuf {
    let twin = TempDir::new().expect("a temporary folder").keep();
    for entry in std::fs::read_dir(folder).expect("a folder of PATH").flatten() {
        if !ENGINES.iter().any(|it| entry.file_name() == *it) {
            #[cfg(unix)]
            let _ = std::os::unix::fs::symlink(entry.path(), twin.join(entry.file_name()));
        }
    }
    twin
}
