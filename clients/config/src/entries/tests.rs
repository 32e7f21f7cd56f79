//! Real files, a real ledger, and the clients of this workspace.

mod adopted;
mod identity;
mod moved;
#[cfg(unix)]
mod project;
mod rivals;
mod running;
mod shared;
mod side_effects;

use std::fs;

use serde_json::json;

use super::*;
use crate::client;

const FORCE: ChangeOptions = ChangeOptions { force: true, dry_run: false };
const DRY_RUN: ChangeOptions = ChangeOptions { force: false, dry_run: true };

struct Home {
    folder: tempfile::TempDir,
    clients: Vec<Client>,
}

impl Home {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), clients: client::load(root).unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn state(&self) -> PathBuf {
        self.path("state")
    }

    fn config_file(&self, id: &str, scope: Scope) -> ClientConfigFile<'_> {
        let client = self.clients.iter().find(|it| it.id == id).unwrap();
        let host_env = HostEnv::new(client::System::Linux, self.folder.path(), &[]);
        ClientConfigFile::of(client, scope, &host_env, &self.path("project")).unwrap()
    }

    fn put(&self, config_file: &ClientConfigFile<'_>, names: &[&str]) -> Outcome {
        config_file
            .install(
                &self.state(),
                &names.iter().map(|it| desired(it)).collect::<Vec<_>>(),
                ChangeOptions::default(),
            )
            .unwrap()
    }

    fn take(&self, config_file: &ClientConfigFile<'_>, names: &[&str]) -> Outcome {
        let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
        config_file.uninstall(&self.state(), &names, ChangeOptions::default()).unwrap()
    }

    fn restore(&self, config_file: &ClientConfigFile<'_>) -> Result<Restoration> {
        config_file.restore(&self.state(), ChangeOptions::default())
    }

    fn list(&self, config_file: &ClientConfigFile<'_>) -> Vec<(String, EntryState)> {
        let listed = config_file.list(&Ledger::load(&self.state()).unwrap()).unwrap();
        listed.into_iter().map(|it| (it.name, it.state)).collect()
    }
}

fn desired(name: &str) -> DesiredEntry {
    let entry = json!({"command": "docker", "args": ["exec", "-i", format!("mcp-{name}"), "/mcp", "stdio"]});
    DesiredEntry {
        name: name.to_owned(),
        server: Some(name.to_owned()),
        entry: entry.as_object().unwrap().clone(),
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn in_an_empty_home_nothing_is_left() {
    let home = Home::new();
    for (id, scope) in [("cursor", Scope::User), ("claude-code", Scope::User), ("cursor", Scope::Project)] {
        let config_file = home.config_file(id, scope);
        assert_eq!(
            home.put(&config_file, &["a", "b"]).entries,
            [("a".into(), EntryAction::Added), ("b".into(), EntryAction::Added)]
        );
        assert_eq!(
            home.list(&config_file),
            [("a".into(), EntryState::Managed), ("b".into(), EntryState::Managed)]
        );
        let again = home.put(&config_file, &["a", "b"]);
        assert!(!again.report.changed);
        assert_eq!(again.entries[0].1, EntryAction::Unchanged);
        home.take(&config_file, &["a"]);
        assert_eq!(home.list(&config_file), [("b".into(), EntryState::Managed)]);
        home.take(&config_file, &["b"]);
        assert!(!config_file.path.exists());
    }
    let left: Vec<_> = fs::read_dir(home.folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, ["state"]);
}

#[test]
fn an_unmanaged_entry_is_only_replaced_by_force_and_comes_back() {
    let home = Home::new();
    let config_file = home.config_file("claude-code", Scope::User);
    let original =
        "{\"mcpServers\": {\"a\": {\"command\": \"theirs\", \"env\": {\"X\": \"1\"}}}, \"numStartups\": 7}";
    fs::write(&config_file.path, original).unwrap();
    let err = config_file.install(&home.state(), &[desired("a")], ChangeOptions::default()).unwrap_err();
    assert!(
        format!("{err:#}").contains("an entry \"a\" that is not managed by Drydock; file left unchanged"),
        "{err:#}"
    );
    assert_eq!(home.list(&config_file), [("a".into(), EntryState::Unmanaged)]);
    assert!(config_file.uninstall(&home.state(), &["a".into()], ChangeOptions::default()).is_err());
    let forced = config_file.install(&home.state(), &[desired("a")], FORCE).unwrap();
    assert_eq!(forced.entries[0].1, EntryAction::Replaced);
    assert_eq!(home.put(&config_file, &["a"]).entries[0].1, EntryAction::Unchanged);
    assert_eq!(home.take(&config_file, &["a"]).entries[0].1, EntryAction::Restored);
    assert_eq!(text(&config_file.path), original);
}

#[test]
fn the_same_entry_of_somebody_else_stays_theirs() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::Project);
    fs::create_dir_all(config_file.path.parent().unwrap()).unwrap();
    let original = json!({"mcpServers": {"a": desired("a").entry}}).to_string();
    fs::write(&config_file.path, &original).unwrap();
    let outcome = home.put(&config_file, &["a"]);
    assert_eq!((outcome.entries[0].1 == EntryAction::Identical, outcome.report.changed), (true, false));
    assert_eq!(home.list(&config_file), [("a".into(), EntryState::Unmanaged)]);

    // By force it is ours, and the file is as it was.
    let outcome = config_file.install(&home.state(), &[desired("a")], FORCE).unwrap();
    assert_eq!((outcome.entries[0].1 == EntryAction::Adopted, outcome.report.changed), (true, false));
    assert_eq!(home.list(&config_file), [("a".into(), EntryState::Managed)]);
    assert_eq!(text(&config_file.path), original);
    assert_eq!(home.take(&config_file, &["a"]).entries[0].1, EntryAction::Removed);
}

