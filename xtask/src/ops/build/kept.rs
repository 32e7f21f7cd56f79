//! What was installed and compiled for a build, kept for the next one that is made of the same.
//!
//! Inputs, byte for byte -> a folder with files. Invariants: what is found was made of exactly these inputs, which are kept
//! beside it and compared; it appears whole or not at all, and only its owner reads it.

use std::fs::{self, File};
use std::hash::Hasher;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use drydock_config::file;
use rustc_hash::FxHasher;
use tempfile::TempDir;

/// The most that is kept: folders, and bytes in them. The oldest ones go.
const MAX_KEPT: usize = 64;
const MAX_BYTES: u64 = 4 << 30;

/// What is older and not whole was left by a build that was killed.
pub(super) const MAX_BUILD_TIME: Duration = Duration::from_secs(24 * 60 * 60);

const INPUTS: &str = "inputs";

/// Everything that decides what comes out, in an order, each after its length: two lists that differ never look alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Inputs(Vec<u8>);

impl Inputs {
    pub(super) fn add(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.0.extend(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
        self.0.extend_from_slice(bytes);
    }

    /// These and one more.
    pub(super) fn with(&self, bytes: impl AsRef<[u8]>) -> Self {
        let mut all = self.clone();
        all.add(bytes);
        all
    }

    /// The name of its folder. Two may have the same: that only costs a build.
    fn name(&self) -> String {
        let mut hasher = FxHasher::default();
        hasher.write(&self.0);
        format!("{:016x}", hasher.finish())
    }
}

/// The folder `builds` in the state folder.
#[derive(Debug)]
pub(crate) struct Kept {
    folder: PathBuf,
    /// Only what this command keeps itself is found (`--no-cache`).
    anew: Option<SystemTime>,
}

/// What [`Kept::remove_all`] removed, or would remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) builds: usize,
    pub(crate) bytes: u64,
}

impl Kept {
    /// Of a state folder; with `anew` nothing is found that is there now.
    pub(crate) fn of(state: &Path, anew: bool) -> Self {
        Self { folder: state.join("builds"), anew: anew.then(SystemTime::now) }
    }

    /// The folder with what was made of these inputs.
    pub(super) fn find(&self, inputs: &Inputs) -> Option<PathBuf> {
        let found = self.folder.join(inputs.name());
        let file = File::options().append(true).open(found.join(INPUTS)).ok()?;
        if self
            .anew
            .is_some_and(|it| file.metadata().and_then(|file| file.modified()).is_ok_and(|then| then < it))
        {
            return None;
        }
        if fs::read(found.join(INPUTS)).ok()? != inputs.0 {
            return None;
        }
        // The last one to be thrown away.
        drop(file.set_modified(SystemTime::now()));
        Some(found)
    }

    /// An empty folder to put files into.
    pub(super) fn begin(&self) -> Result<TempDir> {
        file::make_private_folder(&self.folder)?;
        let made = tempfile::Builder::new().prefix("new-").tempdir_in(&self.folder);
        made.with_context(|| format!("cannot make a folder in {}", self.folder.display()))
    }

    /// Keeps such a folder, and says where it is then.
    pub(super) fn keep(&self, made: TempDir, inputs: &Inputs) -> Result<PathBuf> {
        let to = self.folder.join(inputs.name());
        let failed = || format!("cannot keep {}", to.display());
        file::write_new_private(&made.path().join(INPUTS), &inputs.0)?;
        // Another server's build may keep the same at this moment, and work with it.
        while let Err(err) = fs::rename(made.path(), &to) {
            if let Some(found) = self.find(inputs) {
                return Ok(found);
            }
            if !to.is_dir() {
                return Err(err).with_context(failed);
            }
            remove(&to)?;
        }
        drop(made.keep()); // it has another name now
        self.remove_oldest(&to)?;
        Ok(to)
    }

    /// How much is kept.
    pub(crate) fn amount(&self) -> Amount {
        let all = self.finished();
        Amount { builds: all.len(), bytes: all.iter().map(|it| it.bytes).sum() }
    }

    /// Removes it, but not what a build is at. The next builds fetch and compile again.
    pub(crate) fn remove_all(&self) -> Result<Amount> {
        let all = self.finished();
        for it in &all {
            remove(&it.folder)?;
        }
        Ok(Amount { builds: all.len(), bytes: all.iter().map(|it| it.bytes).sum() })
    }

    /// Those that are whole, and what killed builds left.
    fn finished(&self) -> Vec<Entry> {
        let mut all = self.entries();
        all.retain(|it| {
            it.folder.join(INPUTS).is_file() || it.used.elapsed().is_ok_and(|age| age > MAX_BUILD_TIME)
        });
        all
    }

    fn remove_oldest(&self, but: &Path) -> Result<()> {
        let mut all = self.finished();
        all.retain(|it| it.folder != but);
        all.sort_by_key(|it| std::cmp::Reverse(it.used));
        let mut bytes = size(but);
        for (i, it) in all.into_iter().enumerate() {
            bytes = bytes.saturating_add(it.bytes);
            if i + 2 > MAX_KEPT || bytes > MAX_BYTES {
                remove(&it.folder)?;
            }
        }
        Ok(())
    }

