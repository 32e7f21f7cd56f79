//! What the last look at an edit says, in every format.
//!
//! Whether all but our path is the same, and what stands there now -> nothing, or an error. Invariant: a `false` here is
//! a fault of ours, and nothing is written.

use anyhow::{Result, ensure};
use serde_json::Value;

pub(super) fn same(same: bool, path: &str) -> Result<()> {
    ensure!(same, "the edit would have changed more than `{path}` (this is a fault of ours)");
    Ok(())
}

/// A user's own fields beside what was to be written are fine.
pub(super) fn holds(found: Option<&Value>, wanted: &Value, path: &str) -> Result<()> {
    let holds = found.is_some_and(|it| contains(it, wanted));
    ensure!(holds, "the edit would not have written `{path}` as meant (this is a fault of ours)");
    Ok(())
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        _ => whole == part,
    }
}
