//! What a server is built from, as one short name: whether an image, a container or a binary is older than its sources.
//!
//! `Server` + the files of the workspace -> fingerprint. Invariants: only files are read, no cargo is run; the same sources
//! have the same fingerprint in every clone and at every hour.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use drydock_catalog::{Kind, Server};
use rustc_hash::FxHasher;

/// Folders and files that no build of a server reads: what tools have made, and what only we read.
pub(super) const LEFT_OUT: [&str; 6] =
    ["target", "node_modules", "__pycache__", "venv", "server.json", "drydock.toml"];
/// What cargo does not compile into a program; of Node and Python, each folder goes into the image.
const BESIDE_A_CRATE: [&str; 4] = ["tests", "benches", "examples", "fuzz"];

/// Fingerprints of one workspace; what several servers share is read once.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    root: &'a Path,
    known: RefCell<BTreeMap<PathBuf, u64>>,
}

impl<'a> Sources<'a> {
    pub(crate) fn new(root: &'a Path) -> Self {
        Self { root, known: RefCell::default() }
    }

    /// 16 hexadecimal digits.
    pub(crate) fn fingerprint(&self, server: &Server) -> Result<String> {
        let mut hasher = FxHasher::default();
        // What its labels and its start say.
        let said = (&server.id, &server.title, &server.description, &server.version, &server.source);
        hasher.write(format!("{said:?} {:?} {}", server.program, server.install_scripts).as_bytes());
        for path in self.parts(server)? {
            hasher.write_u64(self.content(&path)?);
        }
        Ok(format!("{:016x}", hasher.finish()))
    }

    /// Reads this folder or file again where it is a part of something.
    pub(crate) fn forget(&self, path: &Path) {
        self.known.borrow_mut().remove(path);
    }

    /// Whether what was built from sources of that fingerprint is older than those that are here; nothing where these cannot
    /// be read.
    pub(crate) fn is_stale(&self, server: &Server, built_from: Option<&str>) -> Option<bool> {
        Some(built_from != Some(self.fingerprint(server).ok()?.as_str()))
    }

    /// The folders and files that it is made of.
    fn parts(&self, server: &Server) -> Result<Vec<PathBuf>> {
        let docker = self.root.join("docker");
        let compiled =
            if server.kind == Kind::Rust { server.dir.clone() } else { self.root.join("servers/bridge") };
        let mut parts = self.crates(&compiled)?;
        parts.extend(["Cargo.toml", "Cargo.lock", "docker/no-unwind.ld"].map(|it| self.root.join(it)));
        if server.kind == Kind::Rust {
            parts.extend(["static.Dockerfile", "rust.Dockerfile"].map(|it| docker.join(it)));
        } else {
            let kind = server.kind.name();
            parts.extend([docker.join(format!("{kind}.Dockerfile")), docker.join(kind), server.dir.clone()]);
        }
        Ok(parts)
    }