#[test]
fn what_goes_with_an_entry_is_told() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::User);
    home.put(&config_file, &["a"]);
    fs::write(
        &config_file.path,
        text(&config_file.path).replace("\"docker\"", "\"docker\", \"disabled\": true"),
    )
    .unwrap();
    let outcome = home.take(&config_file, &["a"]);
    let EntryAction::RemovedWith(changed) = &outcome.entries[0].1 else { panic!("{outcome:?}") };
    assert_eq!(changed.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), ["disabled"]);
}

#[test]
fn an_unmanaged_entry_among_several_is_named_and_so_are_the_others() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::User);
    fs::create_dir_all(config_file.path.parent().unwrap()).unwrap();
    fs::write(&config_file.path, r#"{"mcpServers": {"b": {"command": "theirs"}}}"#).unwrap();
    let all = ["a", "b", "c"].map(desired);
    let refused = config_file.install(&home.state(), &all, ChangeOptions::default()).unwrap_err();
    assert!(format!("{refused:#}").contains("an entry \"b\" that is not managed by Drydock"), "{refused:#}");
    let hint = refused.hint().unwrap().to_owned();
    assert!(hint.contains("`--server a --server c`"), "{hint}");
}

#[test]
fn drift_is_seen_and_mended_and_additions_stay() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::User);
    home.put(&config_file, &["a"]);
    let edited = text(&config_file.path).replace("\"docker\"", "\"evil\", \"env\": {\"MINE\": \"1\"}");
    fs::write(&config_file.path, &edited).unwrap();
    assert_eq!(home.list(&config_file), [("a".into(), EntryState::Modified)]);
    let outcome = config_file.install(&home.state(), &[desired("a")], FORCE).unwrap();
    let EntryAction::Updated(drift) = &outcome.entries[0].1 else { panic!("{outcome:?}") };
    assert_eq!((drift.len(), drift[0].field.as_str()), (1, "command"));
    assert!(text(&config_file.path).contains("\"MINE\"") && !text(&config_file.path).contains("evil"));
    // An added variable may change what is started, so it stays visible.
    assert_eq!(home.list(&config_file), [("a".into(), EntryState::Modified)]);
    assert_eq!(home.put(&config_file, &["a"]).entries[0].1, EntryAction::Unchanged);
}

