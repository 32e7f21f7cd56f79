//! Bytes that come in pieces, as whole lines.
//!
//! Pieces -> lines. Invariant: at most one line that is not whole is kept, and the work grows with the bytes alone.

use std::io;
use std::os::fd::AsFd;

use memchr::{memchr, memrchr};

/// How much is read at once.
const CHUNK: usize = 1 << 14;

/// What has come so far.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
    /// All bytes that were read.
    total: u64,
}

impl Lines {
    /// Reads once, and gives what is whole now: lines with their breaks. `None` at the end.
    pub(crate) fn read(&mut self, fd: impl AsFd) -> io::Result<Option<Vec<u8>>> {
        let start = self.rest.len();
        self.rest.resize(start + CHUNK, 0);
        let read = rustix::io::read(fd, &mut self.rest[start..]);
        self.rest.truncate(start + *read.as_ref().unwrap_or(&0));
        let read = read?;
        if read == 0 {
            return Ok(None);
        }
        self.total += read as u64;
        let Some(end) = memrchr(b'\n', &self.rest[start..]) else { return Ok(Some(Vec::new())) };
        let rest = self.rest.split_off(start + end + 1);
        Ok(Some(std::mem::replace(&mut self.rest, rest)))
    }

    /// At the end: the last line, if it has no break.
    pub(crate) fn take_rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.rest);
        (!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).into_owned())
    }

    /// How many bytes were read in all.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// How long the line is that is not whole.
    pub(crate) fn pending(&self) -> usize {
        self.rest.len()
    }
}

/// Each line of these, without its break.
pub(crate) fn split(mut lines: &[u8], mut each: impl FnMut(&str)) {
    while let Some(end) = memchr(b'\n', lines) {
        each(&String::from_utf8_lossy(&lines[..end]));
        lines = &lines[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn lines_come_out_whole_however_they_come_in() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut lines = Lines::default();
        let mut got = Vec::new();
        for part in ["a", "b\nc", "\n\n", "d"] {
            writer.write_all(part.as_bytes()).unwrap();
            let whole = lines.read(&reader).unwrap().unwrap();
            split(&whole, |it| got.push(it.to_owned()));
        }
        assert_eq!((got.join(","), lines.pending()), ("ab,c,".into(), 1));
        drop(writer);
        assert!(lines.read(&reader).unwrap().is_none());
        assert_eq!((lines.take_rest().as_deref(), lines.take_rest()), (Some("d"), None));
    }
}