    /// A crate's folder, and those that its path dependencies lead to, as the manifests say.
    fn crates(&self, first: &Path) -> Result<Vec<PathBuf>> {
        let shared = manifest(&self.root.join("Cargo.toml"))?;
        let shared = shared.get("workspace").and_then(|it| it.get("dependencies"));
        let mut found = vec![first.to_path_buf()];
        let mut next = 0;
        while let Some(folder) = found.get(next).cloned() {
            next += 1;
            for (name, dependency) in dependencies(&manifest(&folder.join("Cargo.toml"))?) {
                let path = |it: &toml::Value| it.get("path").and_then(|it| it.as_str()).map(PathBuf::from);
                let of_workspace = || shared?.get(&name).and_then(path).map(|it| self.root.join(it));
                let folder = path(&dependency).map(|it| folder.join(it)).or_else(of_workspace);
                if let Some(folder) = folder.filter(|it| !found.contains(it)) {
                    found.push(folder);
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// A hash of a file, or of all that is in a folder; of what is not there, 0.
    fn content(&self, path: &Path) -> Result<u64> {
        if let Some(known) = self.known.borrow().get(path) {
            return Ok(*known);
        }
        let mut hasher = FxHasher::default();
        let is_crate = path.join("Cargo.toml").is_file();
        add(path, is_crate, &mut hasher).with_context(|| format!("cannot read {}", path.display()))?;
        let hash = hasher.finish();
        self.known.borrow_mut().insert(path.to_path_buf(), hash);
        Ok(hash)
    }
}

/// The fingerprint of a binary on this machine, which stands beside it.
pub(crate) fn of_binary(binary: &Path) -> Option<String> {
    Some(fs::read_to_string(beside(binary)).ok()?.trim().to_owned())
}

/// Writes it there.
pub(crate) fn note_binary(binary: &Path, fingerprint: &str) -> Result<()> {
    let file = beside(binary);
    fs::write(&file, fingerprint).with_context(|| format!("cannot write {}", file.display()))
}

fn beside(binary: &Path) -> PathBuf {
    binary.with_extension("sources")
}

/// Links are not followed: no build follows them.
fn add(path: &Path, is_crate: bool, hasher: &mut FxHasher) -> std::io::Result<()> {
    let Ok(about) = fs::symlink_metadata(path) else { return Ok(()) };
    if about.is_file() {
        hasher.write(&fs::read(path)?);
    } else if about.is_dir() {
        let names: BTreeSet<_> =
            fs::read_dir(path)?.map(|it| Ok(it?.file_name())).collect::<std::io::Result<_>>()?;
        for name in names {
            let text = name.to_string_lossy();
            let is_beside = is_crate && BESIDE_A_CRATE.contains(&&*text);
            if !text.starts_with('.') && !LEFT_OUT.contains(&&*text) && !is_beside {
                hasher.write(text.as_bytes());
                add(&path.join(&name), is_crate, hasher)?;
            }
        }
    }
    Ok(())
}

fn manifest(file: &Path) -> Result<toml::Table> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    text.parse().with_context(|| format!("cannot read {}", file.display()))
}

/// Of all targets, but not those of tests alone.
fn dependencies(manifest: &toml::Table) -> Vec<(String, toml::Value)> {
    let targets = manifest.get("target").and_then(|it| it.as_table()).into_iter().flat_map(|it| it.values());
    let tables = std::iter::once(manifest).chain(targets.filter_map(|it| it.as_table()));
    let kinds = tables.flat_map(|it| [it.get("dependencies"), it.get("build-dependencies")]);
    let all = kinds.flatten().filter_map(|it| it.as_table()).flatten();
    all.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn workspace() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let manifest = |kind: &str| {
            format!(
                r#"{{ "name": "io.github.ana/it", "description": "It", "version": "1.0.0", "packages": [{{
                    "registryType": "{kind}", "identifier": "it", "version": "1.0.0", "transport": {{ "type": "stdio" }} }}] }}"#
            )
        };
        for (file, text) in [
            ("Cargo.toml", "[workspace.dependencies]\nkit = { path = \"servers/kit\" }\nserde = \"1\"\n"),
            ("Cargo.lock", ""),
            ("servers/bridge/Cargo.toml", "[dependencies]\nserde.workspace = true\n"),
            ("servers/bridge/src/main.rs", "fn main() {}"),
            ("servers/kit/Cargo.toml", "[dev-dependencies]\nbridge = { path = \"../bridge\" }\n"),
            ("servers/kit/src/lib.rs", ""),
            ("servers/rust/Cargo.toml", "[target.'cfg(unix)'.dependencies]\nkit.workspace = true\n"),
            ("servers/rust/src/main.rs", "fn main() {}"),
            (
                "servers/rust/server.json",
                &manifest("oci").replace("\"it\", \"version\"", "\"a:1\", \"version\""),
            ),
            ("servers/package/server.json", &manifest("npm")),
            ("docker/node.Dockerfile", "FROM x"),
        ] {
            write(root.path(), file, text);
        }
        root
    }

    fn fingerprint(root: &Path, name: &str) -> String {
        Sources::new(root).fingerprint(&drydock_catalog::pick(root, name).unwrap()).unwrap()
    }

    #[test]
    fn what_a_build_reads_changes_it_and_nothing_else() {
        let root = workspace();
        let root = root.path();
        for (file, rust, package) in [
            ("servers/rust/src/main.rs", true, false),
            ("servers/rust/data/names.txt", true, false),
            ("servers/kit/src/lib.rs", true, false),
            ("servers/bridge/src/main.rs", false, true),
            ("docker/node.Dockerfile", false, true),
            ("docker/node/app.mjs", false, true),
            ("servers/package/package-lock.json", false, true),
            ("Cargo.lock", true, true),
            ("servers/rust/tests/it.rs", false, false),
            ("servers/package/tests/data.json", false, true),
            ("servers/rust/target/x", false, false),
            ("servers/package/node_modules/x.js", false, false),
            ("servers/package/drydock.toml", false, false),
            ("servers/rust/.swp", false, false),
            ("README.md", false, false),
        ] {
            let before = ["rust", "package"].map(|it| fingerprint(root, it));
            write(root, file, "# changed");
            let after = ["rust", "package"].map(|it| fingerprint(root, it));
            assert_eq!([before[0] != after[0], before[1] != after[1]], [rust, package], "{file}");
        }
        let before = fingerprint(root, "package");
        let sources = Sources::new(root);
        let server = drydock_catalog::pick(root, "package").unwrap();
        assert_eq!(sources.fingerprint(&server).unwrap(), before);
        write(root, "servers/package/package-lock.json", "written by the build");
        assert_eq!(sources.fingerprint(&server).unwrap(), before, "each file is read once");
        sources.forget(&server.dir);
        assert_ne!(sources.fingerprint(&server).unwrap(), before);
        let before = fingerprint(root, "package");
        write(root, "servers/package/drydock.toml", "install-scripts = true");
        assert_ne!(fingerprint(root, "package"), before);
    }

    #[test]
    fn it_is_the_same_in_every_clone() {
        let (a, b) = (workspace(), workspace());
        assert_eq!(fingerprint(a.path(), "rust"), fingerprint(b.path(), "rust"));
    }
}
