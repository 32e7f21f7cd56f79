//! What went wrong in a tool, in words for the model that called it.
//!
//! An error of a library -> its words, those of its causes, and what the tool was about. Invariant: it reaches the model as a result
//! (`isError`), which it can read and correct itself by, and never the log.

use std::error::Error;
use std::fmt;

use rmcp::model::{ContentBlock, IntoContents};

/// An error that a tool ends with: `?` makes one of any error of a library.
///
/// ```
/// # use drydock_kit::prelude::*;
/// # use drydock_kit::{ErrorContext, ToolError};
/// # struct Notes;
/// # #[server]
/// # impl Notes {
/// /// How many notes there are.
/// #[tool(read_only)]
/// fn count(&self) -> Result<String, ToolError> {
///     let text = std::fs::read_to_string("notes.txt").context("the notes cannot be read")?;
///     if text.is_empty() {
///         return Err(ToolError::new("there are no notes: write one with `add` first"));
///     }
///     Ok(text.lines().count().to_string())
/// }
/// # }
/// ```
///
/// `Result<.., String>` is as good where a tool writes all its words itself.
pub struct ToolError(String);

impl ToolError {
    /// Say what was wrong, and what to do.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// It is no `Error` itself: so `?` can take every error, as that of `anyhow` does.
impl<E: Error> From<E> for ToolError {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(it) = cause {
            let words = it.to_string();
            // Some say their cause themselves.
            if !text.ends_with(&words) {
                text = format!("{text}: {words}");
            }
            cause = it.source();
        }
        Self(text)
    }
}

impl IntoContents for ToolError {
    fn into_contents(self) -> Vec<ContentBlock> {
        vec![ContentBlock::text(self.0)]
    }
}

/// Says what a tool was about when an error came.
pub trait ErrorContext<T> {
    /// `the notes cannot be read: Permission denied`
    ///
    /// # Errors
    /// The same, with these words before it.
    fn context(self, what: &str) -> Result<T, ToolError>;
}

impl<T, E: Into<ToolError>> ErrorContext<T> for Result<T, E> {
    fn context(self, what: &str) -> Result<T, ToolError> {
        self.map_err(|error| ToolError(format!("{what}: {}", error.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError, &'static str);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.1)
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn causes_are_said_once() {
        let inner = || "x".parse::<u8>().unwrap_err();
        let said = |text| ToolError::from(Outer(inner(), text)).to_string();
        assert_eq!(said("the number is wrong"), "the number is wrong: invalid digit found in string");
        assert_eq!(said("no: invalid digit found in string"), "no: invalid digit found in string");
        let told = "x".parse::<u8>().context("the count").unwrap_err();
        assert_eq!(told.to_string(), "the count: invalid digit found in string");
        assert_eq!(ToolError::new("none").into_contents(), [ContentBlock::text("none")]);
    }
}
