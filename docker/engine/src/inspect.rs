//! What stands on the engine: containers and images as its `inspect` shows them, and whose they are.
//!
//! Names -> `Container`s, `Image`s. Invariant: what is ours is told by our labels alone, never by a name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use drydock_catalog::Network;
use drydock_contract::{Health, label};
use serde::Deserialize;

use crate::cli::{Cli, error_text};
use crate::docker_args;
use crate::error::Error;
use crate::flags::network_mode;

/// A container, as the engine's `inspect` shows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Container {
    /// The engine's id.
    pub id: String,
    /// Begins with a slash in Docker.
    name: String,
    /// The image's id.
    pub image: String,
    /// When it was created, RFC 3339.
    pub created: String,
    /// How often the engine has started it again by itself.
    #[serde(default)]
    pub restart_count: u64,
    /// Whether it runs.
    pub state: State,
    /// What it was made from.
    pub config: Config,
    pub(crate) host_config: HostConfig,
    /// What is mounted in it, from wherever that came.
    #[serde(default)]
    pub(crate) mounts: Option<Vec<MountPoint>>,
}

/// Whether a container runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct State {
    /// The engine's word: `created`, `running`, `restarting`, `exited`, ..
    pub status: String,
    /// Also while it is started again and again.
    pub running: bool,
    /// Of its last end.
    pub exit_code: i64,
    /// The kernel has ended a process in it for want of memory, since its last start.
    #[serde(default, rename = "OOMKilled")]
    pub oom_killed: bool,
    /// RFC 3339; the year 1 where it never started.
    pub started_at: String,
}

/// What a container was made from.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Config {
    /// The image's name, as it was given.
    pub image: String,
    #[serde(default)]
    pub(crate) user: String,
    #[serde(default)]
    pub(crate) env: Option<Vec<String>>,
    labels: Option<BTreeMap<String, String>>,
}

/// What the engine says that it enforces: a limit that it cannot keep reads as 0 here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct HostConfig {
    pub(crate) memory: i64,
    pub(crate) memory_swap: i64,
    pub(crate) nano_cpus: i64,
    pub(crate) pids_limit: Option<i64>,
    pub(crate) readonly_rootfs: bool,
    pub(crate) privileged: bool,
    pub(crate) init: Option<bool>,
    pub(crate) cap_add: Option<Vec<String>>,
    pub(crate) cap_drop: Option<Vec<String>>,
    pub(crate) security_opt: Option<Vec<String>>,
    pub(crate) group_add: Option<Vec<String>>,
    pub(crate) network_mode: String,
    pub(crate) pid_mode: String,
    pub(crate) ipc_mode: String,
    #[serde(rename = "UTSMode")]
    pub(crate) uts_mode: String,
    pub(crate) userns_mode: String,
    pub(crate) tmpfs: Option<BTreeMap<String, String>>,
    pub(crate) ulimits: Option<Vec<Ulimit>>,
    pub(crate) devices: Option<Vec<Device>>,
    pub(crate) device_requests: Option<Vec<serde::de::IgnoredAny>>,
    pub(crate) device_cgroup_rules: Option<Vec<String>>,
    pub(crate) masked_paths: Option<Vec<String>>,
    pub(crate) readonly_paths: Option<Vec<String>>,
    pub(crate) sysctls: Option<BTreeMap<String, String>>,
    pub(crate) log_config: Option<LogConfig>,
    /// Volumes, as they were asked for.
    pub(crate) mounts: Option<Vec<Mount>>,
    pub(crate) binds: Option<Vec<String>>,
    pub(crate) volumes_from: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Mount {
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    pub(crate) source: String,
    pub(crate) target: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MountPoint {
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    pub(crate) destination: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Ulimit {
    pub(crate) name: String,
    pub(crate) soft: i64,
    pub(crate) hard: i64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Device {
    pub(crate) path_on_host: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LogConfig {
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    pub(crate) config: Option<BTreeMap<String, String>>,
}

/// Who manages a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// This workspace.
    ThisWorkspace,
    /// The workspace of this id; the container is one of the same server.
    OtherWorkspace(String),
    /// Not Drydock.
    Unmanaged,
}

/// An image, as the engine's `inspect` shows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Image {
    /// The engine's id.
    pub id: String,
    /// In bytes.
    pub size: u64,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    config: ImageConfig,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImageConfig {
    #[serde(default)]
    env: Option<Vec<String>>,
    labels: Option<BTreeMap<String, String>>,
}

impl Container {
    /// Without Docker's slash.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.trim_start_matches('/')
    }

    /// The server that its label names.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.label(label::SERVER)
    }

    /// What it reaches: a [`Network`]'s name, or the engine's own word for another.
    #[must_use]
    pub fn network(&self) -> String {
        let mode = self.host_config.network_mode.as_str();
        let known = [Network::None, Network::Internet].into_iter().find(|it| network_mode(*it) == mode);
        match (known, mode) {
            (Some(known), _) => known.to_string(),
            (None, "default") => Network::Internet.to_string(),
            (None, other) => other.to_owned(),
        }
    }

    /// The image's name, as people read it: as it was given, or, where that was an id, by the labels that we give.
    #[must_use]
    pub fn image_name(&self) -> String {
        let given = &self.config.image;
        match (self.server(), self.label(label::VERSION)) {
            (Some(server), Some(version)) if given.starts_with("sha256:") => {
                format!("drydock/{server}:{version}")
            }
            _ => given.clone(),
        }
    }

    /// Whether it is one client's session and goes with it: nothing in it serves others, or tells how it is.
    #[must_use]
    pub fn is_session(&self) -> bool {
        self.label(label::SESSION).is_some()
    }

    /// The clone that made it, from its label.
    #[must_use]
    pub fn workspace(&self) -> Option<&str> {
        self.label(label::WORKSPACE)
    }

    /// On which machine that clone keeps its state, and in which folder, from its label.
    #[must_use]
    pub fn state_folder(&self) -> Option<(&str, &Path)> {
        let (machine, folder) = self.label(label::STATE)?.split_once(':')?;
        Some((machine, Path::new(folder)))
    }

    /// The hash of the sources that its image was built from, from the image's label.
    #[must_use]
    pub fn sources(&self) -> Option<&str> {
        self.label(label::SOURCES)
    }

    /// The hash of all that it was made with, from its label.
    #[must_use]
    pub fn settings(&self) -> Option<&str> {
        self.label(label::SETTINGS)
    }

    /// Who manages it, if it is to be this server's.
    #[must_use]
    pub fn owner(&self, server: &str, workspace: &str) -> Owner {
        // Server and workspace a container also has from its image, when somebody makes one by hand; the others only from us.
        let made_by_us = self.settings().or(self.label(label::SESSION));
        match (self.server(), self.label(label::WORKSPACE), made_by_us) {
            (Some(name), Some(id), Some(_)) if name == server && id == workspace => Owner::ThisWorkspace,
            (Some(name), Some(id), Some(_)) if name == server => Owner::OtherWorkspace(id.to_owned()),
            _ => Owner::Unmanaged,
        }
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.config.labels.as_ref()?.get(name).map(String::as_str)
    }
}

impl Image {
    /// Whether it has any.
    #[must_use]
    pub fn has_name(&self) -> bool {
        !self.tags().is_empty()
    }

    /// Its names, each with a tag.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        self.repo_tags.as_deref().unwrap_or_default()
    }

    /// Whether this workspace built it for this server.
    #[must_use]
    pub fn is_ours(&self, server: &str, workspace: &str) -> bool {
        self.label(label::SERVER) == Some(server) && self.label(label::WORKSPACE) == Some(workspace)
    }

    /// The server that it was built for; nothing for a build's stage.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.label(label::SERVER)
    }

    /// The hash of the sources that it was built from.
    #[must_use]
    pub fn sources(&self) -> Option<&str> {
        self.label(label::SOURCES)
    }

    /// `NAME=VALUE`, as every container of it has them.
    pub(crate) fn env(&self) -> &[String] {
        self.config.env.as_deref().unwrap_or_default()
    }

    /// The cargo profile that it was compiled with.
    #[must_use]
    pub fn profile(&self) -> Option<&str> {
        self.label(label::PROFILE)
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.config.labels.as_ref()?.get(name).map(String::as_str)
    }
}

