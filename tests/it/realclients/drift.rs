//! What a client's own command does to our entry, `clients` sees.

use drydock_tests::process;
use drydock_tests::{engine_or_skip, full_or_skip, skip, weather};
use serde_json::Value;

use super::run::Run;
use super::table::{CLAUDE_CODE, CODEX, GEMINI_CLI};

/// The state of our entry, and which of its fields differ.
fn state(run: &Run<'_>) -> (String, Vec<String>) {
    let clients = run.env.ok(&["clients", run.client.id, "--json"]).json();
    let entries = clients[0]["files"][0]["entries"].as_array().expect("entries").clone();
    let ours = entries.iter().find(|it| it["name"] == "weather").expect("our entry");
    let fields = ours["differences"].as_array().into_iter().flatten();
    let fields = fields.map(|it| it["field"].as_str().expect("a field").to_owned());
    (ours["state"].as_str().expect("a state").to_owned(), fields.collect())
}

fn own_command(run: &Run<'_>, args: &[&str]) {
    process::run(&mut run.client(args)).ok();
}

fn installed(run: &Run<'_>) {
    run.xtask("install-client", &["--server", "weather"]);
    assert_eq!(state(run).0, "managed");
}

fn removed_by_the_client(run: &Run<'_>, remove: &[&str]) {
    installed(run);
    own_command(run, remove);
    assert_eq!(state(run).0, "missing", "after {remove:?}: {}", run.text());
    installed(run);
}

macro_rules! run_or_skip {
    ($env:expr, $client:expr) => {
        match Run::new($env, $client) {
            Ok(run) => run,
            Err(why) => skip!("{why}"),
        }
    };
}

#[test]
fn claude_code_takes_it_out() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "drift-claude");
    let run = run_or_skip!(&env, &CLAUDE_CODE);
    removed_by_the_client(&run, &["mcp", "remove", "weather", "--scope", "user"]);
    let left: Value = serde_json::from_str(&run.text()).expect("strict JSON");
    assert_eq!(left["numStartups"], 7, "{left}");
}

#[test]
fn gemini_cli_takes_it_out() {
    full_or_skip!();
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "drift-gemini");
    let run = run_or_skip!(&env, &GEMINI_CLI);
    removed_by_the_client(&run, &["mcp", "remove", "weather", "--scope", "user"]);
}

#[test]
fn codex_changes_it_and_takes_it_out() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "drift-codex");
    let run = run_or_skip!(&env, &CODEX);
    installed(&run);
    own_command(&run, &["mcp", "add", "weather", "--", "other", "--flag"]);
    // Nothing of ours is left in it: it is another entry of our name, and stays.
    assert_eq!(state(&run), ("unmanaged".to_owned(), Vec::new()));
    own_command(&run, &["mcp", "remove", "weather"]);
    removed_by_the_client(&run, &["mcp", "remove", "weather"]);
}
