//! Which versions a package of a registry comes with: a lock file in the server's folder, written by its first build.
//!
//! Server + folder -> the lock that fits, or none; a new one -> the file. Invariants: a lock that is for something else is made
//! anew, one that cannot be read or says more than versions and hashes stays as it is and ends the build; nothing but the
//! server's own folder is written to.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use drydock_catalog::{Kind, Program, Server};
use serde_json::Value;

use super::packages::Making;
use super::requirements;
use crate::hint::with_hint;
use crate::ui::progress;

/// In bytes: thousands of packages, with the hashes of all their files.
pub(super) const MAX_LOCK: usize = 16 << 20;

/// The file's name. A folder that has one is no server of one's own for that.
pub(super) fn name(kind: Kind) -> &'static str {
    if kind == Kind::Python { "requirements.lock" } else { "package-lock.json" }
}

/// The lock beside a server.json, where it fits; where there is one that does not, that is said.
pub(super) fn find(server: &Server) -> Result<Option<Vec<u8>>> {
    let path = server.dir.join(name(server.kind));
    let about = match fs::symlink_metadata(&path) {
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.with_context(|| format!("cannot read {}", path.display()))?,
    };
    if about.is_symlink() {
        bail!("{} is a link: no build follows one", path.display());
    }
    // A named pipe would be waited for.
    if !about.is_file() || about.len() > MAX_LOCK as u64 {
        return Err(unusable(server, "it is no regular file, or larger than 16 MiB"));
    }
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    match judge(server.kind, &server.program, &text) {
        Ok(true) => Ok(Some(text)),
        Ok(false) => {
            let file = shown(server);
            progress::say(&format!(
                "{}: {file} is for something else than its server.json says: locking anew",
                server.name
            ));
            Ok(None)
        }
        Err(why) => Err(unusable(server, why)),
    }
}

/// It is the person's: what a merge or an editor has broken may hold versions that nothing else knows.
fn unusable(server: &Server, why: &str) -> anyhow::Error {
    let file = shown(server);
    let hint = format!(
        "bring it back (`git checkout -- {file}`), or delete it: then the next build locks the versions of today"
    );
    with_hint(format!("{file} cannot be used: {why}; nothing was built, and it is as it was"), hint)
}

/// Writes the lock that was just installed from, and says so: one that npm or uv refuses would be in every later build's way.
pub(super) fn write(making: &Making<'_>, text: &[u8]) {
    if write_beside(making.server, text) {
        making.sources.forget(&making.server.dir);
    }
}

/// Why nothing could be installed, when the lock was there before: only npm and uv know whether it is the reason.
pub(super) fn explain(server: &Server, is_there: bool, err: anyhow::Error) -> anyhow::Error {
    if !is_there {
        return err;
    }
    let file = shown(server);
    let hint = format!(
        "where a hash or a version is not as {file} has it: did somebody edit it? `git checkout -- {file}` brings it back. If \
         nobody did, the registry has other files than those that were locked: do not use them before you know why"
    );
    with_hint(format!("{err:#}"), hint)
}

/// Where that cannot be, why is said. Whether it was written.
fn write_beside(server: &Server, text: &[u8]) -> bool {
    let (name, file) = (&server.name, shown(server));
    let written = match judge(server.kind, &server.program, text) {
        Ok(true) => replace(&server.dir.join(self::name(server.kind)), text).map_err(|err| err.to_string()),
        Ok(false) => Err("what came out is for something else".to_owned()),
        Err(why) => Err(why.to_owned()),
    };
    progress::say(&match &written {
        Ok(()) => format!("{name}: wrote {file}, the versions of all that it needs: commit it"),
        Err(why) => format!(
            "{name}: cannot write {file} ({why}): the next build from nothing may take newer versions of what it needs"
        ),
    });
    written.is_ok()
}

fn shown(server: &Server) -> String {
    Path::new("servers").join(&server.name).join(name(server.kind)).display().to_string()
}

fn replace(path: &PathBuf, text: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".lock-").tempfile_in(folder)?;
    file.write_all(text)?;
    #[cfg(unix)]
    file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?; // as the sources beside it
    file.persist(path).map_err(|err| err.error).map(drop)
}

/// Whether a lock is for what is installed; or why it is none that may be used.
fn judge(kind: Kind, program: &Program, text: &[u8]) -> Result<bool, &'static str> {
    match kind {
        Kind::Python => judge_python(program, text),
        _ => judge_node(program, text),
    }
}

