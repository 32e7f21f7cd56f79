//! Nothing is lost: very many files, and very large ones.
//!
//! Files -> edited by the real thing. Invariant: what is not ours is the same, byte for byte; time is never asserted.

use std::fs;

use drydock_tests::full_or_skip;
use drydock_tests::large::{LARGE_CONFIGS, LargeConfig};
use drydock_tests::process::{BUILD_TIMEOUT, command, print_note, run_with, run_with_peak_memory};
use drydock_tests::test_env::{TestEnv, workspace_root};

/// The harness is the editing crate's own test (`clients/edit/src/property.rs`); optimised it tries thousands of files a second.
#[test]
fn a_million_generated_files_lose_nothing() {
    full_or_skip!();
    let mut cargo = command("cargo");
    cargo
        .current_dir(workspace_root())
        .args(["test", "--package", "drydock-edit", "--profile", "quick", "no_byte_that_is_not_ours_is_lost"])
        .env("DRYDOCK_CASES", "1000000")
        .env("CARGO_PROFILE_QUICK_OVERFLOW_CHECKS", "true") // as in the build that people have
        .env("CARGO_PROFILE_QUICK_DEBUG_ASSERTIONS", "true");
    let done = run_with(&mut cargo, &[], BUILD_TIMEOUT).ok();
    let figures = done.stderr.lines().find(|it| it.contains("generated files")).expect("the figures");
    print_note(figures);
    assert!(figures.starts_with("1000000 generated files") && figures.ends_with(" 0 lost"), "{figures}");
}

/// Where a client keeps its servers with all of its other state, files grow to this size.
#[test]
fn ten_megabytes_are_edited_in_little_memory() {
    LARGE_CONFIGS.iter().for_each(in_and_out);
}

fn in_and_out(large: &LargeConfig) {
    let env = TestEnv::without_engine("large");
    let file = large.write(&env);
    let before = fs::read(&file).expect("a file");
    assert!(before.len() > 10_000_000, "{}: {} bytes are not much", large.client, before.len());

    weigh(&env, large, &large.install());
    let with = fs::read(&file).expect("a file");
    let same = before.iter().zip(&with).take_while(|(old, new)| old == new).count();
    let rest = &before[same..];
    assert!(
        with.len() > before.len() && with.ends_with(rest),
        "{}: more than one place changed",
        large.client
    );
    let ours = String::from_utf8_lossy(&with[same..with.len() - rest.len()]);
    assert!(ours.contains("http://127.0.0.1:9/mcp"), "{}: {ours}", large.client);

    weigh(&env, large, &large.uninstall());
    assert!(fs::read(&file).expect("a file") == before, "{}: not the same bytes", large.client);
}

fn weigh(env: &TestEnv, large: &LargeConfig, args: &[&str]) {
    let (output, peak) = run_with_peak_memory(&mut env.xtask(args));
    output.ok();
    assert!(peak > 20 << 20, "{peak} bytes are less than the file: nothing was measured");
    assert!(peak < 200_000_000, "{}: {peak} bytes of memory", large.client);
}
