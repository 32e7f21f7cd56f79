//! One line of input as a message for rmcp, or as answers that kit gives itself.
//!
//! Line -> `Frame`. Invariant: whatever has an id and is no answer comes out as a request or as an answer with that id, byte
//! for byte; nothing else is answered, and nothing is dropped without a reason for the log.
//!
//! rmcp holds ids that are strings or whole numbers, and drops what it does not understand. So ids that it cannot hold are
//! replaced on their way in, and put back on their way out (see `Request::raw_id`).

mod request;

use rmcp::model::{ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorCode, RequestId};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::salvage::Salvage;

/// What a line is.
#[derive(Debug)]
pub(crate) enum Frame {
    Request {
        id: Id,
        request: Box<ClientRequest>,
    },
    /// A notification or an answer.
    Message(Box<ClientJsonRpcMessage>),
    /// Requests that get an error from us.
    Refused {
        ids: Vec<String>,
        code: ErrorCode,
        reason: String,
    },
    /// Nobody is to be answered; why, for the log, without a word of what was said.
    Skipped(&'static str),
    /// A blank line, or a notification that nobody knows.
    Nothing,
}

/// A request's id as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Id {
    /// rmcp writes it back with the same bytes.
    Plain(RequestId),
    /// It cannot hold it, or would write it in another way.
    Raw(Box<str>),
}

/// A message as far as we read it ourselves.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
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

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

pub(crate) fn read(line: &[u8]) -> Frame {
    let line = line.strip_prefix(UTF8_BOM).unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Frame::Nothing;
    }
    let Ok(text) = str::from_utf8(line) else {
        return broken(line, "it is not UTF-8".into());
    };
    if line[0] == b'[' {
        return salvaged(line, ErrorCode::INVALID_REQUEST, "a batch; send one message a line".into());
    }
    match serde_json::from_str(text) {
        Ok(envelope) => message(text, &envelope),
        Err(e) => broken(line, e.to_string()),
    }
}

/// A line that is no JSON object.
fn broken(line: &[u8], why: String) -> Frame {
    salvaged(line, ErrorCode::PARSE_ERROR, why)
}

fn salvaged(line: &[u8], code: ErrorCode, reason: String) -> Frame {
    let mut salvage = Salvage::default();
    salvage.feed(line);
    refused(salvage, code, reason)
}

/// A line that is longer than we take.
pub(crate) fn too_long(salvage: Salvage) -> Frame {
    refused(salvage, ErrorCode::INVALID_REQUEST, "the message is longer than 16 MiB".into())
}

fn refused(salvage: Salvage, code: ErrorCode, reason: String) -> Frame {
    let (ids, _) = salvage.finish();
    if ids.is_empty() {
        Frame::Skipped("skipped input that is no message, and in which no request's id can be found")
    } else {
        Frame::Refused { ids, code, reason }
    }
}

fn message(text: &str, envelope: &Envelope<'_>) -> Frame {
    let Some(method) = envelope.method else { return without_method(text, envelope) };
    let Some(id) = envelope.id else { return notification(text, envelope) };
    let refuse = |code, reason: &str| Frame::Refused {
        ids: vec![id.get().to_owned()],
        code,
        reason: reason.to_owned(),
    };
    let invalid = |reason| refuse(ErrorCode::INVALID_REQUEST, reason);
    if !matches!(id.get().as_bytes()[0], b'"' | b'-' | b'0'..=b'9') {
        return invalid("`id` has to be a string or a number");
    }
    if envelope.jsonrpc.is_none_or(|it| it.get() != r#""2.0""#) {
        return invalid("`jsonrpc` has to be \"2.0\"");
    }
    if envelope.result.is_some() || envelope.error.is_some() {
        return invalid("a request has neither `result` nor `error`");
    }
    let Ok(method) = serde_json::from_str::<String>(method.get()) else {
        return invalid("`method` has to be a string");
    };
    match request::read(method, envelope.params.map(RawValue::get)) {
        Ok(request) => Frame::Request { id: Id::read(id.get()), request: Box::new(request) },
        Err(reason) => refuse(ErrorCode::INVALID_PARAMS, &reason),
    }
}

