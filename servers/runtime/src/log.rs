//! The log of `/mcp`: one line an event, to PID 1's stderr from inside a container, else to our own stderr.
//!
//! Event -> at most one `write` of at most 4,096 bytes. Invariants: it never blocks (a line that nobody reads is
//! dropped and counted), no line is torn or forged (control characters are escaped), and it holds no arguments and
//! no results.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use rustix::fs::{FileType, OFlags};
use rustix::net::{SendFlags, send};

/// Pipes take up to this much in one piece (`PIPE_BUF` of Linux), so lines of several writers never mix.
const LINE: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

impl Level {
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
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Error, Self::Warn, Self::Info, Self::Debug]
            .into_iter()
            .find(|it| it.name() == text)
            .ok_or_else(|| format!("`{}` is not one of error, warn, info, debug", escape(text)))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Human,
    Json,
}

impl Format {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err(format!("`{}` is not one of human, json", escape(text))),
        }
    }
}

/// Where the lines go, and which.
#[derive(Debug)]
struct Log {
    level: Level,
    format: Format,
    /// The number that all lines of this process carry; 0 for `serve`.
    session: AtomicU32,
    sink: Sink,
    dropped: AtomicU64,
}

/// Three ways to write without ever waiting for a reader.
#[derive(Debug)]
enum Sink {
    /// A pipe or terminal, opened anew so that non-blocking is a property of our own descriptor alone.
    Opened(File),
    /// Our own stderr is a socket (Node starts its children like that), which cannot be opened anew.
    Socket,
    /// Our own stderr is a file, which never blocks; opened anew, it would lose its place.
    Stderr,
}

static LOG: OnceLock<Log> = OnceLock::new();

/// Sets the log up, once per process; before that nothing is written. `serve_pid` is the process whose stderr
/// gets the lines: `serve`'s, which in a container is PID 1's.
pub fn init(level: Level, format: Format, session: u32, serve_pid: Option<u32>) {
    let sink = serve_pid.and_then(|pid| open_stderr_of(pid).ok()).map_or_else(own_stderr, Sink::Opened);
    let _ =
        LOG.set(Log { level, format, session: AtomicU32::new(session), sink, dropped: AtomicU64::new(0) });
}

fn own_stderr() -> Sink {
    match rustix::fs::fstat(io::stderr()).map(|it| FileType::from_raw_mode(it.st_mode)) {
        Ok(FileType::Fifo | FileType::CharacterDevice) => {
            open_stderr_of(std::process::id()).map_or(Sink::Stderr, Sink::Opened)
        }
        Ok(FileType::Socket) => Sink::Socket,
        _ => Sink::Stderr,
    }
}

fn open_stderr_of(pid: u32) -> io::Result<File> {
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    File::options().append(true).custom_flags(nonblocking).open(format!("/proc/{pid}/fd/2"))
}

/// The number that lines carry from now on, in a process that learns it late.
pub fn set_session(number: u32) {
    if let Some(log) = LOG.get() {
        log.session.store(number, Ordering::Relaxed);
    }
}

/// Lines that were lost because nobody read them.
pub fn dropped() -> u64 {
    LOG.get().map_or(0, |log| log.dropped.load(Ordering::Relaxed))
}

/// Whether a line of that level would be written; lets a caller skip the work of making one.
pub fn enabled(level: Level) -> bool {
    LOG.get().is_some_and(|log| level <= log.level)
}

pub fn error(text: &str) {
    event(Level::Error, text, None);
}

pub fn warn(text: &str) {
    event(Level::Warn, text, None);
}

pub fn info(text: &str) {
    event(Level::Info, text, None);
}

pub fn debug(text: &str) {
    event(Level::Debug, text, None);
}

/// A line that a wrapped server wrote to its stderr: shown at every level.
pub fn child(text: &str) {
    line(Level::Error, CHILD, text, None);
}

/// What stands in the place of a level.
const CHILD: &str = "child";

/// What one request came to. Never its arguments, never its result.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub method: &'a str,
    /// The name of the tool, prompt or resource template; where there is one.
    pub tool: Option<&'a str>,
    pub id: &'a str,
    pub elapsed: Duration,
    /// `ok`, or what went wrong in a few words.
    pub outcome: &'a str,
}

/// Logs a request that has ended: `info` when it went well, `warn` when not.
pub fn request(request: Request<'_>) {
    let level = if request.outcome == "ok" { Level::Info } else { Level::Warn };
    event(level, "", Some(request));
}

fn event(level: Level, text: &str, request: Option<Request<'_>>) {
    line(level, level.name(), text, request);
}

