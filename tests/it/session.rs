//! One session over `docker exec -i CONTAINER /mcp stdio`, in each protocol version, byte by byte.

use drydock_tests::engine::Engine;
use drydock_tests::session::{LEGACY, MODERN, Session};
use drydock_tests::{engine_or_skip, weather};
use serde_json::{Value, json};

fn open(engine: &Engine, protocol: &str) -> (Session, Value) {
    let mut session = weather::session(engine, &weather::shared(engine).container);
    let hello = session.open(protocol);
    (session, hello)
}

/// The same conversation, whatever the version: list, call, a tool that fails, an end without another word.
#[track_caller]
fn converse(mut session: Session) {
    assert_eq!(session.tools(), weather::TOOLS);

    let answer = session.call("find_place", json!({"name": "zurich", "limit": 1}));
    assert!(!answer.is_error, "{answer:?}");
    assert_eq!(answer.structured["places"][0]["name"], "Zürich");
    assert!(answer.text.contains("Zürich"), "{answer:?}");

    let wrong = session.call("find_place", json!({"name": "zurich", "limit": 99}));
    assert!(wrong.is_error && wrong.text.contains("limit") && wrong.text.contains("99"), "{wrong:?}");

    let unknown = session
        .try_request("tools/call", json!({"name": "no_such_tool", "arguments": {}}))
        .expect_err("no such tool");
    assert_eq!(unknown["code"], -32602, "{unknown}");

    let (status, rest, stderr) = session.close();
    assert!(status.success(), "{status} {stderr}");
    assert_eq!(rest, Vec::<Value>::new());
}

#[test]
fn both_versions_with_a_handshake() {
    let engine = engine_or_skip!();
    for protocol in LEGACY {
        let (session, hello) = open(&engine, protocol);
        assert_eq!(hello["protocolVersion"], protocol);
        assert_eq!(hello["serverInfo"]["name"], "weather");
        assert!(hello["capabilities"]["tools"].is_object(), "{hello}");
        converse(session);
    }
}

#[test]
fn the_version_without_a_handshake() {
    let engine = engine_or_skip!();
    let (session, hello) = open(&engine, MODERN);
    let supported: Vec<_> = hello["supportedVersions"].as_array().unwrap().iter().collect();
    assert!(supported.iter().any(|it| **it == MODERN), "{hello}");
    assert!(hello["capabilities"]["tools"].is_object(), "{hello}");
    converse(session);
}

#[test]
fn an_unknown_version_is_answered_with_one_that_the_server_speaks() {
    let engine = engine_or_skip!();
    let mut session = weather::session(&engine, &weather::shared(&engine).container);
    let hello = session.open("2099-01-01");
    let answered = hello["protocolVersion"].as_str().unwrap();
    assert!(LEGACY.contains(&answered) || answered == MODERN, "{hello}");
}

#[test]
fn many_calls_at_once_get_one_answer_each() {
    let engine = engine_or_skip!();
    let mut session = weather::session(&engine, &weather::shared(&engine).container);
    session.open(LEGACY[1]);
    let mut waiting: Vec<u64> = (0..200)
        .map(|i| {
            session.send_request(
                "tools/call",
                json!({"name": "sun_times", "arguments": {"latitude": i % 60, "longitude": 7}}),
            )
        })
        .collect();
    while !waiting.is_empty() {
        let answer = session.receive();
        let id = answer["id"].as_u64().unwrap();
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        let place = waiting.iter().position(|it| *it == id);
        waiting.remove(place.unwrap_or_else(|| panic!("answered twice, or never asked: {answer}")));
    }
}

#[test]
fn what_is_no_json_rpc_gets_no_answer_on_stdout_that_is_none() {
    let engine = engine_or_skip!();
    let mut session = weather::session(&engine, &weather::shared(&engine).container);
    session.open(LEGACY[1]);
    for noise in ["\"text\"", "[]", "{}", "{\"jsonrpc\":\"2.0\"}", "7"] {
        session.send(&serde_json::from_str(noise).unwrap());
    }
    // The session goes on; whatever it said about the noise is JSON-RPC, which `receive` holds it to.
    let id = session.send_request("tools/list", json!({}));
    loop {
        let message = session.receive();
        if message["id"] == id {
            assert!(message["result"]["tools"].is_array(), "{message}");
            break;
        }
    }
}

#[test]
fn sessions_share_nothing() {
    let engine = engine_or_skip!();
    let container = &weather::shared(&engine).container;
    let mut sessions: Vec<_> = (0..8).map(|_| weather::session(&engine, container)).collect();
    for session in &mut sessions {
        session.open(LEGACY[0]);
    }
    // All use the same ids; each gets its own answers.
    for (i, session) in sessions.iter_mut().enumerate() {
        session.send_request(
            "tools/call",
            json!({"name": "sun_times", "arguments": {"latitude": i, "longitude": 7, "date": "2026-06-21"}}),
        );
    }
    for (i, session) in sessions.iter_mut().enumerate() {
        let answer = session.receive();
        assert_eq!(answer["result"]["structuredContent"]["latitude"], i as f64, "{answer}");
    }
}
