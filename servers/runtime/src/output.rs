//! Our stdout, written to without ever waiting in the write itself.
//!
//! Bytes -> how many went out, or `WouldBlock`. Invariant: where the system allows it, non-blocking is a property of a
//! descriptor of our own: whoever else holds this stdout (a shell, say) is not affected.

use std::fs::File;
use std::io::{self, ErrorKind, Stdout, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags};
use rustix::net::{SendFlags, send};

/// A pipe that is writable takes that much without blocking (`PIPE_BUF` of Linux).
const PIPE_BUF: usize = 4096;

/// Where a session's answers go.
///
/// ```no_run
/// let mut output = drydock_runtime::output::Output::stdout();
/// let written = output.write(b"{}\n"); // some of it, or `WouldBlock`
/// ```
#[derive(Debug)]
pub struct Output(Kind);

#[derive(Debug)]
enum Kind {
    /// A pipe, opened again.
    Reopened(File),
    Socket(Stdout),
    /// A file, a terminal, or a pipe that cannot be opened again.
    Plain(Stdout),
}

impl Output {
    /// Our stdout.
    #[must_use]
    pub fn stdout() -> Self {
        let stdout = io::stdout();
        Self(match rustix::fs::fstat(&stdout).map(|it| FileType::from_raw_mode(it.st_mode)) {
            Ok(FileType::Fifo) => reopen().map_or(Kind::Plain(stdout), Kind::Reopened),
            Ok(FileType::Socket) => Kind::Socket(stdout),
            _ => Kind::Plain(stdout),
        })
    }

    /// Writes as much as goes out at once.
    ///
    /// # Errors
    /// `WouldBlock` when nothing does; any other says that nobody reads any more.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Reopened(file) => file.write(bytes),
            Kind::Socket(stdout) => Ok(send(stdout, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?),
            Kind::Plain(stdout) => {
                let mut fds = [PollFd::new(stdout, PollFlags::OUT)];
                if poll(&mut fds, Some(&Timespec::default()))? == 0 {
                    return Err(ErrorKind::WouldBlock.into());
                }
                // Not through std's `Stdout`, which keeps back what follows the last line break.
                Ok(rustix::io::write(stdout, &bytes[..bytes.len().min(PIPE_BUF)])?)
            }
        }
    }
}

fn reopen() -> io::Result<File> {
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    File::options().write(true).custom_flags(nonblocking).open("/proc/self/fd/1")
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.0 {
            Kind::Reopened(it) => it.as_fd(),
            Kind::Socket(it) | Kind::Plain(it) => it.as_fd(),
        }
    }
}