fn line(level: Level, name: &str, text: &str, request: Option<Request<'_>>) {
    let Some(log) = LOG.get().filter(|log| level <= log.level) else { return };
    let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let session = log.session.load(Ordering::Relaxed);
    let line = match log.format {
        Format::Human => human(&time, name, session, text, request),
        Format::Json => json(&time, name, session, text, request),
    };
    let line = one_line(line);
    if !log.sink.write(line.as_bytes()).is_ok_and(|bytes| bytes == line.len()) {
        log.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

impl Sink {
    fn write(&self, line: &[u8]) -> io::Result<usize> {
        match self {
            Self::Opened(file) => (&mut &*file).write(line),
            Self::Socket => Ok(send(io::stderr(), line, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?),
            Self::Stderr => io::stderr().write(line),
        }
    }
}

fn human(time: &str, level: &str, session: u32, text: &str, request: Option<Request<'_>>) -> String {
    let mut line = format!("{time} {level:<5} ");
    if session != 0 {
        let _ = write!(line, "[{session}] ");
    }
    match request {
        None => line.push_str(&escape(text)),
        Some(it) => {
            line.push_str(&escape(it.method));
            if let Some(tool) = it.tool {
                line.push(' ');
                line.push_str(&escape(&shorten(tool, 128)));
            }
            let ms = it.elapsed.as_secs_f64() * 1e3;
            let _ = write!(
                line,
                " id={} {ms:.1} ms {}",
                escape(&shorten(it.id, 64)),
                escape(&shorten(it.outcome, 200))
            );
        }
    }
    line
}

fn json(time: &str, level: &str, session: u32, text: &str, request: Option<Request<'_>>) -> String {
    /// In characters; escaped, each is at most six bytes, so that a line is never cut in the middle of its JSON.
    const LONGEST: usize = 600;
    let mut fields = vec![("time", time.into()), ("level", level.into())];
    if session != 0 {
        fields.push(("session", session.into()));
    }
    match request {
        None => fields.push(("text", shorten(text, LONGEST).into())),
        Some(it) => {
            fields.push(("method", it.method.into()));
            if let Some(tool) = it.tool {
                fields.push(("tool", shorten(tool, 128).into()));
            }
            fields.push(("id", shorten(it.id, 64).into()));
            fields.push(("ms", ((it.elapsed.as_secs_f64() * 1e4).round() / 10.0).into()));
            fields.push(("outcome", shorten(it.outcome, 200).into()));
        }
    }
    let fields: Vec<String> = fields
        .into_iter()
        .map(|(name, value): (&str, serde_json::Value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn one_line(mut line: String) -> String {
    if line.len() >= LINE {
        let mut end = LINE - 5;
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        line.truncate(end);
        line.push_str("...");
    }
    line.push('\n');
    line
}

fn shorten(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

/// Makes text from outside safe to show: control characters and those that reorder or hide text are escaped.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_invisible(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Zero-width and bidirectional controls: the tricks of "Trojan Source" (CVE-2021-42574), and line separators.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "2026-11-22T21:40:00.123Z";

    fn call<'a>(tool: &'a str, outcome: &'a str) -> Option<Request<'a>> {
        let elapsed = Duration::from_micros(1_250);
        Some(Request { method: "tools/call", tool: Some(tool), id: "7", elapsed, outcome })
    }

    #[test]
    fn a_request_in_both_formats() {
        assert_eq!(
            human(TIME, "info", 42, "", call("find_place", "ok")),
            "2026-11-22T21:40:00.123Z info  [42] tools/call find_place id=7 1.2 ms ok"
        );
        assert_eq!(
            json(TIME, "warn", 42, "", call("find_place", "timed out")),
            r#"{"time":"2026-11-22T21:40:00.123Z","level":"warn","session":42,"method":"tools/call","tool":"find_place","id":"7","ms":1.3,"outcome":"timed out"}"#
        );
    }

    #[test]
    fn no_line_can_be_forged() {
        let evil = "x\n2026 info ok\u{1b}[2J\u{202e}";
        let line = human(TIME, "info", 1, "", call(evil, "ok"));
        assert!(!line.contains('\n') && !line.contains('\u{1b}') && !line.contains('\u{202e}'), "{line}");
        let line = json(TIME, "info", 1, evil, None);
        assert!(!line.contains('\n') && !line.contains('\u{1b}'), "{line}");
    }

    #[test]
    fn a_line_fits_into_a_pipe_in_one_piece() {
        let line = one_line("ü".repeat(LINE));
        assert!(line.len() <= LINE && line.ends_with("...\n"));
        assert!(human(TIME, "info", 1, "", call(&"t".repeat(9000), "ok")).len() < LINE);
        let worst = "\u{1}".repeat(9000);
        let request = Request { id: &worst, ..call(&worst, &worst).unwrap() };
        for json in [json(TIME, "info", 1, &worst, None), json(TIME, "info", 1, "", Some(request))] {
            assert!(json.len() < LINE, "{}", json.len());
            assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
        }
    }

    #[test]
    fn levels_are_ordered_and_named() {
        assert!(Level::Error < Level::Debug);
        assert_eq!("warn".parse(), Ok(Level::Warn));
        assert!("loud".parse::<Level>().unwrap_err().contains("`loud`"));
    }
}
