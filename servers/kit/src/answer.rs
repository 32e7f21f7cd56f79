//! Answers that kit gives itself, because rmcp or a tool cannot.
//!
//! A request, or what is left of it -> a line. Invariant: a line is one JSON-RPC message, and ends with the only line break.

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock, ServerJsonRpcMessage, ServerResult};

use crate::in_flight::Request;

/// A message as a line.
pub(crate) fn line(message: &ServerJsonRpcMessage) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}

/// What a call is told whose time is over.
pub(crate) fn time_is_over(after: Duration) -> String {
    format!("the call timed out after {} s; it was cancelled", after.as_secs())
}

/// The answer to a request whose time is over.
pub(crate) fn timed_out(request: &Request, after: Duration) -> Vec<u8> {
    let text = time_is_over(after);
    line(&if request.is_call() {
        let result = CallToolResult::error(vec![ContentBlock::text(text)]);
        ServerJsonRpcMessage::response(ServerResult::CallToolResult(result), request.id.clone())
    } else {
        ServerJsonRpcMessage::error(ErrorData::internal_error(text, None), Some(request.id.clone()))
    })
}
