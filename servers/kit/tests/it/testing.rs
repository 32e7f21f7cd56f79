//! `drydock_kit::testing`: good servers pass, and whatever is wrong with one is said. Each of its checks fails here once.

mod checks;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use drydock_kit::prelude::*;
use drydock_kit::testing::{Server, Value, in_every_revision, json, start};
use serde::{Deserialize, Serialize};

/// What to add.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Add {
    /// The first number.
    #[schemars(range(max = 9))]
    one: u32,
    /// What is added to it.
    #[serde(default = "two")]
    other: u32,
}

fn two() -> u32 {
    2
}

/// What came out.
#[derive(Serialize, JsonSchema)]
struct Sum {
    sum: u32,
}

#[derive(Serialize, JsonSchema)]
struct Lie {
    #[schemars(with = "Vec<u32>")]
    sums: Vec<Value>,
}

struct Tools;

#[server(title = "Numbers")]
impl Tools {
    /// Adds two numbers.
    #[tool(read_only, title = "Add")]
    fn add(&self, Parameters(args): Parameters<Add>) -> Json<Sum> {
        Json(Sum { sum: args.one + args.other })
    }

    /// Gives something else than it says.
    #[tool(read_only, title = "Lie")]
    fn lie(&self) -> Json<Lie> {
        Json(Lie { sums: vec![3.into(), "many".into()] })
    }

    /// Tells a story.
    #[tool(read_only, title = "Tell")]
    async fn tell(&self) -> String {
        "Once upon a time".to_owned()
    }

    /// Breaks.
    #[tool(title = "Break")]
    fn break_down(&self) -> Json<Sum> {
        panic!("broken")
    }
}

/// What a failing assertion says.
fn failure<T>(work: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).err().expect("it should fail");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast::<&str>().map_or_else(|_| "no text".to_owned(), |it| (*it).to_owned()),
    }
}

#[test]
fn a_server_is_called_in_every_revision_that_it_speaks() {
    let spoken = std::sync::Mutex::new(Vec::new());
    in_every_revision(
        || Tools,
        |server| {
            spoken.lock().unwrap().push(server.revision());
            let added = server.call("add", json!({"one": 1}));
            assert_eq!(added.json(), json!({"sum": 3}));
            assert_eq!(added.text(), "sum: 3");
            assert_eq!(server.call("tell", json!({})).text(), "Once upon a time");
            server.call("add", json!({"one": 10})).fails("`one` is 10, and must be 0 to 9");
            server.call("add", json!({"one": 1, "othr": 3})).fails("unknown field `othr`");
        },
    );
    let all = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];
    assert_eq!(spoken.into_inner().unwrap(), all);
    assert_eq!(start(|| Tools).revision(), "2026-07-28");
}

#[test]
fn the_revisions_in_which_a_test_fails_are_named() {
    let only_new = |server: &Server| assert!(server.revision().as_str() > "2025-06-30");
    let said = failure(|| in_every_revision(|| Tools, only_new));
    assert!(said.contains("of 5") && said.contains("fails in 2024-11-05, 2025-03-26, 2025-06-18;"), "{said}");
}

#[test]
fn an_answer_that_is_not_as_expected_is_shown() {
    let server = start(|| Tools);
    let add = |arguments: Value| server.call("add", arguments);
    for (said, parts) in [
        (
            failure(|| add(json!({"one": 1})).fails("one")),
            &["`add` answered", "{\"sum\":3}", "should fail"][..],
        ),
        (failure(|| add(json!({"one": 10})).fails("two")), &["`one` is 10", "without saying \"two\""]),
        (failure(|| add(json!({"one": 10})).json()), &["`add` failed: `one` is 10"]),
        (failure(|| add(json!({"one": 10})).text()), &["`add` failed: `one` is 10"]),
        (failure(|| add(json!(1))), &["arguments of a tool are an object", "it was 1"]),
        (
            failure(|| server.call("tell", json!({})).json()),
            &["Once upon a time", "without structured content"],
        ),
        (
            failure(|| server.call("ad", json!({}))),
            &["-32602", "`ad`", "(it has add, break_down, lie, tell)"],
        ),
        (
            failure(|| server.call("lie", json!({}))),
            &["`lie` answered", "`sums[1]` is \"many\"", "output schema"],
        ),
        (failure(|| server.call("break_down", json!({})).json()), &["the server panicked at this request"]),
    ] {
        assert!(parts.iter().all(|it| said.contains(it)), "{parts:?} in {said}");
    }
}

#[test]
fn what_is_wrong_with_a_start_is_said() {
    let said = failure(|| start(|| -> Tools { panic!("no such file") }));
    assert!(said.contains("making it panicked"), "{said}");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let said = failure(|| runtime.block_on(async { start(|| Tools) }));
    assert!(said.contains("make it a plain `#[test] fn`"), "{said}");
}

struct Stuck;

#[server]
impl Stuck {
    /// Never comes back.
    #[tool(read_only)]
    fn wait(&self) -> Json<Sum> {
        loop {
            thread::sleep(Duration::from_secs(3600));
        }
    }
}

/// In a process of its own, a session would end that.
#[test]
fn a_tool_that_blocks_for_ever_fails_its_test_and_nobody_elses() {
    let server = start(|| Stuck);
    let other = start(|| Tools);
    server.with_client(async |client| {
        let call = client.call_tool_once(rmcp::model::CallToolRequestParams::new("wait"));
        assert!(tokio::time::timeout(Duration::from_millis(300), call).await.is_err());
    });
    let said = failure(|| drop(server));
    assert!(said.contains("a tool blocks its thread"), "{said}");
    assert_eq!(other.call("add", json!({"one": 1})).json(), json!({"sum": 3}));
}

/// Ctrl-C ends a test's process as ever.
#[cfg(target_os = "linux")]
#[test]
fn a_session_in_a_test_takes_no_signals() {
    let _server = start(|| Tools);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let caught = status.lines().find_map(|it| it.strip_prefix("SigCgt:")).unwrap();
    let caught = u64::from_str_radix(caught.trim(), 16).unwrap();
    for (name, number) in [("SIGHUP", 1), ("SIGINT", 2), ("SIGTERM", 15)] {
        assert_eq!(caught >> (number - 1) & 1, 0, "{name} is caught: {caught:x}");
    }
}

/// The file holds what clients are told of the server above.
#[test]
fn schemas_are_compared_with_a_file() {
    start(|| Tools).snapshot("tests/it/testing/schemas.json");
}