fn judge_node(program: &Program, text: &[u8]) -> Result<bool, &'static str> {
    let lock: Value = serde_json::from_slice(text).map_err(|_| "it is not JSON")?;
    let packages = lock["packages"].as_object();
    let parts = packages.and_then(|it| Some((it, it.get("")?["dependencies"].as_object()?)));
    let (packages, locked) = parts.ok_or("it is no lock of npm 7 or newer")?;
    let Some(wanted) = &program.package else { return Ok(false) };
    let has = |it: &Value, keys: &[&str]| keys.iter().any(|key| it.get(key).is_some());
    // The person reads server.json, and nobody a lock: what is elsewhere would be in its place.
    let is_elsewhere = packages.values().any(|it| has(it, &["resolved", "link"]));
    let own = packages.get(&format!("node_modules/{}", wanted.name));
    if is_elsewhere || own.is_some_and(|it| has(it, &["name"])) {
        return Err(
            "a package in it is from elsewhere than the registry (`resolved`, `link` or another name)",
        );
    }
    Ok(locked.len() == 1 && locked.get(&wanted.name).is_some_and(|it| it == wanted.version.as_str()))
}

fn judge_python(program: &Program, text: &[u8]) -> Result<bool, &'static str> {
    const MORE: &str = "a line of it is not one package with its version and hashes";
    let pins = std::str::from_utf8(text).ok().and_then(pins).ok_or(MORE)?;
    if pins.is_empty() {
        return Err("it holds no package");
    }
    let is_there = |name: &str, version: &str| {
        let found = pins.get(&normal(name));
        found.is_some_and(|it| version.strip_prefix("==").is_none_or(|wanted| release(wanted) == release(it)))
    };
    let wanted = program.requirements();
    Ok(!wanted.is_empty() && wanted.iter().all(|it| is_there(&it.name, &it.version)))
}

/// The version of each package in a requirements.lock; nothing where a line of it says more than a version, markers and
/// hashes: options could have foreign code run, or lead elsewhere.
fn pins(text: &str) -> Option<BTreeMap<String, String>> {
    if requirements::options(text).any(|it| !it.starts_with("--hash=")) {
        return None;
    }
    let mut pins = BTreeMap::new();
    for line in text.replace("\\\n", " ").replace("\\\r\n", " ").lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (requirement, hashes) = line.split_once("--hash=")?;
        let all_hashes = hashes.split_whitespace().skip(1).all(|it| it.starts_with("--hash="));
        let (name, rest) = requirement.split_once("==")?;
        let name = name.split('[').next().unwrap_or_default();
        let is_name =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        if !(all_hashes && is_name && name.starts_with(|c: char| c.is_ascii_alphanumeric()))
            || rest.contains("--")
        {
            return None;
        }
        let version = rest.split([' ', ';']).next().unwrap_or_default();
        pins.insert(normal(name), version.to_owned());
    }
    Some(pins)
}

/// `1.0` is `1.0.0`.
fn release(mut version: &str) -> &str {
    while let Some(shorter) = version.strip_suffix(".0") {
        version = shorter;
    }
    version
}

