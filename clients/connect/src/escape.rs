//! JSON from a server for people to read; what escapes it for a terminal is the contract's.
//!
//! Value -> text. Invariant: no answer becomes much longer by being shown.

pub use drydock_contract::terminal::escape;
pub(crate) use drydock_contract::terminal::{escape_json, escape_line};

/// JSON for people to read, unless it is long: indentation multiplies what is deep.
pub(crate) fn pretty_json(value: &impl serde::Serialize) -> serde_json::Result<String> {
    const MAX_PRETTY_BYTES: usize = 256 * 1024;
    let short = serde_json::to_string(value)?;
    if short.len() > MAX_PRETTY_BYTES { Ok(short) } else { serde_json::to_string_pretty(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_and_deep_is_not_indented() {
        let list =
            |length| (0..60).fold(serde_json::json!(vec![0; length]), |inner, _| serde_json::json!([inner]));
        assert!(pretty_json(&list(10)).unwrap().contains("\n  "));
        assert!(pretty_json(&list(200_000)).unwrap().len() < 500_000);
    }
}
