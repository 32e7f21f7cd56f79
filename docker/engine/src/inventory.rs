//! What stands on the engine, asked for at once: a command about many servers asks each question one time.
//!
//! Names -> [`Inventory`]. Invariant: two programs for all containers, two for all images, whatever their number; containers
//! and images at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use drydock_contract::Health;

use crate::cli::Cli;
use crate::docker_args;
use crate::error::Error;
use crate::images::inspect_images;
use crate::inspect::{Container, Image, health, list_with_names};
use crate::parallel;
use crate::prune::without_algorithm;

/// What stands on the engine at one moment.
#[derive(Debug, Default)]
pub struct Inventory {
    /// With Drydock's label, or with one of the names that were asked for.
    pub containers: Vec<Container>,
    /// Of the images that were asked for those that are there, by their names.
    pub images: BTreeMap<String, Image>,
    container_names: BTreeSet<String>,
    image_names: BTreeSet<String>,
}

impl Inventory {
    /// Whether any container has this name, one that the inventory does not know more of, too.
    #[must_use]
    pub fn has_container(&self, name: &str) -> bool {
        self.container_names.contains(name)
    }

    /// Whether any image has this name, with its tag.
    #[must_use]
    pub fn has_image(&self, name: &str) -> bool {
        self.image_names.contains(name)
    }

    /// The container of this name, where the inventory knows it.
    #[must_use]
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|it| it.name() == name)
    }
}

/// Every container with Drydock's label, every one of these names whosoever it is, and the images with these tags. Without
/// tags, images are not asked for.
///
/// # Errors
/// The engine cannot be asked, or its answer cannot be read.
pub fn inventory(cli: &Cli, containers: &[String], tags: &[String]) -> Result<Inventory, Error> {
    let wanted = |name: &str, label: &str| !label.is_empty() || containers.iter().any(|it| it == name);
    let (found, images) = thread::scope(|scope| {
        let images = scope.spawn(|| named_images(cli, tags));
        let found = list_with_names(cli, wanted);
        (found, images.join())
    });
    let (containers, container_names) = found?;
    let (images, image_names) = images.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    Ok(Inventory { containers, images, container_names, image_names })
}

type NamedImages = (BTreeMap<String, Image>, BTreeSet<String>);

fn named_images(cli: &Cli, tags: &[String]) -> Result<NamedImages, Error> {
    if tags.is_empty() {
        return Ok(NamedImages::default());
    }
    let ids = ids_by_name(&cli.stdout(&docker_args::list_images())?);
    let names = ids.keys().cloned().collect();
    let found: BTreeMap<&String, &String> = tags.iter().filter_map(|it| Some((it, ids.get(it)?))).collect();
    if found.is_empty() {
        return Ok((BTreeMap::new(), names));
    }
    let wanted: BTreeSet<String> = found.values().map(|it| (*it).clone()).collect();
    let wanted: Vec<String> = wanted.into_iter().collect();
    let images = inspect_images(cli, &wanted)?;
    let of = |id: &str| images.iter().find(|it| without_algorithm(&it.id) == without_algorithm(id)).cloned();
    Ok((found.into_iter().filter_map(|(tag, id)| Some((tag.clone(), of(id)?))).collect(), names))
}

/// `ID<tab>NAME:TAG` lines. Podman has a registry of its own before names that came from none.
fn ids_by_name(listed: &str) -> BTreeMap<String, String> {
    let parts = listed.lines().filter_map(|it| it.split_once('\t'));
    parts
        .map(|(id, name)| (name.strip_prefix("localhost/").unwrap_or(name).to_owned(), id.to_owned()))
        .collect()
}

/// What the servers in these containers say about themselves, asked at the same time.
///
/// # Errors
/// For each: it does not answer.
pub fn healths(cli: &Cli, containers: &[String]) -> Vec<Result<Health, Error>> {
    parallel::map(containers, |it| health(cli, it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_found_by_their_names() {
        let listed = "sha256:1\tdrydock/a:1\nsha256:1\tdrydock/b:2\nsha256:2\tlocalhost/drydock/c:3\nsha256:3\t<none>:<none>\n";
        let ids = ids_by_name(listed);
        assert_eq!(ids.get("drydock/b:2").map(String::as_str), Some("sha256:1"));
        assert_eq!(ids.get("drydock/c:3").map(String::as_str), Some("sha256:2"));
        assert_eq!(without_algorithm("sha256:1"), without_algorithm("1"));
    }
}
