//! The crates of a checkout with their sources.
//!
//! A folder with a `Cargo.toml` -> its workspace's crates, each with what is parsed from its files. Invariant: the files
//! of tests, benchmarks and examples are not among them, nor what says `@generated` in its first lines.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use drydock_tests::process::{command, run};
use serde_json::Value;

use crate::source::Source;

pub(crate) struct Crate {
    pub(crate) name: String,
    /// The root of its library, if it has one.
    pub(crate) library: Option<PathBuf>,
    pub(crate) files: Vec<Source>,
}

pub(crate) fn load(root: &Path) -> Result<Vec<Crate>, String> {
    let root = root.canonicalize().map_err(|e| format!("{}: {e}", root.display()))?;
    let mut cargo = command("cargo");
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"]);
    let output = run(cargo.arg(root.join("Cargo.toml")));
    if output.code != Some(0) {
        return Err(format!("cargo metadata: {}", output.stderr.trim()));
    }
    let metadata = output.json();
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let mut crates = packages.iter().map(|it| read(&root, it)).collect::<Result<Vec<_>, _>>()?;
    crates.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(crates)
}

fn read(root: &Path, package: &Value) -> Result<Crate, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let folder = PathBuf::from(text(&package["manifest_path"])).with_file_name("");
    let (mut library, mut left_out) = (None, BTreeSet::new());
    for target in package["targets"].as_array().into_iter().flatten() {
        let path = PathBuf::from(text(&target["src_path"]));
        for kind in target["kind"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            match kind {
                "lib" => library = Some(path.clone()),
                "test" | "bench" | "example" => drop(left_out.insert(path.with_file_name(""))),
                _ => {}
            }
        }
    }
    let paths = rust_files(&folder)?;
    let wanted = paths.iter().filter(|it| !left_out.iter().any(|out| it.starts_with(out)));
    let mut files: Vec<Source> = wanted.map(|path| Source::read(root, path)).collect::<Result<_, _>>()?;
    let tests: BTreeSet<PathBuf> = files.iter().flat_map(|it| it.test_modules.clone()).collect();
    files.retain(|it| !it.is_generated && !tests.iter().any(|out| it.full_path.starts_with(out)));
    Ok(Crate { name: text(&package["name"]), library, files })
}

/// All Rust files below a folder, but those of other packages in it, of builds and of dot folders.
pub(crate) fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|it| it.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            let skipped = name.starts_with('.') || name == "target" || name == "node_modules";
            if !skipped && !path.join("Cargo.toml").exists() {
                found.extend(rust_files(&path)?);
            }
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    Ok(found)
}
