//! One command at a time builds a server, or starts its container, also where several want to.
//!
//! State folder + work + what it is done to -> its turn. Invariants: nobody waits without an end, or in silence; a command
//! that dies gives its turn back, since the lock is the open file's.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use drydock_config::file;

use crate::hint::with_hint;
use crate::interrupt;
use crate::ui::progress;

/// How long the other command may take: a build from nothing, on a slow machine, and more.
const MAX_WAIT: Duration = Duration::from_secs(30 * 60);

const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// The right to do it, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    /// Somebody else had it first.
    pub(crate) has_waited: bool,
    /// None on a file system without locks, where everybody has a turn.
    _file: Option<File>,
}

/// Waits until no other command of this clone does that work (`build`, `up`) to it. Both are parts of a file's name.
pub(crate) fn take(state: &Path, work: &str, to: &str) -> Result<Turn> {
    take_within(state, work, to, MAX_WAIT)
}

/// The same, or nothing where another command has it.
pub(crate) fn take_if_free(state: &Path, work: &str, to: &str) -> Result<Option<Turn>> {
    let path = state.join(format!("{work}-{to}.lock"));
    let mut file = file::open_private(&path)?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        return Ok(None);
    }
    sign(&mut file, &path)?;
    Ok(Some(Turn { has_waited: false, _file: Some(file) }))
}

/// So that others can say for whom they wait.
fn sign(file: &mut File, path: &Path) -> Result<()> {
    let signed = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    signed.with_context(|| format!("cannot write {}", path.display()))
}

fn take_within(state: &Path, work: &str, to: &str, limit: Duration) -> Result<Turn> {
    let path = state.join(format!("{work}-{to}.lock"));
    let mut file = file::open_private(&path)?;
    let has_waited = match file.try_lock() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => {
            let label = format!("{work} of {to}: waiting for {}", holder(&path));
            progress::step(&label, || wait(&file, &path, limit))?;
            true
        }
        Err(TryLockError::Error(_)) => return Ok(Turn { has_waited: false, _file: None }),
    };
    sign(&mut file, &path)?;
    Ok(Turn { has_waited, _file: Some(file) })
}

fn wait(file: &File, path: &Path, limit: Duration) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < limit {
        interrupt::check()?;
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(RETRY_INTERVAL),
            Err(TryLockError::Error(err)) => {
                return Err(err).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
    }
    let problem = format!("{} still has {} after {} min", holder(path), path.display(), limit.as_secs() / 60);
    Err(with_hint(problem, "wait for its end, or end it; then run this again"))
}

/// Who has the turn, in words. Where locks keep readers away, and for a moment after it was taken, it is not known.
fn holder(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    match text.trim().parse::<u32>() {
        Ok(process) => format!("another `cargo xtask` (process {process})"),
        Err(_) => "another `cargo xtask`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_works_and_the_next_waits_for_it_by_name() {
        let state = tempfile::tempdir().unwrap();
        let take =
            |work: &str, ms: u64| take_within(state.path(), work, "weather", Duration::from_millis(ms));
        let first = take("build", 0).unwrap();
        assert!(!first.has_waited && !take("up", 0).unwrap().has_waited, "other work is in no way");
        let refused = take("build", 150).unwrap_err().to_string();
        assert!(refused.contains(&format!("(process {})", std::process::id())), "{refused}");
        assert!(take_if_free(state.path(), "build", "weather").unwrap().is_none());
        drop(first);
        drop(take_if_free(state.path(), "build", "weather").unwrap().expect("it is free"));
        assert!(!take("build", 0).unwrap().has_waited);
    }

    #[test]
    fn who_has_waited_knows_it() {
        let state = tempfile::tempdir().unwrap();
        // The second one may come when the first has gone: then there was nothing to wait for, and it is tried again.
        let waited = (0..1_000).any(|_| {
            let first = take(state.path(), "build", "weather").unwrap();
            std::thread::scope(|scope| {
                let second = scope.spawn(|| take(state.path(), "build", "weather").unwrap().has_waited);
                std::thread::sleep(Duration::from_millis(20));
                drop(first);
                second.join().unwrap()
            })
        });
        assert!(waited);
    }
}
