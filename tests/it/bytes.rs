//! Nothing is lost: very many files, and very large ones.
//!
//! Files -> edited by the real thing. Invariant: what is not ours is the same, byte for byte; time is never asserted.

use std::fs;

use drydock_tests::full_or_skip;
use drydock_tests::large::{LARGE, Large};
use drydock_tests::process::{LONG_PATIENCE, command, note, run_and_weigh, run_with};
use drydock_tests::world::{World, workspace_root};

/// The harness is xtask's own test (`edit/property.rs`); optimised it tries thousands of files a second.
#[test]
fn a_million_generated_files_lose_nothing() {
    full_or_skip!();
    let mut cargo = command("cargo");
    cargo
        .current_dir(workspace_root())
        .args(["test", "--package", "xtask", "--profile", "quick", "no_byte_that_is_not_ours_is_lost"])
        .env("DRYDOCK_CASES", "1000000")
        .env("CARGO_PROFILE_QUICK_OVERFLOW_CHECKS", "true") // as in the build that people have
        .env("CARGO_PROFILE_QUICK_DEBUG_ASSERTIONS", "true");
    let done = run_with(&mut cargo, &[], LONG_PATIENCE).ok();
    let figures = done.stderr.lines().find(|it| it.contains("generated files")).expect("the figures");
    note(figures);
    assert!(figures.starts_with("1000000 generated files") && figures.ends_with(" 0 lost"), "{figures}");
}

/// Where a client keeps its servers with all of its other state, files grow to this size.
#[test]
fn ten_megabytes_are_edited_in_little_memory() {
    LARGE.iter().for_each(in_and_out);
}

fn in_and_out(large: &Large) {
    let world = World::without_engine("large");
    let file = large.write(&world);
    let before = fs::read(&file).expect("a file");
    assert!(before.len() > 10_000_000, "{}: {} bytes are not much", large.client, before.len());

    weigh(&world, large, &large.install());
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

    weigh(&world, large, &large.uninstall());
    assert!(fs::read(&file).expect("a file") == before, "{}: not the same bytes", large.client);
}

fn weigh(world: &World, large: &Large, args: &[&str]) {
    let (finished, peak) = run_and_weigh(&mut world.xtask(args));
    finished.ok();
    assert!(peak > 20 << 20, "{peak} bytes are less than the file: nothing was measured");
    assert!(peak < 200_000_000, "{}: {peak} bytes of memory", large.client);
}
