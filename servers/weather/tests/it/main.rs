//! The real binary, asked over stdio, with a stand-in for Open-Meteo on the loopback: good answers and bad ones.

#![cfg(test)]

mod reach;

use std::process::Stdio;
use std::time::Duration;

use drydock_kit::testing::{WebAnswer, WebService};
use rmcp::model::{CallToolRequestParams, CallToolResult, GetPromptRequestParams, ReadResourceRequestParams};
use rmcp::service::RunningService;
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Value, json};

type Client = RunningService<RoleClient, ()>;

async fn start(url: &str) -> Client {
    start_with(&[("OPEN_METEO_URL", url), ("MCP_ALLOW_PRIVATE", "127.0.0.1")]).await
}

async fn start_with(variables: &[(&str, &str)]) -> Client {
    let process = TokioChildProcess::builder(weather(variables)).stderr(Stdio::null());
    ().serve(process.spawn().unwrap().0).await.unwrap()
}

fn weather(variables: &[(&str, &str)]) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_weather"));
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
        command.env_remove(name);
    }
    command.arg("stdio").env("MCP_LOG", "error").envs(variables.iter().copied());
    command
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> CallToolResult {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await.unwrap()
}

fn text(result: &CallToolResult) -> &str {
    &result.content[0].as_text().unwrap().text
}

/// The text of a result that must be an error.
fn error(result: &CallToolResult) -> &str {
    assert_eq!(result.is_error, Some(true), "{result:?}");
    text(result)
}

fn berlin() -> Value {
    json!({"place": "Berlin"})
}

#[tokio::test]
async fn every_tool_says_what_it_is() {
    let client = start("http://127.0.0.1:9").await;
    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    assert_eq!(names, ["find_place", "get_current_weather", "get_forecast", "sun_times"]);
    for tool in &tools {
        let annotations = tool.annotations.as_ref().unwrap();
        assert_eq!(annotations.read_only_hint, Some(true));
        assert_eq!(annotations.open_world_hint, Some(tool.name.starts_with("get_")), "{}", tool.name);
    }
    let days = &tools[2].input_schema["properties"].as_object().unwrap()["days"];
    assert_eq!((&days["minimum"], &days["maximum"], &days["default"]), (&json!(1), &json!(16), &json!(7)));
}

#[tokio::test]
async fn places_and_the_sun_need_no_network() {
    let client = start("http://127.0.0.1:9").await;
    let found =
        call(&client, "find_place", json!({"name": "springfield", "country": "US", "limit": 2})).await;
    let structured = found.structured_content.as_ref().unwrap();
    assert_eq!(structured["total"], 5);
    assert_eq!(structured["places"].as_array().unwrap().len(), 2);
    assert_eq!(structured["places"][0]["region"], "Missouri");
    assert!(text(&found).contains("and 3 more") && text(&found).contains("GeoNames"), "{}", text(&found));

    let none = call(&client, "find_place", json!({"name": "Berln"})).await;
    assert_eq!(none.structured_content.as_ref().unwrap()["similar"][0]["name"], "Berlin");

    let sun = call(&client, "sun_times", json!({"place": "東京", "date": "2026-06-21"})).await;
    let structured = sun.structured_content.as_ref().unwrap();
    assert_eq!(structured["sunrise"], "2026-06-21T04:26:00+09:00");
    assert_eq!(structured["sunset"], "2026-06-21T19:00:00+09:00");
    assert!(text(&sun).contains("sunrise 04:26, sunset 19:00"), "{}", text(&sun));

    let coordinates = json!({"latitude": 78.22, "longitude": 15.64, "date": "2026-12-21"});
    let night = call(&client, "sun_times", coordinates).await;
    assert_eq!(night.structured_content.as_ref().unwrap()["sun"], "down_all_day");
    assert!(text(&night).contains("polar night"), "{}", text(&night));
    let today = call(&client, "sun_times", json!({"place": "Sydney"})).await;
    assert_eq!(today.is_error, Some(false), "{today:?}");
}

