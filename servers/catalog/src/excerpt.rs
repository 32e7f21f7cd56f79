//! A value of somebody's file as it stands in an error.
//!
//! Text -> the same on one short line. Invariant: nothing in it reaches a terminal as more than text.

/// The beginning of an escaped text.
pub(crate) fn excerpt(escaped: &str) -> String {
    match escaped.char_indices().nth(60) {
        Some((end, _)) => format!("{}..", &escaped[..end]),
        None => escaped.to_owned(),
    }
}

/// A string in quotation marks, with what a terminal would obey escaped: control characters of both sets, and those that
/// turn the direction of writing.
pub(crate) fn quoted(text: &str) -> String {
    excerpt(&format!("{text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let shown = quoted("a\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\u{2066}\u{200f}\n");
        assert_eq!(shown, r#""a\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\u{2066}\u{200f}\n""#);
        assert_eq!(quoted(&"ü".repeat(99)).chars().count(), 62);
    }
}
