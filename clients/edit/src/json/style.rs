//! How a file is laid out, and values written in that layout.
//!
//! Text + object -> `Style`; `Style` + value -> text. Invariant: what is written is strict JSON on its own.

use jsonc_parser::ast::Object;
use jsonc_parser::common::Ranged;
use serde_json::Value;

/// Arrays of plain values up to this width stay on one line.
const WIDTH: usize = 100;

#[derive(Clone, Debug)]
pub(super) struct Style {
    /// Line end and the members' indentation; `None`: all on one line.
    pub(super) lines: Option<Lines>,
    pub(super) colon: &'static str,
    /// Between members on one line.
    pub(super) blank: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct Lines {
    pub(super) end: &'static str,
    /// Of the object's own line.
    pub(super) outer: String,
    /// Of its members.
    pub(super) inner: String,
    /// Of one level.
    pub(super) unit: String,
}

impl Style {
    /// Of a file that is ours from the start.
    pub(super) fn ours() -> Self {
        Self { lines: Some(Lines::ours()), colon: ": ", blank: " " }
    }

    /// Of a member on its own.
    pub(super) fn snippet() -> Self {
        let lines = Lines { inner: String::new(), ..Lines::ours() };
        Self { lines: Some(lines), ..Self::ours() }
    }

    /// The layout for a further member of `object`.
    pub(super) fn of(text: &str, root: &Object<'_>, object: &Object<'_>) -> Self {
        let spaced = spaced(text, object).or_else(|| spaced(text, root)).unwrap_or(true);
        let sample = if object.properties.is_empty() { root } else { object };
        if !sample.properties.is_empty() && !has_line_end(text, sample.range()) {
            let blank = if spaced { " " } else { "" };
            return Self { lines: None, colon: if spaced { ": " } else { ":" }, blank };
        }
        Self { lines: Some(Lines::of(text, root, object)), colon: ": ", blank: " " }
    }

    /// The same layout, one level deeper.
    pub(super) fn deeper(&self) -> Self {
        let lines = self.lines.as_ref().map(|it| Lines {
            outer: it.inner.clone(),
            inner: format!("{}{}", it.inner, it.unit),
            ..it.clone()
        });
        Self { lines, ..self.clone() }
    }

    /// What stands before a member that is not the first.
    pub(super) fn separator(&self) -> String {
        self.lines.as_ref().map_or_else(|| self.blank.to_owned(), Lines::before_member)
    }

    pub(super) fn member(&self, key: &str, value: &Value) -> String {
        format!("{}{}{}", Value::from(key), self.colon, self.value(value))
    }

    pub(super) fn members<'a>(&self, members: impl IntoIterator<Item = (&'a str, &'a Value)>) -> String {
        let all: Vec<String> = members.into_iter().map(|(key, value)| self.member(key, value)).collect();
        all.join(&format!(",{}", self.separator()))
    }

    /// The value of a member of the object that this is the style of.
    pub(super) fn value(&self, value: &Value) -> String {
        match value {
            Value::Object(map) if !map.is_empty() => {
                let deeper = self.deeper();
                let members = deeper.members(map.iter().map(|(key, value)| (key.as_str(), value)));
                deeper.enclosed('{', &members, '}')
            }
            Value::Array(list) if !list.is_empty() => self.array(list),
            _ => value.to_string(),
        }
    }

    fn array(&self, list: &[Value]) -> String {
        let plain = !list.iter().any(|it| it.is_object() || it.is_array());
        let comma = format!(",{}", self.blank);
        let line = list.iter().map(Value::to_string).collect::<Vec<_>>().join(&comma);
        if self.lines.is_none() || plain && line.len() <= WIDTH {
            return format!("[{line}]");
        }
        let deeper = self.deeper();
        let separator = format!(",{}", deeper.separator());
        let items: Vec<String> = list.iter().map(|it| deeper.value(it)).collect();
        deeper.enclosed('[', &items.join(&separator), ']')
    }

    /// `self` is the style inside the brackets.
    fn enclosed(&self, open: char, inside: &str, close: char) -> String {
        match &self.lines {
            Some(it) => format!("{open}{}{inside}{}{}{close}", it.before_member(), it.end, it.outer),
            None => format!("{open}{inside}{close}"),
        }
    }
}

impl Lines {
    fn ours() -> Self {
        Self { end: "\n", outer: String::new(), inner: "  ".into(), unit: "  ".into() }
    }

    fn of(text: &str, root: &Object<'_>, object: &Object<'_>) -> Self {
        let outer = line_indent(text, object.range.start).to_owned();
        let unit = unit(text, object).or_else(|| unit(text, root)).unwrap_or("  ").to_owned();
        let last = object.properties.last();
        let inner = last
            .and_then(|it| own_line(text, it.start()))
            .map_or_else(|| format!("{outer}{unit}"), str::to_owned);
        Self { end: line_end(text, object.range.end), outer, inner, unit }
    }

    fn before_member(&self) -> String {
        format!("{}{}", self.end, self.inner)
    }
}

/// Whether this object's author puts a space after the colon.
fn spaced(text: &str, object: &Object<'_>) -> Option<bool> {
    let last = object.properties.last()?;
    Some(text[last.name.end()..last.value.start()].contains(' '))
}

fn has_line_end(text: &str, range: jsonc_parser::common::Range) -> bool {
    text[range.start..range.end].contains(['\n', '\r'])
}

/// The line end in use at `at`, or else after it.
fn line_end(text: &str, at: usize) -> &'static str {
    let newline = text[..at].rfind('\n').or_else(|| text.find('\n'));
    if newline.is_some_and(|at| text[..at].ends_with('\r')) { "\r\n" } else { "\n" }
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind(['\n', '\r']).map_or(0, |newline| newline + 1)
}

fn line_indent(text: &str, at: usize) -> &str {
    let line = &text[line_start(text, at)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The indentation of what starts at `at`, if nothing stands before it on its line.
fn own_line(text: &str, at: usize) -> Option<&str> {
    let before = &text[line_start(text, at)..at];
    (line_start(text, at) > 0 && before.trim_matches([' ', '\t']).is_empty()).then_some(before)
}

/// One level's indentation, seen from an object and its members.
fn unit<'a>(text: &'a str, object: &Object<'_>) -> Option<&'a str> {
    let inner = own_line(text, object.properties.last()?.start())?;
    inner.strip_prefix(line_indent(text, object.range.start)).filter(|unit| !unit.is_empty())
}
