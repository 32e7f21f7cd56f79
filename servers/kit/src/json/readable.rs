//! A value as lines that a person can read.
//!
//! JSON -> `points: 3`, and so on, indented where a value holds others. Invariant: every value stands there once, in the order of
//! the JSON text, which is that of the struct.

use std::fmt::{self, Display, Write as _};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// Of JSON that cannot be read, which no value of ours is, the text as it stands.
pub(super) fn readable(json: &str) -> String {
    let mut text = String::new();
    let mut reader = serde_json::Deserializer::from_str(json);
    match (Entry { text: &mut text, indent: 0, is_item: false }).deserialize(&mut reader) {
        // Before each line stands a line break, before what shares a line a blank: the first one is one too many.
        Ok(()) => text.get(1..).unwrap_or_default().to_owned(),
        Err(_) => json.to_owned(),
    }
}

/// One value, behind `name:`, `-` or nothing.
struct Entry<'a> {
    text: &'a mut String,
    /// Of the lines that it may need.
    indent: usize,
    /// It stands behind the `-` of a list, and its first part shares that line.
    is_item: bool,
}

impl Entry<'_> {
    fn plain<E>(self, value: impl Display) -> Result<(), E> {
        let _ = write!(self.text, " {value}");
        Ok(())
    }

    /// A line of its own for a part of it.
    fn part(&mut self, start: impl Display, is_item: bool) -> Entry<'_> {
        let _ = if std::mem::take(&mut self.is_item) {
            write!(self.text, " {start}")
        } else {
            write!(self.text, "\n{:1$}{start}", "", self.indent)
        };
        Entry { text: self.text, indent: self.indent + 2, is_item }
    }

    fn end<E>(self, is_empty: bool) -> Result<(), E> {
        if is_empty { self.plain("none") } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entry<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        let mut is_empty = true;
        while let Some(name) = fields.next_key::<String>()? {
            is_empty = false;
            fields.next_value_seed(self.part(format_args!("{name}:"), false))?;
        }
        self.end(is_empty)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let (mut is_empty, mut end) = (true, self.text.len());
        while items.next_element_seed(self.part("-", true))?.is_some() {
            (is_empty, end) = (false, self.text.len());
        }
        // What was begun for the item behind the last one.
        self.text.truncate(end);
        self.end(is_empty)
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.plain(value)
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.plain(value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.plain(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.plain(value)
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        match Number::from_f64(value) {
            Some(number) => self.plain(number),
            None => self.plain(value),
        }
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.plain("none")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_a_line_in_the_order_of_the_value() {
        assert_eq!(
            readable(r#"{"points": 3, "who": "Ana", "seed": null, "share": 0.5, "low": -1}"#),
            "points: 3\nwho: Ana\nseed: none\nshare: 0.5\nlow: -1"
        );
        assert_eq!(
            readable(
                r#"{"items": [{"title": "milk", "done": false}, "x"], "left": [], "due": {"day": 2}, "by": {}}"#
            ),
            "items:\n  - title: milk\n    done: false\n  - x\nleft: none\ndue:\n  day: 2\nby: none"
        );
        for (json, expected) in [
            (r#""hi""#, "hi"),
            ("7", "7"),
            ("[]", "none"),
            ("[1, 2]", "- 1\n- 2"),
            ("[[1, 2], [], [[]]]", "- - 1\n  - 2\n- none\n- - none"),
            (r#"[{"a": {"b": 1}, "c": [2]}, {}]"#, "- a:\n    b: 1\n  c:\n    - 2\n- none"),
        ] {
            assert_eq!(readable(json), expected);
        }
    }

    #[test]
    fn what_cannot_be_read_stands_as_it_is() {
        let deep = "[".repeat(300) + &"]".repeat(300);
        assert_eq!(readable(&deep), deep);
    }
}