#[test]
fn what_somebody_took_out_is_missing_and_can_be_put_back() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::User);
    home.put(&config_file, &["a"]);
    fs::write(&config_file.path, "{\"mcpServers\": {}}").unwrap();
    assert_eq!(home.list(&config_file), [("a".into(), EntryState::Missing)]);
    home.put(&config_file, &["a"]);
    home.take(&config_file, &["a"]);
    assert_eq!(text(&config_file.path), "{\"mcpServers\": {}}");
    home.put(&config_file, &["a"]);
    fs::write(&config_file.path, "{}").unwrap();
    assert_eq!(home.take(&config_file, &["a"]).entries[0].1, EntryAction::AlreadyAbsent);
    assert!(home.list(&config_file).is_empty());
}

#[test]
fn a_broken_file_is_left_alone_and_so_is_the_ledger() {
    let home = Home::new();
    let config_file = home.config_file("claude-code", Scope::User);
    fs::write(&config_file.path, "{\n  // mine\n}").unwrap();
    let err = config_file.install(&home.state(), &[desired("a")], ChangeOptions::default()).unwrap_err();
    let place = format!("{}:2:3: a comment", config_file.path.display());
    assert!(format!("{err:#}").contains(&place), "{err:#}");
    assert!(err.hint().unwrap().contains("fix line 2"));
    assert_eq!((err.path(), err.position().map(|it| it.line)), (Some(&*config_file.path), Some(2)));
    assert!(Ledger::load(&home.state()).unwrap().entries.is_empty());
    assert_eq!(text(&config_file.path), "{\n  // mine\n}");
}

#[test]
fn a_dry_run_writes_nothing() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::User);
    let outcome = config_file.install(&home.state(), &[desired("a")], DRY_RUN).unwrap();
    assert!(outcome.old.is_none() && outcome.new.is_some() && outcome.report.changed);
    assert!(!config_file.path.exists() && !home.state().exists());
    home.put(&config_file, &["a"]);
    let outcome = config_file.install(&home.state(), &[desired("a")], DRY_RUN).unwrap();
    assert!(!outcome.report.changed && outcome.old == outcome.new);
}

#[test]
fn of_a_large_file_what_the_ledger_knows_is_listed_alone() {
    let home = Home::new();
    let config_file = home.config_file("claude-code", Scope::User);
    fs::write(&config_file.path, "{\"mcpServers\": {\"theirs\": {\"command\": \"x\"}}}").unwrap();
    home.put(&config_file, &["a"]);
    let listed = config_file.list_known(&Ledger::load(&home.state()).unwrap()).unwrap();
    let listed: Vec<_> = listed.iter().map(|it| (&*it.name, it.state)).collect();
    assert_eq!(listed, [("a", EntryState::Managed)]);
}

#[test]
fn a_restore_goes_back_and_forth() {
    let home = Home::new();
    let config_file = home.config_file("claude-code", Scope::User);
    fs::write(&config_file.path, "{\"a\": 1}").unwrap();
    assert!(home.restore(&config_file).unwrap_err().to_string().contains("nothing of ours"));
    home.put(&config_file, &["a"]);
    let with = text(&config_file.path);
    for _ in 0..2 {
        home.restore(&config_file).unwrap();
        assert_eq!(text(&config_file.path), "{\"a\": 1}");
        assert_eq!(home.list(&config_file), []);
        home.restore(&config_file).unwrap();
        assert_eq!(text(&config_file.path), with);
        assert_eq!(home.list(&config_file), [("a".into(), EntryState::Managed)]);
    }
    // Of an uninstall, too: the entry that is back is ours, and goes again.
    home.take(&config_file, &["a"]);
    home.restore(&config_file).unwrap();
    assert_eq!(home.list(&config_file), [("a".into(), EntryState::Managed)]);
    assert_eq!(home.take(&config_file, &["a"]).entries[0].1, EntryAction::Removed);
    assert_eq!(text(&config_file.path), "{\"a\": 1}");
}

