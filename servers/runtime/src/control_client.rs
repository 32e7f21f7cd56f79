//! The other end of `serve`'s socket: a session that registers itself, and the one-shot health check.
//!
//! Socket path -> `Registration` or `Health`. Invariant: nothing here waits longer than it was told to for a `serve` that
//! does not answer.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use drydock_contract::{ControlMessage, Health, SessionKind};

use crate::Error;
use crate::ipc::{LineSocket, MAX_REPORT_LINE};

/// How long a `serve` that has only to answer may take.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a session asks that is told nothing.
const MAX_ATTEMPTS: usize = 3;

/// A session that `serve` counts until the connection is closed.
#[derive(Debug)]
pub struct Registered {
    /// Carries the pipes of the session's server, if it was given one, and tells of its end.
    pub connection: LineSocket,
    /// The process whose stderr takes the log lines.
    pub log_pid: Option<u32>,
    /// The session's number.
    pub session: u64,
}

/// What came of registering a session.
#[derive(Debug)]
pub enum Registration {
    /// It is counted.
    Registered(Registered),
    /// No `serve` is running here (a client on the host, or `docker run`): there is nothing to count or to log to.
    Standalone,
    /// `serve` said no, and why.
    Rejected(String),
}

/// Registers a session that has a server of its own with the `serve` that listens on `socket`, if there is one.
///
/// ```
/// use drydock_runtime::control_client::{Registration, register};
///
/// let nobody = std::path::Path::new("/nowhere/mcp.sock");
/// assert!(matches!(register(nobody), Registration::Standalone));
/// ```
#[must_use]
pub fn register(socket: &Path) -> Registration {
    for _ in 0..MAX_ATTEMPTS {
        let Ok(stream) = UnixStream::connect(socket) else { break };
        match request_session(stream, SessionKind::Own, ANSWER_TIMEOUT) {
            Answer::Accepted(it) => return Registration::Registered(it),
            Answer::Refused { reason, .. } => return Registration::Rejected(reason),
            Answer::None => break,
            Answer::Retry => {} // closed among many others, say
        }
    }
    Registration::Standalone
}

/// What is said to a session that asks.
#[derive(Debug)]
pub enum Answer {
    /// It may.
    Accepted(Registered),
    /// It may not.
    Refused {
        /// Why.
        reason: String,
        /// The last lines that its server wrote to stderr, if it was that which failed.
        stderr_tail: Vec<String>,
    },
    /// Nothing is wrong but this try, or the peer is gone.
    Retry,
    /// Nothing was said in time.
    None,
}

/// Asks for a session on a connection to `serve`.
#[must_use]
pub fn request_session(stream: UnixStream, kind: SessionKind, timeout: Duration) -> Answer {
    match connection(stream) {
        Ok(connection) if connection.send(ControlMessage::SessionRequest(kind)).is_ok() => {
            read_answer(connection, Instant::now() + timeout)
        }
        _ => Answer::Retry,
    }
}

/// Waits for the answer on a connection on which a session was asked for.
#[must_use]
pub fn read_answer(mut connection: LineSocket, deadline: Instant) -> Answer {
    let mut stderr_tail = Vec::new();
    while let Some(line) = connection.read_line_by(deadline) {
        match line.parse() {
            Ok(ControlMessage::SessionAccepted { log_pid, session }) => {
                return Answer::Accepted(Registered { connection, log_pid, session });
            }
            Ok(ControlMessage::StderrLine(line)) => stderr_tail.push(line),
            Ok(ControlMessage::SessionRefused(reason)) => return Answer::Refused { reason, stderr_tail },
            _ => return Answer::Retry,
        }
    }
    if Instant::now() >= deadline { Answer::None } else { Answer::Retry }
}

/// A connection that takes a session's answers.
///
/// # Errors
/// The stream cannot be made non-blocking.
pub fn connection(stream: UnixStream) -> io::Result<LineSocket> {
    Ok(LineSocket::new(stream, MAX_REPORT_LINE)?.with_fds())
}

/// Asks `serve` how it is.
///
/// # Errors
/// Nobody listens on `socket`, or what is said is no health record, or comes too late.
pub fn health(socket: &Path) -> io::Result<Health> {
    let mut connection = LineSocket::new(UnixStream::connect(socket)?, MAX_REPORT_LINE)?;
    connection.send(ControlMessage::HealthRequest)?;
    let deadline = Instant::now() + ANSWER_TIMEOUT;
    match connection.read_line_by(deadline).map(|line| line.parse()) {
        Some(Ok(ControlMessage::HealthReport(health))) => Ok(health),
        Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "what it says is no health record")),
        None if Instant::now() >= deadline => Err(io::ErrorKind::TimedOut.into()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// The subcommand `health`: says on stdout what `serve` says, if `json`.
///
/// # Errors
/// Nobody answers, or `serve` is not ready; why, as far as it is known.
pub fn report_health(socket: &Path, json: bool) -> Result<(), Error> {
    let health = health(socket).map_err(|source| Error::NoAnswer { socket: socket.to_owned(), source })?;
    if json {
        writeln!(io::stdout(), "{}", health.to_json()).map_err(Error::Stdout)?;
    }
    if health.ready { Ok(()) } else { Err(Error::NotReady { reason: health.reason }) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::thread;

    use super::*;

    /// A `serve` that says these bytes to the first that asks, and then hangs up.
    fn says(answer: &'static str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mcp.sock");
        let listener = UnixListener::bind(&path).unwrap();
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut connection = LineSocket::new(stream, 256).unwrap();
            connection.read_line_by(Instant::now() + Duration::from_secs(10)).unwrap();
            connection.send(answer).unwrap();
        });
        (folder, path)
    }

    #[test]
    fn without_a_serve_a_session_is_alone_and_health_fails() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("mcp.sock");
        assert!(matches!(register(&socket), Registration::Standalone));
        assert!(health(&socket).is_err());
        assert!(matches!(report_health(&socket, false), Err(Error::NoAnswer { .. })));
    }

    #[test]
    fn a_connection_that_is_closed_is_no_answer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mcp.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let server = thread::spawn(move || {
            drop(listener.accept().unwrap());
            let (stream, _) = listener.accept().unwrap();
            let mut connection = LineSocket::new(stream, 256).unwrap();
            connection.read_line_by(Instant::now() + Duration::from_secs(10)).unwrap();
            connection.send("accepted 7 3").unwrap();
        });
        assert!(matches!(register(&path), Registration::Registered(it) if it.session == 3));
        server.join().unwrap();
    }

    #[test]
    fn answers_are_understood_and_nonsense_is_not_taken_for_one() {
        let (_folder, socket) = says("accepted 7 3");
        let Registration::Registered(it) = register(&socket) else { panic!() };
        assert_eq!((it.log_pid, it.session), (Some(7), 3));
        let (_folder, socket) = says("refused for a reason");
        assert!(matches!(register(&socket), Registration::Rejected(it) if it == "for a reason"));
        let (_folder, socket) = says("hello 7");
        assert!(matches!(register(&socket), Registration::Standalone));
        let (_folder, socket) = says("refused");
        assert_eq!(health(&socket).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let (_folder, socket) = says(r#"health {"ready":false,"sessions":0,"reason":"it starts"}"#);
        let error = report_health(&socket, false).unwrap_err();
        assert_eq!(error.to_string(), "not ready: it starts");
    }
}
