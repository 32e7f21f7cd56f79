//! Keeps the last lines that a server writes to its stderr.
//!
//! A pipe -> at most `MAX_LINES` lines of `MAX_CHARS` characters. Invariant: it always reads on,
//! so that a talkative server never blocks on its log.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::ChildStderr,
    task::JoinHandle,
    time::timeout,
};

const MAX_LINES: usize = 20;
const MAX_CHARS: usize = 500;
const MAX_READ_BYTES: u64 = 64 * 1024; // of one read: a line without an end must not fill the memory

#[derive(Debug)]
pub(crate) struct StderrTail {
    lines: Arc<Mutex<VecDeque<String>>>,
    reader: JoinHandle<()>,
}

impl StderrTail {
    pub(crate) fn new(stderr: ChildStderr) -> Self {
        let lines = Arc::default();
        let reader = tokio::spawn(read(stderr, Arc::clone(&lines)));
        Self { lines, reader }
    }

    /// What has come so far, without what a still open pipe may bring.
    pub(crate) async fn lines(&mut self) -> Vec<String> {
        if !self.reader.is_finished() {
            let _still_open = timeout(Duration::from_millis(100), &mut self.reader).await;
        }
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

async fn read(stderr: ChildStderr, lines: Arc<Mutex<VecDeque<String>>>) {
    let mut from = BufReader::new(stderr);
    let mut line = Vec::new();
    while (&mut from).take(MAX_READ_BYTES).read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        let text: String = String::from_utf8_lossy(&line).trim_end().chars().take(MAX_CHARS).collect();
        line.clear();
        if text.is_empty() {
            continue;
        }
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == MAX_LINES {
            lines.pop_front();
        }
        lines.push_back(text);
    }
}
