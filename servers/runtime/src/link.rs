//! The other end of `serve`'s socket: a session that announces itself, and the one-shot health check.
//!
//! Socket path -> `Session` or `Health`. Invariant: nothing here waits longer than `PATIENCE` for a `serve` that
//! does not answer.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::station::Health;

const PATIENCE: Duration = Duration::from_secs(2);

/// An announced session. `serve` counts it until this is dropped.
#[derive(Debug)]
pub struct Session {
    stream: UnixStream,
    /// The process whose stderr takes the log lines.
    pub serve_pid: u32,
}

/// What came of announcing a session.
#[derive(Debug)]
pub enum Announced {
    Session(Session),
    /// No `serve` is running here (a client on the host, or `docker run`): there is nothing to count or to log to.
    Alone,
    /// `serve` said no, and why.
    Refused(String),
}

/// Announces a session to the `serve` that listens on `socket`, if there is one.
#[must_use]
pub fn announce(socket: &Path) -> Announced {
    let Ok((stream, answer)) = ask(socket, "session") else { return Announced::Alone };
    match answer.split_once(' ') {
        Some(("hello", pid)) => match pid.parse() {
            Ok(serve_pid) => Announced::Session(Session { stream, serve_pid }),
            Err(_) => Announced::Alone,
        },
        Some(("refused", reason)) => Announced::Refused(reason.to_owned()),
        _ => Announced::Alone,
    }
}

impl Session {
    /// Says how many log lines were lost, and ends the session.
    pub fn close(mut self, dropped: u64) {
        if dropped > 0 {
            let _ = writeln!(self.stream, "dropped {dropped}");
        }
    }
}

/// Asks `serve` how it is.
///
/// # Errors
/// Nobody listens on `socket`, or the answer is not one line of JSON in time.
pub fn health(socket: &Path) -> io::Result<Health> {
    let (_, answer) = ask(socket, "health")?;
    let json: serde_json::Value = serde_json::from_str(&answer)?;
    let count = |name: &str| json[name].as_u64().unwrap_or(0);
    Ok(Health {
        ready: json["ready"] == true,
        sessions: count("sessions"),
        served: count("served"),
        dropped: count("dropped"),
        warm: json["warm"].as_u64(),
        reason: json["reason"].as_str().map(str::to_owned),
    })
}

/// The verb `health`: says on stdout what `serve` says, if `json`.
///
/// # Errors
/// Nobody answers, or `serve` is not ready; why, as far as it is known.
pub fn report(socket: &Path, json: bool) -> Result<(), String> {
    let health =
        health(socket).map_err(|e| format!("not ready: nobody answers on {}: {e}", socket.display()))?;
    if json {
        writeln!(io::stdout(), "{}", health.to_json()).map_err(|e| format!("cannot write to stdout: {e}"))?;
    }
    match health.reason {
        _ if health.ready => Ok(()),
        None => Err("not ready".into()),
        Some(reason) => Err(format!("not ready: {reason}")),
    }
}

fn ask(socket: &Path, line: &str) -> io::Result<(UnixStream, String)> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    writeln!(stream, "{line}")?;
    let mut answer = String::new();
    BufReader::new(&stream).read_line(&mut answer)?;
    Ok((stream, answer.trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_serve_a_session_is_alone_and_health_fails() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("mcp.sock");
        assert!(matches!(announce(&socket), Announced::Alone));
        assert!(health(&socket).is_err());
    }
}
