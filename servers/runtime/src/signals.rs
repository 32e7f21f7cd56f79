//! The signals that end a `/mcp`, as something to poll.
//!
//! SIGTERM, SIGINT, SIGHUP -> a readable stream. Invariant: no code of ours runs in a signal handler.

use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::Error;

/// A stream that becomes readable when the process is told to end.
///
/// # Errors
/// [`Error::Signals`].
pub fn shutdown_signals() -> Result<UnixStream, Error> {
    let (reader, writer) = UnixStream::pair().map_err(Error::Signals)?;
    // Also a hang-up that whoever started us ignores (`nohup`): a session whose client is gone must not stay for that.
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        let writer = writer.try_clone().map_err(Error::Signals)?;
        signal_hook::low_level::pipe::register(signal, writer).map_err(Error::Signals)?;
    }
    Ok(reader)
}
