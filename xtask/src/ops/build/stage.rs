//! The folders that are handed to the engine: build contexts, and what the steps of a build begin with.
//!
//! A crate, or another server's folder -> a temporary folder. Invariant: only what the server is made of goes in; hidden
//! files and what tools have made (`target/`, `node_modules/`, `__pycache__/`) stay out, and a link is an error.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use drydock_catalog::{Kind, Server};
use drydock_engine::archive;
use tempfile::TempDir;

use super::Bridge;
use super::kept::MAX_BUILD_TIME;
use super::packages::Packed;
use crate::cargo::Crate;
use crate::hint::with_hint;
use crate::ops::sources::LEFT_OUT;
use crate::workspace::Workspace;

/// How the names of build contexts begin.
const CONTEXT: &str = "context-";

/// One binary and its Dockerfile.
pub(super) fn binary(ws: &Workspace, about: &Crate, binary: &Path) -> Result<TempDir> {
    let context = folder(about)?;
    copy(&ws.root.join("docker/static.Dockerfile"), &context.path().join("Dockerfile"))?;
    entry_point(binary, context.path())?;
    Ok(context)
}

/// In a context: what becomes `/mcp`.
pub(super) const ENTRY_POINT: &str = "mcp";

fn entry_point(binary: &Path, context: &Path) -> Result<()> {
    let staged = context.join(ENTRY_POINT);
    copy(binary, &staged)?;
    executable(&staged)?;
    // A layer holds time stamps: the same bytes at another hour must be the same layer.
    File::options().write(true).open(&staged)?.set_modified(SystemTime::UNIX_EPOCH)?;
    Ok(())
}

/// What the Dockerfile of a runtime image says that it takes.
pub(super) fn runtime(ws: &Workspace, server: &Server, about: &Crate, bridge: &Path) -> Result<TempDir> {
    let context = folder(about)?;
    entry_point(bridge, context.path())?;
    let from = ws.root.join("docker").join(server.kind.name());
    copy_files(&from, context.path(), |name| !name.contains('.'))?;
    Ok(context)
}

/// What docker/node.Dockerfile and docker/python.Dockerfile say that they take.
pub(super) fn image(
    ws: &Workspace,
    server: &Server,
    bridge: &Bridge,
    packed: &Packed,
    config: &[u8],
) -> Result<TempDir> {
    let context = folder(&bridge.about)?;
    let (to, docker, kind) = (context.path(), ws.root.join("docker"), server.kind.name());
    entry_point(&bridge.binary, to)?;
    copy(&docker.join(format!("{kind}.Dockerfile")), &to.join("Dockerfile"))?;
    copy_files(&docker.join(kind), to, |name| name.starts_with("runtime."))?;
    link_or_copy(&packed.deps, &to.join(Packed::DEPS))?;
    link_or_copy(&packed.own, &to.join(Packed::OWN))?;
    let file = to.join("bridge.json");
    fs::write(&file, config).with_context(|| format!("cannot write {}", file.display()))?;
    File::options().write(true).open(&file)?.set_modified(SystemTime::UNIX_EPOCH)?;
    Ok(context)
}

/// What the steps of a build are given: `deps` names what is installed, `source` are our own files.
#[derive(Debug)]
pub(super) struct Staged {
    /// Goes when this goes.
    _folder: TempDir,
    deps: PathBuf,
    source: PathBuf,
    /// Whether the folder holds a program of its own, or the list of what a package needs.
    pub(super) is_own: bool,
}

impl Staged {
    pub(super) fn deps(&self) -> &Path {
        &self.deps
    }

    pub(super) fn source(&self) -> &Path {
        &self.source
    }

    /// All of it, as inputs of a build.
    pub(super) fn deps_bytes(&self) -> Result<Vec<u8>> {
        bytes(&self.deps)
    }

    pub(super) fn source_bytes(&self) -> Result<Vec<u8>> {
        bytes(&self.source)
    }

