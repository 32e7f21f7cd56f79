//! `ci`: what continuous integration runs, here.
//!
//! A clone -> an exit code. Invariant: the tests are those of `cargo xtask test`; nothing is checked in CI that cannot
//! be checked with this one command.

use std::time::Instant;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::cargo::{self, unaware};
use crate::ops::clients_table;
use crate::ops::test::TestOptions;
use crate::workspace::Workspace;

/// Run what CI runs: format, lints, documentation, then `cargo xtask test`
///
/// With `cargo-deny` installed, also the licences and sources of all dependencies. Starts no engine by itself,
/// unless `CI=true`; under engine `host` the tests that need containers are skipped (see `cargo xtask test --help`).
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let sh = Shell::new()?;
        sh.change_dir(&ws.root);
        cargo::program()?;
        step("format", || cmd!(sh, "cargo fmt --all --check").quiet().run())?;
        step("lints", || {
            unaware(cmd!(sh, "cargo clippy --locked --workspace --all-targets -- -D warnings")).quiet().run()
        })?;
        step("documentation", || {
            // Of no server of ours, or of their tests alone; lints have them through kit's own tests.
            let features = "drydock-kit/state,drydock-kit/testing";
            let private = "--document-private-items";
            unaware(cmd!(sh, "cargo doc --locked --workspace --no-deps {private} --features {features}"))
                .env("RUSTDOCFLAGS", "-D warnings")
                .quiet()
                .run()
        })?;
        if cmd!(sh, "cargo deny --version").quiet().ignore_stdout().ignore_stderr().run().is_ok() {
            step("licences and sources", || {
                cmd!(sh, "cargo deny --offline check licenses bans sources").quiet().run()
            })?;
        } else {
            eprintln!("\n== licences and sources: skipped, `cargo-deny` is not installed");
        }
        eprintln!("\n== the table of clients in docs/clients.md");
        clients_table::check(&ws.root)?;
        eprintln!("\n== tests");
        TestOptions::default().run(ws)
    }
}

fn step(name: &str, check: impl FnOnce() -> Result<(), xshell::Error>) -> Result<()> {
    eprintln!("\n== {name}");
    let began = Instant::now();
    check().with_context(|| format!("{name}: not clean"))?;
    eprintln!("== {name}: clean, {:.0?}", began.elapsed());
    Ok(())
}
