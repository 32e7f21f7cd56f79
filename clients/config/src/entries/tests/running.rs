//! What a client would start is what we wrote, or it is drift: also what was only added.

use super::*;

/// The entry `a` with these fields added: its state, and whether it would still start what we wrote.
fn with(added: &Value) -> (EntryState, bool) {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::Project);
    home.put(&config_file, &["a"]);
    let mut file: Value = serde_json::from_str(&text(&config_file.path)).unwrap();
    file["mcpServers"]["a"].as_object_mut().unwrap().extend(added.as_object().unwrap().clone());
    fs::write(&config_file.path, file.to_string()).unwrap();
    let listed = config_file.list(&Ledger::load(&home.state()).unwrap()).unwrap().remove(0);
    (listed.state, listed.runs_as_written)
}

#[test]
fn an_added_variable_or_folder_is_drift_and_does_not_run() {
    for added in [
        json!({"env": {"PATH": "/tmp/evil"}}),
        json!({"env": {"LD_PRELOAD": "/tmp/evil.so"}}),
        json!({"env": {"NODE_OPTIONS": "--require /tmp/evil.js"}}),
        json!({"env": {"DOCKER_HOST": "tcp://evil"}}),
        json!({"env": {"TZ": "UTC"}}),
        json!({"envFile": ".env"}),
        json!({"env_file": ".env"}),
        json!({"cwd": "/tmp"}),
        json!({"command": "/bin/sh", "args": ["-c", "evil"]}),
        json!({"args": ["exec", "--privileged", "-i", "mcp-a", "/mcp", "stdio"]}),
    ] {
        let (state, runs) = with(&added);
        assert!(state != EntryState::Managed && !runs, "{added}: {state:?}");
    }
}

#[test]
fn what_a_client_adds_for_itself_is_no_drift() {
    for added in
        [json!({}), json!({"disabled": true}), json!({"env": {}}), json!({"autoApprove": ["forecast"]})]
    {
        assert_eq!(with(&added), (EntryState::Managed, true), "{added}");
    }
}

#[test]
fn an_unmanaged_entry_does_not_run_as_written() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::User);
    fs::create_dir_all(config_file.path.parent().unwrap()).unwrap();
    fs::write(&config_file.path, r#"{"mcpServers": {"a": {"command": "theirs"}}}"#).unwrap();
    let listed = config_file.list(&Ledger::load(&home.state()).unwrap()).unwrap().remove(0);
    assert!(!listed.runs_as_written);
}

/// Whatever a client calls it.
#[test]
fn every_clients_words_for_what_is_started_are_known() {
    for client in client::load(Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()).unwrap() {
        let mark = || "MARK".to_owned();
        let command = client::StdioCommand {
            command: mark(),
            args: vec![mark()],
            env: vec![("A".into(), mark())],
            cwd: Some(mark()),
            clear_env: false,
        };
        let headers = vec![("Authorization".to_owned(), "Bearer ${MARK}".to_owned())];
        let endpoint = client::HttpEndpoint { url: "https://MARK/mcp".into(), headers };
        let reached = client.http_entry(Scope::User, "a", &endpoint);
        for (key, value) in client.stdio_entry("a", &command).into_iter().chain(reached.unwrap_or_default()) {
            if value.to_string().contains("MARK") {
                let gone = Difference { field: key, written: Some(value), found: None };
                assert!(gone.is_steering(), "{}: {gone}", client.id);
            }
        }
    }
}
