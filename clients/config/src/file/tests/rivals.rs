//! Other programs that write the same file at the same time: nothing of theirs is lost.

use std::fs::OpenOptions;
use std::time::Instant;

use super::*;

#[test]
fn what_a_rival_wrote_in_between_is_seen() {
    let place = Place::new();
    let path = place.file("mcp.json", "old");
    let mut seen = Vec::new();
    edit(&path, &place.path("state"), Visibility::Private, |old| {
        seen.push(String::from_utf8(old.unwrap().to_vec()).unwrap());
        if seen.len() == 1 {
            fs::write(&path, "rival").unwrap();
        }
        Ok(Some(format!("{} and us", seen.last().unwrap()).into_bytes()))
    })
    .unwrap();
    assert_eq!(seen, ["old", "rival"]);
    assert_eq!(text(&path), "rival and us");
}

#[test]
fn a_rival_that_never_rests_is_left_alone() {
    let place = Place::new();
    let path = place.file("mcp.json", "0");
    let (begin, mut turn) = (Instant::now(), 0);
    let err = edit(&path, &place.path("state"), Visibility::Private, |_| {
        turn += 1;
        fs::write(&path, turn.to_string()).unwrap();
        Ok(Some(b"ours".to_vec()))
    })
    .unwrap_err();
    assert!(err.to_string().contains("keeps writing"), "{err}");
    // After the last try it looks once more whether there is still something to do.
    assert_eq!(text(&path), turn.to_string());
    assert!(turn > 4 && begin.elapsed() >= RETRY_FOR, "{turn} tries in {:?}", begin.elapsed());
    place.assert_clean();
}

/// One that writes every 150 ms leaves a gap sooner or later.
#[test]
fn a_rival_that_rests_after_some_writes_is_waited_for() {
    let place = Place::new();
    let path = place.file("mcp.json", "0");
    let backups = || {
        let all = fs::read_dir(file_backups(&place, &path)).unwrap();
        all.map(|it| text(&it.unwrap().path())).collect::<std::collections::BTreeSet<_>>()
    };
    for n in 1..=9 {
        place.edit(&path, Some(&n.to_string())).unwrap();
    }
    let mut turn = 0;
    let report = edit(&path, &place.path("state"), Visibility::Private, |_| {
        turn += 1;
        if turn <= 10 {
            fs::write(&path, format!("rival {turn}")).unwrap();
        }
        Ok(Some(b"ours".to_vec()))
    })
    .unwrap();
    assert_eq!((turn, text(&path).as_str()), (11, "ours"));
    // What the rival wrote in between is nobody's to come back to, and must not push out what is.
    let kept: Vec<_> = (0..=8).map(|it| it.to_string()).chain(["rival 10".to_owned()]).collect();
    assert_eq!(backups().into_iter().collect::<Vec<_>>(), kept);
    assert_eq!(text(&report.backup.unwrap()), "rival 10");
    place.assert_clean();
}

/// Ours was in the file for a moment: what it replaced must be had again. (A rival that comes too late is tried again.)
#[test]
fn a_rival_that_replaces_what_we_have_just_written_leaves_us_the_backup_of_before() {
    let came = || {
        let place = Place::new();
        let path = place.file("mcp.json", "old");
        let mut seen = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while text(&path) == "old" {}
                fs::rename(place.file("rival.tmp", "rival"), &path).unwrap();
            });
            edit(&path, &place.path("state"), Visibility::Private, |old| {
                seen.push(String::from_utf8(old.unwrap().to_vec()).unwrap());
                Ok(Some([old.unwrap(), b" and us"].concat()))
            })
            .unwrap();
        });
        (seen.len() > 1).then_some((place, path, seen))
    };
    let (place, path, seen) = (0..50).find_map(|_| came()).unwrap();
    assert_eq!((seen, text(&path).as_str()), (vec!["old".to_owned(), "rival".to_owned()], "rival and us"));
    let backups = file_backups(&place, &path);
    assert_eq!([1, 2].map(|it| text(&backups.join(format!("{it:06}")))), ["old", "rival"]);
    place.assert_clean();
}

#[test]
fn a_backup_of_an_earlier_change_outlives_a_try_that_came_to_nothing() {
    let place = Place::new();
    let path = place.file("mcp.json", "old");
    place.edit(&path, Some("new")).unwrap();
    fs::write(&path, "old").unwrap();
    let mut turn = 0;
    edit(&path, &place.path("state"), Visibility::Private, |_| {
        turn += 1;
        if turn == 1 {
            fs::write(&path, "rival").unwrap();
        }
        Ok(Some(b"ours".to_vec()))
    })
    .unwrap();
    assert_eq!(text(&file_backups(&place, &path).join("000001")), "old");
}

fn file_backups(place: &Place, path: &Path) -> PathBuf {
    backups_of(&place.path("state"), path)
}

