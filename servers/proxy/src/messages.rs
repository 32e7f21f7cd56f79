//! What the proxy says itself, to a client and to a server.
//!
//! Ids and reasons -> lines, without their line breaks. Invariant: each is a whole JSON-RPC message, whatever a reason holds.

use std::fmt::Write;

/// JSON-RPC's code for what is wrong in the server.
pub(crate) const INTERNAL_ERROR: i32 = -32603;
/// JSON-RPC's code for what is no valid request.
pub(crate) const INVALID_REQUEST: i32 = -32600;
/// JSON-RPC's code for what is no JSON.
pub(crate) const PARSE_ERROR: i32 = -32700;

/// A protocol error; `id` is its text.
pub(crate) fn error(id: &str, code: i32, message: &str) -> String {
    let message = quoted(message);
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":{message}}}}}"#)
}

/// A tool's result that says that something went wrong. Revision 2026-07-28 wants to know that it is complete.
pub(crate) fn tool_error(id: &str, text: &str, is_modern: bool) -> String {
    let complete = if is_modern { r#","resultType":"complete""# } else { "" };
    let text = quoted(text);
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":{text}}}],"isError":true{complete}}}}}"#
    )
}

/// The answer to a `ping`.
pub(crate) fn pong(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)
}

/// A request of ours; `params` is their text.
pub(crate) fn request(id: &str, method: &str, params: Option<&str>) -> String {
    let params = params.map(|it| format!(r#","params":{it}"#)).unwrap_or_default();
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"{params}}}"#)
}

/// A notification; `params` is their text.
pub(crate) fn notification(method: &str, params: Option<&str>) -> String {
    let params = params.map(|it| format!(r#","params":{it}"#)).unwrap_or_default();
    format!(r#"{{"jsonrpc":"2.0","method":"{method}"{params}}}"#)
}

/// That nobody waits for this request's answer any more; `id` is its text.
pub(crate) fn cancelled(id: &str, reason: &str) -> String {
    let reason = quoted(reason);
    notification("notifications/cancelled", Some(&format!(r#"{{"requestId":{id},"reason":{reason}}}"#)))
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn each_is_json_whatever_a_reason_holds() {
        let reason = "line\nbreak, \"quotes\", \\ and \u{1b}[31m";
        for line in [
            error("7", INTERNAL_ERROR, reason),
            tool_error("\"a\"", reason, true),
            cancelled("7", reason),
            pong("1.0"),
            request("1", "tools/list", Some("{}")),
            notification("x", None),
        ] {
            assert!(!line.contains('\n'), "{line}");
            serde_json::from_str::<Value>(&line).unwrap();
        }
        let parsed: Value = serde_json::from_str(&tool_error("\"a\"", reason, true)).unwrap();
        assert_eq!(parsed["result"]["content"][0]["text"], reason);
        assert_eq!(parsed["result"]["resultType"], json!("complete"));
    }
}
