//! What can go wrong for a `/mcp`, as a person at the terminal reads it.
//!
//! Cause -> one line of text, and a hint where there is a cure. Invariant: who handles one goes by its variant.

use std::path::PathBuf;
use std::{fmt, io};

/// Why `/mcp` could not do what it was asked to.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The control socket cannot be made.
    Listen {
        /// Its path.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another `serve` listens on the control socket.
    AlreadyServing {
        /// Its path.
        socket: PathBuf,
    },
    /// A file that is no socket stands in the control socket's place.
    NotASocket {
        /// Its path.
        socket: PathBuf,
    },
    /// Signals cannot be caught.
    Signals(io::Error),
    /// The system does not tell which descriptors are ready.
    Poll(io::Error),
    /// No `serve` answers on the control socket.
    NoAnswer {
        /// Its path.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `serve` is not ready.
    NotReady {
        /// Why, if it knows.
        reason: Option<String>,
    },
    /// `serve` takes no session, and why.
    Rejected(String),
    /// What was asked for cannot be printed.
    Stdout(io::Error),
}

impl Error {
    /// What to do about it, where that is known.
    ///
    /// ```
    /// let error = drydock_runtime::Error::AlreadyServing { socket: "/run/mcp.sock".into() };
    /// assert!(error.hint().is_some_and(|it| it.contains("--socket")));
    /// ```
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("make its folder, or give another path with `--socket`")
            }
            Self::AlreadyServing { .. } => Some("end that one, or give another path with `--socket`"),
            Self::NotASocket { .. } => Some("remove the file, or give another path with `--socket`"),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { socket, source } => write!(f, "cannot serve on {}: {source}", socket.display()),
            Self::AlreadyServing { socket } => {
                write!(f, "cannot serve on {}: another `serve` listens there", socket.display())
            }
            Self::NotASocket { socket } => {
                write!(f, "cannot serve on {}: a file that is no socket stands there", socket.display())
            }
            Self::Signals(source) => write!(f, "cannot catch signals: {source}"),
            Self::Poll(source) => write!(f, "cannot wait for descriptors: {source}"),
            Self::NoAnswer { socket, source } => {
                write!(f, "not ready: nobody answers on {}: {source}", socket.display())
            }
            Self::NotReady { reason: None } => f.write_str("not ready"),
            Self::NotReady { reason: Some(reason) } => write!(f, "not ready: {reason}"),
            Self::Rejected(reason) => write!(f, "no session: {reason}"),
            Self::Stdout(source) => write!(f, "cannot write to stdout: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { source, .. } | Self::NoAnswer { source, .. } => Some(source),
            Self::Signals(source) | Self::Poll(source) | Self::Stdout(source) => Some(source),
            Self::AlreadyServing { .. }
            | Self::NotASocket { .. }
            | Self::NotReady { .. }
            | Self::Rejected(_) => None,
        }
    }
}
