//! The images that an engine has: by name, by id, of a workspace.
//!
//! Names, ids, labels -> [`Image`]. Invariant: it only looks.

use std::collections::BTreeSet;

use crate::cli::Cli;
use crate::docker_args;
use crate::error::Error;
use crate::inspect::{Image, list, unreadable};
use crate::prune::without_algorithm;

/// The image with this tag.
///
/// # Errors
/// The engine cannot be asked, or its answer cannot be read.
pub fn image(cli: &Cli, tag: &str) -> Result<Option<Image>, Error> {
    let ids = cli.stdout(&docker_args::list_image(tag))?;
    let Some(id) = ids.lines().next() else { return Ok(None) };
    let text = cli.stdout(&docker_args::inspect_image(id))?;
    let mut images: Vec<Image> =
        serde_json::from_str(&text).map_err(|err| unreadable(cli, "image inspect", err))?;
    Ok(images.pop())
}

/// Images by their ids.
pub(crate) fn inspect_images(cli: &Cli, ids: &[String]) -> Result<Vec<Image>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // One that went away since it was listed is an error on stderr; the others are still printed.
    let output = cli.output(&docker_args::inspect_images(ids))?;
    serde_json::from_slice(&output.stdout).map_err(|err| unreadable(cli, "image inspect", err))
}

/// The ids of the images that containers are made of, whosoever they are, as bare digits.
pub(crate) fn images_in_use(cli: &Cli) -> Result<BTreeSet<String>, Error> {
    let all = list(cli, |_, _| true)?;
    Ok(all.iter().map(|it| without_algorithm(&it.image).to_owned()).collect())
}

/// What the images that a workspace built for a server are called: names of ours, as they are, and the ids of those that have
/// no name. A name that somebody else gave one of them is left out: with it the image stays.
///
/// # Errors
/// The engine cannot be asked, or its answer cannot be read.
pub fn image_names_of(cli: &Cli, server: &str, workspace: &str) -> Result<Vec<String>, Error> {
    let listed = cli.stdout(&docker_args::list_images_of_server(server, workspace))?;
    let ids: BTreeSet<String> = listed.lines().map(str::to_owned).collect();
    let images = inspect_images(cli, &ids.into_iter().collect::<Vec<_>>())?;
    Ok(images.iter().flat_map(|it| own_names(&it.id, it.tags(), server, workspace)).collect())
}

fn own_names(id: &str, tags: &[String], server: &str, workspace: &str) -> Vec<String> {
    if tags.is_empty() {
        return vec![id.to_owned()];
    }
    let own = [format!("drydock/{server}:"), format!("drydock/{server}/{workspace}:")];
    // Podman has a registry of its own before names that came from none.
    let is_own = |it: &&String| {
        own.iter().any(|own| it.strip_prefix("localhost/").unwrap_or(it).starts_with(own.as_str()))
    };
    tags.iter().filter(is_own).cloned().collect()
}

/// How many images a workspace has built.
///
/// # Errors
/// The engine cannot be asked.
pub fn count_images(cli: &Cli, workspace: &str) -> Result<usize, Error> {
    let ids: BTreeSet<String> =
        cli.stdout(&docker_args::list_images_of(workspace))?.lines().map(str::to_owned).collect();
    Ok(ids.len())
}

/// The image of this name, in whatever form: with tag or digest, or an id.
///
/// # Errors
/// The engine cannot be asked, or its answer cannot be read.
pub fn find_image(cli: &Cli, name: &str) -> Result<Option<Image>, Error> {
    let output = cli.output(&docker_args::inspect_image(name))?;
    if !output.status.success() {
        return Ok(None);
    }
    let images: Vec<Image> =
        serde_json::from_slice(&output.stdout).map_err(|err| unreadable(cli, "image inspect", err))?;
    Ok(images.into_iter().next())
}

/// Whether the engine has an image of this name, in whatever form: with tag or digest, or an id.
///
/// # Errors
/// The engine cannot be asked.
pub fn has_image(cli: &Cli, name: &str) -> Result<bool, Error> {
    Ok(cli.output(&docker_args::inspect_image(name))?.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_others_gave_are_not_ours() {
        let names = |tags: &[&str]| {
            let tags: Vec<_> = tags.iter().map(|it| (*it).to_owned()).collect();
            own_names("sha256:1", &tags, "demo", "0123456789abcdef").join(" ")
        };
        let ours = ["drydock/demo:0.1.0", "drydock/demo/0123456789abcdef:0.1.0"];
        assert_eq!(names(&[ours[0], "mine/app:1", ours[1]]), ours.join(" "));
        assert_eq!(names(&["localhost/drydock/demo:0.1.0"]), "localhost/drydock/demo:0.1.0");
        assert_eq!(names(&["drydock/demo-2:1", "drydock/demo/fedcba9876543210:1", "mine/app:1"]), "");
        assert_eq!(names(&[]), "sha256:1");
    }
}
