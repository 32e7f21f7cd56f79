//! Answers that kit gives itself, because rmcp or a tool cannot.
//!
//! A request, or what is left of it -> a line. Invariant: a line is one JSON-RPC message, and ends with the only line break.

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{
    CallToolResult, ContentBlock, ErrorCode, ListToolsResult, ServerJsonRpcMessage, ServerResult, Tool,
};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::in_flight::Request;
use crate::{schema, structured};

/// A message as a line.
pub(crate) fn line(message: &ServerJsonRpcMessage) -> Vec<u8> {
    let mut line = structured::restored(serde_json::to_vec(message).unwrap_or_default());
    line.push(b'\n');
    line
}

/// The answer to a request, with the id that the client gave it, and in the form of its revision.
pub(crate) fn answer_line(request: &Request, message: &mut ServerJsonRpcMessage) -> Vec<u8> {
    let plain = || serde_json::to_string(&request.id).unwrap_or_default();
    let id = request.raw_id.as_deref().map_or_else(plain, str::to_owned);
    match message {
        ServerJsonRpcMessage::Response(it) => {
            // rmcp does this to its own answers, but not to ours.
            if request.is_legacy {
                it.result.strip_result_type_for_legacy_peer();
            }
            match &mut it.result {
                ServerResult::CallToolResult(result) => result_line(&id, result),
                ServerResult::ListToolsResult(list) => with_id(&id, "result", &ToolList::new(list)),
                result => with_id(&id, "result", result),
            }
        }
        ServerJsonRpcMessage::Error(it) => with_id(&id, "error", &it.error),
        _ => line(message),
    }
}

/// A list of tools with schemas that all clients understand.
///
/// Each is mended when its turn comes, and dropped when it is written: together they would be a tenth of the memory that
/// an idle session has for itself.
#[derive(Serialize)]
struct ToolList<'a> {
    #[serde(flatten)]
    rest: Value,
    #[serde(serialize_with = "mended")]
    tools: &'a [Tool],
}

impl<'a> ToolList<'a> {
    fn new(list: &'a ListToolsResult) -> Self {
        let mut rest = list.clone();
        rest.tools.clear();
        let mut rest = serde_json::to_value(rest).unwrap_or_default();
        if let Some(rest) = rest.as_object_mut() {
            rest.remove("tools");
        }
        Self { rest, tools: &list.tools }
    }
}

fn mended<S: Serializer>(tools: &[Tool], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(tools.iter().map(schema::mended))
}

/// An error for a request that rmcp never sees.
pub(crate) fn error_line(id: &str, code: ErrorCode, reason: String) -> Vec<u8> {
    with_id(id, "error", &ErrorData::new(code, reason, None))
}

fn with_id(id: &str, key: &str, value: &impl Serialize) -> Vec<u8> {
    let mut line = begin(id, key, 0);
    let _ = serde_json::to_writer(&mut line, value);
    line.push(b'}');
    let mut line = structured::restored(line);
    line.push(b'\n');
    line
}

/// Beside the text that people read, a result has the same as data: often as much again.
fn result_line(id: &str, result: &mut CallToolResult) -> Vec<u8> {
    let Some(structured) = structured::take(result) else { return with_id(id, "result", result) };
    let mut line = begin(id, "result", 2 * structured.len());
    let _ = serde_json::to_writer(&mut line, result);
    line.pop(); // an object, and not an empty one: it has `content`
    line.extend(b",\"structuredContent\":");
    line.extend(structured.as_bytes());
    line.extend(b"}}\n");
    line
}

fn begin(id: &str, key: &str, len: usize) -> Vec<u8> {
    let mut line = Vec::with_capacity(len + 256);
    for piece in ["{\"jsonrpc\":\"2.0\",\"id\":", id, ",\"", key, "\":"] {
        line.extend(piece.as_bytes());
    }
    line
}

/// What a call is told whose time is over.
pub(crate) fn time_is_over(after: Duration) -> String {
    format!("the call timed out after {} s; it was cancelled", after.as_secs())
}

/// The answer to a request whose time is over.
pub(crate) fn timed_out(request: &Request, after: Duration) -> Vec<u8> {
    failed(request, time_is_over(after))
}

/// The answer to a request of which nothing will come, and why.
pub(crate) fn failed(request: &Request, reason: String) -> Vec<u8> {
    let mut answer = if request.is_call() {
        let result = CallToolResult::error(vec![ContentBlock::text(reason)]);
        ServerJsonRpcMessage::response(ServerResult::CallToolResult(result), request.id.clone())
    } else {
        ServerJsonRpcMessage::error(ErrorData::internal_error(reason, None), Some(request.id.clone()))
    };
    answer_line(request, &mut answer)
}

#[cfg(test)]
mod tests {
    use rmcp::model::{
        CallToolRequest, CallToolRequestParams, ClientRequest, ListToolsRequest, MetaObject, RequestId,
    };
    use serde_json::json;

    use super::*;

    #[test]
    fn a_result_is_the_same_whichever_way_its_content_came() {
        let plain = json!({"place": "a \"b\"\n", "days": [{"rain": null, "wind": 1.5}]});
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(CallToolRequestParams::new("a")));
        let request = Request::new(RequestId::Number(7), None, &request);
        let answered = |content| {
            let mut result = CallToolResult::success(vec![ContentBlock::text("{}")]);
            result.structured_content = Some(content);
            result.meta = Some(MetaObject(json!({"a": {}}).as_object().unwrap().clone()));
            let result = ServerResult::CallToolResult(result);
            let line = answer_line(&request, &mut ServerJsonRpcMessage::response(result, request.id.clone()));
            assert_eq!(line.iter().filter(|it| **it == b'\n').count(), 1);
            serde_json::from_slice::<Value>(&line).unwrap()
        };
        let carried = structured::scope(true, || structured::content(plain.to_string()).unwrap());
        assert_ne!(carried, plain);
        assert_eq!(answered(carried), answered(plain));
    }

    #[test]
    fn a_list_of_tools_is_mended_and_nothing_else_of_it_changes() {
        let schema = |format| json!({"type": "integer", "format": format}).as_object().unwrap().clone();
        let tool = Tool::new("a", "b", schema("uint8")).with_raw_output_schema(schema("double").into());
        let mut list = ListToolsResult::with_all_items(vec![tool]);
        (list.next_cursor, list.result_type) = (Some("more".into()), None);
        let mended = json!({
            "name": "a",
            "description": "b",
            "inputSchema": {"type": "integer", "minimum": 0, "maximum": 255},
            "outputSchema": {"type": "integer"},
        });
        let mut expected = serde_json::to_value(&list).unwrap();
        expected["tools"] = json!([mended]);
        for (id, raw_id) in [("7", None), (r#""7""#, None), ("1.5", Some("1.5"))] {
            let known = serde_json::from_str(id).unwrap_or(RequestId::Number(0));
            let asked = ClientRequest::ListToolsRequest(ListToolsRequest::default());
            let request = Request::new(known.clone(), raw_id.map(Into::into), &asked);
            let result = ServerResult::ListToolsResult(list.clone());
            let line = answer_line(&request, &mut ServerJsonRpcMessage::response(result, known));
            let line = String::from_utf8(line).unwrap();
            assert!(line.ends_with("}\n") && line.contains(&format!("\"id\":{id},")), "{line}");
            let answer: Value = serde_json::from_str(&line).unwrap();
            assert_eq!((&answer["jsonrpc"], &answer["result"]), (&json!("2.0"), &expected));
        }
    }
}
