//! The weather service on good and on bad days, from a real container through a real session.

use drydock_tests::engine::Engine;
use drydock_tests::session::{Answer, LEGACY};
use drydock_tests::{engine_or_skip, service, weather};
use serde_json::json;

#[track_caller]
fn forecast(engine: &Engine, latitude: f64) -> (Answer, usize) {
    let shared = weather::shared(engine);
    let mut session = weather::session(engine, &shared.container);
    session.open(LEGACY[1]);
    let answer = session.call("get_forecast", json!({"latitude": latitude, "longitude": 7.5, "days": 2}));
    let asked = format!("latitude={latitude:.4}&");
    let requests = service::requests(engine, &shared.service).iter().filter(|it| it.contains(&asked)).count();
    (answer, requests)
}

/// A broken answer is an `isError` that names the service and what was wrong, after so many tries.
#[track_caller]
fn fails(engine: &Engine, latitude: f64, words: &[&str], tries: usize) {
    let (answer, requests) = forecast(engine, latitude);
    assert!(answer.is_error, "{answer:?}");
    assert!(answer.text.contains("Open-Meteo"), "{answer:?}");
    for word in words {
        assert!(answer.text.contains(word), "{word:?} is not in {answer:?}");
    }
    assert!(answer.text.len() < 1000 && !answer.text.contains('\u{1b}'), "{answer:?}");
    assert_eq!(requests, tries, "{answer:?}");
}

#[test]
fn a_forecast() {
    let engine = engine_or_skip!();
    let shared = weather::shared(&engine);
    let mut session = weather::session(&engine, &shared.container);
    session.open(LEGACY[1]);
    let answer = session.call("get_forecast", json!({"place": "Bern", "days": 3}));
    assert!(!answer.is_error, "{answer:?}");
    let days = answer.structured["days"].as_array().unwrap();
    assert_eq!(days.len(), 3);
    assert_eq!(days[0]["temperature_max"], 7.9);
    assert_eq!(answer.structured["units"]["temperature"], "°C");
    assert!(answer.text.contains("7.9 °C") && answer.text.contains("Bern"), "{answer:?}");
}

#[test]
fn the_weather_now_in_imperial_units_asked_for_once() {
    let engine = engine_or_skip!();
    let shared = weather::shared(&engine);
    let mut session = weather::session(&engine, &shared.container);
    session.open(LEGACY[1]);
    for _ in 0..3 {
        let answer = session
            .call("get_current_weather", json!({"latitude": 41.25, "longitude": -71.5, "units": "imperial"}));
        assert!(!answer.is_error, "{answer:?}");
        assert_eq!(answer.structured["temperature"], 41.5);
        assert_eq!(answer.structured["units"]["temperature"], "°F");
        assert_eq!(answer.structured["units"]["wind_speed"], "mp/h");
    }
    let requests = service::requests(&engine, &shared.service);
    let mine: Vec<_> = requests.iter().filter(|it| it.contains("latitude=41.2500&")).collect();
    assert_eq!(mine.len(), 1, "the second and third are answered from the cache: {mine:?}");
}

#[test]
fn a_server_error_is_tried_again_twice() {
    let engine = engine_or_skip!();
    fails(&engine, -81.5, &["503"], 3);
}

#[test]
fn one_server_error_does_no_harm() {
    let engine = engine_or_skip!();
    let (answer, requests) = forecast(&engine, -82.5);
    assert!(!answer.is_error, "{answer:?}");
    assert_eq!(requests, 2);
}

#[test]
fn a_service_that_hangs() {
    let engine = engine_or_skip!();
    fails(&engine, -83.5, &["did not answer within"], 1);
}

#[test]
fn an_answer_that_breaks_off() {
    let engine = engine_or_skip!();
    fails(&engine, -84.5, &[], 3);
}

#[test]
fn an_answer_that_is_no_json() {
    let engine = engine_or_skip!();
    fails(&engine, -85.5, &["unusable answer"], 1);
}

#[test]
fn an_answer_without_end() {
    let engine = engine_or_skip!();
    fails(&engine, -86.5, &["bytes"], 1);
}

#[test]
fn an_answer_that_breaks_the_schema() {
    let engine = engine_or_skip!();
    fails(&engine, -87.5, &["unusable answer"], 1);
}

#[test]
fn an_answer_that_trickles() {
    let engine = engine_or_skip!();
    fails(&engine, -88.5, &["did not answer within"], 1);
}

#[test]
fn a_refusal_with_a_reason_is_passed_on() {
    let engine = engine_or_skip!();
    fails(&engine, -89.5, &["400", "Nobody lives there."], 1);
}

#[test]
fn a_refusal_without_one() {
    let engine = engine_or_skip!();
    fails(&engine, -80.5, &["429"], 1);
}

#[test]
fn a_service_that_is_not_there_and_tools_that_need_none() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "nobody");
    let container = env.container("weather");
    env.ok(&["up", "weather", "--env", "OPEN_METEO_URL=http://127.0.0.1:9", "--env", service::ALLOWED]);
    let mut session = weather::session(&engine, &container);
    session.open(LEGACY[1]);
    let answer = session.call("get_forecast", json!({"place": "Bern"}));
    assert!(answer.is_error, "{answer:?}");
    assert!(
        answer.text.contains("Open-Meteo (127.0.0.1:9)") && answer.text.contains("refused"),
        "{answer:?}"
    );
    assert!(!session.call("find_place", json!({"name": "Bern"})).is_error);
    assert!(!session.call("sun_times", json!({"place": "Bern"})).is_error);
}

#[test]
fn a_cancelled_call_gets_no_answer_and_lets_the_session_live() {
    let engine = engine_or_skip!();
    let shared = weather::shared(&engine);
    let mut session = weather::session(&engine, &shared.container);
    session.open(LEGACY[1]);
    let id = session.send_request(
        "tools/call",
        json!({"name": "get_forecast", "arguments": {"latitude": -83.25, "longitude": 1}}),
    );
    session
        .send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}));
    let tools = session.send_request("tools/list", json!({}));
    let next = session.receive();
    assert_eq!(next["id"], tools, "{next}");
    let (status, rest, stderr) = session.close();
    assert!(status.success() && rest.is_empty(), "{status} {rest:?} {stderr}");
}
