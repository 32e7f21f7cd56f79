//! A crate outside of the workspace, with a program of each of some files.
//!
//! Files, dependencies -> a folder in which cargo works. Invariant: versions and profiles are the workspace's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::command;
use crate::test_env::workspace_root;
use crate::wrapped::shared_target_dir;

/// Puts it into an empty folder. It depends on drydock-kit, serde and what is said besides, as in `[dependencies]`.
pub fn make(folder: &Path, files: &[PathBuf], dependencies: &str) {
    let root = workspace_root();
    let workspace = fs::read_to_string(root.join("Cargo.toml")).expect("the workspace's manifest");
    let profiles = workspace.find("[profile.").map_or("", |at| &workspace[at..]);
    let kit = root.join("servers/kit");
    let mut manifest = format!(
        "[package]\nname = \"scratch\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
         drydock-kit.path = {kit:?}\nserde = {{ version = \"1.0\", features = [\"derive\"] }}\n{dependencies}\n\n{profiles}\n"
    );
    for file in files {
        manifest += &format!("\n[[bin]]\nname = {:?}\npath = {file:?}\n", name(file));
    }
    fs::write(folder.join("Cargo.toml"), manifest).expect("a new file");
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("a new file");
}

/// The program's name: its file's.
pub fn name(file: &Path) -> String {
    file.file_stem().expect("a file").to_string_lossy().into_owned()
}

/// Cargo in such a folder, compiling where copies of the workspace do.
pub fn cargo(folder: &Path, args: &[&str]) -> Command {
    let mut cargo = command("cargo");
    cargo.current_dir(folder).env("CARGO_TARGET_DIR", shared_target_dir()).args(args);
    cargo
}
