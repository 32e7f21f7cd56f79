//! How a file is laid out, and values written in that layout.
//!
//! Tree + place -> `Style`; `Style` + value -> text. Invariant: every text that is written is read back as the same
//! value by readers of YAML 1.1 and 1.2.

use serde_json::{Map, Value};

use super::tree::{Kind, Tree};

#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) line_end: &'static str,
    /// One level of a mapping.
    pub(super) step: usize,
    /// How far a list's dashes are indented below its key.
    pub(super) dash: usize,
}

impl Style {
    /// Of a file that is ours from the start.
    pub(super) fn ours() -> Self {
        Self { line_end: "\n", step: 2, dash: 2 }
    }

    /// As the nodes around the place have it, or else the rest of the file.
    pub(super) fn of(tree: &Tree<'_>, place: Option<usize>) -> Self {
        let ours = Self::ours();
        let near = |kind: Kind| {
            let inner = |of| tree.inner_blocks(of).find(|it| it.parent == Kind::Map && it.kind == kind);
            place.and_then(inner).or_else(|| inner(tree.root()?)).map(|it| it.deeper)
        };
        Self {
            line_end: line_end(tree.text),
            step: near(Kind::Map).unwrap_or(ours.step),
            dash: near(Kind::List).unwrap_or(ours.dash),
        }
    }

    /// Lines for the members of a mapping; the first one without its indentation.
    pub(super) fn members(&self, members: &Map<String, Value>, column: usize) -> String {
        let all: Vec<String> = members.iter().map(|(key, value)| self.member(key, value, column)).collect();
        all.join(&self.new_line(column))
    }

    pub(super) fn member(&self, key: &str, value: &Value, column: usize) -> String {
        format!("{}:{}", plain_or_quoted(key), self.behind_colon(value, column))
    }

    /// What follows the colon of a key in that column.
    pub(super) fn behind_colon(&self, value: &Value, column: usize) -> String {
        match value {
            Value::Object(map) if !map.is_empty() => {
                let column = column + self.step;
                format!("{}{}", self.new_line(column), self.members(map, column))
            }
            Value::Array(list) if !list.is_empty() => {
                let column = column + self.dash;
                format!("{}{}", self.new_line(column), self.items(list, column))
            }
            _ => format!(" {}", scalar(value)),
        }
    }

    fn items(&self, list: &[Value], column: usize) -> String {
        let all: Vec<String> = list.iter().map(|it| self.item(it, column)).collect();
        all.join(&self.new_line(column))
    }

    /// A dash in that column, and what follows it.
    pub(super) fn item(&self, value: &Value, column: usize) -> String {
        match value {
            Value::Object(map) if !map.is_empty() => format!("- {}", self.members(map, column + 2)),
            Value::Array(list) if !list.is_empty() => format!("- {}", self.items(list, column + 2)),
            _ => format!("- {}", scalar(value)),
        }
    }

    pub(super) fn new_line(&self, column: usize) -> String {
        format!("{}{}", self.line_end, " ".repeat(column))
    }
}

/// The line end in use where the text ends.
fn line_end(text: &str) -> &'static str {
    match text.rfind('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// On one line, as JSON would have it.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let all: Vec<String> = map.iter().map(|(key, value)| flow_member(key, value)).collect();
            format!("{{{}}}", all.join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => quoted(text),
        _ => scalar(value),
    }
}

pub(super) fn flow_member(key: &str, value: &Value) -> String {
    format!("{}: {}", quoted(key), flow(value))
}

/// A value on the line of its key.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => plain_or_quoted(text),
        Value::Number(it) => {
            let text = it.to_string();
            // YAML 1.1 wants a point and a sign: `1.0e+21`.
            match text.split_once('e') {
                Some((digits, power)) => {
                    let point = if digits.contains('.') { "" } else { ".0" };
                    let sign = if power.starts_with(['-', '+']) { "" } else { "+" };
                    format!("{digits}{point}e{sign}{power}")
                }
                None => text,
            }
        }
        Value::Null | Value::Bool(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => flow(value),
    }
}

fn plain_or_quoted(text: &str) -> String {
    if is_plainly_text(text) { text.to_owned() } else { quoted(text) }
}

/// Whether every reader takes this for a text, also without quotes.
fn is_plainly_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    let start = text.trim_start_matches('-');
    let starts_well = bytes.len() - start.len() <= 2
        && start.starts_with(|it: char| it.is_ascii_alphabetic() || matches!(it, '/' | '_' | '$'));
    let safe = |it: &u8| it.is_ascii_alphanumeric() || b" _-./+@=,()${}:~^".contains(it);
    starts_well
        && bytes.len() <= 500
        && bytes.iter().all(safe)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !is_a_word_of_yaml(start)
}

fn is_a_word_of_yaml(text: &str) -> bool {
    const WORDS: [&str; 13] =
        ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nil", "nan", "inf", "infinity"];
    WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// In double quotes, with JSON's escapes, and everything escaped that is not printable to some reader.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for it in text.chars() {
        match it {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1F'
            | '\x7F'..='\u{A0}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{FEFF}'
            | '\u{FFFE}'
            | '\u{FFFF}' => {
                out.push_str(&format!("\\u{:04x}", it as u32));
            }
            _ => out.push(it),
        }
    }
    out + "\""
}
