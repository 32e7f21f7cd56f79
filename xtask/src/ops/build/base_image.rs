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

/// Base images that the engine does not list, and could not pull.
#[derive(Debug, Default)]
pub(super) struct Unavailable {
    images: Vec<String>,
    hint: String,
}

/// Pulls what the Dockerfile begins from and the engine does not list: alone, so that a registry that cannot be reached
/// is told from a build that fails. An image that cannot be pulled may still be in the builder's own cache.
pub(super) fn pull_missing(cli: &Cli, dockerfile: &Path) -> Result<Unavailable> {
    let wanted = read(dockerfile)?;
    let names: Vec<_> = wanted.iter().map(|it| it.0.clone()).collect();
    let hint = format!(
        "where no registry of images can be reached, name images that are there in {}, or make stand-ins \
         (tests/standins, see CONTRIBUTING.md)",
        names.join(" and ")
    );
    let mut unavailable = Unavailable { images: Vec::new(), hint };
    for (name, default) in wanted {
        let image = chosen(&name).unwrap_or(default);
        if drydock_engine::has_image(cli, &image)? {
            continue;
        }
        let pull = docker_args::pull(&image);
        let work = |sink: &Sink<'_>| Ok(cli.run_with_progress(&pull, sink)?);
        if progress::with_sink(&format!("pulling {image}"), work).is_err() {
            interrupt::check()?;
            unavailable.images.push(image);
        }
    }
    Ok(unavailable)
}

impl Unavailable {
    /// The error of a build that had to do without these images.
    pub(super) fn explain(&self, err: Error) -> Error {
        if self.images.is_empty() {
            return err;
        }
        let problem = format!("cannot pull {}: {err:#}", self.images.join(" and "));
        with_hint(problem, self.hint.clone())
    }
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
