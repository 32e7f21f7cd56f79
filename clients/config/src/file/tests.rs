//! Real files, links and pipes.

mod owners;
mod placed;
#[cfg(target_os = "linux")]
mod refusing;
mod rivals;

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn edit(&self, path: &Path, new: Option<&str>) -> Result<EditReport> {
        edit(path, &self.path("state"), Visibility::Private, |_| Ok(new.map(|it| it.as_bytes().to_vec())))
    }

    /// No temporary file is left, wherever we may have put one.
    fn assert_clean(&self) {
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(!name.contains(".drydock-"), "{name} was left behind");
        }
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_new_file_is_private_unless_it_belongs_to_a_project() {
    let place = Place::new();
    let path = place.path("a/b/mcp.json");
    let done = place.edit(&path, Some("new")).unwrap();
    assert_eq!((text(&path).as_str(), mode(&path), mode(&place.path("a/b"))), ("new", 0o600, 0o700));
    assert_eq!(done.folders, [place.path("a"), place.path("a/b")]);
    assert!(done.backup.is_none());
    let shared = place.path("shared.json");
    edit(&shared, &place.path("state"), Visibility::Shared, |_| Ok(Some(b"new".to_vec()))).unwrap();
    assert_eq!(mode(&shared), 0o644);
}

#[test]
fn a_file_keeps_its_mode_and_gets_a_backup() {
    let place = Place::new();
    let path = place.file("mcp.json", "old");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let done = place.edit(&path, Some("new")).unwrap();
    assert_eq!((text(&path).as_str(), mode(&path)), ("new", 0o640));
    let backup = done.backup.unwrap();
    assert_eq!(
        (text(&backup).as_str(), mode(&backup), mode(backup.parent().unwrap())),
        ("old", 0o600, 0o700)
    );
    place.assert_clean();
}

#[test]
fn attributes_stay() {
    let place = Place::new();
    let path = place.file("mcp.json", "old");
    if rustix::fs::setxattr(&path, "user.drydock", b"mine", rustix::fs::XattrFlags::empty()).is_err() {
        return eprintln!("skipped: this file system has no extended attributes");
    }
    place.edit(&path, Some("new")).unwrap();
    let mut value = [0; 4];
    assert_eq!(rustix::fs::getxattr(&path, "user.drydock", &mut value[..]), Ok(4));
    assert_eq!(&value, b"mine");
}

/// An access list is an attribute in the kernel's own format: version, then tag, rights and id of each line.
#[test]
fn an_access_list_stays() {
    let place = Place::new();
    let path = place.file("mcp.json", "old");
    let line = |tag: u16, rights: u16, id: u32| {
        [&tag.to_le_bytes()[..], &rights.to_le_bytes(), &id.to_le_bytes()].concat()
    };
    let nobody = u32::MAX;
    // user::rw-, user:1234:rw-, group::---, mask::rw-, other::---: the mode reads 0660, the group has nothing.
    let lines = [(1, 6, nobody), (2, 6, 1234), (4, 0, nobody), (16, 6, nobody), (32, 0, nobody)];
    let list = lines
        .iter()
        .fold(2_u32.to_le_bytes().to_vec(), |all, &(tag, rights, id)| [all, line(tag, rights, id)].concat());
    let name = "system.posix_acl_access";
    if rustix::fs::setxattr(&path, name, &list, rustix::fs::XattrFlags::empty()).is_err() {
        return eprintln!("skipped: this file system has no access lists");
    }
    assert_eq!(mode(&path), 0o660);
    place.edit(&path, Some("new")).unwrap();
    let mut found = vec![0; list.len() + 1];
    let length = rustix::fs::getxattr(&path, name, &mut found[..]).unwrap();
    assert_eq!((&found[..length], mode(&path)), (&list[..], 0o660));
}

#[test]
fn what_is_too_large_is_refused() {
    let place = Place::new();
    let path = place.path("mcp.json");
    let file = File::create(&path).unwrap();
    file.set_len(MAX_FILE_SIZE as u64 + 1).unwrap();
    let err = place.edit(&path, Some("new")).unwrap_err().to_string();
    assert!(err.contains("has 65 MiB: an edit is checked with several copies"), "{err}");
    assert_eq!(fs::metadata(&path).unwrap().len(), MAX_FILE_SIZE as u64 + 1);
    for more in [1, 2] {
        file.set_len(MAX_FILE_SIZE as u64 + more).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), ErrorKind::InvalidFile);
        assert_eq!(read_regular(&path).unwrap_err().kind(), IoKind::FileTooLarge);
    }
    file.set_len(MAX_FILE_SIZE as u64).unwrap();
    assert_eq!(read(&path).unwrap().map(|it| it.len()), Some(MAX_FILE_SIZE));
    assert_eq!(read_regular(&path).unwrap().len(), MAX_FILE_SIZE);
    place.assert_clean();
}

#[test]
fn what_is_to_be_known_is_said_once() {
    let mut report = EditReport::default();
    for it in ["a", "b", "a"] {
        report.add_note(it.to_owned());
    }
    assert_eq!(report.note.as_deref(), Some("a; b"));
}

