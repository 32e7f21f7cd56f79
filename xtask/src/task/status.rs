//! (being built)

use crate::workspace::Workspace;

/// (being built)
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self, _ws: &Workspace) -> anyhow::Result<()> {
        anyhow::bail!("`status` is not built yet")
    }
}
