//! Instructions that a server's calls take in user space, counted by valgrind: the same under any load of the machine.
//!
//! Server + call -> how many one call takes. Invariant: the count is the difference of two sessions, so that neither the
//! start nor the end of one is in it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::debian;
use crate::process::command;
use crate::session::{LEGACY, Session};

/// Two sessions differ by some ten thousand instructions that no call takes.
const CALLS: u64 = 100;

/// What one call of the tool takes in a session over stdio, one call at a time; or why that cannot be counted here.
#[track_caller]
pub fn instructions_per_call(server: &Path, tool: &str, arguments: &Value) -> Result<u64, String> {
    debian::provide("valgrind")?;
    let few = session(server, tool, arguments, CALLS)?;
    let many = session(server, tool, arguments, 2 * CALLS)?;
    Ok(many.saturating_sub(few) / CALLS)
}

/// Instructions of a session of so many calls. Without its log: that is a matter of its own.
#[track_caller]
fn session(server: &Path, tool: &str, arguments: &Value, calls: u64) -> Result<u64, String> {
    let log = tempfile::NamedTempFile::new().map_err(|e| e.to_string())?;
    let mut valgrind = command("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(format!("--log-file={}", log.path().display())).arg(server).arg("stdio");
    valgrind.env("MCP_LOG", "error");
    let mut session = Session::start(valgrind);
    session.open(LEGACY[1]);
    for _ in 0..calls {
        session.request("tools/call", json!({"name": tool, "arguments": arguments}));
    }
    session.finish();
    let said = fs::read_to_string(log.path()).map_err(|e| e.to_string())?;
    let count = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    count.ok_or_else(|| format!("valgrind counted nothing: {said}"))
}
