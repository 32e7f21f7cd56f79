//! A request's method and parameters as rmcp's type for them.
//!
//! Method and JSON -> `ClientRequest`, or the field that is wrong. Invariant: a method that rmcp knows is never passed on as
//! one that it does not know, only since its parameters are wrong.

use rmcp::model::{CallToolRequest, CallToolRequestParams, ClientRequest, JsonObject, RequestMetaObject};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::repaired;

type Result<T> = std::result::Result<T, String>;

/// What a parameter has to be.
enum Type {
    Text,
    Object,
    OptionalText,
    OptionalObject,
}

pub(super) fn read(method: String, params: Option<&str>) -> Result<ClientRequest> {
    let mut params = params.map_or_else(|| Ok(JsonObject::new()), object)?;
    if method == "tools/call" {
        return call(params).map(ClientRequest::CallToolRequest);
    }
    if method == "initialize" {
        fill_in(&mut params);
    }
    let needed = needed(&method);
    for (path, expected) in needed {
        expected.check(path, &mut params)?;
    }
    let request = field("params", json!({"method": method, "params": params}))?;
    if matches!(request, ClientRequest::CustomRequest(_)) && !needed.is_empty() {
        return Err(format!("`params` are not those of {method}"));
    }
    Ok(request)
}

/// Of the methods that have any, the parameters without which rmcp takes a method for one that it does not know: MCP's schema,
/// `ClientRequest`.
fn needed(method: &str) -> &'static [(&'static str, Type)] {
    match method {
        "initialize" => &[
            ("protocolVersion", Type::Text),
            ("capabilities", Type::Object),
            ("clientInfo", Type::Object),
            ("clientInfo.name", Type::Text),
            ("clientInfo.version", Type::Text),
        ],
        "prompts/get" => &[("name", Type::Text), ("arguments", Type::OptionalObject)],
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => &[("uri", Type::Text)],
        "completion/complete" => &[
            ("ref", Type::Object),
            ("argument", Type::Object),
            ("argument.name", Type::Text),
            ("argument.value", Type::Text),
        ],
        "logging/setLevel" => &[("level", Type::Text)],
        "subscriptions/listen" => &[("notifications", Type::Object)],
        "tools/list" | "prompts/list" | "resources/list" | "resources/templates/list" => {
            &[("cursor", Type::OptionalText)]
        }
        _ => &[],
    }
}

impl Type {
    fn check(&self, path: &str, params: &mut JsonObject) -> Result<()> {
        let (parent, key) = path.split_once('.').map_or(("", path), |(parent, key)| (parent, key));
        let object = if parent.is_empty() {
            Some(params)
        } else {
            params.get_mut(parent).and_then(Value::as_object_mut)
        };
        let object = object.ok_or_else(|| format!("`{parent}` has to be an object"))?;
        if self.is_optional() {
            absent_if_null(object, key);
        }
        let (is_right, name) = match (object.get(key), self) {
            (None, _) if self.is_optional() => return Ok(()),
            (None, _) => return Err(format!("`{path}` is missing")),
            (Some(it), Self::Text | Self::OptionalText) => (it.is_string(), "a string"),
            (Some(it), Self::Object | Self::OptionalObject) => (it.is_object(), "an object"),
        };
        if is_right { Ok(()) } else { Err(format!("`{path}` has to be {name}")) }
    }

    fn is_optional(&self) -> bool {
        matches!(self, Self::OptionalText | Self::OptionalObject)
    }
}

/// Nothing depends on who the client says that it is: what it leaves out is filled in.
fn fill_in(params: &mut JsonObject) {
    for key in ["capabilities", "clientInfo"] {
        absent_if_null(params, key);
        params.entry(key).or_insert_with(|| json!({}));
    }
    if let Some(Value::Object(client)) = params.get_mut("clientInfo") {
        for key in ["name", "version"] {
            absent_if_null(client, key);
            client.entry(key).or_insert_with(|| "unknown".into());
        }
    }
}

fn object(text: &str) -> Result<JsonObject> {
    let parsed = serde_json::from_str(text).or_else(|e| match repaired(text) {
        Some(text) => serde_json::from_str(&text),
        None => Err(e),
    });
    match parsed {
        Ok(Value::Object(it)) => Ok(it),
        Ok(Value::Null) => Ok(JsonObject::new()),
        Ok(_) => Err("`params` has to be an object".into()),
        Err(e) => Err(format!("`params`: {e}")),
    }
}

fn call(params: JsonObject) -> Result<CallToolRequest> {
    if !params.contains_key("name") {
        return Err("`name` is missing: the name of a tool".into());
    }
    let mut call = CallToolRequestParams::new("");
    let mut meta = None;
    for (key, value) in params {
        match (key.as_str(), value) {
            ("name", Value::String(it)) => call.name = it.into(),
            ("name", _) => return Err("`name` has to be a string: the name of a tool".into()),
            ("arguments", Value::Object(it)) => call.arguments = Some(it),
            ("arguments", Value::Null) => {}
            // PHP writes an empty object so.
            ("arguments", Value::Array(it)) if it.is_empty() => {}
            ("arguments", _) => return Err("`arguments` has to be an object".into()),
            ("inputResponses", it) => call.input_responses = Some(field("inputResponses", it)?),
            ("requestState", it) => call.request_state = Some(field("requestState", it)?),
            ("_meta", Value::Object(it)) => meta = Some(RequestMetaObject::from(it)),
            ("_meta", Value::Null) => {}
            ("_meta", _) => return Err("`_meta` has to be an object".into()),
            _ => {}
        }
    }
    let mut request = CallToolRequest::new(call);
    if let Some(meta) = meta {
        request.extensions.insert(meta);
    }
    Ok(request)
}

fn field<T: DeserializeOwned>(name: &str, value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|e| format!("`{name}`: {e}"))
}

fn absent_if_null(params: &mut JsonObject, key: &str) {
    if params.get(key).is_some_and(Value::is_null) {
        params.remove(key);
    }
}
