//! What cargo knows about the workspace's crates.
//!
//! `cargo metadata` -> `Crate`s. Invariant: cargo is asked once a command (see `Workspace::metadata`).

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use drydock_catalog::Server;
use serde::Deserialize;

use crate::hint::with_hint;

/// A server's crate.
#[derive(Debug, Clone)]
pub(crate) struct Crate {
    pub(crate) package: String,
    pub(crate) binary: String,
    pub(crate) license: String,
    /// `target/`, wherever it is.
    pub(crate) target_dir: PathBuf,
    /// The folders of the members that it is made of, its own among them.
    pub(crate) members: Vec<PathBuf>,
    /// An empty source for each of their targets: enough to compile the dependencies.
    pub(crate) stubs: Vec<(PathBuf, &'static str)>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    path: Option<PathBuf>,
}

impl Metadata {
    /// From what `cargo metadata --no-deps` prints.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).context("cannot read what `cargo metadata` says")
    }

    /// The crate that has a program, a library or a test of this name.
    pub(crate) fn with_target(&self, name: &str) -> Option<&str> {
        let has = |it: &&Package| it.targets.iter().any(|it| it.name.replace('_', "-") == name);
        self.packages.iter().find(has).map(|it| it.name.as_str())
    }

    /// Each member's manifest, and the sources of its targets.
    pub(crate) fn outlines(&self) -> impl Iterator<Item = (&Path, impl Iterator<Item = &Path>)> {
        self.packages
            .iter()
            .map(|it| (it.manifest_path.as_path(), it.targets.iter().map(|it| it.src_path.as_path())))
    }

    /// The members that depend on the crate in this folder.
    pub(crate) fn dependents(&self, dir: &Path) -> Vec<&str> {
        let depends = |it: &&Package| it.dependencies.iter().any(|it| it.path.as_deref() == Some(dir));
        self.packages.iter().filter(depends).map(|it| it.name.as_str()).collect()
    }

    /// A Rust server's crate.
    pub(crate) fn describe(&self, server: &Server) -> Result<Crate> {
        let manifest = server.dir.join("Cargo.toml");
        let Some(package) = self.packages.iter().find(|it| it.manifest_path == manifest) else {
            let hint = format!("add \"servers/{}\" to `members` in Cargo.toml", server.name);
            return Err(with_hint(format!("`{}` is no member of this workspace", server.name), hint));
        };
        let mut binaries = package.targets.iter().filter(|it| it.kind.iter().any(|kind| kind == "bin"));
        let (Some(binary), None) = (binaries.next(), binaries.next()) else {
            bail!("{}: a server's crate has exactly one binary", manifest.display());
        };
        if package.version != server.version {
            let problem = format!("`{}` has two versions: {} in server.json", server.name, server.version);
            let hint =
                format!("write the same version into servers/{}/server.json and its Cargo.toml", server.name);
            return Err(with_hint(format!("{problem}, {} in Cargo.toml", package.version), hint));
        }
        let members = self.members(&server.dir);
        Ok(Crate {
            package: package.name.clone(),
            binary: binary.name.clone(),
            license: package.license.clone().unwrap_or_default(),
            stubs: self.stubs(&members),
            members,
            target_dir: self.target_directory.clone(),
        })
    }

    fn stubs(&self, members: &[PathBuf]) -> Vec<(PathBuf, &'static str)> {
        let wanted =
            |it: &&Package| it.manifest_path.parent().is_some_and(|dir| members.iter().any(|it| it == dir));
        let targets = self.packages.iter().filter(wanted).flat_map(|it| &it.targets);
        let text =
            |it: &Target| if it.kind.iter().any(|it| it.contains("lib")) { "" } else { "fn main() {}\n" };
        targets.map(|it| (it.src_path.clone(), text(it))).collect()
    }

    /// The folders that a crate's path dependencies lead to, its own included.
    fn members(&self, dir: &Path) -> Vec<PathBuf> {
        let mut found = vec![dir.to_path_buf()];
        let mut next = 0;
        while let Some(dir) = found.get(next).cloned() {
            next += 1;
            let package = self.packages.iter().find(|it| it.manifest_path.parent() == Some(&dir));
            for path in package.iter().flat_map(|it| &it.dependencies).filter_map(|it| it.path.as_ref()) {
                if !found.contains(path) {
                    found.push(path.clone());
                }
            }
        }
        found.sort();
        found
    }
}
