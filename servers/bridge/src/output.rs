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

#[derive(Debug)]
pub(crate) enum Output {
    /// A pipe, opened again.
    Reopened(File),
    Socket(Stdout),
    /// A file, a terminal, or a pipe that cannot be opened again.
    Plain(Stdout),
}

impl Output {
    pub(crate) fn stdout() -> Self {
        let stdout = io::stdout();
        match rustix::fs::fstat(&stdout).map(|it| FileType::from_raw_mode(it.st_mode)) {
            Ok(FileType::Fifo) => reopen().map_or(Self::Plain(stdout), Self::Reopened),
            Ok(FileType::Socket) => Self::Socket(stdout),
            _ => Self::Plain(stdout),
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Reopened(file) => file.write(bytes),
            Self::Socket(stdout) => Ok(send(stdout, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?),
            Self::Plain(stdout) => {
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
        match self {
            Self::Reopened(it) => it.as_fd(),
            Self::Socket(it) | Self::Plain(it) => it.as_fd(),
        }
    }
}
