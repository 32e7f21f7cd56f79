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

#[test]
fn entries_of_one_name_are_told_apart_by_file_and_keys() {
    let mut ledger = Ledger::load(Path::new("/nowhere")).unwrap();
    let one = installed("a", json!({}));
    let others = [
        InstalledEntry { at: vec!["other".into()], ..one.clone() },
        InstalledEntry { file: "/g".into(), ..one.clone() },
        installed("b", json!({})),
    ];
    for it in others.iter().chain([&one]) {
        ledger.record(it.clone());
    }
    assert_eq!(ledger.entries.len(), 4);
    ledger.forget(&one.file, &one.at, "a");
    assert_eq!(ledger.entries, others);
}

/// A clone takes its folder along; what is named by hand stays where it is.
#[test]
fn only_a_state_folder_in_a_clone_moves_paths() {
    for (from, to, moves) in [
        ("a/.drydock", "b/.drydock", true),
        ("a/.drydock", "b/state", false),
        ("a/state", "b/.drydock", false),
    ] {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        let (before, now) = (root.join(from), root.join(to));
        for it in [&before, &now] {
            std::fs::create_dir_all(it).unwrap();
        }
        let file = root.join("a/mcp.json");
        let mut ledger = Ledger::load(&before).unwrap();
        ledger.record(InstalledEntry { file: file.clone(), ..installed("a", json!({})) });
        ledger.save(&before).unwrap();
        for it in ["ledger.json", "location"] {
            std::fs::copy(before.join(it), now.join(it)).unwrap();
        }
        std::fs::write(root.join("b/mcp.json"), "{}").unwrap();
        let expected = if moves { root.join("b/mcp.json") } else { file };
        assert_eq!(Ledger::load(&now).unwrap().entries[0].file, expected, "{from} -> {to}");
    }
}

fn parent(key: &str, previous: PreviousState) -> CreatedParent {
    CreatedParent { path: vec![key.into()], previous }
}

#[test]
fn what_was_made_around_entries_is_kept_by_file_and_by_keys() {
    let mut ledger = Ledger::load(Path::new("/nowhere")).unwrap();
    let (one, other) = (Path::new("/one"), Path::new("/other"));
    ledger.record_created(other, vec![parent("a", PreviousState::Missing)], vec![]);
    let first = vec![parent("a", PreviousState::Missing), parent("b", PreviousState::Missing)];
    ledger.record_created(one, first, vec!["/f".into()]);
    let again = parent("a", PreviousState::Empty(" ".into()));
    ledger.record_created(one, vec![again.clone()], vec!["/g".into()]);
    assert_eq!(ledger.created_parents(one), [parent("b", PreviousState::Missing), again]);
    assert_eq!(ledger.created_folders(one), [Path::new("/f"), Path::new("/g")]);
    assert_eq!(ledger.created_parents(other), [parent("a", PreviousState::Missing)]);
    ledger.record_created(Path::new("/third"), vec![], vec![]);
    assert_eq!(ledger.scaffolding.len(), 2);
}

/// Right before a step, and right behind: what is in the file is ours in either case.
#[test]
fn both_sides_of_a_step_are_known_while_it_is_under_way() {
    let mut before = Ledger::load(Path::new("/nowhere")).unwrap();
    for name in ["same", "new", "gone"] {
        before.record(installed(name, json!({"command": "old"})));
    }
    before.record_created(Path::new("/f"), vec![parent("a", PreviousState::Missing)], vec![]);
    before.record_created(Path::new("/gone"), vec![parent("b", PreviousState::Missing)], vec![]);
    let mut after = before.clone();
    after.record(installed("new", json!({"command": "new"})));
    after.forget(Path::new("/f"), &["mcpServers".into()], "gone");
    after.scaffolding.retain(|it| it.file != Path::new("/gone"));
    after.record_created(Path::new("/f"), vec![parent("a", PreviousState::Empty("x".into()))], vec![]);

    let both = before.union(&after);
    let known: Vec<_> =
        both.entries.iter().map(|it| (&*it.name, &it.entry["command"], it.previous.len())).collect();
    let (old, new) = (json!("old"), json!("new"));
    assert_eq!(known, [("same", &old, 0), ("new", &new, 1), ("gone", &old, 0)]);
    assert_eq!(both.entries[1].previous[0]["command"], old);
    assert_eq!(both.scaffolding.len(), 2);
    assert_eq!(both.created_parents(Path::new("/f")), after.created_parents(Path::new("/f")));
    assert_eq!(both.created_parents(Path::new("/gone")), before.created_parents(Path::new("/gone")));
    // A step of which the second side is the first again is none.
    assert_eq!(before.union(&before), before);
}

#[test]
fn a_way_back_is_one_files() {
    let (one, other) = (Path::new("/f"), Path::new("/other"));
    let mut ledger = Ledger::load(Path::new("/nowhere")).unwrap();
    ledger.record(installed("a", json!({"command": "old"})));
    ledger.record_created(one, vec![parent("a", PreviousState::Missing)], vec![]);
    let undo = ledger.as_undo(one, None, Some("left".into()));
    let elsewhere = InstalledEntry { file: other.into(), ..installed("b", json!({})) };
    ledger.record(elsewhere.clone());
    ledger.record(installed("c", json!({})));
    ledger.record_created(one, vec![parent("c", PreviousState::Missing)], vec![]);
    ledger.record_created(other, vec![parent("b", PreviousState::Missing)], vec![]);
    assert_eq!(ledger.as_undo(other, None, None).entries, [elsewhere]);
    assert_eq!(ledger.as_undo(other, None, None).scaffolding.len(), 1);

    ledger.restore(&undo);
    let names: Vec<_> = ledger.entries.iter().map(|it| (&*it.file, &*it.name)).collect();
    assert_eq!(names, [(other, "b"), (one, "a")]);
    assert_eq!(ledger.created_parents(one), [parent("a", PreviousState::Missing)]);
    assert_eq!(ledger.created_parents(other), [parent("b", PreviousState::Missing)]);

    ledger.record_undo(undo);
    ledger.record_undo(ledger.as_undo(other, None, None));
    ledger.record_undo(ledger.as_undo(one, None, Some("later".into())));
    assert_eq!(ledger.undo.len(), 2);
    assert_eq!(ledger.undo(one).unwrap().left.as_deref(), Some("later"));
}

#[test]
fn an_entry_that_clients_share_is_ours_until_the_last_has_given_it_up() {
    let shared_with = vec!["warp".to_owned(), "zed".to_owned()];
    let entry = InstalledEntry { shared_with, ..installed("a", json!({})) };
    let is_of = ["cursor", "warp", "zed", "codex"].map(|it| entry.is_of(it));
    assert_eq!(is_of, [true, true, true, false]);
    let left = entry.without("cursor").unwrap();
    assert_eq!(left.clients().collect::<Vec<_>>(), ["warp", "zed"]);
    let last = left.without("zed").unwrap();
    assert_eq!(last.clients().collect::<Vec<_>>(), ["warp"]);
    assert_eq!(last.without("warp"), None);
    assert_eq!(entry.without("codex").as_ref(), Some(&entry));
}
