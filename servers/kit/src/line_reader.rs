//! Input as lines.
//!
//! Bytes -> lines of at most `MAX_LINE` bytes, and of longer ones the ids in them. Invariants: no byte of a line is lost when
//! a read is dropped, and the last line needs no line break.

use std::io;

use memchr::memchr;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::salvage::Salvage;

/// As rmcp's.
pub(crate) const MAX_LINE: usize = 16 << 20;

const CHUNK: usize = 8 << 10;

/// Above that much memory a buffer is given back.
const MAX_KEPT: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct LineReader<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Where the next line begins, and up to where there is no line break.
    start: usize,
    searched: usize,
    /// A line that is too long, as far as it was read.
    too_long: Option<Salvage>,
    is_over: bool,
}

#[derive(Debug)]
pub(crate) enum Line<'a> {
    Whole(&'a [u8]),
    TooLong(Salvage),
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), start: 0, searched: 0, too_long: None, is_over: false }
    }

    /// The next line; `None` at the end. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            if let Some(at) = memchr(b'\n', &self.buffer[self.searched..]) {
                let end = self.searched + at;
                return Ok(Some(self.line(end, end + 1)));
            }
            self.searched = self.buffer.len();
            if self.is_over {
                let end = self.buffer.len();
                let is_left = self.start < end || self.too_long.is_some();
                return Ok(is_left.then(|| self.line(end, end)));
            }
            if self.searched - self.start > MAX_LINE || self.too_long.is_some() {
                self.too_long.get_or_insert_default().feed(&self.buffer[self.start..]);
                self.start = self.searched;
            }
            self.compact();
            self.buffer.reserve(CHUNK);
            self.is_over = self.reader.read_buf(&mut self.buffer).await? == 0;
        }
    }

    fn line(&mut self, end: usize, next: usize) -> Line<'_> {
        let start = std::mem::replace(&mut self.start, next);
        self.searched = next;
        let too_long = self.too_long.take().or_else(|| (end - start > MAX_LINE).then(Salvage::default));
        match too_long {
            Some(mut salvage) => {
                salvage.feed(&self.buffer[start..end]);
                Line::TooLong(salvage)
            }
            None => Line::Whole(&self.buffer[start..end]),
        }
    }

    fn compact(&mut self) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        if self.buffer.is_empty() && self.buffer.capacity() > MAX_KEPT {
            self.buffer = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(text: &[u8]) -> Vec<String> {
        let mut reader = LineReader::new(text);
        let mut found = Vec::new();
        while let Some(line) = reader.next().await.unwrap() {
            found.push(match line {
                Line::Whole(line) => String::from_utf8_lossy(line).into_owned(),
                Line::TooLong(salvage) => format!("too long: {:?}", salvage.finish().0),
            });
        }
        found
    }

    #[tokio::test]
    async fn the_last_line_needs_no_line_break() {
        assert_eq!(lines(b"a\n\nbc\nd").await, ["a", "", "bc", "d"]);
        assert_eq!(lines(b"a\n").await, ["a"]);
        assert!(lines(b"").await.is_empty());
    }

    #[tokio::test]
    async fn of_a_line_that_is_too_long_the_id_is_left() {
        let long = format!("{{\"x\":\"{}\",\"id\":7}}", "y".repeat(MAX_LINE));
        assert_eq!(
            lines(format!("a\n{long}\nb\n{long}").as_bytes()).await,
            ["a", "too long: [\"7\"]", "b", "too long: [\"7\"]"]
        );
    }
}
