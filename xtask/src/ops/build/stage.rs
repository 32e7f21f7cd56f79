//! The folders that are handed to the engine as build contexts.
//!
//! A crate, or another server's folder -> a temporary folder. Invariant: only what the server is made of goes in; hidden
//! files and what tools have made (`target/`, `node_modules/`, `__pycache__/`) stay out, and a link is an error.

use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use drydock_catalog::{Kind, Server};
use tempfile::TempDir;

use crate::cargo::Crate;
use crate::hint::with_hint;
use crate::workspace::Workspace;

/// What tools have made, and what only we read.
const LEFT_OUT: [&str; 6] = ["target", "node_modules", "__pycache__", "venv", "server.json", "drydock.toml"];

/// One binary and its Dockerfile.
pub(super) fn binary(ws: &Workspace, about: &Crate, binary: &Path) -> Result<TempDir> {
    let context = folder(about)?;
    copy(&ws.root.join("docker/static.Dockerfile"), &context.path().join("Dockerfile"))?;
    entry_point(binary, context.path())?;
    Ok(context)
}

/// `/mcp`.
fn entry_point(binary: &Path, context: &Path) -> Result<()> {
    let staged = context.join("mcp");
    copy(binary, &staged)?;
    executable(&staged)?;
    // A layer holds time stamps: the same bytes at another hour must be the same layer.
    File::options().write(true).open(&staged)?.set_modified(SystemTime::UNIX_EPOCH)?;
    Ok(())
}

/// What docker/node.Dockerfile, docker/python.Dockerfile and those of the runtime images say that they take.
pub(super) fn bridged(ws: &Workspace, server: &Server, about: &Crate, bridge: &Path) -> Result<TempDir> {
    let context = folder(about)?;
    let (to, docker, kind) = (context.path(), ws.root.join("docker"), server.kind.name());
    entry_point(bridge, to)?;
    if server.is_runtime {
        copy_files(&docker.join(kind), to, |name| !name.contains('.'))?;
        return Ok(context);
    }
    copy(&docker.join(format!("{kind}.Dockerfile")), &to.join("Dockerfile"))?;
    for part in ["pack", "deps", "source"] {
        fs::create_dir(to.join(part))?;
    }
    copy_files(&docker.join(kind), &to.join("pack"), |name| name.ends_with(".mjs") || name.ends_with(".py"))?;
    let it = &server.program;
    let name = it.package.as_ref().map(|it| it.name.as_str());
    let launch = serde_json::json!({
        "package": name, "script": it.script, "file": it.file, "runtime": it.runtime, "args": it.args,
    });
    fs::write(to.join("launch.json"), launch.to_string())?;
    dependencies(server, &to.join("deps"), &to.join("source"))?;
    Ok(context)
}

/// What is installed goes into a layer of its own, which a change of the sources leaves as it is.
fn dependencies(server: &Server, deps: &Path, source: &Path) -> Result<()> {
    let lists: &[&str] = match server.kind {
        Kind::Python => &["requirements.txt", "pyproject.toml", "uv.lock"],
        _ => &["package.json", "package-lock.json"],
    };
    let mut own = Vec::new();
    for name in lists {
        match fs::symlink_metadata(server.dir.join(name)) {
            Ok(about) if about.is_file() => own.push(name),
            // Also one that leads to a good place: an engine would get a file of this machine, whatever that is.
            Ok(about) if about.is_symlink() => {
                bail!("{} is a link: no build follows one", server.dir.join(name).display())
            }
            _ => {}
        }
    }
    if !own.is_empty() {
        own.iter().try_for_each(|it| copy(&server.dir.join(it), &deps.join(it)))?;
        return copy_folder(&server.dir, source);
    }
    let Some(it) = &server.program.package else { return Ok(()) };
    match server.kind {
        Kind::Python => {
            let lines = server.program.requirements().iter().map(|it| format!("{it}\n")).collect::<String>();
            fs::write(deps.join("requirements.txt"), lines)?;
        }
        _ => {
            let manifest =
                serde_json::json!({ "private": true, "dependencies": { it.name.clone(): it.version } });
            fs::write(deps.join("package.json"), manifest.to_string())?;
        }
    }
    Ok(())
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
    let parent = about.target_dir.join("drydock");
    fs::create_dir_all(&parent).with_context(|| format!("cannot make {}", parent.display()))?;
    tempfile::Builder::new().prefix("context-").tempdir_in(&parent).context("cannot make a build context")
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
            let to = tempfile::tempdir().unwrap();
            let (deps, source) = (to.path().join("deps"), to.path().join("source"));
            fs::create_dir(&deps).unwrap();
            let server = drydock_catalog::pick(root.path(), "it").unwrap();
            dependencies(&server, &deps, &source).map(|()| to).map_err(|err| format!("{err:#}"))
        };
        assert!(stage().unwrap().path().join("source/server.py").is_file());
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
