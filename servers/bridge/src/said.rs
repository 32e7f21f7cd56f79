//! What a wrapped server says on its stderr: to the log, line by line, and the last of it for those who ask why it died.
//!
//! Bytes -> lines. Invariant: a server that floods its stderr costs bounded memory and never waits for us: what nobody
//! reads is dropped by the log, and counted there.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ChildStderr;

use drydock_contract::log;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// A log line takes 4,096 bytes; this leaves room for what stands in front.
const LINE: usize = 3900;

/// Lines that are kept as its last words, and how much of each.
const LAST: usize = 10;
const LAST_CHARS: usize = 300;

#[derive(Debug)]
pub(crate) struct Said {
    pipe: Option<ChildStderr>,
    line: Vec<u8>,
    last: VecDeque<String>,
    /// Not logged: a server that is started again and again because it dies says the same every time.
    pub(crate) hushed: bool,
}

impl Said {
    pub(crate) fn new(pipe: Option<ChildStderr>, hushed: bool) -> Self {
        let nonblocking = |it: &ChildStderr| fcntl_setfl(it, fcntl_getfl(it)? | OFlags::NONBLOCK);
        let pipe = pipe.filter(|it| nonblocking(it).is_ok());
        Self { pipe, line: Vec::new(), last: VecDeque::new(), hushed }
    }

    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Reads what there is; at most so much that other work gets its turn.
    pub(crate) fn read(&mut self) {
        const TURNS: usize = 16;
        let mut chunk = [0; 4096];
        for _ in 0..TURNS {
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
    pub(crate) fn last_words(&mut self) -> impl Iterator<Item = &str> {
        self.read();
        self.end_line();
        self.last.iter().map(String::as_str)
    }

    fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                self.end_line();
            } else if self.line.len() < LINE {
                self.line.push(byte);
            }
        }
    }

    fn end_line(&mut self) {
        let text = String::from_utf8_lossy(&self.line);
        let text = text.trim_end();
        if !text.is_empty() {
            if !self.hushed {
                log::child(text);
            }
            if self.last.len() == LAST {
                self.last.pop_front();
            }
            self.last.push_back(log::escape(&text.chars().take(LAST_CHARS).collect::<String>()));
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_no_line_is_long() {
        let mut said = Said::new(None, true);
        for number in 0..20 {
            said.take(format!("line {number}\r\n\n").as_bytes());
        }
        said.take(&vec![b'x'; 1 << 20]);
        assert_eq!(said.line.len(), LINE);
        said.take(b"\ncut \x1b[31m");
        let last: Vec<_> = said.last_words().collect();
        assert_eq!((last.len(), last[0], last[8].len()), (LAST, "line 12", LAST_CHARS));
        assert_eq!(last[9], "cut \\u{1b}[31m");
    }
}
