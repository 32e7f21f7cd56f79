//! What a wrapped server writes to stderr: to the log, line by line, and its last lines for those who ask why it died.
//!
//! Bytes -> lines. Invariant: a server that floods its stderr costs bounded memory and never waits for us: what nobody
//! reads is dropped by the log, and counted there.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ChildStderr;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::log::{Log, escape};

/// A log line takes 4,096 bytes; this leaves room for what stands in front.
const MAX_LINE: usize = 3900;

/// Lines that are kept as the tail, and how much of each.
const MAX_LINES: usize = 10;
const MAX_LINE_CHARS: usize = 300;

/// The stderr of one server.
///
/// ```
/// use drydock_runtime::{log::Log, stderr_tail::StderrTail};
///
/// let mut nothing = StderrTail::new(None, Log::discard(), false);
/// assert_eq!(nothing.finish().count(), 0);
/// ```
#[derive(Debug)]
pub struct StderrTail {
    pipe: Option<ChildStderr>,
    line: Vec<u8>,
    tail: VecDeque<String>,
    log: Log,
    /// Not logged: a server that is started again and again because it dies writes the same every time.
    quiet: bool,
}

impl StderrTail {
    /// Reads this pipe; with `quiet`, its lines are only kept, until [`log_to`](Self::log_to).
    #[must_use]
    pub fn new(pipe: Option<ChildStderr>, log: Log, quiet: bool) -> Self {
        let nonblocking = |it: &ChildStderr| fcntl_setfl(it, fcntl_getfl(it)? | OFlags::NONBLOCK);
        let pipe = pipe.filter(|it| nonblocking(it).is_ok());
        Self { pipe, line: Vec::new(), tail: VecDeque::new(), log, quiet }
    }

    /// From now on everything is logged, and there.
    pub fn log_to(&mut self, log: Log) {
        self.log = log;
        self.quiet = false;
    }

    /// What to wait for; `None` once it is at its end.
    #[must_use]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Reads what there is; at most so much that other work gets its turn.
    pub fn read(&mut self) {
        const MAX_READS: usize = 16;
        let mut chunk = [0; 4096];
        for _ in 0..MAX_READS {
            let Some(pipe) = &mut self.pipe else { return };
            match pipe.read(&mut chunk) {
                Ok(0) => self.pipe = None,
                Ok(n) => self.take(&chunk[..n]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.pipe = None,
            }
        }
    }

    /// The last lines, after all that is still in the pipe.
    pub fn finish(&mut self) -> impl Iterator<Item = &str> {
        self.read();
        self.end_line();
        self.tail.iter().map(String::as_str)
    }

    fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                self.end_line();
            } else if self.line.len() < MAX_LINE {
                self.line.push(byte);
            }
        }
    }

    fn end_line(&mut self) {
        let text = String::from_utf8_lossy(&self.line);
        let text = text.trim_end();
        if !text.is_empty() {
            if !self.quiet {
                self.log.child(text);
            }
            if self.tail.len() == MAX_LINES {
                self.tail.pop_front();
            }
            self.tail.push_back(escape(&text.chars().take(MAX_LINE_CHARS).collect::<String>()));
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_no_line_is_long() {
        let mut tail = StderrTail::new(None, Log::discard(), true);
        for number in 0..20 {
            tail.take(format!("line {number}\r\n\n").as_bytes());
        }
        tail.take(&vec![b'x'; 1 << 20]);
        assert_eq!(tail.line.len(), MAX_LINE);
        tail.take(b"\ncut \x1b[31m");
        let last: Vec<_> = tail.finish().collect();
        assert_eq!((last.len(), last[0], last[8].len()), (MAX_LINES, "line 12", MAX_LINE_CHARS));
        assert_eq!(last[9], "cut \\u{1b}[31m");
    }
}
