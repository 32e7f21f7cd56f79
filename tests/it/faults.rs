//! The disk is full, the program is killed, somebody else writes: what is left of a person's file?
//!
//! The real xtask in a bad environment -> the file is the old or the new one, whole. Invariant: a fault is only counted when
//! it has really happened.

mod inject;
mod rivals;
mod space;

use std::fs;
use std::path::{Path, PathBuf};

use drydock_tests::process::CommandOutput;
use drydock_tests::test_env::TestEnv;

/// What a person may have in `~/.cursor/mcp.json`.
const FILE: &str = "// mine\n{\n\t\"mcpServers\": {\n\t\t\"notes\": { \"command\": \"notes-mcp\" }, // here\n\t},\n\t\"n\": 1e2\n}\n";

const INSTALL: &[&str] = &["install-client", "cursor", "--name", "remote", "--url", "http://127.0.0.1:9/mcp"];
const UNINSTALL: &[&str] = &["uninstall-client", "cursor"];

fn file(env: &TestEnv) -> PathBuf {
    env.home().join(".cursor/mcp.json")
}

/// An empty home, and in it the file, if there is one.
fn reset(env: &TestEnv, text: Option<&str>) {
    for folder in [env.home(), env.state()] {
        fs::remove_dir_all(&folder).expect("a folder to empty");
        fs::create_dir(&folder).expect("a new folder");
    }
    let Some(text) = text else { return };
    let file = file(env);
    fs::create_dir(file.parent().expect("a folder")).expect("a new folder");
    fs::write(&file, text).expect("a new file");
    private(&file);
}

/// A mode that no umask gives.
fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o640)).expect("a mode");
}

/// Temporary files of ours, anywhere below.
fn left_over(folder: &Path) -> Vec<PathBuf> {
    let all = all_files(folder).into_iter();
    all.filter(|it| it.file_name().is_some_and(|it| it.to_string_lossy().contains(".drydock-"))).collect()
}

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|it| it.path());
    paths.flat_map(|it| if it.is_dir() { all_files(&it) } else { vec![it] }).collect()
}

/// After whatever happened: an install brings everything to rights, and a removal gives the first bytes back.
#[track_caller]
fn heals(env: &TestEnv, original: Option<&str>, with: &[u8], what: &str) {
    let file = file(env);
    expect_ok(env.run(INSTALL), what);
    assert_eq!(show(fs::read(&file).ok().as_deref()), show(Some(with)), "{what}: not healed by an install");
    expect_ok(env.run(UNINSTALL), what);
    assert_eq!(
        show(fs::read(&file).ok().as_deref()),
        show(original.map(str::as_bytes)),
        "{what}: not given back"
    );
    assert_eq!(left_over(&env.home()), <[PathBuf; 0]>::default(), "{what}");
    assert_eq!(left_over(&env.state()), <[PathBuf; 0]>::default(), "{what}");
    let ledger = fs::read_to_string(env.state().join("ledger.json")).expect("a ledger");
    let ledger: serde_json::Value = serde_json::from_str(&ledger).expect("JSON");
    assert_eq!(
        (ledger["entries"].to_string(), ledger["files"].to_string()),
        ("[]".into(), "[]".into()),
        "{what}"
    );
}

#[track_caller]
fn expect_ok(output: CommandOutput, what: &str) {
    assert_eq!(output.code, Some(0), "{what}: {output}");
}

fn show(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|it| String::from_utf8_lossy(it).into_owned())
}
