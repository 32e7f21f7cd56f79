//! The images that Dockerfiles begin from.
//!
//! Dockerfile + environment -> images that the engine has. Invariant: what the person chose (`NODE_IMAGE`, ..) comes before
//! what the Dockerfile names.

use std::fs;
use std::path::Path;

use anyhow::{Context, Error, Result};
use drydock_engine::process::Sink;
use drydock_engine::{Cli, docker_args};

use crate::hint::with_hint;
use crate::interrupt;
use crate::ui::progress;

/// The base image that the person wants instead of the Dockerfile's own.
pub(crate) fn chosen(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|it| !it.is_empty())
}

/// The build arguments that name a base image in this Dockerfile, where the person chose one.
pub(super) fn chosen_in(dockerfile: &Path) -> Result<Vec<(String, String)>> {
    Ok(read(dockerfile)?.into_iter().filter_map(|(name, _)| chosen(&name).map(|it| (name, it))).collect())
}

/// The base images that a Dockerfile names, by their arguments.
pub(super) fn named_in(dockerfile: &Path) -> Result<Vec<(String, String)>> {
    read(dockerfile)
}

/// The id of a base image, which is pulled where the engine does not have it. `name` is the variable that names another.
pub(super) fn id(cli: &Cli, name: &str, image: &str) -> Result<String> {
    pull_if_missing(cli, image).map_err(|err| {
        if interrupt::check().is_err() { err } else { with_hint(format!("{err:#}"), other_images(name)) }
    })?;
    drydock_engine::find_image(cli, image)?.map(|it| it.id).with_context(|| format!("{image} went away"))
}

fn other_images(names: &str) -> String {
    format!(
        "where no registry of images can be reached, name images that are there in {names}, or make stand-ins \
         (tests/standins, see CONTRIBUTING.md)"
    )
}

/// The error of a build, with the base images that could not be had: what an engine prints of them says nothing certain,
/// so those that it does not have are pulled alone.
pub(super) fn explain(cli: &Cli, dockerfile: &Path, err: Error) -> Error {
    let Ok(wanted) = read(dockerfile) else { return err };
    let names: Vec<_> = wanted.iter().map(|it| it.0.clone()).collect();
    let images = wanted.into_iter().map(|(name, default)| chosen(&name).unwrap_or(default));
    let failed: Vec<_> = images.filter_map(|it| pull_if_missing(cli, &it).err()).collect();
    if failed.is_empty() || interrupt::check().is_err() {
        return err;
    }
    let failed: Vec<_> = failed.iter().map(|it| format!("{it:#}")).collect();
    with_hint(format!("{err:#}\n{}", failed.join("\n")), other_images(&names.join(" and ")))
}

fn pull_if_missing(cli: &Cli, image: &str) -> Result<()> {
    if drydock_engine::has_image(cli, image)? {
        return Ok(());
    }
    let pull = docker_args::pull(image);
    let work = |sink: &Sink<'_>| Ok(cli.run_with_progress(&pull, sink)?);
    progress::with_sink(&format!("pulling {image}"), work)
        .map(drop)
        .with_context(|| format!("the base image {image} cannot be pulled"))
}

/// `ARG NODE_IMAGE=node:22-slim` -> that name and image.
fn read(dockerfile: &Path) -> Result<Vec<(String, String)>> {
    let text =
        fs::read_to_string(dockerfile).with_context(|| format!("cannot read {}", dockerfile.display()))?;
    Ok(arguments(&text))
}

fn arguments(text: &str) -> Vec<(String, String)> {
    let images = text.lines().filter_map(|it| it.strip_prefix("ARG ")?.split_once('='));
    let images = images.filter(|(name, _)| name.ends_with("_IMAGE"));
    images.map(|(name, image)| (name.to_owned(), image.trim().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dockerfile_names_its_base_images_in_arguments() {
        let text = "# ARG OLD_IMAGE=x\nARG PYTHON_IMAGE=python:3.12-slim\nARG UV_IMAGE=a/uv:0.9\nARG PACKAGE\nFROM ${UV_IMAGE}\n";
        let expected = [("PYTHON_IMAGE", "python:3.12-slim"), ("UV_IMAGE", "a/uv:0.9")];
        assert_eq!(arguments(text), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
}
