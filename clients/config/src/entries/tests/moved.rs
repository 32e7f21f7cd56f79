//! A clone that was moved, with its state folder in it: what it wrote is still its own, and can be undone.

use super::*;

/// A clone in `name`, which is also the project.
fn in_clone<'a>(home: &'a Home, name: &str, scope: Scope) -> (ClientConfigFile<'a>, PathBuf) {
    let client = home.clients.iter().find(|it| it.id == "cursor").unwrap();
    let host_env = HostEnv::new(client::System::Linux, home.folder.path(), &[]);
    let clone = home.path(name);
    let config_file = ClientConfigFile::of(client, scope, &host_env, &clone).unwrap();
    (config_file, clone.join(".drydock"))
}

fn put(config_file: &ClientConfigFile<'_>, state: &Path, name: &str) {
    config_file.install(state, &[desired(name)], ChangeOptions::default()).unwrap();
}

fn states(config_file: &ClientConfigFile<'_>, state: &Path) -> Vec<EntryState> {
    let listed = config_file.list(&Ledger::load(state).unwrap()).unwrap();
    listed.into_iter().map(|it| it.state).collect()
}

#[test]
fn a_restore_finds_the_backup_where_the_state_is_now() {
    for scope in Scope::ALL {
        let home = Home::new();
        fs::create_dir(home.path("old")).unwrap();
        let (config_file, state) = in_clone(&home, "old", scope);
        fs::create_dir_all(config_file.path.parent().unwrap()).unwrap();
        fs::write(&config_file.path, "{\"mine\": 1}").unwrap();
        put(&config_file, &state, "a");
        fs::rename(home.path("old"), home.path("new")).unwrap();
        let (config_file, state) = in_clone(&home, "new", scope);
        config_file.restore(&state, ChangeOptions::default()).unwrap();
        assert_eq!(text(&config_file.path), "{\"mine\": 1}", "{scope}");
    }
}

#[test]
fn entries_in_the_clone_itself_are_ours_after_a_move() {
    let home = Home::new();
    fs::create_dir(home.path("old")).unwrap();
    let (config_file, state) = in_clone(&home, "old", Scope::Project);
    put(&config_file, &state, "a");
    fs::create_dir(home.path("deeper")).unwrap();
    fs::rename(home.path("old"), home.path("deeper/new")).unwrap();
    let (config_file, state) = in_clone(&home, "deeper/new", Scope::Project);
    assert_eq!(states(&config_file, &state), [EntryState::Managed]);
    put(&config_file, &state, "b");
    let names = ["a".to_owned(), "b".to_owned()];
    config_file.uninstall(&state, &names, ChangeOptions::default()).unwrap();
    assert!(!config_file.path.exists() && !config_file.path.parent().unwrap().exists());
    assert!(Ledger::load(&state).unwrap().entries.is_empty());
}

/// A copy is no move: the first clone's entries are still its own.
#[test]
fn a_copy_of_the_state_claims_nothing_in_the_new_place() {
    let home = Home::new();
    for clone in ["old", "copy"] {
        fs::create_dir_all(home.path(clone).join(".cursor")).unwrap();
    }
    let (config_file, state) = in_clone(&home, "old", Scope::Project);
    put(&config_file, &state, "a");
    let (copied, copy) = in_clone(&home, "copy", Scope::Project);
    fs::create_dir(&copy).unwrap();
    for file in ["ledger.json", "location"] {
        let _ = fs::copy(state.join(file), copy.join(file));
    }
    fs::copy(&config_file.path, &copied.path).unwrap();
    assert_eq!(states(&copied, &copy), [EntryState::Unmanaged]);
}

/// What an earlier version left: no note of where the state was, but a backup that lies in it.
#[test]
fn a_move_is_seen_by_the_backups_alone() {
    let home = Home::new();
    fs::create_dir_all(home.path("old/.cursor")).unwrap();
    let (config_file, state) = in_clone(&home, "old", Scope::Project);
    fs::write(&config_file.path, "{\"mine\": 1}").unwrap();
    put(&config_file, &state, "a");
    fs::remove_file(state.join("location")).unwrap();
    fs::rename(home.path("old"), home.path("new")).unwrap();
    let (config_file, state) = in_clone(&home, "new", Scope::Project);
    assert_eq!(states(&config_file, &state), [EntryState::Managed]);
    config_file.uninstall(&state, &["a".to_owned()], ChangeOptions::default()).unwrap();
    assert_eq!(text(&config_file.path), "{\"mine\": 1}");
}
