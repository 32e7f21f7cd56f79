//! What can go wrong in the bridge, and what helps.
//!
//! A failure -> its text, a hint where there is a cure, an exit code. Invariant: code tells failures apart by their
//! variant, never by their text.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;

use drydock_runtime::args::CliError;
use drydock_runtime::contract::env::MAX_WARM;

use crate::config::FIELDS;

/// Why a subcommand of `/mcp` failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The command line or an environment variable is wrong.
    Usage {
        /// The flag or variable, its value, and what it takes.
        problem: CliError,
        /// What `--help` prints.
        help: String,
    },
    /// An option of the bridge has a value that it does not take.
    Option {
        /// Its name, without dashes.
        name: &'static str,
        /// The value, and what it takes.
        problem: CliError,
    },
    /// The configuration of the wrapped server is wrong.
    Config {
        /// The file that it stands in; `None` where it was given on the command line.
        path: Option<PathBuf>,
        /// What is wrong with it.
        problem: ConfigError,
    },
    /// There is no configuration, and no command was given.
    NoServer,
    /// What every `/mcp` has failed: the control socket, signals, `health`.
    Runtime(drydock_runtime::Error),
    /// A session could not be started.
    NoSession(Box<Error>),
    /// `serve` or the supervisor of a child refused the session.
    Refused {
        /// Why.
        reason: String,
        /// The last lines that the server wrote to stderr, at most ten.
        stderr_tail: Vec<String>,
    },
    /// Every child that `serve` had for the session died before the session got it.
    DiesAtStart,
    /// The supervisor of the session's child ended before it answered.
    SupervisorEnded,
    /// `serve` accepted the connection and did not answer in time.
    Unanswered,
    /// An operation of the system failed.
    Io {
        /// What was tried, as in `cannot read /etc/mcp/bridge.json`.
        action: String,
        /// What the system says.
        source: io::Error,
    },
    /// A mistake in Drydock: two of its processes do not understand each other.
    Internal(String),
}

/// What is wrong with the configuration of the wrapped server.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is not JSON.
    Json(serde_json::Error),
    /// The file is JSON, but not an object.
    NotAnObject,
    /// A field that nobody reads: a typing error.
    UnknownField(String),
    /// `command` is missing or empty.
    NoCommand,
    /// A field has a value of another type.
    WrongType {
        /// The name of the field.
        field: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// More warm children than are kept.
    TooManyWarm(usize),
    /// A part of the command line is not UTF-8.
    NotUtf8(OsString),
}

impl Error {
    /// What the person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoServer => Some("give a command, `stdio -- CMD`"),
            Self::NoSession(it) => it.hint(),
            Self::Runtime(it) => it.hint(),
            _ => None,
        }
    }

    /// The exit code of the process: 2 if the command line is wrong, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Usage { .. }) { 2 } else { 1 }
    }

    /// For `map_err`: an error of the system, with what was tried.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Io { action: action.into(), source }
    }

    /// For `map_err`: the same failure as the reason that there is no session.
    pub(crate) fn no_session(self) -> Self {
        Self::NoSession(Box::new(self))
    }

    /// In one line, for a peer that cannot ask for the hint.
    pub(crate) fn to_line(&self) -> String {
        self.hint().map_or_else(|| self.to_string(), |hint| format!("{self}: {hint}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage { problem, help } => write!(f, "{problem}\n\n{help}"),
            Self::Option { name, problem } => write!(f, "{name}: {problem}"),
            Self::Config { path: Some(path), problem } => write!(f, "{}: {problem}", path.display()),
            Self::Config { path: None, problem } => problem.fmt(f),
            Self::NoServer => f.write_str("no server is wrapped here"),
            Self::Runtime(error) => error.fmt(f),
            Self::NoSession(reason) => write!(f, "no session: {reason}"),
            Self::Refused { reason, stderr_tail } => {
                f.write_str(reason)?;
                stderr_tail.iter().try_for_each(|line| write!(f, "\n  {line}"))
            }
            Self::DiesAtStart => f.write_str("the server dies as soon as it is started; its log says why"),
            Self::SupervisorEnded => f.write_str("the server's supervisor was ended"),
            Self::Unanswered => f.write_str("`serve` does not answer"),
            Self::Io { action, source } => write!(f, "{action}: {source}"),
            Self::Internal(problem) => write!(f, "internal error: please report it: {problem}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Config { problem, .. } => Some(problem),
            Self::NoSession(reason) => Some(reason.as_ref()),
            Self::Runtime(error) => error.source(),
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<drydock_runtime::Error> for Error {
    fn from(error: drydock_runtime::Error) -> Self {
        Self::Runtime(error)
    }
}

impl From<ConfigError> for Error {
    fn from(problem: ConfigError) -> Self {
        Self::Config { path: None, problem }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(problem) => problem.fmt(f),
            Self::NotAnObject => f.write_str("not an object"),
            Self::UnknownField(name) => {
                write!(f, "unknown field `{name}`, expected one of {}", FIELDS.join(", "))
            }
            Self::NoCommand => f.write_str("no `command`"),
            Self::WrongType { field, expected } => write!(f, "`{field}` is not {expected}"),
            Self::TooManyWarm(count) => write!(f, "`warm` is {count}, at most {MAX_WARM} are kept"),
            Self::NotUtf8(word) => write!(f, "{} is not UTF-8", word.to_string_lossy()),
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Json(problem) = self { Some(problem) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_that_of_the_cause() {
        let error = Error::NoServer.no_session();
        assert_eq!(error.to_string(), "no session: no server is wrapped here");
        assert_eq!(error.hint(), Error::NoServer.hint());
        assert_eq!(Error::NoServer.to_line(), "no server is wrapped here: give a command, `stdio -- CMD`");
    }

    #[test]
    fn only_a_wrong_command_line_exits_with_2() {
        let usage = Error::Usage { problem: "no subcommand".into(), help: "Usage: ..".into() };
        assert_eq!((usage.exit_code(), Error::NoServer.exit_code()), (2, 1));
        assert_eq!(usage.to_string(), "no subcommand\n\nUsage: ..");
    }
}