    pub(super) fn add_dependency_file(&self, name: &str, text: &[u8]) -> Result<()> {
        let file = self.deps.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

fn bytes(folder: &Path) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    archive::pack(folder, "", archive::ROOT, &mut all)?;
    Ok(all)
}

/// What is installed is kept apart from the sources, which change more often.
pub(super) fn inputs(server: &Server) -> Result<Staged> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let [deps, source] = ["deps", "source"].map(|it| folder.path().join(it));
    for it in [&deps, &source] {
        fs::create_dir(it)?;
    }
    let mut staged = Staged { _folder: folder, deps, source, is_own: false };
    let is_python = server.kind == Kind::Python;
    let lists: &[&str] = match is_python {
        true => &["requirements.txt", "pyproject.toml", "uv.lock"],
        false => &["package.json", "package-lock.json"],
    };
    let mut found = Vec::new();
    for name in lists {
        match fs::symlink_metadata(server.dir.join(name)) {
            Ok(about) if about.is_file() => found.push(*name),
            // Also one that leads to a good place: a build would get a file of this machine, whatever that is.
            Ok(about) if about.is_symlink() => {
                bail!("{} is a link: no build follows one", server.dir.join(name).display())
            }
            _ => {}
        }
    }
    // A lock alone is what a build has written for a package.
    staged.is_own = found.iter().any(|it| !it.contains("lock"));
    if staged.is_own {
        found.iter().try_for_each(|it| copy(&server.dir.join(it), &staged.deps().join(it)))?;
        copy_folder(&server.dir, staged.source())?;
    } else if let Some(it) = &server.program.package {
        let manifest =
            serde_json::json!({ "private": true, "dependencies": { it.name.clone(): it.version } });
        let lines = || server.program.requirements().iter().map(|it| format!("{it}\n")).collect::<String>();
        match is_python {
            true => staged.add_dependency_file("requirements.txt", lines().as_bytes())?,
            false => staged.add_dependency_file("package.json", manifest.to_string().as_bytes())?,
        }
    }
    Ok(staged)
}

/// The members' manifests with empty sources in `shell/`, the members themselves in `source/`.
pub(super) fn sources(ws: &Workspace, about: &Crate) -> Result<TempDir> {
    let context = folder(about)?;
    copy(&ws.root.join("docker/rust.Dockerfile"), &context.path().join("Dockerfile"))?;
    let (shell, source) = (context.path().join("shell"), context.path().join("source"));
    fs::create_dir_all(&source)?;
    fs::create_dir_all(&shell)?;
    fs::write(shell.join("Cargo.toml"), root_manifest(ws, about)?)?;
    copy(&ws.root.join("Cargo.lock"), &shell.join("Cargo.lock"))?;
    copy(&ws.root.join("docker/no-unwind.ld"), &shell.join("no-unwind.ld"))?;
    for member in &about.members {
        let inside = member.strip_prefix(&ws.root).with_context(|| {
            format!(
                "{} is outside of the workspace: only what is inside can be built in an engine",
                member.display()
            )
        })?;
        copy_folder(member, &source.join(inside))?;
        fs::create_dir_all(shell.join(inside))?;
        copy(&member.join("Cargo.toml"), &shell.join(inside).join("Cargo.toml"))?;
    }
    for (file, text) in &about.stubs {
        let path = shell.join(file.strip_prefix(&ws.root)?);
        fs::create_dir_all(path.parent().context("a source has a folder")?)?;
        fs::write(path, text)?;
    }
    Ok(context)
}