#[test]
fn what_came_into_the_place_meanwhile_is_not_followed() {
    let place = Place::new();
    let file = place.file("file", "text");
    let (link, pipe) = (place.path("link"), place.path("pipe"));
    symlink(&file, &link).unwrap();
    make_pipe(&pipe);
    assert!(platform::open(&link).is_err() && platform::open_private(&link).is_err());
    assert!(platform::open(&pipe).is_ok(), "does not block, and is seen to be no file");
    assert!(platform::open_private(&pipe).is_err());
    // Another command was faster.
    let folder = place.path("folder");
    fs::create_dir(&folder).unwrap();
    platform::create_folders(&folder, std::slice::from_ref(&folder), true).unwrap();
    assert!(platform::create_folders(&file, std::slice::from_ref(&file), true).is_err());
    symlink(&folder, place.path("folder link")).unwrap();
    assert!(platform::open_new_folder(&place.path("folder link")).is_err());
    assert!(platform::open_new_folder(&file).is_err() && platform::open_new_folder(&folder).is_ok());
}

#[test]
fn every_file_has_a_folder_for_its_backups() {
    let place = Place::new();
    let folder = |it: &str| backup::folder(&place.path("state"), Path::new(it));
    assert_eq!(folder("/a/b/c.json"), place.path("state/backups/a/b/c.json"));
    assert_ne!(folder("/a/c.json"), folder("/b/c.json"));
}

#[test]
fn files_of_our_own_are_private_and_new() {
    let place = Place::new();
    let path = place.path("a/b/own");
    assert!(write_new_private(&path, b"1").unwrap());
    assert!(!write_new_private(&path, b"2").unwrap(), "one is there");
    assert_eq!((text(&path).as_str(), mode(&path), mode(&place.path("a/b"))), ("1", 0o600, 0o700));
    make_private_folder(&place.path("c/d")).unwrap();
    assert_eq!((mode(&place.path("c")), mode(&place.path("c/d"))), (0o700, 0o700));
    assert_eq!(make_private_folder(&path.join("e")).unwrap_err().kind(), ErrorKind::Io);
    place.assert_clean();
}

/// What a killed command leaves goes; what may be another program's only copy stays, and is told.
#[test]
fn leftovers_are_tidied_up_unless_they_may_be_somebodys() {
    let place = Place::new();
    let path = place.file("mcp.json", "1");
    place.edit(&path, Some("2")).unwrap();
    place.file(".mcp.json.drydock-aaaaaa.new", "half wri");
    place.file(".mcp.json.drydock-bbbbbb.0123456789abcdef", "1"); // as it was: the backup has it
    let ours =
        temp::ready(temp::write(&path, b"never got in").unwrap(), b"never got in").unwrap().keep().unwrap();
    let theirs = place.file(".mcp.json.drydock-cccccc.0123456789abcdef", "a rival's");
    let neighbours = place.file(".other.json.drydock-dddddd.new", "another file's");
    let done = place.edit(&path, Some("2")).unwrap();
    assert!(!done.changed && done.note.unwrap().contains("cccccc"));
    assert!(!ours.exists());
    let left = fs::read_dir(place.folder.path()).unwrap().map(|it| it.unwrap().path());
    let mut left: Vec<_> = left.filter(|it| it.to_string_lossy().contains(".drydock-")).collect();
    left.sort();
    assert_eq!(left.iter().map(|it| text(it)).collect::<Vec<_>>(), [text(&theirs), text(&neighbours)]);
}

#[test]
fn the_same_bytes_are_not_written() {
    let place = Place::new();
    let path = place.file("mcp.json", "same");
    let before = fs::metadata(&path).unwrap();
    let done = place.edit(&path, Some("same")).unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!(
        (before.ino(), before.mtime_nsec(), before.ctime_nsec()),
        (after.ino(), after.mtime_nsec(), after.ctime_nsec())
    );
    assert!(!done.changed && !place.path("state").exists());
    assert!(!place.edit(&place.path("none/mcp.json"), None).unwrap().changed);
    assert!(!place.path("none").exists());
}

#[test]
fn ten_backups_are_kept() {
    let place = Place::new();
    let path = place.file("mcp.json", "0");
    for n in 1..=12 {
        place.edit(&path, Some(&n.to_string())).unwrap();
    }
    let folder = place.edit(&path, Some("13")).unwrap().backup.unwrap().parent().unwrap().to_path_buf();
    assert_eq!(fs::read_dir(folder).unwrap().count(), 10);
    let latest = latest_backup(&place.path("state"), &path, Some(b"13")).unwrap();
    assert_eq!(latest.unwrap().1, b"12");
}

#[test]
fn links_stay_links() {
    let place = Place::new();
    let file = place.file("real.json", "old");
    let (chain, link) = (place.path("chain"), place.path("link"));
    symlink("real.json", &chain).unwrap();
    symlink(&chain, &link).unwrap();
    place.edit(&link, Some("new")).unwrap();
    assert_eq!(text(&file), "new");
    assert!(link.is_symlink() && chain.is_symlink() && !file.is_symlink());

    let dangling = place.path("dangling");
    symlink("later/mcp.json", &dangling).unwrap();
    place.edit(&dangling, Some("new")).unwrap();
    assert_eq!(text(&place.path("later/mcp.json")), "new");
    assert!(dangling.is_symlink());

    let looped = place.path("loop");
    symlink("loop", &looped).unwrap();
    assert!(place.edit(&looped, Some("new")).unwrap_err().to_string().contains("a loop of symbolic links"));
    place.assert_clean();
}

