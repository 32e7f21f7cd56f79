//! What `cargo test` printed, counted.
//!
//! Lines of its output and the file of skips -> numbers and names. Invariant: reads text, decides nothing from clocks
//! or order.

use std::collections::BTreeMap;
use std::fmt;

#[derive(Debug, Default)]
pub(super) struct Tally {
    passed: usize,
    failed: usize,
    /// Name and reason.
    skipped: Vec<(String, String)>,
    pub(super) failures: Vec<String>,
    /// `cargo test` failed for a reason that is no failed test.
    pub(super) aborted: bool,
}

impl Tally {
    /// Takes one line of `cargo test`'s output into account.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.passed += count(counts, "passed");
            self.failed += count(counts, "failed");
        } else if let Some((name, outcome)) =
            line.strip_prefix("test ").and_then(|it| it.rsplit_once(" ... "))
        {
            match outcome.split_once(", ").unwrap_or((outcome, "marked `ignore`")) {
                ("FAILED", _) => self.failures.push(name.to_owned()),
                ("ignored", reason) => self.skipped.push((name.to_owned(), reason.to_owned())),
                _ => {}
            }
        }
    }

    /// Moves the tests that ended early with `skip!` from the passed to the skipped: a `name<TAB>reason` per line.
    pub(super) fn take_skips(&mut self, file: &str) {
        for (name, reason) in file.lines().filter_map(|line| line.split_once('\t')) {
            self.passed = self.passed.saturating_sub(1);
            self.skipped.push((name.to_owned(), reason.to_owned()));
        }
    }

    /// A machine without an engine skips a fifth of the tests for one reason: it is said once.
    pub(super) fn skips_by_reason(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, reason) in &self.skipped {
            reasons.entry(reason).or_default().push(name);
        }
        reasons.values_mut().for_each(|names| names.sort_unstable());
        reasons
    }

    pub(super) fn finished(&mut self, success: bool) {
        self.aborted = !success && self.failed == 0;
    }

    /// Nothing ran.
    pub(super) fn is_empty(&self) -> bool {
        self.passed + self.failed + self.skipped.len() == 0
    }

    /// Something ran, and nothing failed.
    pub(super) fn is_good(&self) -> bool {
        self.failed == 0 && !self.aborted && !self.is_empty()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What broke off counts as a failure, so that the last line never looks good when the exit code is not.
        let failed = self.failed + usize::from(self.aborted);
        write!(f, "{} passed, {failed} failed, {} skipped", self.passed, self.skipped.len())
    }
}

/// The number before `word` in `ok. 3 passed; 0 failed; ..`.
fn count(counts: &str, word: &str) -> usize {
    let mut words = counts.split([' ', ';']).filter(|it| !it.is_empty()).peekable();
    while let Some(it) = words.next() {
        if words.peek() == Some(&word) {
            return it.parse().unwrap_or(0);
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::Tally;

    fn tally(output: &str, skips: &str, success: bool) -> Tally {
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.read(line));
        tally.finished(success);
        tally.take_skips(skips);
        tally
    }

    const OUTPUT: &str = "\
running 4 tests
test sandbox::read_only ... ok
test names::bad ... FAILED
test old ... ignored, needs a keyboard
test lib.rs - main (line 3) ... ignored
test result: FAILED. 12 passed; 1 failed; 2 ignored; 0 measured; 3 filtered out; finished in 0.01s
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    #[test]
    fn all_binaries_add_up_and_skips_are_no_passes() {
        let tally = tally(OUTPUT, "it::logs\tno engine answers\nit::images\tno engine answers\n", false);
        assert_eq!(tally.to_string(), "13 passed, 1 failed, 4 skipped");
        assert_eq!(tally.failures, ["names::bad"]);
        let skipped: Vec<_> = tally.skips_by_reason().into_iter().collect();
        let expected = [
            ("marked `ignore`", vec!["lib.rs - main (line 3)"]),
            ("needs a keyboard", vec!["old"]),
            ("no engine answers", vec!["it::images", "it::logs"]),
        ];
        assert_eq!(skipped, expected);
        assert!(!tally.is_good());
    }

    #[test]
    fn a_crash_and_an_empty_run_are_failures() {
        let crashed = tally("test result: ok. 3 passed; 0 failed;", "", false);
        assert_eq!(crashed.to_string(), "3 passed, 1 failed, 0 skipped");
        assert!(!crashed.is_good());
        assert!(!tally("test result: ok. 0 passed; 0 failed;", "", true).is_good());
        assert!(tally("test result: ok. 1 passed; 0 failed;", "", true).is_good());
        assert!(tally("test result: ok. 1 passed; 0 failed;", "it::a\twhy", true).is_good());
    }
}
