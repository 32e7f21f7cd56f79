//! An error that knows its own cure: a problem, and a hint that the person can act on.
//!
//! Problem + hint -> `anyhow::Error`, found again anywhere in the chain. Invariant: the hint never repeats the problem.

use std::error::Error;
use std::fmt;

use drydock_config::client::suggest;

#[derive(Debug)]
pub(crate) struct HintedError {
    problem: String,
    hint: String,
}

impl fmt::Display for HintedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl Error for HintedError {}

/// An error that says how to get out of it.
pub(crate) fn with_hint(problem: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    HintedError { problem: problem.into(), hint: hint.into() }.into()
}

/// The hints of every error in the chain that has one, outermost first.
pub(crate) fn hints(err: &anyhow::Error) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    // A library's error has the hint of its source, which comes next in the chain.
    for hint in err.chain().filter_map(hint) {
        if hints.last() != Some(&hint) {
            hints.push(hint);
        }
    }
    hints
}

/// Our own errors' and the libraries' hints.
fn hint(cause: &(dyn Error + 'static)) -> Option<String> {
    if let Some(it) = cause.downcast_ref::<HintedError>() {
        return Some(it.hint.clone());
    }
    let of_library = None
        .or_else(|| cause.downcast_ref::<drydock_engine::Error>()?.hint())
        .or_else(|| cause.downcast_ref::<drydock_config::Error>()?.hint())
        .or_else(|| cause.downcast_ref::<drydock_edit::Error>()?.hint());
    if of_library.is_some() {
        return of_library.map(str::to_owned);
    }
    let it = cause.downcast_ref::<drydock_catalog::Error>()?;
    let known = it.unknown_name().and_then(|(name, known)| suggest(name, known.iter().map(String::as_str)));
    let guess = known.map(|it| format!("did you mean `{it}`?"));
    match (guess, it.hint()) {
        (Some(guess), Some(hint)) => Some(format!("{guess} {}", capitalize(hint))),
        (guess, hint) => guess.or(hint.map(str::to_owned)),
    }
}

fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|it| it.to_uppercase().chain(chars).collect()).unwrap_or_default()
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
}
