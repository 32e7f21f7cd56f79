//! An error that knows its own cure: a problem, and a hint that the person can act on.
//!
//! Problem + hint -> `anyhow::Error`, found again anywhere in the chain. Invariant: the hint never repeats the problem.

use std::error::Error;
use std::fmt;
use std::sync::OnceLock;

use drydock_config::client::suggest;

#[derive(Debug)]
pub(crate) struct HintedError {
    problem: String,
    hint: String,
    is_usage: bool,
}

/// The options that this command was given, for the commands that libraries suggest.
static GIVEN: OnceLock<String> = OnceLock::new();

impl fmt::Display for HintedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl Error for HintedError {}

/// An error that says how to get out of it.
pub(crate) fn with_hint(problem: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    HintedError { problem: problem.into(), hint: hint.into(), is_usage: false }.into()
}

/// The same where what was asked for is wrong.
pub(crate) fn usage(problem: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    HintedError { problem: problem.into(), hint: hint.into(), is_usage: true }.into()
}

/// The same error with this hint, if it has none of its own.
pub(crate) fn or_hint(err: anyhow::Error, hint: impl Into<String>) -> anyhow::Error {
    if hints(&err).is_empty() { with_hint(format!("{err:#}"), hint) } else { err }
}

/// Whether what was asked for is wrong.
pub(crate) fn is_usage(err: &anyhow::Error) -> bool {
    err.chain().any(|cause| {
        let ours = cause.downcast_ref::<HintedError>().is_some_and(|it| it.is_usage);
        let server =
            cause.downcast_ref::<drydock_catalog::Error>().is_some_and(drydock_catalog::Error::is_usage);
        let client = cause.downcast_ref::<drydock_config::Error>();
        ours || server || client.is_some_and(|it| it.kind() == drydock_config::ErrorKind::UnknownClient)
    })
}

/// What this command was given, as in `--name-prefix t-`: libraries do not know it.
pub(crate) fn set_given_options(options: &str) {
    GIVEN.get_or_init(|| options.to_owned());
}

/// A library's hint, in which a command has them: it can be run as it stands.
fn with_options(hint: &str, options: &str) -> String {
    match options {
        "" => hint.to_owned(),
        options => hint.replace("cargo xtask ", &format!("cargo xtask {options} ")),
    }
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
        return of_library.map(|it| with_options(it, given()));
    }
    let it = cause.downcast_ref::<drydock_catalog::Error>()?;
    let known = it.unknown_name().and_then(|(name, known)| suggest(name, known.iter().map(String::as_str)));
    let guess = known.map(|it| format!("did you mean `{it}`?"));
    match (guess, it.hint().map(|it| with_options(it, given()))) {
        (Some(guess), Some(hint)) => Some(format!("{guess} {}", capitalize(&hint))),
        (guess, hint) => guess.or(hint),
    }
}

fn given() -> &'static str {
    GIVEN.get().map(String::as_str).unwrap_or_default()
}

fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|it| it.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_librarys_command_has_the_options_that_were_given() {
        let hint = "`cargo xtask clients` shows it; or: cargo xtask up a --env B=VALUE";
        assert_eq!(with_options(hint, ""), hint);
        assert_eq!(
            with_options(hint, "--name-prefix t-"),
            "`cargo xtask --name-prefix t- clients` shows it; or: cargo xtask --name-prefix t- up a --env B=VALUE"
        );
    }

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