/// An answer to a request of ours, or nothing that we know.
fn without_method(text: &str, envelope: &Envelope<'_>) -> Frame {
    if envelope.result.is_some() || envelope.error.is_some() {
        return match serde_json::from_str(text) {
            Ok(message) => Frame::Message(Box::new(message)),
            Err(_) => Frame::Skipped("skipped an answer to no request of ours"),
        };
    }
    match envelope.id {
        Some(id) => Frame::Refused {
            ids: vec![id.get().to_owned()],
            code: ErrorCode::INVALID_REQUEST,
            reason: "`method` is missing".into(),
        },
        None => Frame::Skipped("skipped input that is neither a request nor an answer"),
    }
}

fn notification(text: &str, envelope: &Envelope<'_>) -> Frame {
    let parsed = serde_json::from_str(text).or_else(|e| match repaired(text) {
        Some(text) => serde_json::from_str(&text),
        None => Err(e),
    });
    match parsed {
        Ok(ClientJsonRpcMessage::Notification(it))
            if matches!(it.notification, ClientNotification::CustomNotification(_))
                && envelope.method.is_some_and(|it| it.get() == r#""notifications/cancelled""#) =>
        {
            Frame::Skipped("skipped a cancellation that names no request")
        }
        Ok(message) => Frame::Message(Box::new(message)),
        Err(_) => Frame::Skipped("skipped a notification that is not understood"),
    }
}

/// The id in `params.requestId` of a cancellation, if it is one that rmcp cannot hold as it is.
pub(crate) fn cancelled_raw_id(line: &[u8]) -> Option<Box<str>> {
    #[derive(Deserialize)]
    struct Cancelled<'a> {
        method: &'a str,
        #[serde(borrow)]
        params: Params<'a>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params<'a> {
        #[serde(borrow)]
        request_id: &'a RawValue,
    }
    let cancelled: Cancelled<'_> = serde_json::from_slice(line).ok()?;
    match Id::read(cancelled.params.request_id.get()) {
        Id::Raw(raw) if cancelled.method == "notifications/cancelled" => Some(raw),
        _ => None,
    }
}

impl Id {
    fn read(raw: &str) -> Self {
        let plain = if raw.starts_with('"') {
            let is_plain = !raw.contains('\\');
            is_plain.then(|| RequestId::String(raw[1..raw.len() - 1].into()))
        } else {
            raw.parse().ok().filter(|it: &i64| it.to_string() == raw).map(RequestId::Number)
        };
        plain.map_or_else(|| Self::Raw(raw.into()), Self::Plain)
    }
}

/// With U+FFFD in place of each lone surrogate; `None` where there is none.
///
/// JavaScript cuts texts inside of an emoji, and then writes half of it.
fn repaired(text: &str) -> Option<String> {
    let mut out = text.as_bytes().to_vec();
    let mut at = 0;
    let mut is_repaired = false;
    while at < out.len() {
        if out[at] != b'\\' {
            at += 1;
            continue;
        }
        match (surrogate(&out, at), surrogate(&out, at + 6)) {
            (Some(Half::Leading), Some(Half::Trailing)) => at += 12,
            (Some(_), _) => {
                out[at + 2..at + 6].copy_from_slice(b"fffd");
                is_repaired = true;
                at += 6;
            }
            (None, _) => at += 2,
        }
    }
    is_repaired.then(|| String::from_utf8(out).ok()).flatten()
}

enum Half {
    Leading,
    Trailing,
}

/// What `\uXXXX` at this place is a half of.
fn surrogate(text: &[u8], at: usize) -> Option<Half> {
    let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
    match u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()? {
        0xd800..=0xdbff => Some(Half::Leading),
        0xdc00..=0xdfff => Some(Half::Trailing),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