    /// Also those of builds under way, and of killed ones, which have no inputs yet.
    fn entries(&self) -> Vec<Entry> {
        let folders = fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|it| it.path());
        let entry = |folder: PathBuf| {
            let used = fs::metadata(folder.join(INPUTS)).or_else(|_| fs::metadata(&folder));
            let used = used.and_then(|it| it.modified());
            Entry { used: used.unwrap_or(SystemTime::UNIX_EPOCH), bytes: size(&folder), folder }
        };
        folders.map(entry).collect()
    }
}

#[derive(Debug)]
struct Entry {
    folder: PathBuf,
    bytes: u64,
    used: SystemTime,
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(err) if err.kind() != ErrorKind::NotFound => {
            Err(err).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|it| Some(it.metadata().ok()?.len())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(parts: &[&str]) -> Inputs {
        let mut inputs = Inputs::default();
        parts.iter().for_each(|it| inputs.add(it));
        inputs
    }

    fn keep(kept: &Kept, of: &Inputs, text: &str) -> PathBuf {
        let made = kept.begin().unwrap();
        fs::write(made.path().join("deps.tar"), text).unwrap();
        kept.keep(made, of).unwrap()
    }

    #[test]
    fn what_is_found_was_made_of_the_same() {
        let state = tempfile::tempdir().unwrap();
        let kept = Kept::of(state.path(), false);
        let (one, other) = (inputs(&["lock", "ab"]), inputs(&["lock", "ac"]));
        assert_eq!(kept.find(&one), None);
        let folder = keep(&kept, &one, "packages");
        assert_eq!(kept.find(&one), Some(folder.clone()));
        assert_eq!(kept.find(&other), None);
        // Another one by the same short name is not taken for it.
        fs::write(folder.join(INPUTS), &other.0).unwrap();
        assert_eq!(kept.find(&one), None);
        let again = keep(&kept, &one, "other packages");
        std::thread::sleep(Duration::from_millis(20)); // a file system's clock is coarse
        assert_eq!(Kept::of(state.path(), true).find(&one), None, "`--no-cache`");
        assert_eq!(
            (kept.find(&one), fs::read_to_string(again.join("deps.tar")).unwrap()),
            (Some(again), "other packages".into())
        );
        let under_way = kept.begin().unwrap();
        assert_eq!(kept.amount().builds, 1);
        assert_eq!(kept.remove_all().unwrap().builds, 1);
        assert_eq!((kept.find(&one), kept.remove_all().unwrap().builds), (None, 0));
        assert!(under_way.path().is_dir());
    }

    #[test]
    fn who_keeps_the_same_at_once_takes_it_from_nobody() {
        let state = tempfile::tempdir().unwrap();
        let kept = Kept::of(state.path(), false);
        for round in 0..200 {
            let it = inputs(&[&round.to_string()]);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| assert!(keep(&kept, &it, "x").join("deps.tar").is_file(), "{round}"));
                }
            });
        }
    }

    #[test]
    fn what_a_build_is_at_goes_for_nobody() {
        let state = tempfile::tempdir().unwrap();
        let kept = Kept::of(state.path(), false);
        let under_way = kept.begin().unwrap();
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        File::open(under_way.path()).unwrap().set_modified(hour_ago).unwrap();
        for it in 0..MAX_KEPT {
            keep(&kept, &inputs(&[&it.to_string()]), "x");
        }
        assert!(under_way.path().is_dir());
    }

    #[test]
    fn lists_that_differ_are_different_inputs() {
        assert_ne!(inputs(&["a", "b"]), inputs(&["ab"]));
        assert_ne!(inputs(&["a", ""]), inputs(&["a"]));
        assert_ne!(inputs(&["", "a"]), inputs(&["a", ""]));
    }

    #[test]
    fn the_oldest_go() {
        let state = tempfile::tempdir().unwrap();
        let kept = Kept::of(state.path(), false);
        let all: Vec<_> = (0..MAX_KEPT + 2).map(|it| inputs(&[&it.to_string()])).collect();
        for (i, it) in all.iter().enumerate() {
            let folder = keep(&kept, it, "x");
            let old = SystemTime::UNIX_EPOCH + Duration::from_secs(i as u64);
            let file = File::options().append(true).open(folder.join(INPUTS)).unwrap();
            file.set_modified(old).unwrap();
            // The first one is used all the time.
            assert!(kept.find(&all[0]).is_some(), "{i}");
        }
        assert_eq!(kept.amount().builds, MAX_KEPT);
        assert_eq!((kept.find(&all[1]), kept.find(&all[2])), (None, None));
        assert!(kept.find(&all[3]).is_some());
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let folder = keep(&Kept::of(state.path(), false), &inputs(&["x"]), "x");
        for path in [folder.join(INPUTS), state.path().join("builds")] {
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", path.display());
        }
    }
}
