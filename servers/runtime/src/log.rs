//! The log of `/mcp`: one line an event, to PID 1's stderr from inside a container, else to our own stderr.
//!
//! Event -> at most one `write` of at most 4,096 bytes. Invariants: it never blocks (a line that nobody reads is
//! dropped and counted), no line is torn or forged (control characters are escaped), and what we write holds no arguments
//! and no results: of a request its method, the name of the tool or prompt and its id, of a panic its place, never its text.
//!
//! What others write is out of our hands, and may hold anything: [`Log::child`] takes the stderr of a wrapped server as it
//! comes, and a tool of ours that calls `drydock_kit::log` chooses its words itself.
//!
//! A log is a value: one process may have several sessions, each with a log of its own.

mod line;
mod sink;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

pub use drydock_contract::terminal::escape_line as escape;
use sink::Sink;

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something does not work.
    Error,
    /// Something went wrong, and the rest goes on.
    Warn,
    /// What happens.
    Info,
    /// What happens, in detail.
    Debug,
}

impl Level {
    /// As on the command line and in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

impl FromStr for Level {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        [Self::Error, Self::Warn, Self::Info, Self::Debug]
            .into_iter()
            .find(|it| it.name() == text)
            .ok_or_else(|| ParseError { text: text.to_owned(), expected: "error, warn, info, debug" })
    }
}

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Words, for people.
    Human,
    /// An object, for programs.
    Json,
}

impl Format {
    /// As on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }
}

impl FromStr for Format {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err(ParseError { text: text.to_owned(), expected: "human, json" }),
        }
    }
}

/// A text that names no level or no format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    text: String,
    expected: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not one of {}", escape(&self.text), self.expected)
    }
}

impl std::error::Error for ParseError {}

/// What one request came to. Never its arguments, never its result.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The JSON-RPC method.
    pub method: &'a str,
    /// The name of the tool, prompt or resource template; where there is one.
    pub tool: Option<&'a str>,
    /// The JSON-RPC id, as text.
    pub id: &'a str,
    /// From the request to its answer.
    pub elapsed: Duration,
    /// What came of it.
    pub outcome: &'a Outcome,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered.
    Ok,
    /// The tool says that it failed.
    ToolError,
    /// A protocol error with this code, which is empty where there was none.
    ProtocolError(Cow<'static, str>),
    /// The client does not want the answer any more.
    Cancelled,
    /// It took longer than a call may.
    TimedOut,
    /// Too many calls wait already.
    Busy,
    /// The session ended before an answer came.
    NotAnswered,
    /// The code that worked on it panicked, or another's panic ended the process.
    Panicked,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::ToolError => "tool error",
            Self::ProtocolError(code) if code.is_empty() => "error",
            Self::ProtocolError(code) => return write!(f, "error {code}"),
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed out",
            Self::Busy => "busy",
            Self::NotAnswered => "not answered",
            Self::Panicked => "panicked",
        })
    }
}

/// Where the lines go, and which. Cheap to clone; clones count the lines that they lose together.
///
/// ```
/// use drydock_runtime::log::{Format, Level, Log};
///
/// let log = Log::new(Level::Warn, Format::Human, None);
/// let session = log.of_session(7);
/// session.info("not written at this level");
/// assert_eq!((session.session(), session.dropped()), (Some(7), 0));
/// ```
#[derive(Debug, Clone)]
pub struct Log {
    level: Level,
    format: Format,
    /// The number that all lines carry.
    session: Option<u64>,
    sink: Arc<Sink>,
    dropped: Arc<AtomicU64>,
}

impl Log {
    /// Writes to the stderr of the process `pid` (in a container it is `serve`, PID 1), or to our own: without a `pid`, and
    /// where that one cannot be opened.
    #[must_use]
    pub fn new(level: Level, format: Format, pid: Option<u32>) -> Self {
        Self::to(Sink::stderr_of(pid), level, format)
    }

    /// Writes nothing, and loses nothing.
    #[must_use]
    pub fn discard() -> Self {
        Self::to(Sink::Discard, Level::Error, Format::Human)
    }

    /// For tests that read it.
    #[cfg(test)]
    pub(crate) fn to_file(file: std::fs::File) -> Self {
        Self::to(Sink::Opened(file), Level::Debug, Format::Human)
    }

    fn to(sink: Sink, level: Level, format: Format) -> Self {
        Self { level, format, session: None, sink: Arc::new(sink), dropped: Arc::default() }
    }

    /// A log to the same place of which each line has the session's number, and which counts its losses alone.
    #[must_use]
    pub fn of_session(&self, number: u64) -> Self {
        Self { session: Some(number), dropped: Arc::default(), ..self.clone() }
    }

    /// The session whose log it is.
    #[must_use]
    pub fn session(&self) -> Option<u64> {
        self.session
    }

    /// Lines that were lost because nobody read them.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Whether a line of that level would be written; lets a caller skip the work of making one.
    #[must_use]
    pub fn is_enabled(&self, level: Level) -> bool {
        level <= self.level
    }

    /// Logs that something does not work.
    pub fn error(&self, text: &str) {
        self.line(Level::Error, Level::Error.name(), text, None);
    }

    /// Logs that something went wrong.
    pub fn warn(&self, text: &str) {
        self.line(Level::Warn, Level::Warn.name(), text, None);
    }

    /// Logs what happens.
    pub fn info(&self, text: &str) {
        self.line(Level::Info, Level::Info.name(), text, None);
    }

    /// Logs what happens, in detail.
    pub fn debug(&self, text: &str) {
        self.line(Level::Debug, Level::Debug.name(), text, None);
    }

    /// Logs a line that a wrapped server wrote to its stderr: shown at every level. Nobody knows what it holds.
    pub fn child(&self, text: &str) {
        self.line(Level::Error, "child", text, None);
    }

    /// Logs a request that has ended: `info` when it went well, `warn` when not.
    pub fn request(&self, request: Request<'_>) {
        let level = if *request.outcome == Outcome::Ok { Level::Info } else { Level::Warn };
        self.line(level, level.name(), "", Some(request));
    }

    fn line(&self, level: Level, name: &str, text: &str, request: Option<Request<'_>>) {
        if !self.is_enabled(level) {
            return;
        }
        let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        let line = match self.format {
            Format::Human => line::human(&time, name, self.session, text, request),
            Format::Json => line::json(&time, name, self.session, text, request),
        };
        let line = line::one_line(line);
        if !self.sink.write(line.as_bytes()).is_ok_and(|bytes| bytes == line.len()) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;

    use rustix::fs::{OFlags, fcntl_setfl};

    use super::*;

    #[test]
    fn levels_are_ordered_and_named() {
        assert!(Level::Error < Level::Debug);
        assert_eq!("warn".parse(), Ok(Level::Warn));
        assert!("loud".parse::<Level>().unwrap_err().to_string().contains("`loud`"));
    }

    #[test]
    fn two_sessions_of_a_process_have_their_numbers_and_their_losses() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
        let log = Log::to(Sink::Opened(OwnedFd::from(writer).into()), Level::Info, Format::Human);
        let (one, two) = (log.of_session(1), log.of_session(2));
        one.info("first");
        two.clone().info("second");
        two.debug("not at this level");
        while two.dropped() < 3 {
            two.warn(&"x".repeat(3000)); // until the pipe is full
        }
        assert_eq!((log.dropped(), one.dropped(), two.dropped()), (0, 0, 3));
        drop((log, one, two));
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        let lines: Vec<_> = text.lines().take(2).map(|it| it.split_once(' ').unwrap().1).collect();
        assert_eq!(lines, ["info  [1] first", "info  [2] second"]);
    }
}
