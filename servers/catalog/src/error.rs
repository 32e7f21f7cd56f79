//! What is wrong with a server's folder, its manifest, or a name that somebody asked for.
//!
//! Problem, cause and cure -> `Error`. Invariant: the hint never repeats the problem.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

/// Why a server could not be read, or is not what was asked for.
///
/// `Display` is the problem alone: file, path in it and rule; with `{:#}` also the cause, which is its
/// [`source`](StdError::source).
#[derive(Debug)]
pub struct Error {
    problem: String,
    hint: Option<String>,
    unknown: Option<UnknownName>,
    is_usage: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// A name that is not there, and those that are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UnknownName {
    name: String,
    known: Vec<String>,
}

impl Error {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: None, unknown: None, is_usage: false, source: None }
    }

    pub(crate) fn unknown(problem: impl Into<String>, name: &str, known: Vec<String>) -> Self {
        Self { unknown: Some(UnknownName { name: name.to_owned(), known }), ..Self::new(problem) }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(crate) fn into_usage(self) -> Self {
        Self { is_usage: true, ..self }
    }

    pub(crate) fn with_source(self, source: impl StdError + Send + Sync + 'static) -> Self {
        Self { source: Some(Box::new(source)), ..self }
    }

    /// What to do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether what was asked for is wrong, and not what stands in a file: a name that nobody has, a variable that the
    /// server does not take.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        self.is_usage
    }

    /// Where a name was not found: that name, and the names that would have been.
    #[must_use]
    pub fn unknown_name(&self) -> Option<(&str, &[String])> {
        self.unknown.as_ref().map(|it| (it.name.as_str(), it.known.as_slice()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)?;
        let mut cause = self.source().filter(|_| f.alternate());
        while let Some(it) = cause {
            write!(f, ": {it}")?;
            cause = it.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|it| it as &(dyn StdError + 'static))
    }
}

/// `cannot read FILE`, with what the system said.
pub(crate) fn io<'a>(verb: &'a str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Error + 'a {
    move |err| Error::new(format!("cannot {verb} {}", path.display())).with_source(err)
}
