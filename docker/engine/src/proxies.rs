//! Which proxies reach what: the steps of a build, and what runs in a container.
//!
//! Environment + docker's own settings (`proxies` in its config.json) -> names for the build, and whether a container has
//! what docker would give it today. Invariant: a value, which may hold a password, goes into no argument, label or message of
//! ours: only names are told.

mod settings;

use std::collections::BTreeMap;
use std::fmt;

use self::settings::of_docker;
pub use self::settings::settings_file;
use crate::cli::Cli;
use crate::docker_args;
use crate::error::Error;
use crate::inspect::{Container, Image, container_of_id};

/// The variables that docker hands on, and that its builders take without their standing in a Dockerfile; each in small
/// letters, too. `ALL_PROXY` is not among them: not every version knows it.
const NAMES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY"];

type Variables = BTreeMap<String, String>;

/// The proxies that are set on this machine.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    shell: Variables,
    /// What docker puts into every build and every container; none where nobody can tell.
    engine: Option<Variables>,
}

/// Names alone.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies").field("shell", &self.of_shell()).field("engine", &self.of_engine()).finish()
    }
}

impl Proxies {
    /// Of this process's environment, and of docker's settings where the engine is that.
    #[must_use]
    pub fn here(cli: &Cli) -> Self {
        let shell = every_name().filter_map(|name| Some((std::env::var(&name).ok()?, name)));
        let shell = shell.filter(|(value, _)| !value.is_empty()).map(|(value, name)| (name, value)).collect();
        Self { shell, engine: of_docker(cli) }
    }

    /// The names that the shell sets.
    #[must_use]
    pub fn of_shell(&self) -> Vec<&str> {
        self.shell.keys().map(String::as_str).collect()
    }

    /// The names that docker's own settings set, in builds and containers.
    #[must_use]
    pub fn of_engine(&self) -> Vec<&str> {
        self.engine.iter().flatten().map(|it| it.0.as_str()).collect()
    }

    /// The shell's names that a build is given: all of them, where docker has no settings of its own, which would be meant
    /// for builds.
    #[must_use]
    pub fn for_builds(&self) -> Vec<String> {
        let proxies = || self.shell.iter().filter(|(name, _)| !is_list(name));
        let is_useful = proxies().any(|(_, value)| !is_loopback(value));
        if !is_useful || self.engine.as_ref().is_none_or(|it| !it.is_empty()) {
            return Vec::new();
        }
        let wanted = self.shell.iter().filter(|(name, value)| is_list(name) || !is_loopback(value));
        wanted.map(|(name, _)| name.clone()).collect()
    }

    /// The shell's names whose proxy only this machine itself can reach: neither a build nor a container.
    #[must_use]
    pub fn on_loopback(&self) -> Vec<&str> {
        let it = self.shell.iter().filter(|(name, value)| !is_list(name) && is_loopback(value));
        it.map(|(name, _)| name.as_str()).collect()
    }

    /// Whether a container, which was made from `image` with these variables, has the proxies that docker would give it today,
    /// as far as its settings can be read.
    #[must_use]
    pub fn hold_in(&self, found: &Container, image: &Image, given: &[(String, String)]) -> bool {
        let Some(engine) = &self.engine else { return true };
        let mut wanted = proxies_of(image.env());
        wanted.extend(engine.clone());
        has(found, wanted, given)
    }
}

/// The same for certain: where the settings that we read say otherwise, docker itself is asked, by a container that never
/// runs. They may not be the ones that it reads (a snap's, say).
///
/// # Errors
/// The engine refuses such a container.
pub fn have_changed(
    cli: &Cli,
    found: &Container,
    image: &Image,
    given: &[(String, String)],
) -> Result<bool, Error> {
    if Proxies::here(cli).hold_in(found, image, given) {
        return Ok(false);
    }
    let id = cli.stdout(&docker_args::create_bare(&image.id))?;
    let bare = container_of_id(cli, id.trim());
    cli.stdout(&docker_args::remove(id.trim()))?;
    let Some(bare) = bare? else { return Ok(false) };
    Ok(!has(found, proxies_of(bare.config.env.as_deref().unwrap_or_default()), given))
}

fn has(found: &Container, mut wanted: Variables, given: &[(String, String)]) -> bool {
    wanted.extend(given.iter().filter(|(name, _)| is_name(name)).cloned());
    proxies_of(found.config.env.as_deref().unwrap_or_default()) == wanted
}

fn every_name() -> impl Iterator<Item = String> {
    NAMES.iter().flat_map(|it| [(*it).to_owned(), it.to_lowercase()])
}

fn is_name(name: &str) -> bool {
    every_name().any(|it| it == name)
}

/// The variable that lists who is reached without a proxy.
fn is_list(name: &str) -> bool {
    name.eq_ignore_ascii_case("NO_PROXY")
}

/// Of `NAME=VALUE`s.
fn proxies_of(env: &[String]) -> Variables {
    let pairs = env.iter().filter_map(|it| it.split_once('=')).filter(|(name, _)| is_name(name));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// As in `http://127.0.0.1:3128` or `localhost:3128`.
fn is_loopback(proxy: &str) -> bool {
    let rest = proxy.split_once("://").map_or(proxy, |it| it.1);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let address = authority.rsplit_once('@').map_or(authority, |it| it.1);
    let host = match address.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => address.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback() || it.is_unspecified())
}

#[cfg(test)]
mod tests;
