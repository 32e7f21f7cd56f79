//! A value as lines that a person can read.
//!
//! JSON -> `points: 3`, and so on, indented where a value holds others. Invariant: every value stands there once, fields in
//! the order of the alphabet, as serde_json's values have them.

use std::fmt::Write as _;

use serde_json::Value;

pub(super) fn readable(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(_) | Value::Array(_) => write_lines(value, 0, &mut text),
        other => text = plain(other),
    }
    text.truncate(text.trim_end().len());
    text
}

fn write_lines(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                write_entry(&format!("{name}:"), value, indent, text);
            }
        }
        Value::Array(items) => items.iter().for_each(|it| write_entry("-", it, indent, text)),
        other => text.push_str(&plain(other)),
    }
}

fn write_entry(start: &str, value: &Value, indent: usize, text: &mut String) {
    let _ = write!(text, "{:indent$}{start}", "");
    match value {
        Value::Object(fields) if fields.is_empty() => text.push_str(" none\n"),
        Value::Array(items) if items.is_empty() => text.push_str(" none\n"),
        Value::Object(_) | Value::Array(_) => {
            text.push('\n');
            write_lines(value, indent + 2, text);
        }
        other => {
            let _ = writeln!(text, " {}", plain(other));
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "unknown".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_a_line() {
        assert_eq!(
            readable(&json!({"points": 3, "who": "Ana", "seed": null})),
            "points: 3\nseed: unknown\nwho: Ana"
        );
        assert_eq!(
            readable(
                &json!({"items": [{"title": "milk", "done": false}, "x"], "left": [], "due": {"day": 2}})
            ),
            "due:\n  day: 2\nitems:\n  -\n    done: false\n    title: milk\n  - x\nleft: none"
        );
        assert_eq!((readable(&json!("hi")), readable(&json!(7))), ("hi".to_owned(), "7".to_owned()));
    }
}
