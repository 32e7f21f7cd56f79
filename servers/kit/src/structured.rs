//! A result's structured content as JSON text, on its way from `Json` to the line that the client gets.
//!
//! A value -> JSON text that rmcp carries unread -> the line. Invariants: only results of a session's own calls carry it, and
//! what goes out never does: there the text stands where the value would; and no client and no tool can make one up, since
//! the key that marks it is made anew in each process.
//!
//! rmcp holds a `serde_json::Value`: of an answer of 1.2 KB a hundred pieces of memory, written out again one by one. That
//! is a third of what a call costs.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use memchr::memmem;
use rmcp::model::{CallToolResult, JsonObject};
use serde_json::Value;

thread_local! {
    /// A call of a session runs on this thread.
    static IN_CALL: Cell<bool> = const { Cell::new(false) };
}

/// Runs the code of a call, or of another request, whose results go out as they are.
pub(crate) fn scope<T>(is_call: bool, work: impl FnOnce() -> T) -> T {
    let outer = IN_CALL.replace(is_call);
    let done = work();
    IN_CALL.set(outer);
    done
}

/// What `structured_content` is to be for the value that this JSON text is of.
pub(crate) fn content(json: String) -> serde_json::Result<Value> {
    // rmcp has rules for what is no object.
    if !IN_CALL.get() || !json.starts_with('{') {
        return serde_json::from_str(&json);
    }
    let mut object = JsonObject::new();
    object.insert(key().to_owned(), Value::String(json));
    Ok(Value::Object(object))
}

/// Takes the JSON text out of a result, if it carries one.
pub(crate) fn take(result: &mut CallToolResult) -> Option<String> {
    let object = result.structured_content.as_mut()?.as_object_mut()?;
    let Some(Value::String(text)) = object.remove(key()) else { return None };
    result.structured_content = None;
    Some(text)
}

/// A message of another kind as it is to go out: a tool may have put a result into it by itself.
pub(crate) fn restored(line: Vec<u8>) -> Vec<u8> {
    if memmem::find(&line, key().as_bytes()).is_none() {
        return line;
    }
    let Ok(mut message) = serde_json::from_slice(&line) else { return line };
    restore(&mut message);
    serde_json::to_vec(&message).unwrap_or(line)
}

fn restore(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(restore),
        Value::Object(fields) => match fields.get(key()).and_then(Value::as_str) {
            Some(text) => *value = serde_json::from_str(text).unwrap_or_default(),
            None => fields.values_mut().for_each(restore),
        },
        _ => {}
    }
}

/// Marks an object that carries JSON text.
fn key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| format!("drydock {:x}", RandomState::new().hash_one(0)))
}

#[cfg(test)]
mod tests {
    use rmcp::model::ContentBlock;
    use serde_json::json;

    use super::*;

    fn result(content: Value) -> CallToolResult {
        let mut result = CallToolResult::success(vec![ContentBlock::text("a line")]);
        result.structured_content = Some(content);
        result
    }

    #[test]
    fn only_a_call_carries_text_and_only_of_an_object() {
        let day = json!({"date": "2026-06-01", "rain": [1.5, null]});
        assert_eq!(content(day.to_string()).unwrap(), day);
        scope(false, || assert_eq!(content(day.to_string()).unwrap(), day));
        scope(true, || {
            for it in [json!([1, 2]), json!("{"), json!(null), json!(7)] {
                assert_eq!(content(it.to_string()).unwrap(), it);
            }
            let mut result = result(content(day.to_string()).unwrap());
            assert_eq!(take(&mut result), Some(day.to_string()));
            assert_eq!(result.structured_content, None);
        });
        assert_eq!(content(day.to_string()).unwrap(), day);
    }

    #[test]
    fn what_a_tool_returns_itself_stays_what_it_is() {
        for it in [json!({}), json!({"drydock 0": "{}"}), json!("text"), json!(null)] {
            let mut result = result(it.clone());
            assert_eq!(take(&mut result), None);
            assert_eq!(result.structured_content, Some(it));
        }
    }

    #[test]
    fn text_that_is_carried_in_another_message_is_restored() {
        let carried = scope(true, || content(json!({"a": 1}).to_string()).unwrap());
        let line = |it: &Value| json!({"result": {"items": [it, {"b": it}]}}).to_string().into_bytes();
        assert_eq!(restored(line(&carried)), line(&json!({"a": 1})));
        assert_eq!(restored(b"{ }".to_vec()), b"{ }");
    }
}
