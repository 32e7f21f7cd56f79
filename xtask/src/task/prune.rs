//! `prune`: the images of ours that nothing leads to any more are gone, and what builds have kept.
//!
//! Labels and the state folder -> fewer images, more disk. Invariant: what has a name, is in use, or does not carry this
//! clone's id stays, and so does what a build works with that is under way.

use anyhow::Result;
use drydock_engine::workbench::{self, Leftover};
use drydock_engine::{Cli, Engine, Image};

use crate::ops::build::kept::{Amount, Kept};
use crate::ops::build::{mebibytes, server_of_build};
use crate::ops::turn;
use crate::ui::progress::{self, say};
use crate::ui::table;
use crate::workspace::Workspace;

/// Remove images of this clone that nothing leads to any more, and what its builds have kept
///
/// These are images without a name: of older sources, and on an engine without BuildKit the stages of builds, which the
/// next build then makes anew (so let builds that go on end first); the packages that builds have fetched and keep in the state
/// folder; and the work folders of builds that were killed. What a container is made of stays, and so does everything that
/// does not carry this clone's id: the label `dev.drydock.workspace`, which an image inherits that somebody builds on one of
/// ours. Under `--engine host` there are no images.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Show what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let engine = ws.engine()?;
        let kept = Kept::of(ws.state_dir()?, false);
        match engine {
            Engine::Host => say("engine host: there are no images"),
            Engine::Cli(cli) if self.dry_run => show(ws, cli, &ws.id()?)?,
            Engine::Cli(cli) => prune(ws, cli, &ws.id()?)?,
        }
        let (amount, what) = match self.dry_run {
            true => (kept.amount(), "would go"),
            false => (kept.remove_all()?, "removed"),
        };
        if amount.builds > 0 {
            say(&format!("{} {what}", packages(amount)));
        }
        Ok(())
    }
}

fn packages(kept: Amount) -> String {
    let builds = if kept.builds == 1 { "1 build".to_owned() } else { format!("{} builds", kept.builds) };
    format!("the packages that {builds} have kept: {}", mebibytes(kept.bytes))
}

fn show(ws: &Workspace, cli: &Cli, id: &str) -> Result<()> {
    let images = drydock_engine::prunable(cli, id)?;
    let server = |it: &Image| it.server().unwrap_or("a build's stage").to_owned();
    table::print(
        &["IMAGE", "OF", "SIZE"],
        images.iter().map(|it| [it.id.clone(), server(it), mebibytes(it.size)]),
    )?;
    say(&format!("{} would go; what they share with other images would stay", count(images.len())));
    for (server, it) in leftovers(ws, cli, id)? {
        say(&format!("{} would go, unless it is under way", work(&server, &it)));
    }
    Ok(())
}

/// Of builds of this state folder, by their servers.
fn leftovers(ws: &Workspace, cli: &Cli, id: &str) -> Result<Vec<(String, Leftover)>> {
    let mut own = Vec::new();
    for it in workbench::leftovers(cli, id)? {
        if let Some(server) = server_of_build(ws, &it.server)? {
            own.push((server.to_owned(), it));
        }
    }
    Ok(own)
}

fn work(server: &str, of: &Leftover) -> String {
    format!(
        "what a build of {server} works with ({} containers, {} volumes)",
        of.containers.len(),
        of.volumes.len()
    )
}

fn prune(ws: &Workspace, cli: &Cli, id: &str) -> Result<()> {
    for (server, it) in leftovers(ws, cli, id)? {
        // A build under way has it.
        let Some(_turn) = turn::take_if_free(ws.state_dir()?, "build", &server)? else { continue };
        workbench::remove_leftovers(cli, &it)?;
        say(&format!("{} removed: it was killed", work(&server, &it)));
    }
    let pruned = progress::step("removing images without a name", || Ok(drydock_engine::prune(cli, id)?))?;
    let freed = pruned.freed.map_or_else(String::new, |it| format!("; freed: {it}"));
    say(&format!("{} removed{freed}", count(pruned.images)));
    Ok(())
}

fn count(images: usize) -> String {
    if images == 1 { "1 image".to_owned() } else { format!("{images} images") }
}