#[test]
fn a_file_that_we_made_goes_with_a_restore_whatever_was_there_long_ago() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::User);
    home.put(&config_file, &["a"]);
    home.put(&config_file, &["b"]);
    home.take(&config_file, &["a", "b"]);
    assert!(!config_file.path.exists());
    home.put(&config_file, &["a"]);
    let made = text(&config_file.path);
    assert!(home.restore(&config_file).unwrap().backup.is_none());
    assert!(!config_file.path.parent().unwrap().exists());
    home.restore(&config_file).unwrap();
    assert_eq!(
        (text(&config_file.path), home.list(&config_file)),
        (made, vec![("a".into(), EntryState::Managed)])
    );
    home.take(&config_file, &["a"]);
    assert!(!config_file.path.parent().unwrap().exists());
}

#[test]
fn what_was_written_since_is_given_up_by_force_only_and_kept() {
    let home = Home::new();
    let config_file = home.config_file("claude-code", Scope::User);
    fs::write(&config_file.path, "{\"a\": 1}").unwrap();
    home.put(&config_file, &["a"]);
    let edited = text(&config_file.path).replace("\"a\": 1", "\"mine\": 2");
    fs::write(&config_file.path, &edited).unwrap();
    let refused = home.restore(&config_file).unwrap_err();
    assert!(refused.to_string().contains("was changed since"), "{refused}");
    assert_eq!(text(&config_file.path), edited);
    let restored = config_file.restore(&home.state(), FORCE).unwrap();
    assert_eq!(text(&config_file.path), "{\"a\": 1}");
    assert_eq!(text(&restored.outcome.report.backup.unwrap()), edited);
}

#[test]
fn an_unmanaged_entry_that_was_restored_is_unmanaged_again() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::User);
    fs::create_dir_all(config_file.path.parent().unwrap()).unwrap();
    let original = "{\"mcpServers\": {\"a\": {\"command\": \"theirs\"/* ! */}}}";
    fs::write(&config_file.path, original).unwrap();
    config_file.install(&home.state(), &[desired("a")], FORCE).unwrap();
    home.restore(&config_file).unwrap();
    assert_eq!(home.list(&config_file), [("a".into(), EntryState::Unmanaged)]);
    assert!(config_file.install(&home.state(), &[desired("a")], ChangeOptions::default()).is_err());
    assert!(config_file.uninstall(&home.state(), &["a".into()], ChangeOptions::default()).is_err());
    assert_eq!(text(&config_file.path), original);
}

/// What an earlier version wrote into a file and its ledger is ours; this file was changed since.
#[test]
fn entries_of_an_earlier_version_are_ours_and_what_was_changed_since_is_restored_by_force() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::User);
    fs::create_dir_all(config_file.path.parent().unwrap()).unwrap();
    let original = "{\"mcpServers\": {\"a\": {\"command\": \"theirs\"}}}";
    let ours = json!({"mcpServers": {"a": desired("a").entry}}).to_string();
    fs::write(&config_file.path, ours).unwrap();
    let ledger = include_str!("../ledger/tests/ledger-0.1.0.json");
    let here = home.folder.path().canonicalize().unwrap();
    let ledger = ledger.replace("/home/ana", here.to_str().unwrap());
    fs::create_dir_all(home.state()).unwrap();
    fs::write(home.state().join("ledger.json"), &ledger).unwrap();
    let backup =
        Ledger::load(&home.state()).unwrap().undo(&config_file.real).unwrap().backup.clone().unwrap();
    fs::create_dir_all(backup.parent().unwrap()).unwrap();
    fs::write(&backup, original).unwrap();

    assert_eq!(home.list(&config_file), [("a".into(), EntryState::Managed)]);
    let refused = home.restore(&config_file).unwrap_err();
    assert_eq!((refused.kind(), refused.hint().is_some()), (crate::ErrorKind::Conflict, true), "{refused}");
    config_file.restore(&home.state(), FORCE).unwrap();
    assert_eq!(text(&config_file.path), original);
    assert_eq!(home.list(&config_file), [("a".into(), EntryState::Unmanaged)]);
}
