//! Generated files of every format x random edits: is every byte that is not ours kept?
//!
//! Seed -> a file, a sequence of edits, and what must hold after each (`property/case.rs`). Invariant: a seed means
//! the same case on every machine, so that a failure can be run again alone: `DRYDOCK_CASE=json:17 cargo test -p
//! drydock-edit no_byte`. `DRYDOCK_CASES` is how many are tried.

mod assertions;
mod case;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::Value;

use self::case::Case;
use crate::{ServersPath, json, toml, yaml};

const CASES: u64 = 20_000;

/// Files of one format, with one place for the servers in them.
pub(super) struct Kind {
    /// Without a colon.
    pub(super) name: &'static str,
    /// The keys down to the servers.
    pub(super) at: &'static [&'static str],
    pub(super) place: fn(&[String]) -> ServersPath<'_>,
    /// A valid file, as awkward as the format allows; with our place in it, or empty, or missing.
    pub(super) generate: fn(&mut Rng) -> String,
    /// What a parser reads that the edits do not use; null where there is no value. Panics on what is not valid.
    pub(super) second: fn(&str) -> Value,
}

/// Each format lists its own, in its `generate.rs`.
fn kinds() -> Vec<&'static Kind> {
    json::generate::KINDS.iter().chain(toml::generate::KINDS).chain(yaml::generate::KINDS).collect()
}

/// Xorshift: the same numbers on every machine.
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..4 {
            rng.roll(2); // the first numbers of neighbouring seeds are alike
        }
        rng
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

/// What was done, over all cases.
#[derive(Default)]
struct Figures {
    edits: AtomicU64,
    refused: AtomicU64,
    bytes: AtomicU64,
}

#[test]
fn no_byte_that_is_not_ours_is_lost() {
    let figures = Figures::default();
    if let Ok(one) = std::env::var("DRYDOCK_CASE") {
        let (name, seed) = one.split_once(':').expect("KIND:SEED");
        let kind = kinds().into_iter().find(|it| it.name == name).expect("a kind of that name");
        Case::new(kind, seed.parse().expect("a number"), &figures).run();
        return;
    }
    let cases = std::env::var("DRYDOCK_CASES").map_or(CASES, |it| it.parse().expect("a number"));
    let failures = run_all(cases, &figures);
    let (edits, refused, bytes) =
        (figures.edits.load(Relaxed), figures.refused.load(Relaxed), figures.bytes.load(Relaxed));
    assert!(failures.is_empty(), "{} of {cases} cases failed, the first: {}", failures.len(), failures[0]);
    // Not `eprintln!`, which the test runner keeps to itself.
    let line = format!(
        "{cases} generated files, {edits} edits, {refused} refused; {bytes} bytes outside of our entries compared, 0 lost\n"
    );
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
    assert!(edits > cases && refused > 0, "the cases try nothing any more");
}

/// How to run each failed case again, alone.
fn run_all(cases: u64, figures: &Figures) -> Vec<String> {
    let kinds = kinds();
    let next = AtomicU64::new(0);
    let failures = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, |it| it.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Relaxed);
                    if n >= cases {
                        return;
                    }
                    let kind = kinds[n as usize % kinds.len()];
                    let case = AssertUnwindSafe(|| Case::new(kind, n, figures).run());
                    if catch_unwind(case).is_err() {
                        let again =
                            format!("DRYDOCK_CASE='{}:{n}' cargo test -p drydock-edit no_byte", kind.name);
                        failures.lock().unwrap().push(again);
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap()
}
