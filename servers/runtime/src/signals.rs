//! The signals that end a `/mcp`, and the ends of its children, as something to poll.
//!
//! SIGTERM, SIGINT, SIGHUP, SIGCHLD -> a readable stream. Invariant: no code of ours runs in a signal handler.

use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

use crate::Error;

/// Also a hang-up that whoever started us ignores (`nohup`): a session whose client is gone must not stay for that.
const SIGNALS: [(&str, i32); 3] = [("SIGTERM", SIGTERM), ("SIGINT", SIGINT), ("SIGHUP", SIGHUP)];

/// A stream that becomes readable when the process is told to end.
///
/// # Errors
/// [`Error::Signals`].
pub fn shutdown_signals() -> Result<UnixStream, Error> {
    let (reader, writer) = UnixStream::pair().map_err(Error::Signals)?;
    for (_, signal) in SIGNALS {
        register(signal, writer.try_clone().map_err(Error::Signals)?)?;
    }
    Ok(reader)
}

/// The same with a stream for each signal, and its name.
///
/// ```
/// let signals = drydock_runtime::signals::named_shutdown_signals()?;
/// assert_eq!(signals[0].0, "SIGTERM");
/// # Ok::<(), drydock_runtime::Error>(())
/// ```
///
/// # Errors
/// [`Error::Signals`].
pub fn named_shutdown_signals() -> Result<Vec<(&'static str, UnixStream)>, Error> {
    let stream = |(name, signal)| {
        let (reader, writer) = UnixStream::pair().map_err(Error::Signals)?;
        register(signal, writer)?;
        Ok((name, reader))
    };
    SIGNALS.into_iter().map(stream).collect()
}

/// A stream that becomes readable when a child process has ended: non-blocking, to be read empty before the next wait.
///
/// ```
/// let mut exits = drydock_runtime::signals::child_exits()?;
/// assert!(std::io::Read::read(&mut exits, &mut [0]).is_err()); // nothing has ended yet
/// # Ok::<(), drydock_runtime::Error>(())
/// ```
///
/// # Errors
/// [`Error::Signals`].
pub fn child_exits() -> Result<UnixStream, Error> {
    let (reader, writer) = UnixStream::pair().map_err(Error::Signals)?;
    reader.set_nonblocking(true).map_err(Error::Signals)?;
    register(SIGCHLD, writer)?;
    Ok(reader)
}

fn register(signal: i32, writer: UnixStream) -> Result<(), Error> {
    signal_hook::low_level::pipe::register(signal, writer).map_err(Error::Signals).map(drop)
}