#[expect(clippy::disallowed_methods, reason = "rustix has no call for it on macOS")]
fn make_pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn what_is_no_file_is_refused_and_does_not_block() {
    let place = Place::new();
    let folder = place.path("folder");
    fs::create_dir(&folder).unwrap();
    assert!(place.edit(&folder, Some("new")).unwrap_err().to_string().contains("is a folder"));
    let pipe = place.path("pipe");
    make_pipe(&pipe);
    assert!(place.edit(&pipe, Some("new")).unwrap_err().to_string().contains("not a regular file"));
    assert!(folder.is_dir());
    place.assert_clean();
}

/// Root is denied nothing: so by names that no file can have.
#[test]
fn a_file_that_cannot_be_looked_at_is_not_one_that_is_not_there() {
    let place = Place::new();
    assert_eq!(read(&place.path("none")).unwrap(), None);
    assert_eq!(read(&place.path("none/below")).unwrap(), None);
    let too_long = place.path(&"x".repeat(300));
    let below_a_file = place.file("file", "text").join("below");
    for path in [&too_long, &below_a_file] {
        let err = read(path).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Io, "{err:#}");
        let changed = edit(path, &place.path("state"), Visibility::Private, |_| {
            panic!("{path:?} was taken for missing")
        });
        assert_eq!(changed.unwrap_err().kind(), ErrorKind::Io);
        assert_ne!(read_regular(path).unwrap_err().kind(), IoKind::NotFound);
        // As if it had come into the file's place a moment ago.
        assert_ne!(read_snapshot(path).unwrap_err().kind(), IoKind::NotFound);
    }
    assert_eq!(read_snapshot(&place.path("none")).unwrap(), None);
    assert_eq!(read_regular(&place.path("none")).unwrap_err().kind(), IoKind::NotFound);
    place.assert_clean();
}

#[test]
fn a_read_only_file_is_refused() {
    let place = Place::new();
    let path = place.file("mcp.json", "old");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let err = place.edit(&path, Some("new")).unwrap_err();
    assert!(err.to_string().contains("is read-only"), "{err}");
    assert!(err.hint().unwrap().contains("writable"), "{err}");
    assert_eq!(text(&path), "old");
}

/// What a package manager made is made again from its own source: to change it by hand is no cure.
#[test]
fn a_read_only_file_of_a_managers_is_told_from_ones_own() {
    for path in ["/nix/store/0a-home-manager-files/.cursor/mcp.json", "/gnu/store/0a-x/mcp.json"] {
        let hint = replace::read_only_hint(Path::new(path));
        assert!(!hint.contains("writable") && hint.contains("`--print`"), "{hint}");
    }
    let system = replace::Replacement { path: Path::new("/x/mcp.json"), before: None, new: None };
    let err = system.failed(IoKind::ReadOnlyFilesystem.into());
    assert!(err.hint().unwrap().contains("`--print`"), "{err}");
}

#[test]
fn a_read_only_folder_is_refused() {
    let place = Place::new();
    let folder = place.path("closed");
    fs::create_dir(&folder).unwrap();
    let path = place.file("closed/mcp.json", "old");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folder.join("probe"), "").is_ok() {
        return eprintln!("skipped: root may write everywhere");
    }
    let err = format!("{:#}", place.edit(&path, Some("new")).unwrap_err());
    assert!(err.contains("it is unchanged"), "{err}");
    assert_eq!(text(&path), "old");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_failed_edit_leaves_everything_as_it_was() {
    let place = Place::new();
    let path = place.file("mcp.json", "old");
    let state = place.path("state");
    let err = edit(&path, &state, Visibility::Private, |_| Err(Error::new(ErrorKind::InvalidInput, "no")))
        .unwrap_err();
    assert_eq!((err.to_string().as_str(), text(&path).as_str()), ("no", "old"));
    fs::write(&state, "a file where the backups should go").unwrap();
    place.edit(&path, Some("new")).unwrap_err();
    assert_eq!(text(&path), "old");
    place.assert_clean();
}

#[test]
fn hard_links_are_told() {
    let place = Place::new();
    let path = place.file("mcp.json", "old");
    fs::hard_link(&path, place.path("other")).unwrap();
    let done = place.edit(&path, Some("new")).unwrap();
    assert!(done.note.unwrap().contains("1 more name"));
    assert_eq!(text(&place.path("other")), "old");
    assert_eq!(place.edit(&path, Some("newer")).unwrap().note, None);
}

#[test]
fn a_file_can_go() {
    let place = Place::new();
    let path = place.file("mcp.json", "old");
    assert!(place.edit(&path, None).unwrap().changed);
    assert!(!path.exists());
    place.assert_clean();
}
