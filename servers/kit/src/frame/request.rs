//! A request's method and parameters as rmcp's type for them.
//!
//! Method and JSON -> `ClientRequest`, or the field that is wrong. Invariant: a method that rmcp knows is never passed on as
//! one that it does not know, only since its parameters are wrong.

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientRequest, CompleteRequestParams, GetPromptRequestParams,
    InitializeRequest, InitializeRequestParams, JsonObject, PaginatedRequestParams,
    ReadResourceRequestParams, RequestMetaObject, SubscriptionsListenRequestParams,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::repaired;

type Result<T> = std::result::Result<T, String>;

pub(super) fn read(method: String, params: Option<&str>) -> Result<ClientRequest> {
    let mut params = params.map_or_else(|| Ok(JsonObject::new()), object)?;
    match method.as_str() {
        "tools/call" => call(params).map(ClientRequest::CallToolRequest),
        "initialize" => initialize(params).map(ClientRequest::InitializeRequest),
        "prompts/get" => {
            absent_if_null(&mut params, "arguments");
            other::<GetPromptRequestParams>(method, params)
        }
        "resources/read" => other::<ReadResourceRequestParams>(method, params),
        "completion/complete" => other::<CompleteRequestParams>(method, params),
        "subscriptions/listen" => other::<SubscriptionsListenRequestParams>(method, params),
        "tools/list" | "prompts/list" | "resources/list" | "resources/templates/list" => {
            absent_if_null(&mut params, "cursor");
            other::<PaginatedRequestParams>(method, params)
        }
        _ => other::<JsonObject>(method, params),
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

fn call(mut params: JsonObject) -> Result<CallToolRequest> {
    let meta = take_meta(&mut params)?;
    let name = match params.remove("name") {
        Some(Value::String(name)) => name,
        Some(_) => return Err("`name` has to be a string: the name of a tool".into()),
        None => return Err("`name` is missing: the name of a tool".into()),
    };
    let arguments = match params.remove("arguments") {
        None | Some(Value::Null) => None,
        Some(Value::Object(it)) => Some(it),
        // PHP writes an empty object so.
        Some(Value::Array(it)) if it.is_empty() => None,
        Some(_) => return Err("`arguments` has to be an object".into()),
    };
    let mut call = CallToolRequestParams::new(name);
    call.arguments = arguments;
    if let Some(it) = params.remove("inputResponses") {
        call.input_responses = Some(field("inputResponses", it)?);
    }
    if let Some(it) = params.remove("requestState") {
        call.request_state = Some(field("requestState", it)?);
    }
    let mut request = CallToolRequest::new(call);
    if let Some(meta) = meta {
        request.extensions.insert(meta);
    }
    Ok(request)
}

/// Nothing depends on who the client says that it is: what it leaves out is filled in.
fn initialize(mut params: JsonObject) -> Result<InitializeRequest> {
    let meta = take_meta(&mut params)?;
    for (key, value) in [("capabilities", json!({})), ("clientInfo", json!({}))] {
        absent_if_null(&mut params, key);
        params.entry(key).or_insert(value);
    }
    if let Some(Value::Object(client)) = params.get_mut("clientInfo") {
        for key in ["name", "version"] {
            absent_if_null(client, key);
            client.entry(key).or_insert_with(|| "unknown".into());
        }
    }
    let params: InitializeRequestParams = typed(&Value::Object(params))?;
    let mut request = InitializeRequest::new(params);
    if let Some(meta) = meta {
        request.extensions.insert(meta);
    }
    Ok(request)
}

/// Checks the parameters as `P`, and lets rmcp make the request.
fn other<P: DeserializeOwned>(method: String, params: JsonObject) -> Result<ClientRequest> {
    let params = Value::Object(params);
    typed::<P>(&params)?;
    field("params", json!({"method": method, "params": params}))
}

fn typed<T: DeserializeOwned>(value: &Value) -> Result<T> {
    serde_path_to_error::deserialize(value).map_err(|e| {
        let path = e.path().to_string();
        let problem = e.into_inner();
        if path == "." { problem.to_string() } else { format!("`{path}`: {problem}") }
    })
}

fn field<T: DeserializeOwned>(name: &str, value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|e| format!("`{name}`: {e}"))
}

fn take_meta(params: &mut JsonObject) -> Result<Option<RequestMetaObject>> {
    match params.remove("_meta") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(it)) => Ok(Some(it.into())),
        Some(_) => Err("`_meta` has to be an object".into()),
    }
}

fn absent_if_null(params: &mut JsonObject, key: &str) {
    if params.get(key).is_some_and(Value::is_null) {
        params.remove(key);
    }
}
