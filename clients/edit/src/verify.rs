//! What the last look at an edit says, in every format.
//!
//! Whether all but our path is the same, and what stands there now -> nothing, or an error. Invariant: an error here
//! is a bug of this crate, and nothing is written.

use serde_json::Value;

use crate::{Error, ErrorKind, Result};

/// The result of an edit cannot be read. (An entry can be nested too deeply for its format, which is no bug.)
pub(super) fn broken(err: Error) -> Error {
    match err.kind() {
        ErrorKind::Unsupported => err,
        _ => Error::internal(format_args!("the edit would have broken the file: {err}")),
    }
}

pub(super) fn only_changed(same: bool, path: &str) -> Result<()> {
    if same {
        return Ok(());
    }
    Err(Error::internal(format_args!("the edit would have changed more than `{path}`")))
}

/// A user's own fields beside what was to be written are fine.
pub(super) fn written(found: Option<&Value>, wanted: &Value, path: &str) -> Result<()> {
    if found.is_some_and(|it| contains(it, wanted)) {
        return Ok(());
    }
    Err(Error::internal(format_args!("the edit would not have written `{path}` as meant")))
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        _ => whole == part,
    }
}
