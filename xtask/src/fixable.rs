//! An error that knows its own cure: a problem, and a hint that the person can act on.
//!
//! Problem + hint -> `anyhow::Error`, found again anywhere in the chain. Invariant: the hint never repeats the problem.

use std::fmt;

#[derive(Debug)]
pub(crate) struct Fixable {
    problem: String,
    hint: String,
}

impl fmt::Display for Fixable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Fixable {}

/// An error that says how to get out of it.
pub(crate) fn fixable(problem: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Fixable { problem: problem.into(), hint: hint.into() }.into()
}

/// The hints of every [`Fixable`] in the chain, outermost first.
pub(crate) fn hints(err: &anyhow::Error) -> Vec<&str> {
    err.chain().filter_map(|cause| cause.downcast_ref::<Fixable>()).map(|it| it.hint.as_str()).collect()
}
