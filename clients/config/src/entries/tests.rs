//! Real files, a real ledger, and the clients of this workspace.

use std::fs;

use serde_json::json;

use super::*;
use crate::client;

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

    fn spot(&self, id: &str, scope: Scope) -> Spot<'_> {
        let client = self.clients.iter().find(|it| it.id == id).unwrap();
        let machine = Machine::new(client::System::Linux, self.folder.path(), &[]);
        Spot::of(client, scope, &machine, &self.path("project")).unwrap()
    }

    fn put(&self, spot: &Spot<'_>, names: &[&str]) -> Outcome {
        spot.install(&self.state(), &names.iter().map(|it| wanted(it)).collect::<Vec<_>>(), false, false)
            .unwrap()
    }

    fn take(&self, spot: &Spot<'_>, names: &[&str]) -> Outcome {
        let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
        spot.uninstall(&self.state(), &names, false, false).unwrap()
    }

    fn restore(&self, spot: &Spot<'_>) -> Result<restore::Restored> {
        spot.restore(&self.state(), false, false)
    }

    fn list(&self, spot: &Spot<'_>) -> Vec<(String, State)> {
        let listed = spot.list(&Ledger::load(&self.state()).unwrap()).unwrap();
        listed.into_iter().map(|it| (it.name, it.state)).collect()
    }
}

fn wanted(name: &str) -> Wanted {
    let entry = json!({"command": "docker", "args": ["exec", "-i", format!("mcp-{name}"), "/mcp", "stdio"]});
    Wanted { name: name.to_owned(), server: Some(name.to_owned()), entry: entry.as_object().unwrap().clone() }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn in_an_empty_home_nothing_is_left() {
    let home = Home::new();
    for (id, scope) in [("cursor", Scope::User), ("claude-code", Scope::User), ("cursor", Scope::Project)] {
        let spot = home.spot(id, scope);
        assert_eq!(
            home.put(&spot, &["a", "b"]).entries,
            [("a".into(), Fate::Added), ("b".into(), Fate::Added)]
        );
        assert_eq!(home.list(&spot), [("a".into(), State::Ours), ("b".into(), State::Ours)]);
        let again = home.put(&spot, &["a", "b"]);
        assert!(!again.done.changed);
        assert_eq!(again.entries[0].1, Fate::Unchanged);
        home.take(&spot, &["a"]);
        assert_eq!(home.list(&spot), [("b".into(), State::Ours)]);
        home.take(&spot, &["b"]);
        assert!(!spot.path.exists());
    }
    let left: Vec<_> = fs::read_dir(home.folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, ["state"]);
}

#[test]
fn a_foreign_entry_is_only_replaced_by_force_and_comes_back() {
    let home = Home::new();
    let spot = home.spot("claude-code", Scope::User);
    let original =
        "{\"mcpServers\": {\"a\": {\"command\": \"theirs\", \"env\": {\"X\": \"1\"}}}, \"numStartups\": 7}";
    fs::write(&spot.path, original).unwrap();
    let err = spot.install(&home.state(), &[wanted("a")], false, false).unwrap_err();
    assert!(format!("{err:#}").contains("an entry \"a\" that is not ours; file left unchanged"), "{err:#}");
    assert_eq!(home.list(&spot), [("a".into(), State::Foreign)]);
    assert!(spot.uninstall(&home.state(), &["a".into()], false, false).is_err());
    let forced = spot.install(&home.state(), &[wanted("a")], true, false).unwrap();
    assert_eq!(forced.entries[0].1, Fate::Replaced);
    assert_eq!(home.put(&spot, &["a"]).entries[0].1, Fate::Unchanged);
    assert_eq!(home.take(&spot, &["a"]).entries[0].1, Fate::GivenBack);
    assert_eq!(text(&spot.path), original);
}

#[test]
fn the_same_entry_of_somebody_else_stays_theirs() {
    let home = Home::new();
    let spot = home.spot("cursor", Scope::Project);
    fs::create_dir_all(spot.path.parent().unwrap()).unwrap();
    let original = json!({"mcpServers": {"a": wanted("a").entry}}).to_string();
    fs::write(&spot.path, &original).unwrap();
    let outcome = home.put(&spot, &["a"]);
    assert_eq!((outcome.entries[0].1 == Fate::AlreadyThere, outcome.done.changed), (true, false));
    assert_eq!(home.list(&spot), [("a".into(), State::Foreign)]);

    // By force it is ours, and the file is as it was.
    let outcome = spot.install(&home.state(), &[wanted("a")], true, false).unwrap();
    assert_eq!((outcome.entries[0].1 == Fate::Adopted, outcome.done.changed), (true, false));
    assert_eq!(home.list(&spot), [("a".into(), State::Ours)]);
    assert_eq!(text(&spot.path), original);
    assert_eq!(home.take(&spot, &["a"]).entries[0].1, Fate::Removed);
}

#[test]
fn what_goes_with_an_entry_is_told() {
    let home = Home::new();
    let spot = home.spot("cursor", Scope::User);
    home.put(&spot, &["a"]);
    fs::write(&spot.path, text(&spot.path).replace("\"docker\"", "\"docker\", \"disabled\": true")).unwrap();
    let outcome = home.take(&spot, &["a"]);
    let Fate::RemovedWith(changed) = &outcome.entries[0].1 else { panic!("{outcome:?}") };
    assert_eq!(changed.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), ["disabled"]);
}

