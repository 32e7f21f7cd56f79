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

/// The hints in the chain, outermost first: of every [`Fixable`], and of the libraries' own errors.
pub(crate) fn hints(err: &anyhow::Error) -> Vec<&str> {
    let mut hints = Vec::new();
    for cause in err.chain() {
        let own = cause.downcast_ref::<Fixable>().map(|it| it.hint.as_str());
        let hint = own
            .or_else(|| cause.downcast_ref::<drydock_config::Error>()?.hint())
            .or_else(|| cause.downcast_ref::<drydock_edit::Error>()?.hint());
        // A library's error has the hint of its source, which comes next in the chain.
        hints.extend(hint.filter(|it| hints.last() != Some(it)));
    }
    hints
}

/// The known name that was probably meant by one that is not known.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let alike = known.into_iter().map(|it| (strsim::normalized_damerau_levenshtein(&name, it), it));
    alike.filter(|it| it.0 >= 0.6).max_by(|a, b| a.0.total_cmp(&b.0)).map(|it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_of_a_librarys_error_is_found_once() {
        use drydock_config::{Error, ErrorKind};
        let err = Error::new(ErrorKind::Conflict, "it is locked").with_hint("wait").context("cannot add `a`");
        let err = anyhow::Error::from(err).context("1 of 2 clients was not changed");
        assert_eq!(hints(&err), ["wait"]);
        let err = Error::new(ErrorKind::NotFound, "no such client");
        assert!(hints(&err.into()).is_empty());
    }

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
