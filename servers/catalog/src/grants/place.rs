//! Where in a container a folder may be granted.
//!
//! Paths, one after the other -> the same, if each is clean, the server's own, and apart from the others. Invariant: what
//! is granted hides nothing of the system, of `/mcp`, and of the server's program.

use super::value::Value;
use crate::error::Error;

/// Neither these nor what is below them.
const SYSTEM: [&str; 14] = [
    "/proc", "/sys", "/dev", "/run", "/tmp", "/var/run", "/etc", "/mcp", "/usr", "/lib", "/lib64", "/bin",
    "/sbin", "/boot",
];
/// Not these, but what is below them: a server may write beside its program.
const PROGRAM: [&str; 5] = ["/app", "/app/node_modules", "/app/lib", "/app/own", "/app/source"];

/// The folders that are taken, and the names of volumes.
#[derive(Default)]
pub(super) struct Places {
    paths: Vec<String>,
    names: Vec<String>,
}

impl Places {
    /// An absolute path, without `.`, `..` and empty parts, that nobody has yet.
    pub(super) fn take(&mut self, value: &Value<'_>) -> Result<String, Error> {
        let path = value.text(200)?;
        let clean = path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain));
        if !clean || path == "/var" || SYSTEM.iter().any(|it| is_within(&path, it)) {
            return Err(value.wrong("must be an absolute path of the server's own, such as \"/data\", without `.`, `..` and empty parts"));
        }
        if PROGRAM.contains(&path.as_str()) {
            return Err(value.wrong("would hide the server's program: take a folder below it"));
        }
        if let Some(other) = self.paths.iter().find(|it| is_within(&path, it) || is_within(it, &path)) {
            return Err(value.wrong(&format!("and {other:?} lie in each other")));
        }
        self.paths.push(path.clone());
        Ok(path)
    }

    /// Whether no other volume has this name.
    pub(super) fn name(&mut self, name: &str) -> bool {
        let free = !self.names.iter().any(|it| it == name);
        self.names.push(name.to_owned());
        free
    }
}

fn is_plain(part: &str) -> bool {
    let known = part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    known && !matches!(part, "" | "." | "..")
}

fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