#[tokio::test]
async fn arguments_are_taken_as_their_schema_says() {
    let client = start("http://127.0.0.1:9").await;
    let found = json!({"name": "springfield", "country": null, "limit": 2.0});
    let found = call(&client, "find_place", found).await;
    assert_eq!(found.structured_content.as_ref().unwrap()["places"].as_array().unwrap().len(), 2);
    let sun =
        json!({"place": null, "latitude": 52, "longitude": 13.0, "date": "2026-06-21", "time_zone": null});
    assert_eq!(call(&client, "sun_times", sun).await.is_error, Some(false));
    let half = call(&client, "find_place", json!({"name": "Berlin", "limit": 2.5})).await;
    assert!(error(&half).contains("`limit` is 2.5"), "{}", text(&half));

    let tools = client.list_all_tools().await.unwrap();
    let all = serde_json::to_string(&tools).unwrap();
    for word in ["$ref", "$defs", "$schema", "\"format\"", "oneOf", "const"] {
        assert!(!all.contains(word), "{word} in {all}");
    }
    let units = &tools[2].input_schema["properties"]["units"];
    assert_eq!(units["enum"], json!(["metric", "imperial"]));
    let description = "Of temperature, wind and rain.\n- `metric`: °C, km/h, mm\n- `imperial`: °F, mph, inch";
    assert_eq!(units["description"], description);
}

#[tokio::test]
async fn an_impossible_question_is_answered_with_what_to_change() {
    let client = start("http://127.0.0.1:9").await;
    for (tool, arguments, part) in [
        ("get_forecast", json!({"place": "Berlin", "days": 17}), "days"),
        ("get_forecast", json!({"place": "Berlin", "day": 1}), "day"),
        ("get_forecast", json!({"place": "Berlin", "units": "kelvin"}), "units"),
        ("get_forecast", json!({"latitude": 52.5}), "both `latitude` and `longitude`"),
        ("get_forecast", json!({"place": "Berlin", "latitude": 1, "longitude": 2}), "either `place`"),
        ("get_forecast", json!({"latitude": 91, "longitude": 0}), "latitude"),
        ("get_current_weather", json!({}), "either `place`"),
        ("get_current_weather", json!({"place": "Berln"}), "Berlin, Germany"),
        ("find_place", json!({"name": ""}), "name"),
        ("find_place", json!({"name": "x".repeat(81)}), "name"),
        ("find_place", json!({"name": "Berlin", "limit": 0}), "limit"),
        ("sun_times", json!({"place": "Berlin", "date": "2026-02-30"}), "2026-02-30"),
        ("sun_times", json!({"place": "Berlin", "date": "2101-01-01"}), "1900 to 2100"),
        ("sun_times", json!({"place": "Berlin", "time_zone": "Mars/Olympus"}), "Mars/Olympus"),
    ] {
        let result = call(&client, tool, arguments.clone()).await;
        assert!(error(&result).contains(part), "{tool} {arguments}: {}", text(&result));
    }
}

#[tokio::test]
async fn a_forecast_comes_with_the_services_units() {
    let stub = WebService::start([WebAnswer::json(include_str!("daily.json"))]);
    let client = start(&stub.url()).await;
    let arguments = json!({"place": "München", "days": 3, "units": "imperial"});
    let forecast = call(&client, "get_forecast", arguments).await;
    let structured = forecast.structured_content.as_ref().unwrap();
    assert_eq!(structured["place"], "Munich, Bavaria, Germany");
    assert_eq!(structured["time_zone"], "Europe/Berlin");
    assert_eq!(structured["units"]["temperature"], "°F");
    let first = json!({
        "date": "2026-11-22", "weather": "moderate rain", "weather_code": 63, "temperature_max": 46.1,
        "temperature_min": 35.6, "precipitation": 0.315, "precipitation_probability": 98.0,
        "wind_speed_max": 12.3, "wind_gusts_max": 28.9,
    });
    assert_eq!(structured["days"][0], first);
    assert_eq!(structured["days"][2]["precipitation_probability"], Value::Null);
    assert!(text(&forecast).contains("2026-11-22: moderate rain, 35.6 °F to 46.1 °F"), "{}", text(&forecast));
    assert!(text(&forecast).contains("Open-Meteo.com"), "{}", text(&forecast));
    let request = &stub.requests()[0];
    for part in [
        "GET /v1/forecast?",
        "latitude=48.1400&longitude=11.5800",
        "forecast_days=3",
        "=fahrenheit",
        "user-agent: weather/",
    ] {
        assert!(request.contains(part), "{part} in {request}");
    }
}

#[tokio::test]
async fn current_weather_comes_for_bare_coordinates() {
    let stub = WebService::start([WebAnswer::json(include_str!("current.json"))]);
    let client = start(&stub.url()).await;
    let now = call(&client, "get_current_weather", json!({"latitude": 52.52, "longitude": 13.41})).await;
    let structured = now.structured_content.as_ref().unwrap();
    assert_eq!(structured["temperature"], 4.2);
    assert_eq!(structured["weather"], "overcast");
    assert_eq!(structured["is_day"], false);
    assert_eq!(structured["time"], "2026-11-22T22:15");
    assert!(text(&now).contains("overcast, 4.2 °C, feels like 0.9 °C"), "{}", text(&now));
}