/// As PyPI compares names.
fn normal(name: &str) -> String {
    let mut all = String::new();
    for c in name.chars() {
        let c = if "._".contains(c) { '-' } else { c.to_ascii_lowercase() };
        if c != '-' || !all.ends_with('-') {
            all.push(c);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use drydock_catalog::{Pinned, Requirement};

    use super::*;

    fn package(name: &str, version: &str) -> Program {
        let package = Some(Pinned { name: name.into(), version: version.into() });
        Program { package, ..Program::default() }
    }

    #[test]
    fn a_lock_of_npm_is_for_one_package_at_one_version() {
        let lock = |text: &str| format!(r#"{{"packages": {{"": {{"dependencies": {{{text}}}}}}}}}"#);
        let judged = |text: &str| judge(Kind::Node, &package("@a/it", "1.0.0"), text.as_bytes());
        let right = lock(r#""@a/it": "1.0.0""#);
        assert_eq!(judged(&right), Ok(true));
        for another in [
            &lock(r#""@a/it": "1.0.1""#),
            &lock(r#""@a/it": "1.0.0", "more": "1.0.0""#),
            &lock(r#""it": "1.0.0""#),
            &lock(""),
        ] {
            assert_eq!(judged(another), Ok(false), "{another}");
        }
        for broken in ["{}", "", "[]", &right[..20], &format!("<<<<<<< HEAD\n{right}")] {
            assert!(judged(broken).is_err(), "{broken}");
        }
    }

    const LOCK: &str = "# made by uv\nanyio==4.16.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n\
        MCP_server.time[x]==1.0.0 ; sys_platform != 'win32' \\\n    --hash=sha256:cc\n";

    #[test]
    fn a_lock_of_npm_leads_nowhere_but_to_the_registry() {
        let judged = |path: &str, entry: &str| {
            let root = r#""": { "name": "x", "dependencies": { "it": "1.0.0" } }"#;
            let lock = format!(r#"{{ "packages": {{ {root}, "node_modules/{path}": {entry} }} }}"#);
            judge(Kind::Node, &package("it", "1.0.0"), lock.as_bytes())
        };
        assert_eq!(judged("it", r#"{ "version": "1.0.0", "integrity": "sha512-x" }"#), Ok(true));
        assert_eq!(judged("alias", r#"{ "version": "1.0.0", "name": "other" }"#), Ok(true));
        for path in ["it", "other"] {
            for resolved in [r#""https://example.com/it.tgz""#, r#""file:.", "link": true"#] {
                let entry = format!(r#"{{ "version": "1.0.0", "resolved": {resolved} }}"#);
                assert!(judged(path, &entry).unwrap_err().contains("elsewhere"), "{entry}");
            }
        }
        assert!(
            judged("it", r#"{ "version": "1.0.0", "name": "other" }"#).unwrap_err().contains("elsewhere")
        );
    }

    #[test]
    fn a_lock_of_pypi_holds_what_is_installed() {
        let time = package("mcp-server-time", "1.0.0");
        let fits = |program: &Program, text: &str| judge(Kind::Python, program, text.as_bytes()).unwrap();
        assert!(fits(&time, LOCK) && fits(&package("mcp-server-time", "1.0"), LOCK));
        assert!(!fits(&package("mcp-server-time", "1.0.1"), LOCK));
        assert!(!fits(&package("other", "1.0.0"), LOCK));
        let with = |name: &str, version: &str| Program {
            with: vec![Requirement { name: name.into(), extras: Vec::new(), version: version.into() }],
            ..time.clone()
        };
        assert!(fits(&with("AnyIO", ""), LOCK) && fits(&with("anyio", "==4.16.0"), LOCK));
        assert!(!fits(&with("anyio", "==4.0.0"), LOCK) && !fits(&with("click", ""), LOCK));
    }

    #[test]
    fn a_lock_that_says_more_than_versions_is_not_used() {
        let time = package("mcp-server-time", "1.0.0");
        for line in [
            "--no-binary :all:",
            "--index-url https://example.com",
            "-e .",
            "-r other.txt",
            "it @ https://example.com/it.whl --hash=sha256:aa",
            "it==1.0.0",
            "it==1.0.0 --hash=sha256:aa --no-binary=it",
            "it==1.0.0 --config-settings=x --hash=sha256:aa",
            "./it==1.0.0 --hash=sha256:aa",
            // Where uv ends a comment.
            "# nothing \\\n--no-binary it",
            "# nothing\r--no-binary it",
            "it==1.0.0 --hash=sha256:aa # nothing\r--no-binary it",
            "<<<<<<< HEAD",
            "it==1.0.",
        ] {
            let lock = format!("{LOCK}{line}\n");
            assert!(judge(Kind::Python, &time, lock.as_bytes()).is_err(), "{line}");
        }
        for empty in ["", "# made by uv\n"] {
            assert!(judge(Kind::Python, &time, empty.as_bytes()).is_err(), "{empty}");
        }
    }

    #[test]
    fn it_is_written_beside_the_manifest_and_found_again() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("servers/it");
        fs::create_dir_all(&dir).unwrap();
        let manifest = r#"{ "name": "io.github.ana/it", "description": "It", "version": "1.0.0", "packages": [{
            "registryType": "npm", "identifier": "it", "version": "1.0.0", "transport": { "type": "stdio" } }] }"#;
        fs::write(dir.join("server.json"), manifest).unwrap();
        let server = drydock_catalog::pick(root.path(), "it").unwrap();
        assert_eq!(find(&server).unwrap(), None);
        let lock = br#"{"packages": {"": {"dependencies": {"it": "1.0.0"}}}}"#;
        assert!(write_beside(&server, lock));
        assert_eq!(find(&server).unwrap().as_deref(), Some(&lock[..]));
        // It does not make the folder another kind of server.
        assert_eq!(drydock_catalog::pick(root.path(), "it").unwrap().program, server.program);
        let file = dir.join("package-lock.json");
        fs::write(&file, br#"{"packages": {"": {"dependencies": {"it": "1.0.1"}}}}"#).unwrap();
        assert_eq!(find(&server).unwrap(), None, "for another version");
        // What is broken is the person's to mend.
        fs::write(&file, &lock[..30]).unwrap();
        let said = find(&server).unwrap_err().to_string();
        assert!(said.contains("servers/it/package-lock.json cannot be used: it is not JSON"), "{said}");
        assert_eq!(fs::read(&file).unwrap(), &lock[..30]);
        assert!(!write_beside(&server, b"{}"), "not for it");
        #[cfg(unix)]
        {
            fs::remove_file(dir.join("package-lock.json")).unwrap();
            let pipe = dir.join("package-lock.json");
            let sh = xshell::Shell::new().unwrap();
            xshell::cmd!(sh, "mkfifo {pipe}").run().unwrap();
            assert!(find(&server).is_err(), "it is not waited for");
            fs::remove_file(pipe).unwrap();
            std::os::unix::fs::symlink("/etc/passwd", dir.join("package-lock.json")).unwrap();
            assert!(find(&server).unwrap_err().to_string().contains("is a link"));
        }
    }
}
