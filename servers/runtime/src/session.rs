//! A session as a value: its number, its log, and that `serve` counts it.
//!
//! Options -> `Session`. Invariant: it counts from its registration until it is ended or dropped, and no other session's
//! lines have its number.

use drydock_contract::ControlMessage;

use crate::Error;
use crate::args::Options;
use crate::control_client::{self, Registered, Registration};
use crate::ipc::LineSocket;
use crate::log::Log;

/// An open session.
#[derive(Debug)]
pub struct Session {
    log: Log,
    /// `serve` counts the session while this is open; `None` where no `serve` is.
    connection: Option<LineSocket>,
}

impl Session {
    /// Registers a session that has a server of its own with the `serve` that listens on the socket of `options`, and logs
    /// to where that one logs. Without a `serve` it stands alone: its number is the process's, its log our own stderr.
    ///
    /// ```
    /// use drydock_runtime::{args::Options, session::Session};
    ///
    /// let options = Options { socket: "/nowhere/mcp.sock".into(), ..Options::default() };
    /// let session = Session::register(&options)?;
    /// assert_eq!(session.log().session(), Some(u64::from(std::process::id())));
    /// session.end();
    /// # Ok::<(), drydock_runtime::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Rejected`].
    pub fn register(options: &Options) -> Result<Self, Error> {
        match control_client::register(&options.socket) {
            Registration::Registered(Registered { connection, log_pid, session }) => {
                Ok(Self { connection: Some(connection), ..Self::new(options, log_pid, session) })
            }
            Registration::Standalone => Ok(Self::new(options, None, u64::from(std::process::id()))),
            Registration::Rejected(reason) => Err(Error::Rejected(reason)),
        }
    }

    fn new(options: &Options, log_pid: Option<u32>, number: u64) -> Self {
        let log = Log::new(options.log, options.log_format, log_pid).of_session(number);
        Self { log, connection: None }
    }

    /// A session that no `serve` counts and that logs there: its number is the process's.
    ///
    /// ```
    /// use drydock_runtime::{log::Log, session::Session};
    ///
    /// assert_eq!(Session::standalone(&Log::discard()).log().dropped(), 0);
    /// ```
    #[must_use]
    pub fn standalone(log: &Log) -> Self {
        Self { log: log.of_session(u64::from(std::process::id())), connection: None }
    }

    /// Where everything goes that concerns this session.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Ends it: `serve` hears how many log lines were lost, and counts it no more.
    pub fn end(&self) {
        if let Some(connection) = &self.connection {
            let _ = connection.send(ControlMessage::SessionEnded { dropped: self.log.dropped() });
        }
    }
}
