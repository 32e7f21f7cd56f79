//! Mutation testing, of which this is a sample; CONTRIBUTING.md has the command for the whole.
//!
//! The files that `.cargo/mutants.toml` names -> one change in two hundred, each built and tested by `cargo mutants`.
//! Invariant: what no test notices is named.

use drydock_tests::process::{BUILD_TIMEOUT, command, print_note, run_with};
use drydock_tests::test_env::workspace_root;
use drydock_tests::{full_or_skip, skip};
use serde_json::Value;

use crate::realclients::packages::CARGO_MUTANTS;

const LEAST_CAUGHT: f64 = 0.95;

#[test]
fn a_sample_of_mutants_is_caught() {
    full_or_skip!();
    let programs = match CARGO_MUTANTS.programs() {
        Ok(it) => it,
        Err(why) => skip!("{why}"),
    };
    let output = tempfile::tempdir().unwrap();
    let mut mutants = command(programs.join("cargo-mutants"));
    mutants
        .current_dir(workspace_root())
        .args([
            "mutants",
            "--shard",
            "7/200",
            "--sharding",
            "round-robin",
            "--jobs",
            "2",
            "--no-times",
            "--colors",
            "never",
            "--output",
        ])
        .arg(output.path())
        // Its copies of the workspace must not share one.
        .env_remove("CARGO_TARGET_DIR")
        .env("DRYDOCK_CASES", "1000");
    let ran = run_with(&mut mutants, b"", BUILD_TIMEOUT);
    let found = std::fs::read(output.path().join("mutants.out/outcomes.json")).ok();
    let found = found.and_then(|it| serde_json::from_slice::<Value>(&it).ok());
    let found = found.unwrap_or_else(|| panic!("no outcomes: {ran}"));
    let count = |key| found[key].as_f64().unwrap_or_else(|| panic!("no {key}: {found}"));
    let (caught, missed) = (count("caught") + count("timeout"), count("missed"));
    let named = std::fs::read_to_string(output.path().join("mutants.out/missed.txt")).unwrap_or_default();
    print_note(&format!("{caught} of {} mutants caught; missed: {}", caught + missed, named.trim()));
    assert!(caught > 7.0 && caught >= LEAST_CAUGHT * (caught + missed), "{ran}");
}
