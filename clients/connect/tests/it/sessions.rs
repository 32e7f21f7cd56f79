//! Servers that are well: every version, both transports, every verb.

use serde_json::{Value, json};

use crate::{
    Run, connect,
    fixture::{HttpServer, fixture, run},
};

const VERSIONS: [(&str, &str, &str); 4] = [
    ("auto", "2026-07-28", "discover"),
    ("2026-07-28", "2026-07-28", "discover"),
    ("2025-11-25", "2025-11-25", "initialize"),
    ("2025-06-18", "2025-06-18", "initialize"),
];

fn assert_negotiated(run: &Run, version: &str, lifecycle: &str) {
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(run.json()["protocol"], json!({ "version": version, "lifecycle": lifecycle }));
    assert_eq!(run.json()["server"]["name"], "fixture");
}

#[test]
fn every_version_is_spoken_over_a_command() {
    for (wanted, version, lifecycle) in VERSIONS {
        let run = connect(&["--protocol", wanted, "--json", "call", "echo", "text=hi", "times=2"], "stdio");
        assert_negotiated(&run, version, lifecycle);
        assert_eq!(run.json()["result"]["content"][0]["text"], "hi hi");
    }
}

#[test]
fn every_version_is_spoken_over_http() {
    let server = HttpServer::start();
    for (wanted, version, lifecycle) in VERSIONS {
        let run = run(&["--protocol", wanted, "--json", "call", "echo", "text=hi", "--url", &server.url]);
        assert_negotiated(&run, version, lifecycle);
        assert_eq!(run.json()["result"]["content"][0]["text"], "hi");
    }
}

#[test]
fn a_server_that_ends_itself_at_discover_is_asked_the_old_way() {
    let run = connect(&["check", "--json"], "only-initialize");
    assert_negotiated(&run, "2025-11-25", "initialize");
    assert_eq!(run.err, "");
    assert_eq!(run.json()["first_try"], "the server ended (exit status: 1) before it answered");
    let said = connect(&["check"], "only-initialize").err;
    let expected = "note: the server was asked twice, from the start: the server ended (exit status: 1) before it answered\n";
    assert_eq!(said, expected);
}

/// rmcp waits 10 s for the answer to `server/discover`, then no longer takes it for one.
#[test]
fn a_slow_start_decides_neither_the_version_nor_is_it_left_out_of_the_time() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("started").to_str().unwrap().to_owned();
    let run = run(&["check", "--json", "--", fixture().to_str().unwrap(), "slow-once", &mark]);
    assert_negotiated(&run, "2026-07-28", "discover");
    assert_eq!(run.json()["first_try"], "it answered `server/discover` after more than 10 s");
    assert!(run.json()["ms"]["handshake"].as_f64() > Some(10_000.0), "{}", run.out);
}

#[test]
fn check_says_who_answered() {
    let run = connect(&["check"], "stdio");
    assert!(
        run.out.starts_with("ok: fixture 1.2.3, MCP 2026-07-28 (server/discover), 7 tools in "),
        "{}",
        run.out
    );
    assert_eq!((run.err.as_str(), run.code), ("", 0));
}

/// The fields that others rely on; see src/report.rs.
#[test]
fn the_json_of_check_keeps_its_fields() {
    let mut report = connect(&["check", "--json"], "stdio").json();
    let times = report.as_object_mut().unwrap().remove("ms").unwrap();
    assert_eq!(times.as_object().unwrap().keys().collect::<Vec<_>>(), ["start", "handshake", "list"]);
    assert!(times.as_object().unwrap().values().all(Value::is_number), "{times}");
    assert_eq!(
        report,
        json!({
            "ok": true,
            "protocol": { "version": "2026-07-28", "lifecycle": "discover" },
            "server": { "name": "fixture", "title": null, "version": "1.2.3" },
            "instructions": "Be kind.",
            "tool_names": ["bare", "crash", "echo", "fail", "mixed", "slow", "sum"],
        })
    );
}

#[test]
fn the_json_of_tools_is_the_servers_own() {
    let report = connect(&["tools", "--json"], "stdio").json();
    let echo = report["tools"].as_array().unwrap().iter().find(|it| it["name"] == "echo").unwrap();
    assert_eq!(echo["title"], "Echo");
    assert_eq!(echo["inputSchema"]["required"], json!(["text"]));
    assert_eq!(echo["annotations"], json!({ "readOnlyHint": true, "openWorldHint": false }));
}

#[test]
fn tools_are_readable() {
    let run = connect(&["tools"], "stdio");
    let echo = "\
echo: Echo
  Says the text back.
    text   required: string
           What comes back
    times  optional: integer, 1 to 3
           How often
  [only reads, stays inside]

fail
  Always an error of the tool itself.
";
    assert!(run.out.contains(echo), "{}", run.out);
    assert_eq!(run.err, "fixture 1.2.3, MCP 2026-07-28 (server/discover): 7 tools\n\n");
}

#[test]
fn all_pages_are_listed() {
    let report = connect(&["check", "--json"], "pages").json();
    assert_eq!(report["tool_names"], json!(["tool_0", "tool_1", "tool_2"]));
}

#[test]
fn results_are_readable() {
    let out = |tool| connect(&["call", tool], "stdio").out;
    assert_eq!(out("mixed"), "a cat\n[image, image/png, 3 bytes]\n");
    assert_eq!(out("sum"), "{\"sum\":42}\n", "the text that stands beside the structured content");
    assert_eq!(out("bare"), "{\n  \"sum\": 42\n}\n", "structured content when there is no text");
}

#[test]
fn arguments_are_an_object_or_pairs() {
    let out = |words: &[&str]| connect(&[&["call", "echo"], words].concat(), "stdio").out;
    assert_eq!(out(&["text=7", "times=3"]), "7 7 7\n");
    assert_eq!(out(&[r#"{"text": "a=b", "times": 2}"#]), "a=b a=b\n");
}

#[test]
fn an_error_of_the_tool_is_marked_and_exits_with_1() {
    let run = connect(&["call", "fail"], "stdio");
    assert_eq!(run.out, "the kettle is \\u{1b}[31mempty\n");
    assert_eq!(run.err, "error: `fail` answered with an error (isError), see above\n");
    assert_eq!(run.code, 1);

    let run = connect(&["call", "fail", "--json"], "stdio");
    assert_eq!(run.json()["ok"], false);
    assert_eq!(run.json()["result"]["isError"], true);
    assert_eq!(run.code, 1);
}