#[test]
fn a_foreign_entry_among_several_is_named_and_so_are_the_others() {
    let home = Home::new();
    let spot = home.spot("cursor", Scope::User);
    fs::create_dir_all(spot.path.parent().unwrap()).unwrap();
    fs::write(&spot.path, r#"{"mcpServers": {"b": {"command": "theirs"}}}"#).unwrap();
    let all = ["a", "b", "c"].map(wanted);
    let refused = spot.install(&home.state(), &all, false, false).unwrap_err();
    assert!(format!("{refused:#}").contains("an entry \"b\" that is not ours"), "{refused:#}");
    let hint = crate::fixable::hints(&refused).concat();
    assert!(hint.contains("`--server a --server c`"), "{hint}");
}

#[test]
fn drift_is_seen_and_mended_and_additions_stay() {
    let home = Home::new();
    let spot = home.spot("cursor", Scope::User);
    home.put(&spot, &["a"]);
    let edited = text(&spot.path).replace("\"docker\"", "\"evil\", \"env\": {\"MINE\": \"1\"}");
    fs::write(&spot.path, &edited).unwrap();
    assert_eq!(home.list(&spot), [("a".into(), State::Drifted)]);
    let outcome = home.put(&spot, &["a"]);
    let Fate::Updated(drift) = &outcome.entries[0].1 else { panic!("{outcome:?}") };
    assert_eq!((drift.len(), drift[0].field.as_str()), (1, "command"));
    assert!(text(&spot.path).contains("\"MINE\"") && !text(&spot.path).contains("evil"));
    assert_eq!(home.list(&spot), [("a".into(), State::Ours)]);
}

#[test]
fn what_somebody_took_out_is_missing_and_can_be_put_back() {
    let home = Home::new();
    let spot = home.spot("cursor", Scope::User);
    home.put(&spot, &["a"]);
    fs::write(&spot.path, "{\"mcpServers\": {}}").unwrap();
    assert_eq!(home.list(&spot), [("a".into(), State::Missing)]);
    home.put(&spot, &["a"]);
    home.take(&spot, &["a"]);
    assert_eq!(text(&spot.path), "{\"mcpServers\": {}}");
    home.put(&spot, &["a"]);
    fs::write(&spot.path, "{}").unwrap();
    assert_eq!(home.take(&spot, &["a"]).entries[0].1, Fate::Gone);
    assert!(home.list(&spot).is_empty());
}

#[test]
fn a_broken_file_is_left_alone_and_so_is_the_ledger() {
    let home = Home::new();
    let spot = home.spot("claude-code", Scope::User);
    fs::write(&spot.path, "{\n  // mine\n}").unwrap();
    let err = spot.install(&home.state(), &[wanted("a")], false, false).unwrap_err();
    let place = format!("{}:2:3: a comment", spot.path.display());
    assert!(format!("{err:#}").contains(&place), "{err:#}");
    assert!(crate::fixable::hints(&err)[0].contains("fix line 2"));
    assert!(Ledger::load(&home.state()).unwrap().entries.is_empty());
    assert_eq!(text(&spot.path), "{\n  // mine\n}");
}

#[test]
fn a_dry_run_writes_nothing() {
    let home = Home::new();
    let spot = home.spot("cursor", Scope::User);
    let outcome = spot.install(&home.state(), &[wanted("a")], false, true).unwrap();
    assert!(outcome.old.is_none() && outcome.new.is_some());
    assert!(!spot.path.exists() && !home.state().exists());
}

#[test]
fn a_restore_goes_back_and_forth() {
    let home = Home::new();
    let spot = home.spot("claude-code", Scope::User);
    fs::write(&spot.path, "{\"a\": 1}").unwrap();
    assert!(home.restore(&spot).unwrap_err().to_string().contains("nothing of ours"));
    home.put(&spot, &["a"]);
    let with = text(&spot.path);
    for _ in 0..2 {
        home.restore(&spot).unwrap();
        assert_eq!(text(&spot.path), "{\"a\": 1}");
        assert_eq!(home.list(&spot), []);
        home.restore(&spot).unwrap();
        assert_eq!(text(&spot.path), with);
        assert_eq!(home.list(&spot), [("a".into(), State::Ours)]);
    }
    // Of an uninstall, too: the entry that is back is ours, and goes again.
    home.take(&spot, &["a"]);
    home.restore(&spot).unwrap();
    assert_eq!(home.list(&spot), [("a".into(), State::Ours)]);
    assert_eq!(home.take(&spot, &["a"]).entries[0].1, Fate::Removed);
    assert_eq!(text(&spot.path), "{\"a\": 1}");
}

#[test]
fn a_file_that_we_made_goes_with_a_restore_whatever_was_there_long_ago() {
    let home = Home::new();
    let spot = home.spot("cursor", Scope::User);
    home.put(&spot, &["a"]);
    home.put(&spot, &["b"]);
    home.take(&spot, &["a", "b"]);
    assert!(!spot.path.exists());
    home.put(&spot, &["a"]);
    let made = text(&spot.path);
    assert!(home.restore(&spot).unwrap().backup.is_none());
    assert!(!spot.path.parent().unwrap().exists());
    home.restore(&spot).unwrap();
    assert_eq!((text(&spot.path), home.list(&spot)), (made, vec![("a".into(), State::Ours)]));
    home.take(&spot, &["a"]);
    assert!(!spot.path.parent().unwrap().exists());
}

#[test]
fn what_was_written_since_is_given_up_by_force_only_and_kept() {
    let home = Home::new();
    let spot = home.spot("claude-code", Scope::User);
    fs::write(&spot.path, "{\"a\": 1}").unwrap();
    home.put(&spot, &["a"]);
    let edited = text(&spot.path).replace("\"a\": 1", "\"mine\": 2");
    fs::write(&spot.path, &edited).unwrap();
    let refused = home.restore(&spot).unwrap_err();
    assert!(refused.to_string().contains("was changed since"), "{refused}");
    assert_eq!(text(&spot.path), edited);
    let restored = spot.restore(&home.state(), true, false).unwrap();
    assert_eq!(text(&spot.path), "{\"a\": 1}");
    assert_eq!(text(&restored.outcome.done.backup.unwrap()), edited);
}

#[test]
fn a_foreign_entry_that_was_restored_is_foreign_again() {
    let home = Home::new();
    let spot = home.spot("cursor", Scope::User);
    fs::create_dir_all(spot.path.parent().unwrap()).unwrap();
    let original = "{\"mcpServers\": {\"a\": {\"command\": \"theirs\"/* ! */}}}";
    fs::write(&spot.path, original).unwrap();
    spot.install(&home.state(), &[wanted("a")], true, false).unwrap();
    home.restore(&spot).unwrap();
    assert_eq!(home.list(&spot), [("a".into(), State::Foreign)]);
    assert!(spot.install(&home.state(), &[wanted("a")], false, false).is_err());
    assert!(spot.uninstall(&home.state(), &["a".into()], false, false).is_err());
    assert_eq!(text(&spot.path), original);
}
