//! Text from outside, made harmless on a terminal: the one place that says which characters are not.
//!
//! Text -> the same text, with everything that a terminal would obey or hide written out. Invariant: what is printed shows
//! every character of the original, and moves no cursor but by line breaks and tabs.

/// Control characters of both sets (ESC, and C1 with its CSI and OSC), those that turn the direction of writing
/// ("Trojan Source", CVE-2021-42574), and those that cannot be seen are written as `\u{..}`. Line breaks and tabs stay.
///
/// ```
/// use drydock_contract::terminal::escape;
/// assert_eq!(escape("a\u{1b}]0;title\u{7}\n\tb\u{202e}"), "a\\u{1b}]0;title\\u{7}\n\tb\\u{202e}");
/// assert_eq!(escape("São Paulo, 東京, القاهرة, 21.5 °C ☀️"), "São Paulo, 東京, القاهرة, 21.5 °C ☀️");
/// ```
#[must_use]
pub fn escape(text: &str) -> String {
    let which = |c| c != '\n' && c != '\t' && is_unsafe(c);
    replace(text, which, |c, out| out.extend(c.escape_default()))
}

/// The same for text that is to stay on one line: line breaks and tabs are written as `\n`, `\r` and `\t`.
///
/// ```
/// assert_eq!(drydock_contract::terminal::escape_line("one\ntwo\u{9b}31m"), "one\\ntwo\\u{9b}31m");
/// ```
#[must_use]
pub fn escape_line(text: &str) -> String {
    replace(text, is_unsafe, |c, out| out.extend(c.escape_default()))
}

/// The same for finished JSON, which stays JSON that says the same: such characters can only stand inside its strings.
///
/// ```
/// assert_eq!(drydock_contract::terminal::escape_json("\"a\u{202e}\u{7f}\""), "\"a\\u202e\\u007f\"");
/// ```
#[must_use]
pub fn escape_json(json: &str) -> String {
    let which = |c| c != '\n' && is_unsafe(c);
    replace(json, which, |c, out| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    })
}

fn replace(text: &str, which: impl Fn(char) -> bool, with: impl Fn(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if which(c) { with(c, &mut out) } else { out.push(c) }
    }
    out
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}'                      // soft hyphen, marks
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'    // zero width, separators, embeddings
            | '\u{2060}'..='\u{206f}' | '\u{feff}'                 // joiners, isolates, byte order mark
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}') // annotations, tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(escape("a\x1b[31mred\nb\tc\r"), "a\\u{1b}[31mred\nb\tc\\r");
        assert_eq!(escape_line("one\ntwo\t"), "one\\ntwo\\t");
        assert_eq!(escape("abc\u{202e}fdp\u{200b}\u{e0041}"), "abc\\u{202e}fdp\\u{200b}\\u{e0041}");
        for c in ('\0'..='\u{9f}').filter(|it| it.is_control()) {
            assert!(!escape_line(&c.to_string()).contains(c), "{c:?}");
        }
    }

    #[test]
    fn escaped_json_says_the_same() {
        let value = serde_json::json!({ "a": "x\u{202e}\u{e0041}\u{7f}\u{1b}" });
        let json = escape_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(json.is_ascii(), "{json}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
    }
}
