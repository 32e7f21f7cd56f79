//! An entry is ours by where it leads: the same name alone makes nothing ours.

use super::*;
use crate::ErrorKind;

/// A file in which our entry `a` was replaced by that one, by somebody who writes files.
fn replaced_by(home: &Home, id: &str, scope: Scope, theirs: &Value) -> (PathBuf, String) {
    let config_file = home.config_file(id, scope);
    home.put(&config_file, &["a"]);
    let mut file: Value = serde_json::from_str(&text(&config_file.path)).unwrap();
    file["mcpServers"]["a"] = theirs.clone();
    let text = file.to_string();
    fs::write(&config_file.path, &text).unwrap();
    (config_file.path, text)
}

fn entries_of_their_own() -> [Value; 6] {
    [
        json!({"command": "podman", "args": ["exec", "-i", "other"]}),
        json!({"command": "/opt/mine/weather", "args": ["--port", "7"]}),
        json!({"url": "https://example.com/mcp"}),
        json!({"type": "http", "url": "https://example.com/mcp", "headers": {"X": "1"}}),
        json!({"command": "/bin/sh", "args": ["-c", "docker run --rm -i weather"]}),
        json!({}),
    ]
}

#[test]
fn an_entry_of_their_own_under_our_name_is_unmanaged_and_stays() {
    for scope in Scope::ALL {
        for theirs in entries_of_their_own() {
            let home = Home::new();
            let (path, before) = replaced_by(&home, "cursor", scope, &theirs);
            let config_file = home.config_file("cursor", scope);
            assert_eq!(home.list(&config_file), [("a".into(), EntryState::Unmanaged)], "{theirs}");
            let refused = config_file.install(&home.state(), &[desired("a")], ChangeOptions::default());
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unmanaged, "{theirs}");
            assert_eq!(home.take(&config_file, &["a"]).entries[0].1, EntryAction::LeftUnmanaged, "{theirs}");
            assert_eq!(text(&path), before, "{theirs}");
            assert!(Ledger::load(&home.state()).unwrap().entries.is_empty(), "the ledger still has it");
        }
    }
}

#[test]
fn an_entry_of_their_own_comes_back_when_ours_replaced_it_by_force() {
    for theirs in entries_of_their_own() {
        let home = Home::new();
        let (path, before) = replaced_by(&home, "claude-code", Scope::User, &theirs);
        let config_file = home.config_file("claude-code", Scope::User);
        let forced = config_file.install(&home.state(), &[desired("a")], FORCE).unwrap();
        assert_eq!(forced.entries[0].1, EntryAction::Replaced, "{theirs}");
        assert_eq!(home.take(&config_file, &["a"]).entries[0].1, EntryAction::Restored);
        assert_eq!(text(&path), before, "{theirs}");
    }
}

/// Also what another clone of Drydock wrote: it has another prefix, or another folder.
#[test]
fn an_entry_that_is_partly_ours_is_replaced_and_removed_by_force_only() {
    let ours = desired("a").entry;
    let args = &ours["args"];
    for theirs in [
        json!({"command": "/clone/target/release/a", "args": args}),
        json!({"command": "docker", "args": ["exec", "-i", "other-mcp-a", "/mcp", "stdio"]}),
        json!({"command": "docker", "args": ["run", "--rm", "-i", "weather"]}),
        json!({"command": "podman", "args": ["exec", "-i", "other", "/mcp", "sse"]}),
        json!({"command": "docker", "args": args, "url": "https://example.com/mcp"}),
    ] {
        let home = Home::new();
        let (path, before) = replaced_by(&home, "cursor", Scope::User, &theirs);
        let config_file = home.config_file("cursor", Scope::User);
        assert_eq!(home.list(&config_file), [("a".into(), EntryState::Modified)], "{theirs}");
        let none = ChangeOptions::default();
        let refused = [
            config_file.install(&home.state(), &[desired("a")], none).unwrap_err(),
            config_file.uninstall(&home.state(), &["a".into()], none).unwrap_err(),
        ];
        for err in refused {
            assert_eq!(err.kind(), ErrorKind::Modified, "{theirs}");
            assert!(format!("{err:#}").contains("file left unchanged"), "{err:#}");
            assert!(err.hint().unwrap().contains("--force"), "{err:#}");
        }
        assert_eq!(text(&path), before, "{theirs}");
        config_file.install(&home.state(), &[desired("a")], FORCE).unwrap();
        assert_eq!(home.list(&config_file), [("a".into(), EntryState::Managed)], "{theirs}");
        assert!(!text(&path).contains("url"), "ours was merged into {theirs}");
        let removed = home.take(&config_file, &["a"]);
        let back = theirs.get("url").is_some();
        assert_eq!(removed.entries[0].1 == EntryAction::Restored, back, "{theirs}");
    }
}

