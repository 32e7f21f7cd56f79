//! What the last look at an edit says, in every format.
//!
//! Whether all but our path is the same, and what stands there now -> nothing, or an error. Invariant: an error here
//! is a bug of this crate (but for what is put back into a file that was changed), and nothing is written.

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

/// What was to be written is there; a user's own fields beside it are gone, or as they were before.
pub(super) fn written(before: Option<&Value>, now: Option<&Value>, wanted: &Value, path: &str) -> Result<()> {
    let Some(now) = now.filter(|it| contains(it, wanted)) else {
        return Err(Error::internal(format_args!("the edit would not have written `{path}` as meant")));
    };
    if before.is_none_or(|before| keeps_others(before, now, wanted)) {
        return Ok(());
    }
    Err(Error::internal(format_args!("the edit would have changed another field of `{path}`")))
}

/// What an entry had replaced does not go where that entry is now: somebody has since written the file in another way, on
/// other columns or on one line.
pub(super) fn does_not_fit(text: &str, at: usize, name: &str, original: &str) -> Error {
    let what = format!("what `{name}` had replaced does not fit here any more:\n{original}\n");
    Error::unsupported(text, at, what)
}

fn keeps_others(before: &Value, now: &Value, wanted: &Value) -> bool {
    let (Value::Object(before), Value::Object(now), Value::Object(wanted)) = (before, now, wanted) else {
        return true;
    };
    now.iter().all(|(key, now)| match (before.get(key), wanted.get(key)) {
        (before, None) => before == Some(now),
        (Some(before), Some(wanted)) => keeps_others(before, now, wanted),
        (None, Some(_)) => true,
    })
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        _ => whole == part,
    }
}
