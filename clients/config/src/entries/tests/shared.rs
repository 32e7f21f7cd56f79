//! One file that two clients read, one that somebody else tidies, and what is said of a refusal.

use super::*;

fn with_field(name: &str, field: &str, value: Value) -> DesiredEntry {
    let mut it = desired(name);
    it.entry.insert(field.to_owned(), value);
    it
}

fn install(home: &Home, config_file: &ClientConfigFile<'_>, desired: DesiredEntry) -> EntryAction {
    let all = [desired];
    config_file.install(&home.state(), &all, ChangeOptions::default()).unwrap().entries.remove(0).1
}

#[test]
fn two_clients_share_an_entry_until_the_last_one_goes() {
    let home = Home::new();
    let clients = ["claude-code", "copilot-cli"].map(|it| home.config_file(it, Scope::Project));
    fs::create_dir(home.path("project")).unwrap();
    assert_eq!(clients[0].real, clients[1].real);
    install(&home, &clients[0], with_field("a", "timeout", json!(9)));
    // What the first one needs stays, and once more says nothing new.
    for _ in 0..2 {
        install(&home, &clients[1], desired("a"));
        assert!(text(&clients[0].path).contains("\"timeout\": 9"));
        let ledger = Ledger::load(&home.state()).unwrap();
        assert_eq!(ledger.entries[0].clients().collect::<Vec<_>>(), ["copilot-cli", "claude-code"]);
    }
    assert_eq!(
        home.take(&clients[1], &["a"]).entries[0].1,
        EntryAction::Kept(vec!["claude-code".to_owned()])
    );
    assert_eq!(home.take(&clients[0], &["a"]).entries[0].1, EntryAction::Removed);
    assert!(!clients[0].path.exists());
}

#[test]
fn a_field_that_the_only_client_needs_no_more_goes() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::User);
    install(&home, &config_file, with_field("a", "env", json!({"OLD": "1"})));
    install(&home, &config_file, desired("a"));
    assert!(!text(&config_file.path).contains("OLD"), "{}", text(&config_file.path));
}

/// Somebody else made the file anew, so that the file is not ours to delete.
#[test]
fn a_file_that_lost_our_entry_is_no_file_that_we_made() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::User);
    home.put(&config_file, &["a"]);
    fs::write(&config_file.path, "{}").unwrap();
    home.put(&config_file, &["b"]);
    assert_eq!(home.list(&config_file), [("b".into(), EntryState::Managed)]);
    home.take(&config_file, &["b"]);
    assert_eq!(text(&config_file.path), "{}");
}

#[test]
fn what_is_not_there_is_absent_and_stays_nobodys() {
    let home = Home::new();
    let config_file = home.config_file("cursor", Scope::User);
    fs::create_dir_all(config_file.path.parent().unwrap()).unwrap();
    fs::write(&config_file.path, "{}").unwrap();
    assert_eq!(home.take(&config_file, &["a"]).entries[0].1, EntryAction::AlreadyAbsent);
}

#[test]
fn a_refusal_says_what_was_asked_and_gives_the_whole_command() {
    for scope in Scope::ALL {
        let home = Home::new();
        fs::create_dir(home.path("project")).unwrap();
        let config_file = home.config_file("cursor", scope);
        home.put(&config_file, &["a"]);
        let edited = text(&config_file.path).replace("\"docker\"", "\"other\"");
        fs::write(&config_file.path, edited).unwrap();
        let names = ["a".to_owned()];
        let refused = config_file.uninstall(&home.state(), &names, ChangeOptions::default()).unwrap_err();
        assert!(format!("{refused:#}").starts_with("cannot remove `a` from Cursor"), "{refused:#}");
        let hint = refused.hint().unwrap();
        let project = format!(" --project {:?}", home.path("project"));
        let project = if scope == Scope::Project { project.as_str() } else { "" };
        let command = format!("uninstall-client cursor --scope {scope}{project} --name \"a\" --force");
        assert!(hint.contains(&command), "{hint}");
        let refused =
            config_file.install(&home.state(), &[desired("a")], ChangeOptions::default()).unwrap_err();
        assert!(format!("{refused:#}").starts_with("cannot add `a` to Cursor"), "{refused:#}");
        assert!(refused.hint().unwrap().starts_with("`--force` writes ours again"));
    }
}