#[test]
fn an_endpoint_is_ours_by_its_url() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::User);
    let endpoint = |url: &str| DesiredEntry {
        name: "a".into(),
        server: None,
        entry: json!({"url": url}).as_object().unwrap().clone(),
    };
    for (ours, found, state) in [
        ("https://example.com/mcp", "https://example.com/mcp", EntryState::Managed),
        ("https://example.com/mcp", "https://example.com/v2", EntryState::Modified),
        ("https://example.com/mcp", "https://example.com.evil.org/mcp", EntryState::Unmanaged),
        ("https://example.com/mcp", "http://example.com/mcp", EntryState::Unmanaged),
        ("http://a.b/x", "http://a.b/y", EntryState::Modified),
        ("http://a.b/x", "http://a.c/x", EntryState::Unmanaged),
    ] {
        let _ = fs::remove_file(&config_file.path);
        config_file.install(&home.state(), &[endpoint(ours)], ChangeOptions::default()).unwrap();
        let written = text(&config_file.path);
        fs::write(&config_file.path, written.replace(ours, found)).unwrap();
        assert_eq!(home.list(&config_file), [("a".into(), state)], "{found}");
    }
}

/// `opencode` has the whole command line in one list, and `goose` other words for it.
#[test]
fn every_form_of_an_entry_is_told_apart() {
    for client in client::load(Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()).unwrap() {
        let entry = |command: &str, args: &[&str]| {
            let args = args.iter().map(|it| (*it).to_owned()).collect();
            let command = client::StdioCommand { command: command.into(), args, ..Default::default() };
            Value::Object(client.stdio_entry("a", &command))
        };
        let destination = |it: &Value| client.destination(it).unwrap();
        let ours = destination(&entry("/usr/bin/docker", &["exec", "-i", "mcp-a", "/mcp", "stdio"]));
        let other = destination(&entry("npx", &["-y", "weather"]));
        assert_eq!((ours.words.len(), other.words.len()), (6, 3), "{}", client.id);
    }
}

/// The ledger knew the new entry already, and the file still had the old one: both are ours.
#[test]
fn an_update_that_was_cut_short_goes_on_without_force() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::User);
    config_file.install(&home.state(), &[desired("a")], ChangeOptions::default()).unwrap();
    let before = Ledger::load(&home.state()).unwrap();
    let mut after = before.clone();
    let mut entry = after.entries[0].clone();
    entry.entry = serde_json::json!({"command": "/opt/other/docker", "args": ["run", "x", "y"]})
        .as_object()
        .unwrap()
        .clone();
    let wanted = DesiredEntry { entry: entry.entry.clone(), ..desired("a") };
    after.record(entry);
    before.union(&after).replace(&before, &home.state()).unwrap();
    assert_eq!(home.list(&config_file), [("a".into(), EntryState::Modified)]);
    config_file.install(&home.state(), &[wanted], ChangeOptions::default()).unwrap();
    assert_eq!(home.list(&config_file), [("a".into(), EntryState::Managed)]);
    assert!(Ledger::load(&home.state()).unwrap().entries[0].previous.is_empty());
}

/// Entries of `--via run` of before: their image had a tag that every clone writes.
#[test]
fn an_entry_with_the_tag_of_before_is_ours_until_it_is_written_again_or_taken_out() {
    let run = |image: &str| {
        let label = "dev.drydock.workspace=0123456789abcdef";
        let args = ["run", "-i", "--rm", "--label", label, image, "stdio"];
        let entry = json!({"command": "docker", "args": args});
        DesiredEntry { entry: entry.as_object().unwrap().clone(), ..desired("a") }
    };
    let (before, now) = (run("drydock/a:1.0.0"), run("drydock/a/0123456789abcdef:1.0.0"));
    for is_written_again in [true, false] {
        let home = Home::new();
        let config_file = home.config_file("cursor", Scope::User);
        let install = |it: &DesiredEntry| {
            config_file.install(&home.state(), std::slice::from_ref(it), ChangeOptions::default()).unwrap()
        };
        install(&before);
        assert_eq!(home.list(&config_file), [("a".into(), EntryState::Managed)]);
        if is_written_again {
            assert_eq!(install(&now).entries[0].1, EntryAction::Updated(Vec::new()));
            assert_eq!(home.list(&config_file), [("a".into(), EntryState::Managed)]);
            assert!(text(&config_file.path).contains("drydock/a/0123456789abcdef:1.0.0"));
        }
        assert_eq!(home.take(&config_file, &["a"]).entries[0].1, EntryAction::Removed);
        assert!(!config_file.path.exists());
    }
}
