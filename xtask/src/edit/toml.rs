//! Edits TOML. Text in, text out; keeps every byte it does not own.

use anyhow::{Result, bail};
use serde_json::Value;

use crate::edit::{Entry, Made, Place, Present, Put};

pub(crate) fn entries(
    _text: &str,
    _place: Place<'_>,
    _wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Value)>> {
    bail!("TOML is not supported yet")
}

pub(crate) fn put(
    _old: Option<&str>,
    _place: Place<'_>,
    _name: &str,
    _entry: &Entry,
    _present: Present<'_>,
) -> Result<Put> {
    bail!("TOML is not supported yet")
}

pub(crate) fn remove(
    _text: &str,
    _place: Place<'_>,
    _name: &str,
    _made: &[Made],
    _replaced: Option<&str>,
) -> Result<Option<Vec<u8>>> {
    bail!("TOML is not supported yet")
}

pub(crate) fn parsed(_text: &str, _place: Place<'_>) -> Result<Value> {
    bail!("TOML is not supported yet")
}

pub(crate) fn pasted(_place: Place<'_>, _entries: &[(&str, &Entry)]) -> String {
    String::new()
}
