//! Runs everything that can run here, and an honest count of what could not.
//!
//! `cargo test --workspace` -> its own output, each skip with its reason, one closing line. Invariant: the closing line
//! counts every test once: as passed, failed or skipped.

mod dockerd;
mod tally;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use self::dockerd::Dockerd;
use self::tally::Tally;
use crate::cargo::{self, unaware};
use crate::hint::with_hint;
use crate::interrupt;
use crate::workspace::Workspace;

/// What to run, and on what.
#[derive(Debug, Default)]
pub(crate) struct TestOptions {
    pub(crate) full: bool,
    pub(crate) with_engine: bool,
    /// Parts of names: a test runs that has one of them. None: all tests.
    pub(crate) filters: Vec<String>,
}

impl TestOptions {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let started = self.engine(ws)?;
        if started.is_some() {
            interrupt::arm()?; // Ctrl-C ends the tests; we stay to stop the engine
        }
        let outcome = self.tests(ws);
        if let Some(dockerd) = started {
            dockerd.stop();
        }
        interrupt::check()?; // what is counted then was not finished
        let tally = outcome?;
        report(&tally)?;
        // The closing line has said it all: no second message after it.
        if tally.is_good() { Ok(()) } else { std::process::exit(1) }
    }

    /// An engine for the tests that need one, if asked for and none answers.
    fn engine(&self, ws: &Workspace) -> Result<Option<Dockerd>> {
        let in_ci = std::env::var("CI").is_ok_and(|it| it == "true");
        if ws.global.engine.is_some() || !(self.with_engine || in_ci) {
            return Ok(None);
        }
        match dockerd::find_blocker(ws) {
            Some(blocker) if self.with_engine => Err(with_hint(
                format!("cannot start an engine for the tests: {blocker}"),
                "start one yourself, or leave out `--with-engine`: the tests that need one are then skipped",
            )),
            Some(blocker) => {
                eprintln!("no engine is started for the tests: {blocker}");
                Ok(None)
            }
            None => dockerd::ensure(ws),
        }
    }

    fn tests(&self, ws: &Workspace) -> Result<Tally> {
        let sh = Shell::new()?;
        sh.change_dir(&ws.root);
        cargo::program()?;
        eprintln!("building the tests");
        unaware(cmd!(sh, "cargo test --workspace --no-run"))
            .quiet()
            .run()
            .context("the tests do not build")?;

        let folder = tempfile::tempdir().context("cannot make a folder for the list of skips")?;
        let skips = folder.path().join("skips");
        let mut tally = self.run_and_count(&sh, ws.global.engine.as_deref(), &skips)?;
        tally.take_skips(&std::fs::read_to_string(&skips).unwrap_or_default());
        Ok(tally)
    }

    /// Passes the output of `cargo test` on, line by line, and counts.
    fn run_and_count(&self, sh: &Shell, engine: Option<&str>, skips: &Path) -> Result<Tally> {
        let filters = &self.filters;
        let mut cargo = Command::from(
            unaware(cmd!(
                sh,
                "cargo test --workspace --no-fail-fast --quiet -- --format=pretty {filters...}"
            ))
            .env("RUST_TEST_THREADS", threads())
            .envs(engine.iter().map(|it| ("DRYDOCK_ENGINE", it)))
            .env("DRYDOCK_SKIPS", skips)
            .env("DRYDOCK_FULL", if self.full { "1" } else { "" })
            .env("DRYDOCK_XTASK", std::env::current_exe().context("cannot find this program's own file")?),
        );
        let mut child =
            cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
        let output = BufReader::new(child.stdout.take().context("cargo has no stdout")?);
        let mut tally = Tally::default();
        let mut stdout = std::io::stdout();
        let mut after_blank = true;
        for line in output.split(b'\n') {
            let line =
                String::from_utf8_lossy(&line.context("cannot read what `cargo test` prints")?).into_owned();
            tally.read(&line);
            let noise = is_noise(&line) || (line.is_empty() && after_blank);
            if !noise {
                writeln!(stdout, "{line}")?;
                after_blank = line.is_empty();
            }
        }
        tally.finished(child.wait()?.success());
        Ok(tally)
    }
}

/// More than there are cores: most of the tests that take long wait for an engine, or for a time-out.
fn threads() -> String {
    let cores = std::thread::available_parallelism().map_or(1, |it| it.get());
    std::env::var("RUST_TEST_THREADS").unwrap_or_else(|_| cores.max(4).to_string())
}

/// What a test binary without a matching test prints: there are more of those than of the others.
fn is_noise(line: &str) -> bool {
    line == "running 0 tests" || line.starts_with("test result: ok. 0 passed; 0 failed; 0 ignored;")
}

fn report(tally: &Tally) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out)?;
    for (reason, names) in tally.skips_by_reason() {
        writeln!(out, "skipped: {reason}\n    {}", names.join("\n    "))?;
    }
    for name in &tally.failures {
        writeln!(out, "failed: {name}")?;
    }
    if tally.aborted {
        writeln!(
            out,
            "failed: `cargo test` broke off: see above (a test binary crashed, or an example does not build)"
        )?;
    }
    if tally.is_empty() {
        writeln!(out, "failed: no test has that in its name")?;
    }
    writeln!(out, "{tally}")?;
    Ok(())
}