/// The container of exactly this name.
///
/// # Errors
/// The engine cannot be asked, or its answer cannot be read.
pub fn container(cli: &Cli, name: &str) -> Result<Option<Container>, Error> {
    Ok(list(cli, |found, _| found == name)?.pop())
}

/// Every container with Drydock's label, and every one of these names whosoever it is.
///
/// # Errors
/// As [`container`].
pub fn containers(cli: &Cli, names: &[String]) -> Result<Vec<Container>, Error> {
    list(cli, |found, label| !label.is_empty() || names.iter().any(|it| it == found))
}

pub(crate) fn list(cli: &Cli, wanted: impl Fn(&str, &str) -> bool) -> Result<Vec<Container>, Error> {
    list_with_names(cli, wanted).map(|it| it.0)
}

/// Those that are wanted by name and label, and the names of all.
pub(crate) fn list_with_names(
    cli: &Cli,
    wanted: impl Fn(&str, &str) -> bool,
) -> Result<(Vec<Container>, BTreeSet<String>), Error> {
    let (mut ids, mut names) = (Vec::new(), BTreeSet::new());
    for line in cli.stdout(&docker_args::list_containers())?.lines() {
        let mut parts = line.split('\t');
        let (Some(id), Some(name), label) = (parts.next(), parts.next(), parts.next().unwrap_or_default())
        else {
            continue;
        };
        if wanted(name, label) {
            ids.push(id.to_owned());
        }
        names.insert(name.to_owned());
    }
    if ids.is_empty() {
        return Ok((Vec::new(), names));
    }
    // One that went away since it was listed is an error on stderr; the others are still printed.
    let output = cli.output(&docker_args::inspect(&ids))?;
    let found = serde_json::from_slice(&output.stdout);
    Ok((found.map_err(|err| unreadable(cli, "container inspect", err))?, names))
}

/// The container with this id.
///
/// # Errors
/// As [`container`].
pub(crate) fn container_of_id(cli: &Cli, id: &str) -> Result<Option<Container>, Error> {
    let text = cli.stdout(&docker_args::inspect(&[id.to_owned()]))?;
    let mut found: Vec<Container> =
        serde_json::from_str(&text).map_err(|err| unreadable(cli, "container inspect", err))?;
    Ok(found.pop())
}

pub(crate) fn unreadable(cli: &Cli, command: &str, err: serde_json::Error) -> Error {
    Error::new(format!("cannot read what `{} {command}` says", cli.name)).with_source(err)
}

/// What the server in a container says about itself.
///
/// # Errors
/// It does not answer.
pub fn health(cli: &Cli, container: &str) -> Result<Health, Error> {
    let output = cli.output_with_timeout(&docker_args::exec_health(container))?;
    serde_json::from_slice(&output.stdout).map_err(|_| Error::new(error_text(&output)))
}

/// Ends a container in order, then removes it: that one, whoever has its name by now.
///
/// # Errors
/// It cannot be removed.
pub fn stop_and_remove(cli: &Cli, found: &Container) -> Result<(), Error> {
    cli.output(&docker_args::stop(&found.id))?; // one that does not run is as good as stopped
    cli.stdout(&docker_args::remove(&found.id)).map(drop)
}
