//! Run by root for a person: what is made in the person's folders is the person's.

use std::os::unix::fs::chown;

use super::*;

const PERSON: u32 = 12_345;

/// A folder of a person's; none where we are not root.
fn home(place: &Place) -> Option<PathBuf> {
    let home = place.path("home");
    fs::create_dir(&home).unwrap();
    if chown(&home, Some(PERSON), Some(PERSON)).is_err() {
        eprintln!("skipped: only root can give a folder away");
        return None;
    }
    Some(home)
}

fn owners(path: &Path) -> Vec<(PathBuf, u32)> {
    let metadata = path.symlink_metadata().unwrap();
    let mut all = vec![(path.to_path_buf(), metadata.uid())];
    if metadata.is_dir() {
        all.extend(fs::read_dir(path).unwrap().flat_map(|it| owners(&it.unwrap().path())));
    }
    all
}

#[test]
fn all_that_root_makes_in_a_persons_folder_is_the_persons() {
    let place = Place::new();
    let Some(home) = home(&place) else { return };
    let (path, state) = (home.join(".config/new/client/mcp.json"), home.join("clone/.drydock"));
    drop(open_private(&state.join("ledger.lock")).unwrap());
    assert!(write_new_private(&state.join("workspace-id"), b"1").unwrap());
    assert!(!write_new_private(&state.join("workspace-id"), b"2").unwrap());
    for text in ["one", "two"] {
        edit(&path, &state, Visibility::Private, |_| Ok(Some(text.into()))).unwrap();
        write_private(&state.join("ledger.json"), text.as_bytes()).unwrap();
    }
    assert!(owners(&state).len() > 4, "{:?}", owners(&state));
    for (path, owner) in owners(&home) {
        assert_eq!(owner, PERSON, "{}", path.display());
    }
}

#[test]
fn what_another_user_made_in_ones_own_folder_is_found_and_nothing_else() {
    let place = Place::new();
    let (me, folder) = (place.path("").metadata().unwrap().uid(), place.path("state"));
    fs::create_dir_all(folder.join("backups")).unwrap();
    let found = |path: &Path, me| platform::made_by_another(path, me);
    assert_eq!(found(&folder.join("backups/x/y"), me), None);
    assert_eq!(found(Path::new("/usr/lib/x"), 1), None, "a folder of the system's");
    if chown(&folder, Some(PERSON), None).is_err() {
        return eprintln!("skipped: only root can give a folder away");
    }
    assert_eq!(found(&folder.join("backups/x/y"), me), Some(folder.clone()));
    assert_eq!(found(&folder, me), Some(folder));
}

#[test]
fn a_refusal_of_the_system_says_whose_folder_it_is() {
    let place = Place::new();
    let folder = place.path("state");
    fs::create_dir(&folder).unwrap();
    if chown(&folder, Some(PERSON), None).is_err() {
        return eprintln!("skipped: only root can give a folder away");
    }
    let refused = || io::Error::from(IoKind::PermissionDenied);
    let err = failed(refused(), &folder.join("ledger.lock"), "cannot open it".to_owned());
    assert_eq!((err.kind(), err.to_string().as_str()), (ErrorKind::Io, "cannot open it"));
    let hint = err.hint().unwrap();
    assert!(hint.contains("chown") && hint.contains(folder.to_str().unwrap()), "{hint}");
    assert_eq!(failed(IoKind::NotFound.into(), &folder, String::new()).hint(), None);
}

#[test]
fn who_we_are_is_who_we_act_as() {
    let place = Place::new();
    assert_eq!(platform::user(), place.path("").metadata().unwrap().uid());
    #[cfg(target_os = "linux")]
    std::thread::spawn(|| {
        if rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(PERSON)).is_ok() {
            assert_eq!(platform::user(), PERSON);
        }
    })
    .join()
    .unwrap();
}

#[test]
fn folders_that_cannot_be_made_are_refused_with_the_systems_reason() {
    let place = Place::new();
    let make = |it: &Path| platform::create_folders(it, &[it.to_path_buf()], true).unwrap_err().kind();
    assert_eq!(make(&place.path(&"x".repeat(300))), IoKind::InvalidFilename);
    assert_eq!(make(&place.file("file", "")), IoKind::AlreadyExists);
    fs::create_dir(place.path("folder")).unwrap();
    platform::create_folders(&place.path("folder"), &[place.path("folder")], true).unwrap();
    let err = is_below(&place.path("file"), &place.path("file/sub")).unwrap_err();
    assert!(err.to_string().starts_with("cannot open the folder"), "{err}");
}
