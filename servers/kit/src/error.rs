//! Why `/mcp` of a server in Rust could not do what it was asked to.
//!
//! Cause -> a line for the terminal. Invariant: nothing of a message is lost on its way up.

use std::{fmt, io};

use drydock_runtime::args::CliError;

#[derive(Debug)]
pub(crate) enum Error {
    Cli(CliError),
    Runtime(drydock_runtime::Error),
    /// There is no async runtime or no watchdog to be had.
    Start(io::Error),
    /// The client and the server found no common words.
    Handshake(Box<rmcp::service::ServerInitializeError>),
    /// The task of the session broke.
    Task(tokio::task::JoinError),
    Stdout(io::Error),
}

impl Error {
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Runtime(error) => error.hint(),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cli(error) => error.fmt(f),
            Self::Runtime(error) => error.fmt(f),
            Self::Start(error) => write!(f, "cannot start a session: {error}"),
            Self::Handshake(error) => write!(f, "no handshake: {error}"),
            Self::Task(error) => error.fmt(f),
            Self::Stdout(error) => write!(f, "cannot write to stdout: {error}"),
        }
    }
}

impl From<CliError> for Error {
    fn from(error: CliError) -> Self {
        Self::Cli(error)
    }
}

impl From<drydock_runtime::Error> for Error {
    fn from(error: drydock_runtime::Error) -> Self {
        Self::Runtime(error)
    }
}
