//! Images of a workspace that nothing leads to any more: of older sources, and a build's stages.
//!
//! A workspace's id -> what would go, what went. Invariant: an image that has a name, that a container is made of, or that
//! does not carry the id, stays.

use std::collections::BTreeSet;

use crate::cli::Cli;
use crate::docker_args;
use crate::error::Error;
use crate::images::{images_in_use, inspect_images};
use crate::inspect::Image;

/// What the engine says before the amount. It is shown, and nothing depends on it.
const RECLAIMED: &str = "Total reclaimed space:";

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// How many images.
    pub images: usize,
    /// What the disk has more of, in the engine's words, as in `12.3MB`; nothing where it does not say that.
    pub freed: Option<String>,
}

/// The images of a workspace that [`prune`] would remove.
///
/// # Errors
/// The engine cannot be asked.
pub fn prunable(cli: &Cli, workspace: &str) -> Result<Vec<Image>, Error> {
    let ids: BTreeSet<String> =
        cli.stdout(&docker_args::list_untagged_images_of(workspace))?.lines().map(str::to_owned).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let used = images_in_use(cli)?;
    let ids: Vec<_> = ids.into_iter().filter(|it| !used.contains(without_algorithm(it))).collect();
    inspect_images(cli, &ids)
}

/// Docker writes `sha256:` before an id everywhere, podman in some places.
pub(crate) fn without_algorithm(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

/// Removes them. The engine itself leaves out what is in use at that moment.
///
/// # Errors
/// The engine refuses it.
pub fn prune(cli: &Cli, workspace: &str) -> Result<Pruned, Error> {
    let count = || Ok::<_, Error>(prunable(cli, workspace)?.len());
    let before = count()?;
    let said = cli.stdout(&docker_args::prune_images_of(workspace))?;
    Ok(Pruned { images: before.saturating_sub(count()?), freed: freed(&said) })
}

fn freed(said: &str) -> Option<String> {
    said.lines().find_map(|it| it.trim().strip_prefix(RECLAIMED)).map(|it| it.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_freed_is_the_engines_word() {
        let said = "Deleted Images:\ndeleted: sha256:ab\n\nTotal reclaimed space: 12.3MB\n";
        assert_eq!(freed(said).as_deref(), Some("12.3MB"));
        assert_eq!(freed("sha256:ab\n"), None, "podman prints ids");
    }
}
