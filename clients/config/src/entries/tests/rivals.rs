//! Clients that write their file right after we did, with what we wrote still in it.

use super::*;

/// Runs `change`; as soon as the file has what `is_ours` knows, a client replaces it with the rival's version.
fn beside<T>(path: &Path, is_ours: impl Fn(&str) -> bool + Sync, change: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_ours(&text(path)) {}
            let temp = path.with_extension("rival");
            fs::write(&temp, text(path).replace("before", "rival")).unwrap();
            fs::rename(temp, path).unwrap();
        });
        change()
    })
}

#[test]
fn an_entry_that_a_rival_has_kept_is_ours_and_was_added() {
    let home = Home::new();
    let config_file = home.config_file("claude-code", Scope::User);
    let kept = || {
        fs::write(&config_file.path, "{\"before\": 1}").unwrap();
        let is_ours = |it: &str| it.contains("mcp-a");
        let outcome = beside(&config_file.path, is_ours, || home.put(&config_file, &["a"]));
        assert_eq!(outcome.entries, [("a".into(), EntryAction::Added)]);
        assert_eq!(home.list(&config_file), [("a".into(), EntryState::Managed)]);
        let was_again = outcome.old.is_some_and(|it| it.windows(5).any(|it| it == b"rival"));
        home.take(&config_file, &["a"]);
        was_again
    };
    assert!((0..50).any(|_| kept()), "the rival was always too late");
}

/// The backup of our first try is what the client has replaced since: to go back to it would undo the client's work.
#[test]
fn a_restore_does_not_take_the_backup_of_its_own_first_try() {
    let home = Home::new();
    let config_file = home.config_file("claude-code", Scope::User);
    let refused = || {
        let _ = fs::remove_dir_all(home.state());
        fs::write(&config_file.path, "{\"before\": 1}").unwrap();
        home.put(&config_file, &["a"]);
        // As after an interrupted change: there is a backup, and no note.
        fs::remove_file(home.state().join("ledger.json")).unwrap();
        let with = text(&config_file.path);
        let result = beside(&config_file.path, |it| it != with, || home.restore(&config_file));
        assert_eq!(text(&config_file.path), "{\"rival\": 1}");
        result.is_err_and(|err| err.kind() == crate::ErrorKind::Conflict)
    };
    assert!((0..50).any(|_| refused()), "the rival was always too late");
}
