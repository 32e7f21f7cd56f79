//! An error that knows its own cure: a problem, and a hint that the person can act on.
//!
//! Problem + hint -> `anyhow::Error`, found again anywhere in the chain. Invariant: the hint never repeats the problem.

use std::fmt;

#[derive(Debug)]
pub struct Fixable {
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
pub fn fixable(problem: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Fixable { problem: problem.into(), hint: hint.into() }.into()
}

/// The hints of every [`Fixable`] in the chain, outermost first.
pub fn hints(err: &anyhow::Error) -> Vec<&str> {
    err.chain().filter_map(|cause| cause.downcast_ref::<Fixable>()).map(|it| it.hint.as_str()).collect()
}

/// The known name that was probably meant by one that is not known.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let alike = known.into_iter().map(|it| (strsim::normalized_damerau_levenshtein(&name, it), it));
    alike.filter(|it| it.0 >= 0.6).max_by(|a, b| a.0.total_cmp(&b.0)).map(|it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_near_and_another_word_is_not() {
        let known = ["claude-code", "cursor", "vscode", "weather"];
        let meant = |name| nearest(name, known);
        assert_eq!(
            (meant("cursr"), meant("Cursor"), meant("vs-code")),
            (Some("cursor"), Some("cursor"), Some("vscode"))
        );
        assert_eq!((meant("wheather"), meant("claudecode")), (Some("weather"), Some("claude-code")));
        assert_eq!((meant("notepad"), meant("nobody"), meant("")), (None, None, None));
    }
}
