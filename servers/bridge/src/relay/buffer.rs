//! Bytes on their way in one direction, and the scanner that reads along.
//!
//! What was read -> what is still to be written. Invariant: it is filled only when it is empty, so that never more than
//! `CAPACITY` bytes are in memory.

use crate::jsonrpc_scanner::{Message, Scanner};

const CAPACITY: usize = 1 << 16;

#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    scanner: Scanner,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; CAPACITY], start: 0, end: 0, scanner: Scanner::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Where to read into, while it is empty.
    pub(super) fn space(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// So many bytes were read into `space`; reports the messages that end in them.
    pub(super) fn filled(&mut self, count: usize, on_message: impl FnMut(Message)) {
        (self.start, self.end) = (0, count);
        self.scanner.feed(&self.bytes[..count], on_message);
    }

    /// What is still to be written.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(super) fn written(&mut self, count: usize) {
        self.start += count;
    }

    pub(super) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// Whether lines that are no JSON-RPC passed since it was asked last.
    pub(super) fn take_has_invalid_lines(&mut self) -> bool {
        self.scanner.take_invalid_lines() > 0
    }
}