/// The file holds `RIVAL OURS`, and each side raises its own number. The rival remembers its own: if the file has a
/// smaller one for good, one of its updates was lost. (It may see one for the moment that an exchange takes.)
#[test]
fn no_update_of_a_busy_rival_is_lost() {
    let place = Place::new();
    let path = place.file("mcp.json", "0 0");
    let numbers = |text: &str| -> (u64, u64) {
        let (rival, ours) = text.split_once(' ').unwrap();
        (rival.parse().unwrap(), ours.parse().unwrap())
    };
    let is_there = |number: u64| {
        (0..200).any(|_| {
            numbers(&text(&path)).0 == number || {
                std::thread::sleep(Duration::from_millis(5));
                false
            }
        })
    };
    std::thread::scope(|scope| {
        let rival = scope.spawn(|| {
            for written in 1..=1500_u64 {
                let temp = place.path("rival.tmp");
                fs::write(&temp, format!("{written} {}", numbers(&text(&path)).1)).unwrap();
                fs::rename(&temp, &path).unwrap();
                std::thread::sleep(Duration::from_micros(if written % 20 == 0 { 20_000 } else { 100 }));
                assert!(is_there(written), "update {written} of the rival was lost");
            }
        });
        let mut installed = 0;
        while installed < 10 || !rival.is_finished() {
            let result = edit(&path, &place.path("state"), Visibility::Private, |old| {
                let (rival, ours) = numbers(std::str::from_utf8(old.unwrap()).unwrap());
                Ok(Some(format!("{rival} {}", ours + 1).into_bytes()))
            });
            installed += u64::from(result.is_ok());
        }
        rival.join().unwrap();
    });
    assert!(is_there(1500));
    place.assert_clean();
}

/// A client that has opened its file, and writes in place once we have exchanged or removed it.
#[test]
fn what_a_rival_writes_late_into_the_old_file_is_seen() {
    let place = Place::new();
    for ours in [Some("ours"), None] {
        let path = place.file("mcp.json", "old");
        let old = fs::metadata(&path).unwrap().ino();
        let mut seen = Vec::new();
        std::thread::scope(|scope| {
            edit(&path, &place.path("state"), Visibility::Private, |bytes| {
                seen.push(String::from_utf8(bytes.unwrap().to_vec()).unwrap());
                if seen.len() == 1 {
                    let mut opened = OpenOptions::new().append(true).open(&path).unwrap();
                    let path = &path;
                    scope.spawn(move || {
                        while fs::metadata(path).is_ok_and(|it| it.ino() == old) {
                            std::thread::yield_now();
                        }
                        std::io::Write::write_all(&mut opened, b" and late").unwrap();
                    });
                }
                Ok(ours.map(Into::into))
            })
            .unwrap();
        });
        assert_eq!(seen, ["old", "old and late"]);
        assert_eq!(path.exists().then(|| text(&path)).as_deref(), ours);
        place.assert_clean();
    }
}

/// A client that opens its file and writes it in place, a thousand times a second.
#[test]
fn a_rival_that_writes_in_place_loses_nothing() {
    let place = Place::new();
    let path = place.file("mcp.json", "0");
    let is_there = |expected: u64| {
        (0..400).any(|_| {
            text(&path).split(' ').next() == Some(&expected.to_string()) || {
                std::thread::sleep(Duration::from_millis(5));
                false
            }
        })
    };
    std::thread::scope(|scope| {
        let rival = scope.spawn(|| {
            for n in 1..=500_u64 {
                fs::write(&path, format!("{n} of the rival's")).unwrap();
                std::thread::sleep(Duration::from_millis(1));
                assert!(is_there(n), "update {n} of the rival was lost: {}", text(&path));
            }
        });
        while !rival.is_finished() {
            let _ = edit(&path, &place.path("state"), Visibility::Private, |old| {
                let number = std::str::from_utf8(old.unwrap()).unwrap().split(' ').next().unwrap().to_owned();
                if number.is_empty() {
                    return Err(Error::new(ErrorKind::Conflict, "seen between its opening and its writing"));
                }
                let other = if old.unwrap().ends_with(b"ours") { "OURS" } else { "ours" };
                Ok(Some(format!("{number} and {other}").into_bytes()))
            });
        }
        rival.join().unwrap();
    });
    assert!(is_there(500));
    place.assert_clean();
}

#[test]
fn installers_take_turns() {
    let place = Place::new();
    let path = place.file("mcp.json", "");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    edit(&path, &place.path("state"), Visibility::Private, |old| {
                        Ok(Some([old.unwrap(), b"x"].concat()))
                    })
                    .unwrap();
                }
            });
        }
    });
    assert_eq!(text(&path), "x".repeat(40));
    place.assert_clean();
}