/// The workspace's manifest with only these members.
fn root_manifest(ws: &Workspace, about: &Crate) -> Result<String> {
    let path = ws.root.join("Cargo.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut manifest: toml::Table =
        text.parse().with_context(|| format!("cannot read {}", path.display()))?;
    let inside = |it: &std::path::PathBuf| it.strip_prefix(&ws.root).map(|it| it.display().to_string());
    let members = about.members.iter().map(inside).collect::<Result<Vec<_>, _>>()?;
    let workspace = manifest.get_mut("workspace").and_then(|it| it.as_table_mut());
    let workspace = workspace.with_context(|| format!("{} has no [workspace]", path.display()))?;
    workspace.insert("members".to_owned(), members.into());
    workspace.remove("default-members");
    Ok(toml::to_string(&manifest)?)
}

/// Beside cargo's own output: an engine from a snap can read neither /tmp nor hidden folders.
pub(super) fn folder(about: &Crate) -> Result<TempDir> {
    folder_in(&about.target_dir.join("drydock"))
}

fn folder_in(parent: &Path) -> Result<TempDir> {
    fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    remove_left(parent);
    tempfile::Builder::new().prefix(CONTEXT).tempdir_in(parent).context("cannot make a build context")
}

/// What killed builds have left: it may be gigabytes, and no other command knows of it. What cannot be removed stays.
fn remove_left(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_context = entry.file_name().as_encoded_bytes().starts_with(CONTEXT.as_bytes());
        let modified = entry.metadata().and_then(|it| it.modified());
        let age = modified.ok().and_then(|it| it.elapsed().ok());
        if is_context && age.is_some_and(|it| it > MAX_BUILD_TIME) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

fn copy_files(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let name = entry?.file_name();
        if wanted(&name.to_string_lossy()) {
            copy(&from.join(&name), &to.join(&name))?;
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        if name.as_encoded_bytes().starts_with(b".") || LEFT_OUT.iter().any(|it| name == *it) {
            continue;
        }
        if kind.is_symlink() {
            let hint = "put the file itself there, or take the link away; hidden files and `node_modules` are left out anyway";
            return Err(with_hint(
                format!("{} is a link: no build follows one", entry.path().display()),
                hint,
            ));
        }
        if kind.is_dir() {
            copy_folder(&entry.path(), &to.join(name))?;
        } else if kind.is_file() {
            copy(&entry.path(), &to.join(name))?;
        }
    }
    Ok(())
}

/// Both are only read from now on.
fn link_or_copy(from: &Path, to: &Path) -> Result<()> {
    fs::hard_link(from, to).or_else(|_| copy(from, to))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

#[cfg(unix)]
fn executable(path: &Path) -> Result<()> {
    Ok(fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn executable(_: &Path) -> Result<()> {
    Ok(()) // the engine's client sets the mode itself
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_killed_builds_left_goes_and_what_is_in_use_stays() {
        let parent = tempfile::tempdir().unwrap();
        let old = |name: &str| {
            let folder = parent.path().join(name);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("deps.tar"), "x").unwrap();
            File::open(&folder).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
            folder
        };
        let (left, other) = (old("context-1"), old("other"));
        let in_use = folder_in(parent.path()).unwrap();
        let next = folder_in(parent.path()).unwrap();
        assert!(!left.exists());
        assert!(other.exists() && in_use.path().exists() && next.path().exists());
    }

    #[test]
    fn a_link_is_named_and_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("servers/it");
        fs::create_dir_all(dir.join("inner")).unwrap();
        let manifest = r#"{ "name": "io.github.ana/it", "description": "It", "version": "1.0.0" }"#;
        fs::write(dir.join("server.json"), manifest).unwrap();
        fs::write(dir.join("server.py"), "pass").unwrap();
        fs::write(root.path().join("outside"), "a secret").unwrap();
        fs::write(dir.join("requirements.txt"), "mcp").unwrap();
        let stage = || {
            let server = drydock_catalog::pick(root.path(), "it").unwrap();
            inputs(&server).map_err(|err| format!("{err:#}"))
        };
        assert!(stage().unwrap().source().join("server.py").is_file());
        for link in ["requirements.txt", "uv.lock", "inner/names.txt"] {
            let file = dir.join(link);
            let before = fs::read(&file).ok();
            drop(fs::remove_file(&file));
            std::os::unix::fs::symlink(root.path().join("outside"), &file).unwrap();
            let said = stage().expect_err(link);
            assert!(said.contains(link) && said.contains("is a link"), "{said}");
            fs::remove_file(&file).unwrap();
            before.into_iter().for_each(|it| fs::write(&file, it).unwrap());
        }
        // What stays out anyway is in nobody's way.
        std::os::unix::fs::symlink(root.path().join("outside"), dir.join("node_modules")).unwrap();
        stage().unwrap();
    }
}
