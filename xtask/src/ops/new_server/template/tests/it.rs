//! The program as a client has it: started, asked over stdio, good calls and bad ones.

#![cfg(test)]

use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RunningService;
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Value, json};

type Client = RunningService<RoleClient, ()>;

async fn start() -> Client {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE___NAME__"));
    command.arg("stdio").env("MCP_LOG", "error");
    ().serve(TokioChildProcess::new(command).unwrap()).await.unwrap()
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> CallToolResult {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await.unwrap()
}

#[tokio::test]
async fn every_tool_says_what_it_is() {
    let client = start().await;
    let peer = client.peer_info().unwrap();
    assert_eq!(peer.server_info.as_ref().unwrap().name, env!("CARGO_PKG_NAME"));
    let tools = client.list_all_tools().await.unwrap();
    assert!(!tools.is_empty());
    for tool in &tools {
        let is_described = tool.title.is_some() && tool.description.is_some() && tool.annotations.is_some();
        assert!(is_described && tool.output_schema.is_some(), "{tool:?}");
        assert_eq!(tool.input_schema["additionalProperties"], false, "{}", tool.name);
    }
}

#[tokio::test]
async fn words_are_counted() {
    let client = start().await;
    let counted = call(&client, "count_words", json!({"text": "so it begins so", "longest": 2})).await;
    assert_eq!(counted.structured_content, Some(json!({"words": 4, "longest": ["begins", "it"]})));
    assert_eq!(counted.content[0].as_text().unwrap().text, "words: 4\nlongest:\n  - begins\n  - it");
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let client = start().await;
    for (arguments, part) in [
        (json!({"text": " \n"}), "at least one word"),
        (json!({"text": "a", "longest": 21}), "longest"),
        (json!({"text": ""}), "text"),
        (json!({"txt": "a"}), "txt"),
        (json!({}), "text"),
    ] {
        let refused = call(&client, "count_words", arguments.clone()).await;
        assert_eq!(refused.is_error, Some(true), "{arguments}: {refused:?}");
        let message = &refused.content[0].as_text().unwrap().text;
        assert!(message.contains(part), "{arguments}: {message}");
    }
}
