//! What stands on the engine: containers and images as its `inspect` shows them, and whose they are.
//!
//! Names -> `Container`s, `Image`s. Invariant: what is ours is told by our labels alone, never by a name.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::argv::{self, PROFILE_LABEL, SERVER_LABEL, SESSION_LABEL, SETTINGS_LABEL, WORKSPACE_LABEL};
use crate::engine::Cli;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Container {
    pub(crate) id: String,
    /// Begins with a slash in Docker.
    name: String,
    /// The image's id.
    pub(crate) image: String,
    pub(crate) created: String,
    #[serde(default)]
    pub(crate) restart_count: u64,
    pub(crate) state: State,
    pub(crate) config: Config,
    pub(crate) host_config: HostConfig,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct State {
    pub(crate) status: String,
    pub(crate) running: bool,
    pub(crate) exit_code: i64,
    pub(crate) started_at: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Config {
    pub(crate) image: String,
    #[serde(default)]
    pub(crate) user: String,
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
    pub(crate) network_mode: String,
    pub(crate) tmpfs: Option<BTreeMap<String, String>>,
    pub(crate) ulimits: Option<Vec<Ulimit>>,
    /// Volumes, as they were asked for.
    pub(crate) mounts: Option<Vec<Mount>>,
    pub(crate) binds: Option<Vec<String>>,
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
pub(crate) struct Ulimit {
    pub(crate) name: String,
    pub(crate) hard: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Owner {
    Us,
    /// Another workspace's container of this server.
    Workspace(String),
    /// Nothing of Drydock's.
    Stranger,
}

/// What `/mcp health --json` prints.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Health {
    pub(crate) ready: bool,
    pub(crate) sessions: u64,
    /// Children started and waiting; only a bridge has them.
    pub(crate) warm: Option<u64>,
    /// Why it is not ready, if it knows.
    reason: Option<String>,
}

impl Health {
    /// As the end of a sentence: `: exit code 3`, or nothing.
    pub(crate) fn why(&self) -> String {
        self.reason.as_ref().map(|it| format!(": {it}")).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) size: u64,
    config: ImageConfig,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImageConfig {
    labels: Option<BTreeMap<String, String>>,
}

impl Container {
    pub(crate) fn name(&self) -> &str {
        self.name.trim_start_matches('/')
    }

    /// The server that its label names.
    pub(crate) fn server(&self) -> Option<&str> {
        self.label(SERVER_LABEL)
    }

    pub(crate) fn settings(&self) -> Option<&str> {
        self.label(SETTINGS_LABEL)
    }

    pub(crate) fn owner(&self, server: &str, workspace: &str) -> Owner {
        // Server and workspace a container also has from its image, when somebody makes one by hand; the others only from us.
        let made_by_us = self.settings().or(self.label(SESSION_LABEL));
        match (self.server(), self.label(WORKSPACE_LABEL), made_by_us) {
            (Some(name), Some(id), Some(_)) if name == server && id == workspace => Owner::Us,
            (Some(name), Some(id), Some(_)) if name == server => Owner::Workspace(id.to_owned()),
            _ => Owner::Stranger,
        }
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.config.labels.as_ref()?.get(name).map(String::as_str)
    }
}

impl Image {
    /// Whether this workspace built it for this server.
    pub(crate) fn is_ours(&self, server: &str, workspace: &str) -> bool {
        self.label(SERVER_LABEL) == Some(server) && self.label(WORKSPACE_LABEL) == Some(workspace)
    }

    /// The profile of Cargo.toml that it was compiled with.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.label(PROFILE_LABEL)
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.config.labels.as_ref()?.get(name).map(String::as_str)
    }
}

/// The container of exactly this name.
pub(crate) fn named(cli: &Cli, name: &str) -> Result<Option<Container>> {
    Ok(list(cli, |found, _| found == name)?.pop())
}

/// Every container with Drydock's label, and every one of these names whosoever it is.
pub(crate) fn all(cli: &Cli, names: &[String]) -> Result<Vec<Container>> {
    list(cli, |found, label| !label.is_empty() || names.iter().any(|it| it == found))
}

fn list(cli: &Cli, wanted: impl Fn(&str, &str) -> bool) -> Result<Vec<Container>> {
    let mut ids = Vec::new();
    for line in cli.read(&argv::list_containers())?.lines() {
        let mut parts = line.split('\t');
        if let (Some(id), Some(name), label) = (parts.next(), parts.next(), parts.next().unwrap_or_default())
            && wanted(name, label)
        {
            ids.push(id.to_owned());
        }
    }
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // One that went away since it was listed is an error on stderr; the others are still printed.
    let output = cli.output(&argv::inspect(&ids))?;
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("cannot read what `{} container inspect` says", cli.name))
}

pub(crate) fn image(cli: &Cli, tag: &str) -> Result<Option<Image>> {
    let ids = cli.read(&argv::list_image(tag))?;
    let Some(id) = ids.lines().next() else { return Ok(None) };
    let text = cli.read(&argv::inspect_image(id))?;
    let mut images: Vec<Image> =
        serde_json::from_str(&text).context("cannot read what `image inspect` says")?;
    Ok(images.pop())
}

/// What the server says about itself; an error when it does not answer.
pub(crate) fn health(cli: &Cli, container: &str) -> Result<Health> {
    let output = cli.ask(&argv::exec_health(container))?;
    match serde_json::from_slice(&output.stdout) {
        Ok(health) => Ok(health),
        Err(_) => bail!("{}", crate::engine::complaint(&output)),
    }
}
