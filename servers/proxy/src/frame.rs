//! One line of JSON-RPC, read as far as routing needs and no further.
//!
//! Line -> `Frame`, whose parts are places in the line. Invariant: where a part of a line has to be another one, every byte
//! around it stays.
//!
//! JSON-RPC 2.0: a request has `method` and `id`, a notification has `method` alone, an answer has `id` and one of `result`
//! and `error`. MCP ends each message with a line break, which JSON cannot hold inside of one.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::Number;
use serde_json::value::RawValue;

/// A message, as far as it is read.
///
/// ```
/// use drydock_proxy::frame::Frame;
///
/// let frame = Frame::read(r#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#);
/// assert!(matches!(frame, Frame::Request { id: "7", method, params: None } if method == "tools/list"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Frame<'a> {
    /// It has to be answered.
    Request {
        /// The id's own text.
        id: &'a str,
        /// What is asked for.
        method: Cow<'a, str>,
        /// The text of `params`, where there are any.
        params: Option<&'a str>,
    },
    /// Nobody answers it.
    Notification {
        /// What has happened.
        method: Cow<'a, str>,
        /// The text of `params`, where there are any.
        params: Option<&'a str>,
    },
    /// An answer to a request.
    Answer {
        /// The id's own text.
        id: &'a str,
        /// The text of `result`; `None` for an error.
        result: Option<&'a str>,
    },
    /// Several messages in one line, as revision 2025-03-26 allows it: the text of each.
    Batch(Vec<&'a str>),
    /// Nothing but blanks.
    Blank,
    /// No JSON-RPC.
    Unknown,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<&'a RawValue>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// `null` is something, too.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Frame<'a> {
    /// Reads a line, without its line break.
    #[must_use]
    pub fn read(line: &'a str) -> Self {
        let text = line.trim_ascii();
        if text.is_empty() {
            return Self::Blank;
        }
        if text.starts_with('[') {
            let parts: Result<Vec<&RawValue>, _> = serde_json::from_str(text);
            return match parts {
                Ok(parts) if !parts.is_empty() => Self::Batch(parts.into_iter().map(RawValue::get).collect()),
                _ => Self::Unknown,
            };
        }
        serde_json::from_str(text).map_or(Self::Unknown, Self::of)
    }

    fn of(envelope: Envelope<'a>) -> Self {
        let params = envelope.params.map(RawValue::get);
        let id = envelope.id.map(RawValue::get);
        let method = envelope.method.map(|it| text_of(it.get()));
        match (method, id) {
            (Some(Some(method)), Some(id)) if is_id(id) => Self::Request { id, method, params },
            (Some(Some(method)), None) => Self::Notification { method, params },
            // Some clients write an id of `null` there.
            (Some(Some(method)), Some("null")) if method.starts_with("notifications/") => {
                Self::Notification { method, params }
            }
            (None, Some(id)) => match (envelope.result.map(RawValue::get), envelope.error.map(RawValue::get))
            {
                (result @ Some(_), None | Some("null")) => Self::Answer { id, result },
                (None | Some("null"), Some(_)) => Self::Answer { id, result: None },
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }
}

/// What a string's text means; `None` where it is no string.
#[must_use]
pub fn text_of(raw: &str) -> Option<Cow<'_, str>> {
    let plain = raw.strip_prefix('"')?.strip_suffix('"')?;
    if plain.contains('\\') {
        serde_json::from_str(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(plain))
    }
}

fn is_id(text: &str) -> bool {
    matches!(text.as_bytes()[0], b'"' | b'-' | b'0'..=b'9')
}

/// What two ids have in common that mean the same: `1` and `1.0` do, `"a"` and `"\u0061"` do, `1` and `"1"` do not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(String);

impl Id {
    /// Reads an id's text.
    ///
    /// ```
    /// use drydock_proxy::frame::Id;
    ///
    /// assert_eq!(Id::read("1"), Id::read("1.0"));
    /// assert_ne!(Id::read("1"), Id::read("\"1\""));
    /// ```
    #[must_use]
    pub fn read(text: &str) -> Self {
        if let Some(plain) = text_of(text) {
            return Self(format!("\"{plain}\""));
        }
        let is_plain = text.bytes().all(|it| it.is_ascii_digit());
        let number = if is_plain { None } else { text.parse::<Number>().ok() };
        Self(match number.and_then(|it| it.as_f64().filter(|_| !it.is_i64())) {
            Some(it) => it.to_string(), // of 1.0 it is `1`
            None => text.to_owned(),
        })
    }

    /// The same number as a string, or the other way round: what a careless server makes of an id.
    ///
    /// ```
    /// use drydock_proxy::frame::Id;
    ///
    /// assert_eq!(Id::read("1").of_other_type(), Id::read("\"1\""));
    /// ```
    #[must_use]
    pub fn of_other_type(&self) -> Self {
        match self.0.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
            Some(text) => Self(text.to_owned()),
            None => Self(format!("\"{}\"", self.0)),
        }
    }
}

/// The line with something else in the place of a part of it.
///
/// ```
/// use drydock_proxy::frame::replaced;
///
/// let line = r#"{"id": 7, "a": 7}"#;
/// assert_eq!(replaced(line, &[(&line[7..8], "\"x\"")]), r#"{"id": "x", "a": 7}"#);
/// ```
///
/// # Panics
/// If `parts` are no slices of the line, in their order.
#[must_use]
pub fn replaced(line: &str, parts: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(line.len() + 32);
    let mut at = 0;
    for (old, new) in parts {
        let start = place_of(line, old);
        out.push_str(&line[at..start]);
        out.push_str(new);
        at = start + old.len();
    }
    out.push_str(&line[at..]);
    out
}

/// Where a part of a line begins in it.
#[must_use]
pub fn place_of(line: &str, part: &str) -> usize {
    part.as_ptr().addr() - line.as_ptr().addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_fields() {
        let kind = |line| match Frame::read(line) {
            Frame::Request { .. } => "request",
            Frame::Notification { .. } => "notification",
            Frame::Answer { result: Some(_), .. } => "result",
            Frame::Answer { result: None, .. } => "error",
            Frame::Batch(_) => "batch",
            Frame::Blank => "blank",
            Frame::Unknown => "unknown",
        };
        for (line, expected) in [
            (r#"{"id":1,"method":"a"}"#, "request"),
            (r#"{"method":"a\/b","id":"x","params":{"id":2}}"#, "request"),
            (r#"{"method":"a"}"#, "notification"),
            (r#"{"id":1,"result":null}"#, "result"),
            (r#"{"id":null,"error":{}}"#, "error"),
            (r#"{"id":1,"error":null,"result":{}}"#, "result"),
            (r#"{"id":1,"error":{},"result":null}"#, "error"),
            (r#"{"id":null,"method":"notifications/initialized"}"#, "notification"),
            (r#"{"id":1,"result":{"text":"half an emoji: \ud83d"}}"#, "result"),
            (r#"[{"method":"a"}]"#, "batch"),
            (" \r", "blank"),
            ("[]", "unknown"),
            (r#"{"id":null,"method":"a"}"#, "unknown"),
            (r#"{"id":1}"#, "unknown"),
            (r#"{"id":1,"id":2,"method":"a"}"#, "unknown"),
            (r#"{"id":1,"result":1,"error":{}}"#, "unknown"),
            ("listening on stdio", "unknown"),
            ("7", "unknown"),
        ] {
            assert_eq!(kind(line), expected, "{line}");
        }
    }

    #[test]
    fn ids_are_compared_by_what_they_mean() {
        for (one, two) in [("1", "1.0"), ("100", "1e2"), (r#""a""#, r#""\u0061""#), ("-0.5", "-5e-1")] {
            assert_eq!(Id::read(one), Id::read(two), "{one} {two}");
        }
        for (one, two) in
            [("1", r#""1""#), ("1", "2"), (r#""a""#, r#""A""#), ("9007199254740993", "9007199254740992")]
        {
            assert_ne!(Id::read(one), Id::read(two), "{one} {two}");
        }
    }

    #[test]
    fn nothing_but_the_parts_is_replaced() {
        let line = r#" {"params":{"_meta":{"progressToken":7}},"method":"x","id" : 7 } "#;
        let Frame::Request { id, params: Some(params), .. } = Frame::read(line) else { panic!() };
        let token = &params[params.find('7').unwrap()..][..1];
        assert_eq!(
            replaced(line, &[(token, r#""t""#), (id, r#""i""#)]),
            r#" {"params":{"_meta":{"progressToken":"t"}},"method":"x","id" : "i" } "#
        );
    }
}
