//! The ledger on disk: what was saved is loaded, also what an earlier version saved.

use drydock_edit::PreviousState;
use serde_json::json;

use super::*;

fn installed(name: &str, entry: Value) -> InstalledEntry {
    InstalledEntry {
        client: "cursor".into(),
        shared_with: Vec::new(),
        scope: Scope::User,
        file: "/f".into(),
        at: vec!["mcpServers".into()],
        name: name.into(),
        server: None,
        entry: entry.as_object().unwrap().clone(),
        replaced: None,
        previous: Vec::new(),
    }
}

#[test]
fn what_was_saved_is_loaded() {
    let temp = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::load(temp.path()).unwrap();
    ledger.record(installed("a", json!({"command": "x"})));
    ledger.record_created(
        Path::new("/f"),
        vec![CreatedParent { path: vec![], previous: PreviousState::Blank(" ".into()) }],
        vec!["/g".into()],
    );
    ledger.save(temp.path()).unwrap();
    let mut loaded = Ledger::load(temp.path()).unwrap();
    assert_eq!(loaded.entries, ledger.entries);
    assert_eq!(loaded.created_parents(Path::new("/f")), ledger.created_parents(Path::new("/f")));
    loaded.forget(Path::new("/f"), &["mcpServers".into()], "a");
    assert!(loaded.created_parents(Path::new("/f")).is_empty());
    assert!(loaded.created_folders(Path::new("/f")).is_empty());
}

#[test]
fn a_broken_ledger_is_an_error() {
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(path(temp.path()), "").unwrap();
    let err = Ledger::load(temp.path()).unwrap_err();
    assert!(err.to_string().contains("is broken") && err.hint().is_some(), "{err}");
    assert_eq!((err.kind(), err.path()), (ErrorKind::InvalidLedger, Some(&*path(temp.path()))));
}

/// Whatever else stands in it: its advice must not be the one for a broken ledger, which gives entries up.
#[test]
fn a_ledger_of_a_newer_version_is_told_from_a_broken_one() {
    let temp = tempfile::tempdir().unwrap();
    for text in [
        r#"{"version": 2}"#,
        r#"{"version": 2, "entries": {"by": "hash"}, "new": [1]}"#,
        r#"{"entries": [], "version": 18446744073709551615}"#,
    ] {
        std::fs::write(path(temp.path()), text).unwrap();
        let err = Ledger::load(temp.path()).unwrap_err();
        assert!(err.to_string().contains("newer version"), "{err}");
        let hint = err.hint().unwrap();
        assert!(!hint.contains("move it aside") && hint.contains("that version"), "{hint}");
        assert_eq!((err.kind(), err.path()), (ErrorKind::InvalidLedger, Some(&*path(temp.path()))));
    }
    std::fs::write(path(temp.path()), r#"{"version": "x"}"#).unwrap();
    assert!(Ledger::load(temp.path()).unwrap_err().to_string().contains("is broken"));
}

/// The file of an earlier version, as it stands, is what this one writes, too.
#[test]
fn a_ledger_of_an_earlier_version_is_loaded_and_saved_as_it_was() {
    let temp = tempfile::tempdir().unwrap();
    let old = include_str!("tests/ledger-0.1.0.json");
    std::fs::write(path(temp.path()), old).unwrap();
    let ledger = Ledger::load(temp.path()).unwrap();
    let cursor = Path::new("/home/ana/.cursor/mcp.json");
    let entry = ledger.find(cursor, &["mcpServers".into()], "a").unwrap();
    assert_eq!(entry.replaced.as_deref(), Some("{\"command\": \"theirs\"}"));
    assert_eq!(entry.clients().collect::<Vec<_>>(), ["cursor", "warp"]);
    let project = Path::new("/home/ana/project/.mcp.json");
    assert_eq!(ledger.created_parents(project).len(), 2);
    assert_eq!(ledger.created_folders(project), [Path::new("/home/ana/project")]);
    assert_eq!(ledger.undo(cursor).unwrap().left.as_deref(), Some("1fbcd17abb727c43"));
    ledger.save(temp.path()).unwrap();
    assert_eq!(std::fs::read_to_string(path(temp.path())).unwrap(), old);
}
