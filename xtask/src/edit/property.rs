//! Generated files of every format x random edits: is every byte that is not ours kept?
//!
//! Seed -> a file, a sequence of edits, and what must hold after each. Invariant: a seed means the same case on every
//! machine, so that a failure can be run again alone.

use serde_json::Value;

use super::{Place, json};

/// Files of one format, with one place for the servers in them.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// The keys down to the servers.
    pub(super) at: &'static [&'static str],
    pub(super) place: fn(&[String]) -> Place<'_>,
    /// A valid file, as ugly as the format allows; with our place in it, or empty, or missing.
    pub(super) generate: fn(&mut Dice) -> String,
    /// What a parser reads that the edits do not use; null where there is no value. Panics on what is not valid.
    pub(super) second: fn(&str) -> Value,
}

/// Each format lists its own, in its `ugly.rs`.
fn kinds() -> impl Iterator<Item = &'static Kind> {
    json::ugly::KINDS.iter()
}

/// Xorshift: the same throws on every machine.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..4 {
            dice.roll(2); // the first throws of neighbouring seeds are alike
        }
        dice
    }

    /// 0..sides
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    pub(super) fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.roll(all.len())]
    }
}

#[test]
fn every_generated_file_is_valid() {
    for kind in kinds() {
        for seed in 1..=500 {
            let text = (kind.generate)(&mut Dice::new(seed));
            let read = std::panic::catch_unwind(|| (kind.second)(&text));
            assert!(read.is_ok(), "{} {seed}: {text}", kind.name);
        }
    }
}
