//! What is in a file's place when we get there, whatever it is, stays somebody's.

use std::os::unix::fs::{MetadataExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::*;

struct Place {
    folder: tempfile::TempDir,
    /// The bytes that are to come in.
    temp: Option<TempPath>,
    path: std::path::PathBuf,
    before: Snapshot,
}

/// A file with `before`, as it was read, and one that is to take its place.
fn place(before: &str) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mcp.json");
    fs::write(&path, before).unwrap();
    let temp = temp::ready(temp::write(&path, b"new").unwrap(), b"new").unwrap();
    let before = snapshot(&path).unwrap().unwrap();
    Place { folder, temp: Some(temp), path, before }
}

impl Place {
    fn exchange(&mut self) -> io::Result<bool> {
        exchange(self.temp.take().unwrap(), &self.path, &self.before, b"new", &mut EditReport::default())
    }

    fn names(&self) -> Vec<String> {
        let all = fs::read_dir(self.folder.path()).unwrap();
        all.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
    }
}

#[test]
fn a_file_that_appeared_meanwhile_is_not_replaced() {
    let mut it = place("theirs");
    assert!(!create(it.temp.take().unwrap(), &it.path).unwrap());
    assert_eq!((fs::read(&it.path).unwrap(), it.names()), (b"theirs".to_vec(), vec!["mcp.json".to_owned()]));
}

#[test]
fn a_file_that_is_gone_is_not_made_anew() {
    let mut it = place("old");
    fs::remove_file(&it.path).unwrap();
    assert_eq!(it.exchange().unwrap_err().kind(), IoKind::NotFound);
    assert_eq!(it.names(), [""; 0]);
}

#[test]
fn a_link_that_took_the_files_place_goes_back_into_it() {
    let mut it = place("old");
    fs::remove_file(&it.path).unwrap();
    symlink("elsewhere", &it.path).unwrap();
    assert!(it.exchange().is_err());
    assert_eq!(fs::read_link(&it.path).unwrap(), Path::new("elsewhere"));
    assert_eq!(it.names(), ["mcp.json"]);
}

/// Another program has written a long file, and takes ours away while we read what came out. `None`: it was too slow.
fn taken_away(theirs: &[u8]) -> Option<(Place, io::Error)> {
    let mut it = place("old");
    fs::write(&it.path, theirs).unwrap();
    let (path, before) = (it.path.clone(), fs::metadata(&it.path).unwrap().ino());
    let done = AtomicBool::new(false);
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) && fs::metadata(&path).is_ok_and(|it| it.ino() == before) {
                std::hint::spin_loop();
            }
            let _ = fs::remove_file(&path);
        });
        let result = it.exchange();
        done.store(true, Relaxed);
        result
    });
    Some((it, result.err()?))
}

#[test]
fn what_cannot_go_back_is_kept_beside_the_file_and_named() {
    let theirs = vec![b' '; 32 << 20];
    let (it, err) = (0..50).find_map(|_| taken_away(&theirs)).unwrap();
    let names = it.names();
    let [kept] = names.as_slice() else { panic!("{names:?}") };
    assert!(err.to_string().contains(kept.as_str()), "{err}");
    assert!(fs::read(it.folder.path().join(kept)).unwrap() == theirs);
}

#[test]
fn an_old_file_that_cannot_be_removed_is_named() {
    let mut report = EditReport::default();
    discard(TempPath::try_from_path("/nowhere/old").unwrap(), &mut report);
    assert!(report.note.unwrap().starts_with("/nowhere/old holds the old content and can be removed"));
}

#[test]
fn a_failure_says_that_nothing_was_changed_and_what_to_do() {
    let it = Replacement { path: Path::new("/a/mcp.json"), before: None, new: None };
    for (kind, cure) in [
        (IoKind::ResourceBusy, Some("edit the file outside the container")),
        (IoKind::ReadOnlyFilesystem, Some("it is made by your system's configuration")),
        (IoKind::StorageFull, None),
    ] {
        let err = it.failed(kind.into());
        assert_eq!(err.to_string(), "cannot replace /a/mcp.json; it is unchanged", "{kind}");
        let hint = err.hint().map(|it| cure.is_some_and(|cure| it.starts_with(cure)));
        assert_eq!(hint, cure.map(|_| true), "{kind}: {:?}", err.hint());
    }
}
