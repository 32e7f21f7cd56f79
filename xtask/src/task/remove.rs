//! `remove`: a server is gone, with all that belongs to it.
//!
//! Name -> nothing of it. Invariant: nothing goes that was not shown, and that nobody agreed to.

use anyhow::Result;

use crate::interrupt;
use crate::ops::adopt;
use crate::ops::install::confirm;
use crate::ops::remove::Found;
use crate::workspace::Workspace;

/// Take a server away whole: entries, container, images, its folder
///
/// Shows what there is of it, with what of its folder git cannot bring back, and asks (`--yes` where nobody can be asked). Our
/// entries in clients' files go first, then container and images, the line in Cargo.toml, and the folder. Volumes stay without
/// `--volumes`. After a failure it can be run again. Under `--engine host` containers and images are not looked for.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The server
    name: String,
    /// Also its volumes, with all that is in them
    #[arg(long)]
    volumes: bool,
    /// Show what would go, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let found = Found::look(ws, &self.name)?;
        found.show(self.volumes);
        if self.dry_run {
            return Ok(());
        }
        confirm(&found.question(), self.yes)?;
        interrupt::arm()?;
        found.remove(self.volumes)?;
        adopt::note_lost(ws);
        Ok(())
    }
}
