//! Bytes on their way out, in pieces as the other side takes them.
//!
//! Bytes in -> the same bytes out, in their order. Invariant: what has gone out is not kept for long, however slowly the rest
//! goes.

use std::io::{self, ErrorKind};

/// So much of what has gone out may be kept.
const MAX_GONE: usize = 1 << 20;

/// What a buffer may keep of a large message, once that has gone out.
const MAX_IDLE: usize = 1 << 16;

/// What waits to go out.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    bytes: Vec<u8>,
    /// How much of it has gone.
    gone: usize,
}

impl Outgoing {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.gone
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes all of these, behind what waits.
    pub(crate) fn take(&mut self, bytes: &mut Vec<u8>) {
        if self.is_empty() {
            std::mem::swap(&mut self.bytes, bytes);
            bytes.clear();
            self.gone = 0;
        } else {
            self.bytes.append(bytes);
        }
    }

    /// Nobody wants the rest.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Writes until nothing is left or no more is taken; how many bytes went.
    ///
    /// # Errors
    /// As the writer's, where that is not that it would wait.
    pub(crate) fn write(&mut self, mut write: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<usize> {
        let before = self.len();
        while !self.is_empty() {
            match write(&self.bytes[self.gone..]) {
                Ok(n) => self.gone += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        let written = before - self.len();
        if self.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(MAX_IDLE);
            self.gone = 0;
        } else if self.gone > MAX_GONE && self.gone > self.len() {
            self.bytes.drain(..self.gone);
            self.gone = 0;
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_gone_is_not_kept_though_something_always_waits() {
        let mut outgoing = Outgoing::default();
        let (mut sent, mut got) = (0_u32, Vec::new());
        for _ in 0..2000 {
            let mut bytes: Vec<u8> = (0..1024).map(|_| sent.wrapping_add(1) as u8).collect();
            sent += 1;
            outgoing.take(&mut bytes);
            assert!(bytes.is_empty());
            let mut room = if got.is_empty() { 10 } else { 1024 };
            let write = |bytes: &[u8]| {
                let n = bytes.len().min(room).min(100);
                room -= n;
                got.extend_from_slice(&bytes[..n]);
                if n == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(n) }
            };
            outgoing.write(write).unwrap();
            assert!(outgoing.len() < 2048 && outgoing.bytes.len() <= MAX_GONE + 4096);
        }
        outgoing
            .write(|bytes| {
                got.extend_from_slice(bytes);
                Ok(bytes.len())
            })
            .unwrap();
        assert!(
            got.len() == 2000 * 1024 && got.chunks(1024).enumerate().all(|(at, it)| it[0] == (at + 1) as u8)
        );
    }

    #[test]
    fn an_error_is_told_with_what_went_before_counted() {
        let mut outgoing = Outgoing::default();
        outgoing.take(&mut b"abc".to_vec());
        let mut is_first = true;
        let write =
            |_: &[u8]| if std::mem::take(&mut is_first) { Ok(1) } else { Err(ErrorKind::BrokenPipe.into()) };
        assert!(outgoing.write(write).is_err());
        assert_eq!(outgoing.len(), 2);
    }
}
