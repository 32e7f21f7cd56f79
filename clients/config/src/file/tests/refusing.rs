//! A kernel that refuses one system call, to the thread of one test: as a file system without it does, or a failing disk.

use rustix::fs::XattrFlags;
use rustix::io::Errno;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use super::*;

const CREATE_NEW: u64 = (libc::O_CREAT | libc::O_EXCL) as u64;

/// Runs `body` where `call` fails with `errno`; with `bits`: only if they are set in its argument of that number.
fn refused<T: Send>(
    call: libc::c_long,
    bits: Option<(u8, u64)>,
    errno: Errno,
    body: impl FnOnce() -> T + Send,
) -> T {
    let rules = bits.map(|(number, bits)| {
        let is_set = SeccompCmpOp::MaskedEq(bits);
        let condition = SeccompCondition::new(number, SeccompCmpArgLen::Dword, is_set, bits).unwrap();
        SeccompRule::new(vec![condition]).unwrap()
    });
    let filter = SeccompFilter::new(
        [(call, Vec::from_iter(rules))].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno.raw_os_error().unsigned_abs()),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            seccompiler::apply_filter(&program).unwrap();
            body()
        });
        thread.join().unwrap()
    })
}

#[test]
fn where_two_files_cannot_change_places_the_new_one_takes_the_old_ones() {
    for errno in [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP] {
        let place = Place::new();
        let path = place.file("mcp.json", "old");
        let report = refused(libc::SYS_renameat2, None, errno, || place.edit(&path, Some("new"))).unwrap();
        assert_eq!((text(&path).as_str(), text(&report.backup.unwrap()).as_str()), ("new", "old"));
        place.assert_clean();
    }
}

#[test]
fn a_failing_exchange_leaves_the_file_and_says_so() {
    let place = Place::new();
    let path = place.file("mcp.json", "old");
    let err = refused(libc::SYS_renameat2, None, Errno::IO, || place.edit(&path, Some("new"))).unwrap_err();
    assert!(
        err.to_string().starts_with(&format!("cannot replace {}; it is unchanged", path.display())),
        "{err}"
    );
    assert_eq!(text(&path), "old");
    place.assert_clean();
}

/// It is no file that was there before.
#[test]
fn a_new_file_that_cannot_be_put_in_its_place_is_an_error() {
    let place = Place::new();
    let path = place.path("mcp.json");
    let done = refused(libc::SYS_renameat2, None, Errno::IO, || {
        (place.edit(&path, Some("new")).map(drop), write_new_private(&path, b"new"))
    });
    assert_eq!((done.0.unwrap_err().kind(), done.1.unwrap_err().kind()), (ErrorKind::Io, ErrorKind::Io));
    assert!(!path.exists());
    place.assert_clean();
}

#[test]
fn a_lock_that_cannot_be_made_is_no_lock_that_is_there() {
    let place = Place::new();
    let path = place.path("ledger.lock");
    let opened = refused(libc::SYS_openat, Some((2, CREATE_NEW)), Errno::ACCESS, || {
        platform::open_private(&path).map(drop)
    });
    assert_eq!(opened.unwrap_err().kind(), IoKind::PermissionDenied);
}

#[test]
fn a_folder_that_cannot_be_synced_is_fine_only_where_no_folder_can() {
    let place = Place::new();
    let sync = |errno| {
        refused(libc::SYS_fsync, None, errno, || platform::sync_folder(&place.path("")))
            .map_err(|it| it.kind())
    };
    assert_eq!(sync(Errno::INVAL), Ok(()));
    assert!(sync(Errno::IO).is_err() && sync(Errno::NOSPC) == Err(IoKind::StorageFull));
}

/// What the kernel keeps for itself may go; a person's own notes and access lists may not.
#[test]
fn an_attribute_that_cannot_be_copied_is_an_error_if_it_is_the_persons() {
    for (name, is_theirs) in [("user.drydock", true), ("trusted.drydock", false)] {
        let place = Place::new();
        let path = place.file("mcp.json", "old");
        if rustix::fs::setxattr(&path, name, b"x", XattrFlags::empty()).is_err() {
            eprintln!("skipped: no attributes of the kind of {name} here");
            continue;
        }
        let done = refused(libc::SYS_fsetxattr, None, Errno::PERM, || place.edit(&path, Some("new")));
        assert_eq!((done.is_err(), text(&path).as_str()), (is_theirs, if is_theirs { "old" } else { "new" }));
        place.assert_clean();
    }
}
