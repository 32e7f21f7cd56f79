//! What of a server's folder only this folder holds.
//!
//! Root + name -> files that the last commit does not have as they are. Invariant: where git cannot tell, all of it counts.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::cargo::has_program;

/// So many are named.
const MAX_SHOWN: usize = 10;

/// What would be lost with the folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unsaved {
    /// The last commit has all of it.
    Nothing,
    /// Changed since, or unknown to git: each in words.
    Files(Vec<String>),
    /// There is no repository.
    Everything,
}

/// Asks git.
pub(super) fn unsaved(root: &Path, name: &str) -> Result<Unsaved> {
    if !has_program("git") {
        return Ok(Unsaved::Everything);
    }
    let (sh, folder) = (Shell::new()?, format!("servers/{name}"));
    sh.change_dir(root);
    // Those that it ignores, too: nothing else holds them.
    let ask =
        cmd!(sh, "git status --porcelain=v1 -z --no-renames --ignored --untracked-files=normal -- {folder}");
    let output = Command::from(ask).output().context("cannot run git")?;
    if !output.status.success() {
        return Ok(Unsaved::Everything);
    }
    Ok(parse(&String::from_utf8_lossy(&output.stdout)))
}

/// `XY PATH` each, with a zero byte behind it.
fn parse(said: &str) -> Unsaved {
    let lines = said.split('\0').filter_map(|it| Some((it.get(..2)?, it.get(3..)?)));
    let files: Vec<_> =
        lines.filter_map(|(code, path)| Some(format!("{path}: {}", meaning(code)?))).collect();
    if files.is_empty() { Unsaved::Nothing } else { Unsaved::Files(files) }
}

/// None for what is gone already.
fn meaning(code: &str) -> Option<&'static str> {
    match code {
        "??" => Some("git does not know it"),
        "!!" => Some("git ignores it"),
        " D" | "D " => None,
        _ => Some("changed since the last commit"),
    }
}

impl Unsaved {
    /// For a person, a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        match self {
            Unsaved::Nothing => Vec::new(),
            Unsaved::Everything => vec!["no git repository holds it".to_owned()],
            Unsaved::Files(files) => {
                let more = files.len().saturating_sub(MAX_SHOWN);
                let rest = (more > 0).then(|| format!("and {more} more"));
                files.iter().take(MAX_SHOWN).cloned().chain(rest).collect()
            }
        }
    }

    /// What is lost for good, in a few words.
    pub(super) fn lost(&self) -> Option<String> {
        match self {
            Unsaved::Nothing => None,
            Unsaved::Everything => Some("its folder, which no git repository holds,".to_owned()),
            Unsaved::Files(files) if files.len() == 1 => Some("1 path that git cannot bring back".to_owned()),
            Unsaved::Files(files) => Some(format!("{} paths that git cannot bring back", files.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_is_said_in_words() {
        let said = "?? servers/a/new.rs\0 M servers/a/src/main.rs\0!! servers/a/.env\0 D servers/a/gone\0A  servers/a/b c\0";
        let Unsaved::Files(files) = parse(said) else { panic!("{said:?}") };
        assert_eq!(files.len(), 4, "{files:?}");
        assert_eq!(files[0], "servers/a/new.rs: git does not know it");
        assert_eq!(files[3], "servers/a/b c: changed since the last commit");
        assert_eq!(parse(" D servers/a/gone\0"), Unsaved::Nothing);
        assert_eq!(parse(""), Unsaved::Nothing);
    }

    /// A real repository: the words are git's.
    #[test]
    fn a_commit_holds_what_is_in_it() {
        if !has_program("git") {
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("servers/a");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("known"), "1").unwrap();
        assert_eq!(unsaved(root.path(), "a").unwrap(), Unsaved::Everything);
        let sh = Shell::new().unwrap();
        sh.change_dir(root.path());
        for args in ["init --quiet", "add .", "-c user.name=a -c user.email=a@b commit --quiet -m a"] {
            let args = args.split(' ');
            cmd!(sh, "git {args...}").quiet().run().unwrap();
        }
        assert_eq!(unsaved(root.path(), "a").unwrap(), Unsaved::Nothing);
        std::fs::write(folder.join("known"), "2").unwrap();
        std::fs::write(folder.join("new"), "").unwrap();
        assert_eq!(unsaved(root.path(), "a").unwrap().lines().len(), 2);
        assert!(unsaved(root.path(), "a").unwrap().lost().unwrap().starts_with("2 paths"));
    }
}
