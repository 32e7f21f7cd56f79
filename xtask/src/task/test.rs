//! `test`: the tests that can run here (see `ops/test`).
//!
//! Options -> an exit code.

use anyhow::Result;

use crate::ops::test::TestOptions;
use crate::workspace::Workspace;

/// Run the tests: units, documentation, and end to end on a real engine where one answers
///
/// A test that cannot run here is skipped and says why. The last line reads `212 passed, 0 failed, 3 skipped`; the
/// exit code is 0 only when something ran and nothing failed. Under engine `host`, and without an engine, the tests
/// that need containers are skipped.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Add what takes minutes: release images, reproducible builds, real clients from npm and PyPI, quickstart
    #[arg(long)]
    full: bool,
    /// On Debian as root, when no engine answers: install Docker, start it, stop it at the end (as with `CI=true`)
    #[arg(long)]
    with_engine: bool,
    /// Only tests whose name contains this, or one of these
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        TestOptions { full: self.full, with_engine: self.with_engine, filters: self.filters }.run(ws)
    }
}
