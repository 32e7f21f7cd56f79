//! No room, no right, no rename: disks that are full or read-only, files that are mounted, as a person meets them.
//!
//! The real xtask in a mount namespace of its own -> the file unchanged, an error that says so. Skipped where the
//! kernel lets nobody but root have one (`unshare -rm`).

use std::fs;

use drydock_tests::process::{CommandOutput, TIMEOUT, command, run_with};
use drydock_tests::skip;
use drydock_tests::test_env::{TestEnv, xtask};

use super::{FILE, INSTALL, UNINSTALL, file, heals, reset};

macro_rules! unshare_or_skip {
    () => {
        let probe = ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
        let probe = run_with(command("unshare").args(probe), &[], TIMEOUT);
        if probe.code != Some(0) {
            skip!("no mount namespace can be made here: {}", probe.stderr.trim());
        }
    };
}

/// Mounts something, runs the command, and keeps a copy of what is then in `.cursor`: in the namespace only.
fn in_a_namespace(env: &TestEnv, mount: &str, args: &[&str]) -> CommandOutput {
    let script = format!(
        "root=$PWD && cd \"$HOME\" && {mount} && cd \"$root\" && {{ \"$@\"; code=$?; cp -a \"$HOME/.cursor\" \"$SEEN\"; exit $code; }}"
    );
    let seen = env.project().join("seen");
    let _ = fs::remove_dir_all(&seen);
    let mut unshare = env.command("unshare");
    unshare.args(["-rm", "sh", "-c", &script, "sh"]).arg(xtask()).args(args).env("SEEN", seen);
    run_with(&mut unshare, &[], TIMEOUT)
}

/// The command failed, said so, and left the file and nothing else.
#[track_caller]
fn nothing_changed(env: &TestEnv, failed: &CommandOutput, says: &str, expected: &str) {
    assert_eq!(failed.code, Some(1), "{failed}");
    assert!(failed.stderr.contains(says) && failed.stderr.contains("unchanged"), "{failed}");
    let seen = env.project().join("seen");
    assert_eq!(fs::read_to_string(seen.join("mcp.json")).ok().as_deref(), Some(expected), "{failed}");
    let names: Vec<_> = fs::read_dir(seen).expect("a folder").flatten().map(|it| it.file_name()).collect();
    assert!(names.iter().all(|it| it == "mcp.json" || it == "filler"), "{names:?}");
}

fn with_entry(env: &TestEnv) -> Vec<u8> {
    reset(env, Some(FILE));
    env.ok(INSTALL);
    fs::read(file(env)).expect("a file")
}

#[test]
fn a_full_disk_keeps_the_file() {
    unshare_or_skip!();
    let env = TestEnv::without_engine("full");
    let with = with_entry(&env);
    reset(&env, Some(FILE));
    // 64 KiB in 16 pages: one for the folder, one for the file, the filler takes what is left.
    let full = "mv .cursor kept && mkdir .cursor && mount -t tmpfs -o size=64k tmpfs .cursor && \
                cp -a kept/mcp.json .cursor/ && { dd if=/dev/zero of=.cursor/filler bs=4k 2>/dev/null || true; }";
    let failed = in_a_namespace(&env, full, INSTALL);
    nothing_changed(&env, &failed, "No space left on device", FILE);
    fs::remove_dir(env.home().join(".cursor")).unwrap();
    fs::rename(env.home().join("kept"), env.home().join(".cursor")).unwrap();
    heals(&env, Some(FILE), &with, "after a full disk");
}

#[test]
fn without_room_for_a_backup_nothing_is_changed() {
    unshare_or_skip!();
    let env = TestEnv::without_engine("nobackup");
    let with = with_entry(&env);
    let large = format!("{}// {}\n", FILE, "x".repeat(100_000));
    reset(&env, Some(&large));
    let small = "mount -t tmpfs -o size=64k tmpfs \"$DRYDOCK_STATE\"";
    let failed = in_a_namespace(&env, small, INSTALL);
    nothing_changed(&env, &failed, "the backup failed", &large);
    reset(&env, Some(FILE));
    heals(&env, Some(FILE), &with, "after a backup that failed");
}

#[test]
fn a_read_only_disk_keeps_the_file() {
    unshare_or_skip!();
    let env = TestEnv::without_engine("readonly");
    let with = with_entry(&env);
    reset(&env, Some(FILE));
    let read_only = "mount --bind .cursor .cursor && mount -o remount,bind,ro .cursor";
    let failed = in_a_namespace(&env, read_only, INSTALL);
    nothing_changed(&env, &failed, "Read-only file system", FILE);
    heals(&env, Some(FILE), &with, "after a read-only disk");
}

/// As in a dev container, which mounts a person's settings one by one.
#[test]
fn a_file_that_is_mounted_on_its_own_is_left_alone() {
    unshare_or_skip!();
    let env = TestEnv::without_engine("mounted");
    let with = with_entry(&env);
    let bind = "cp -a .cursor/mcp.json other && mount --bind other .cursor/mcp.json";
    let failed = in_a_namespace(&env, bind, UNINSTALL);
    nothing_changed(&env, &failed, "mounted on its own", &String::from_utf8_lossy(&with));
    heals(&env, Some(FILE), &with, "after a mounted file");
}
