//! A session that `drydock-hold` holds, whatever becomes of its container.
//!
//! One connection, in a revision with a handshake and in one without -> answers, before and after. Invariant: the client connects
//! once.

use std::path::Path;
use std::sync::OnceLock;

use drydock_tests::engine::Engine;
use drydock_tests::process::command;
use drydock_tests::session::{LEGACY, MODERN, Session};
use drydock_tests::test_env::{TestEnv, build};
use drydock_tests::{engine_or_skip, weather};
use serde_json::json;

fn held(engine: &Engine, container: &str) -> Session {
    static PROGRAM: OnceLock<std::path::PathBuf> = OnceLock::new();
    let program: &Path =
        PROGRAM.get_or_init(|| build(&["-p", "drydock-proxy", "--profile", "quick"], "drydock-hold"));
    let exec = engine.command(&["exec", "-i", container, "/mcp", "stdio"]);
    let mut hold = command(program);
    hold.arg("--").arg(exec.get_program()).args(exec.get_args());
    hold.envs(exec.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Session::start(hold)
}

#[track_caller]
fn goes_on(session: &mut Session, after: &str) {
    let answer = session.call("find_place", json!({"name": "zurich", "limit": 1}));
    assert!(!answer.is_error && answer.text.contains("Zürich"), "after {after}: {answer:?}");
}

#[test]
fn a_session_survives_all_that_is_done_to_its_container() {
    let engine = engine_or_skip!();
    let env: TestEnv = weather::test_env(&engine, "held");
    let container = env.container("weather");
    env.ok(&["up", "weather"]);
    let mut sessions = [LEGACY[1], MODERN].map(|protocol| {
        let mut session = held(&engine, &container);
        session.open(protocol);
        assert_eq!(session.tools(), weather::TOOLS);
        session
    });
    let identity = || engine.inspect(&container)["Id"].as_str().map(str::to_owned);
    let before = identity();

    let done: [(&str, &dyn Fn()); 5] = [
        ("docker restart", &|| drop(engine.ok(&["restart", "--time", "1", &container]))),
        ("a kill of all its processes", &|| drop(engine.ok(&["kill", &container]))),
        ("docker start", &|| drop(engine.ok(&["start", &container]))),
        ("up with other settings", &|| {
            drop(env.ok(&["up", "weather", "--env", "MCP_LOG=warn", "--force"]));
        }),
        ("down and up", &|| {
            env.ok(&["down", "weather"]);
            env.ok(&["up", "weather"]);
        }),
    ];
    for (what, act) in done {
        act();
        if what.starts_with("a kill") {
            continue; // nothing starts it again but the next step
        }
        sessions.iter_mut().for_each(|it| goes_on(it, what));
    }
    assert_ne!(identity(), before);
    for session in sessions {
        let (status, rest, stderr) = session.close();
        assert!(status.success() && rest.is_empty(), "{status} {rest:?} {stderr}");
    }
}

#[test]
fn a_request_waits_for_a_container_that_is_not_there_yet() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "awaited");
    let container = env.container("weather");
    env.ok(&["down", "weather"]);
    let mut sessions = [LEGACY[1], MODERN].map(|protocol| (protocol, held(&engine, &container)));
    std::thread::scope(|scope| {
        let opened = sessions.each_mut().map(|(protocol, session)| {
            scope.spawn(|| {
                session.open(protocol);
                goes_on(session, "up");
            })
        });
        env.ok(&["up", "weather"]);
        opened.into_iter().for_each(|it| it.join().expect("it was answered"));
    });
}
