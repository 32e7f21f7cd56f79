//! BuildKit, where a client on this machine has it: the other tests build as the first client does by itself.
//!
//! PATH -> variables for a command. Invariant: what is found has built an image with BuildKit on the engine under test.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::engine::Engine;
use crate::process::{BUILD_TIMEOUT, command, run_with};

/// A client with BuildKit: a newer one has it in a plugin that may be missing, while an older one beside it is whole.
#[derive(Debug)]
pub struct BuildKit {
    /// Holds a link to it alone.
    folder: TempDir,
}

impl BuildKit {
    /// The first client in PATH that builds with it.
    ///
    /// # Errors
    /// What each of them said instead.
    pub fn find(engine: &Engine) -> Result<Self, String> {
        let mut said = Vec::new();
        for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
            let client = folder.join(engine.program());
            if client.is_file() {
                match trial(&client) {
                    Ok(()) => return Self::with(engine, &client).map_err(|err| err.to_string()),
                    Err(why) => said.push(why),
                }
            }
        }
        Err(format!("no client here has BuildKit: {}", said.join("; ")))
    }

    fn with(engine: &Engine, client: &Path) -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        symlink(client, folder.path().join(engine.program()))?;
        Ok(Self { folder })
    }

    /// Has what this command builds built with BuildKit.
    pub fn for_command<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let own = [self.folder.path().to_path_buf()];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path)));
        command.env("PATH", path.expect("folders of a PATH")).env("DOCKER_BUILDKIT", "1")
    }
}

fn trial(client: &Path) -> Result<(), String> {
    let mut build = command(client);
    build.args(["build", "--quiet", "-"]).env("DOCKER_BUILDKIT", "1");
    let output = run_with(&mut build, b"FROM scratch\nLABEL trial=1\n", BUILD_TIMEOUT);
    match output.code {
        Some(0) => Ok(()),
        _ => Err(output.stderr.lines().next().unwrap_or_default().trim().to_owned()),
    }
}
