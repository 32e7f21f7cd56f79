//! Calls of wrapped servers' tools through a client's own connection: what comes back is the server's answer.

use drydock_tests::engine_or_skip;
use drydock_tests::process::run;
use drydock_tests::skip;
use drydock_tests::wrapped::{self, Kind};
use serde_json::{Value, json};

use super::run::Run;
use super::table::MCPORTER;

#[test]
fn sequential_thinking_and_time_through_mcporter() {
    let engine = engine_or_skip!();
    let worlds = [Kind::Node, Kind::Python].map(|it| wrapped::env_with_servers(&engine, it, "calls"));
    let env = match worlds {
        [Ok(env), Ok(_)] => env,
        [Err(why), _] | [_, Err(why)] => skip!("{why}"),
    };
    let run = match Run::new(&env, &MCPORTER) {
        Ok(run) => run,
        Err(why) => skip!("{why}"),
    };
    env.ok(&["up", "sequential-thinking", "time"]);
    run.xtask("install-client", &["--server", "sequential-thinking", "--server", "time"]);

    let thought =
        json!({"thought": "one", "thoughtNumber": 1, "totalThoughts": 2, "nextThoughtNeeded": true});
    let answer = call(&run, "sequential-thinking.sequentialthinking", &thought);
    assert_eq!(
        (&answer["thoughtHistoryLength"], &answer["totalThoughts"]),
        (&json!(1), &json!(2)),
        "{answer}"
    );

    let noon = json!({"source_timezone": "Europe/Berlin", "target_timezone": "Asia/Tokyo", "time": "12:00"});
    let answer = call(&run, "time.convert_time", &noon);
    assert_eq!(answer["target"]["timezone"], "Asia/Tokyo", "{answer}");
    assert_eq!(answer["source"]["timezone"], "Europe/Berlin", "{answer}");
    run.xtask("uninstall-client", &[]);
}

/// The object that the tool's text holds.
#[track_caller]
fn call(run: &Run<'_>, tool: &str, arguments: &Value) -> Value {
    let arguments = arguments.to_string();
    let args = ["call", tool, "--args", &arguments, "--output", "json"];
    let called = self::run(&mut run.client(&args)).ok();
    serde_json::from_str(&called.stdout).unwrap_or_else(|e| panic!("no JSON ({e}): {called}"))
}
