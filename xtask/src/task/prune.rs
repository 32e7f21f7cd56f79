//! `prune`: the images of ours that nothing leads to any more are gone.
//!
//! Labels -> fewer images. Invariant: what has a name, is in use, or does not carry this clone's id stays.

use anyhow::Result;
use drydock_engine::{Cli, Engine, Image};

use crate::ops::build::mebibytes;
use crate::ui::progress::{self, say};
use crate::ui::table;
use crate::workspace::Workspace;

/// Remove images of this clone that nothing leads to any more
///
/// These are images without a name: of older sources, and on an engine without BuildKit the stages of builds, which the
/// next build then makes anew (so let builds that go on end first). What a container is made of stays, and so does everything
/// that does not carry this clone's id: the label `dev.drydock.workspace`, which an image inherits that somebody builds on
/// one of ours. Under `--engine host` there are no images.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Show what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        match ws.engine()? {
            Engine::Host => {
                say("engine host: there are no images");
                Ok(())
            }
            Engine::Cli(cli) if self.dry_run => show(cli, &ws.id()?),
            Engine::Cli(cli) => prune(cli, &ws.id()?),
        }
    }
}

fn show(cli: &Cli, id: &str) -> Result<()> {
    let images = drydock_engine::prunable(cli, id)?;
    let server = |it: &Image| it.server().unwrap_or("a build's stage").to_owned();
    table::print(
        &["IMAGE", "OF", "SIZE"],
        images.iter().map(|it| [it.id.clone(), server(it), mebibytes(it.size)]),
    )?;
    say(&format!("{} would go; what they share with other images would stay", count(images.len())));
    Ok(())
}

fn prune(cli: &Cli, id: &str) -> Result<()> {
    let pruned = progress::step("removing images without a name", || Ok(drydock_engine::prune(cli, id)?))?;
    let freed = pruned.freed.map_or_else(String::new, |it| format!("; freed: {it}"));
    say(&format!("{} removed{freed}", count(pruned.images)));
    Ok(())
}

fn count(images: usize) -> String {
    if images == 1 { "1 image".to_owned() } else { format!("{images} images") }
}