#[tokio::test]
async fn what_was_asked_already_is_not_asked_again() {
    let stub = WebService::start([WebAnswer::json(include_str!("current.json"))]);
    let client = start(&stub.url()).await;
    for _ in 0..3 {
        call(&client, "get_current_weather", berlin()).await;
    }
    assert_eq!(stub.requests().len(), 1);
    call(&client, "get_current_weather", json!({"place": "Berlin", "units": "imperial"})).await;
    assert_eq!(stub.requests().len(), 2);
}

#[tokio::test]
async fn a_refusal_is_passed_on_and_not_repeated() {
    let reason = "Daily API request limit exceeded. Please try again tomorrow.";
    let body = json!({"error": true, "reason": reason}).to_string();
    let stub = WebService::start([WebAnswer::status(429, &body)]);
    let client = start(&stub.url()).await;
    let refused = call(&client, "get_forecast", berlin()).await;
    assert!(error(&refused).contains(reason) && text(&refused).contains("429"), "{}", text(&refused));
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_no_forecast_is_an_error_that_says_why() {
    let daily = include_str!("daily.json");
    let uneven = daily.replacen("\"2026-11-24\"", "\"2026-11-24\", \"2026-11-25\"", 1);
    for (answer, part) in [("{}", "missing field"), (uneven.as_str(), "for 4 days")] {
        let stub = WebService::start([WebAnswer::json(answer)]);
        let client = start(&stub.url()).await;
        let result = call(&client, "get_forecast", berlin()).await;
        let said = error(&result);
        assert!(said.starts_with("Open-Meteo (127.0.0.1:") && said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn a_service_that_nobody_runs_is_named_with_the_reason() {
    for (url, part) in [
        ("http://127.0.0.1:9", "refused"),
        ("http://no-such-host.invalid", "no-such-host.invalid"),
        ("not a url", "relative URL without a base"),
    ] {
        let client = start(url).await;
        let result = call(&client, "get_current_weather", berlin()).await;
        assert!(error(&result).contains("Open-Meteo") && text(&result).contains(part), "{}", text(&result));
    }
}

#[tokio::test]
async fn a_cancelled_call_ends_at_the_service_too() {
    let stub = WebService::start([WebAnswer::Hang]);
    let client = start(&stub.url()).await;
    let Value::Object(arguments) = berlin() else { unreachable!() };
    let request = rmcp::model::CallToolRequest::new(
        CallToolRequestParams::new("get_current_weather").with_arguments(arguments),
    );
    let options = rmcp::service::PeerRequestOptions::no_options();
    let handle = client.send_cancellable_request(request.into(), options).await.unwrap();
    let stub = tokio::task::spawn_blocking(move || {
        assert!(stub.has_a_request_within(Duration::from_secs(30)));
        stub
    });
    let stub = stub.await.unwrap();
    handle.cancel(Some("the person changed their mind".into())).await.unwrap();
    let closed = tokio::task::spawn_blocking(move || stub.was_closed_within(Duration::from_secs(10)));
    assert!(closed.await.unwrap(), "the connection is still open");
    // and the session lives on
    assert_eq!(call(&client, "find_place", json!({"name": "Berlin"})).await.is_error, Some(false));
}

#[tokio::test]
async fn the_prompt_names_tools_that_exist() {
    let client = start("http://127.0.0.1:9").await;
    let prompts = client.list_all_prompts().await.unwrap();
    assert_eq!(prompts[0].name, "plan_day_out");
    let Value::Object(arguments) = json!({"place": "Lyon"}) else { unreachable!() };
    let prompt = client
        .get_prompt(GetPromptRequestParams::new("plan_day_out").with_arguments(arguments))
        .await
        .unwrap();
    let text = serde_json::to_string(&prompt).unwrap();
    assert!(text.contains("Lyon"), "{text}");
    let tools = client.list_all_tools().await.unwrap();
    for named in text.split('`').skip(1).step_by(2) {
        assert!(tools.iter().any(|tool| tool.name == named), "no tool {named}");
    }
}

#[tokio::test]
async fn what_is_listed_can_be_read() {
    let client = start("http://127.0.0.1:9").await;
    let resources = client.list_all_resources().await.unwrap();
    assert_eq!(resources.len(), 2);
    let mut all = String::new();
    for resource in resources {
        let read = client.read_resource(ReadResourceRequestParams::new(resource.uri)).await.unwrap();
        all += &serde_json::to_string(&read).unwrap();
    }
    assert!(all.contains("Iceland") && all.contains("GeoNames") && all.contains("CC BY 4.0"), "{all}");
    assert!(client.read_resource(ReadResourceRequestParams::new("file:///etc/passwd")).await.is_err());
}
