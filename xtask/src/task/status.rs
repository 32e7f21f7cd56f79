//! `status`: what stands on the engine, and whose it is.
//!
//! Servers and containers -> a table, or JSON. Invariant: it only looks; each kind of question is asked once.

mod listing;

use std::time::SystemTime;

use anyhow::Result;
use drydock_catalog::{Kind, Server};
use drydock_engine::{Container, Engine, Owner};
use serde::Serialize;

use crate::cargo;
use crate::ops::adopt;
use crate::ops::select;
use crate::ops::snapshot::{Besides, Snapshot};
use crate::ops::sources::{self, Sources};
use crate::ui::table;
use crate::workspace::Workspace;

/// List the servers and their containers
///
/// Those of this workspace, and whoever has the name of one. STATE is what the server itself says, with the time since its
/// start, or the engine's word. MEMORY and CPU (of one processor, over a second) are measured by docker, for 1 to 2 s. A
/// runtime image, which has a shell, is shown when its container is there. Under `--engine host` it says which servers are
/// compiled for this machine.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// As JSON: a list of objects with name, kind, shell, container, image, owner, state, health, age_seconds, sessions, warm, network, stale, memory_bytes, cpu_percent
    #[arg(long)]
    json: bool,
    /// Also the containers of other workspaces
    #[arg(long)]
    all: bool,
    /// More columns than 60 characters hold: kind, container, image, health, and the children that wait for sessions
    #[arg(long, conflicts_with = "json")]
    wide: bool,
    /// Do not measure memory and CPU: the answer comes at once
    #[arg(long)]
    no_usage: bool,
}

/// One line of `status`. The field names are promised.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// The server.
    pub(crate) name: String,
    /// `rust`, `node` or `python`; nothing when the server is not in this workspace.
    pub(crate) kind: Option<&'static str>,
    /// Whether it is a runtime image: whoever enters finds a shell and package managers.
    pub(crate) shell: bool,
    pub(crate) container: String,
    /// What the container was made from; the image that `up` takes when there is none.
    pub(crate) image: String,
    /// `this workspace`, `another workspace` or `unmanaged`; nothing when there is no container.
    pub(crate) owner: Option<&'static str>,
    /// The engine's word (`running`, `exited`, ..), or `absent`; under engine host `compiled` or `absent`.
    pub(crate) state: String,
    /// `ready`, `not ready`, or nothing when it cannot be asked.
    pub(crate) health: Option<&'static str>,
    /// Since the start of a running container, since the end or creation of another.
    pub(crate) age_seconds: Option<u64>,
    pub(crate) sessions: Option<u64>,
    /// Children started and waiting; nothing for servers that have none.
    pub(crate) warm: Option<u64>,
    /// What it reaches: `none` or `internet`; for a container what the engine says, which may be another network's name.
    pub(crate) network: String,
    /// Whether a container of ours, or under engine host a binary, is older than its sources; nothing where that is not
    /// known.
    pub(crate) stale: Option<bool>,
    /// What a running container of ours uses; nothing where that is not known.
    pub(crate) memory_bytes: Option<u64>,
    /// Of one processor, over the last second.
    pub(crate) cpu_percent: Option<f64>,
    /// Whether it is one of this workspace's servers, whosoever has the name of its container.
    #[serde(skip)]
    pub(crate) is_here: bool,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let besides = if self.no_usage { Besides::Nothing } else { Besides::Usage };
        let (rows, snapshot) = match ws.engine()? {
            Engine::Cli(cli) => {
                let servers = select::load_valid(&ws.root)?;
                let snapshot = Snapshot::take(ws, cli, &servers, besides)?;
                (rows(ws, &servers, &snapshot)?, snapshot)
            }
            Engine::Host => (host_rows(ws)?, Snapshot::default()),
        };
        let (shown, hidden): (Vec<_>, Vec<_>) = rows.into_iter().partition(|it| self.all || it.is_ours());
        if self.json {
            table::json(&shown)?
        } else {
            listing::print(ws, &shown, hidden.len(), self.wide)?
        }
        adopt::note_lost_among(ws, snapshot.containers());
        Ok(())
    }
}

const OURS: &str = "this workspace";
const OTHER: &str = "another workspace";

impl Row {
    /// Of this workspace: one of its servers, or a container that it made.
    fn is_ours(&self) -> bool {
        self.is_here || self.owner == Some(OURS)
    }
}

/// One row for each server of the workspace, then one for each other container with Drydock's label.
fn rows(ws: &Workspace, servers: &[Server], snapshot: &Snapshot) -> Result<Vec<Row>> {
    let id = ws.id()?;
    let mut found: Vec<_> = snapshot.containers().iter().collect();
    found.sort_by(|a, b| a.name().cmp(b.name()));
    let sources = Sources::new(&ws.root);
    let mut rows = Vec::new();
    for server in servers {
        let name = server.container(&ws.global.name_prefix);
        let at = found.iter().position(|it| it.name() == name);
        rows.push(match at.map(|at| found.remove(at)) {
            Some(it) => {
                let row = row(snapshot, it, &server.name, Some(server.kind), &id);
                let ours = row.owner == Some(OURS);
                let stale = ours.then(|| sources.is_stale(server, it.sources())).flatten();
                Row { stale, is_here: true, ..row }
            }
            None => absent(server, name),
        });
    }
    let runtimes = drydock_catalog::runtime_images(&ws.root)?;
    for it in found {
        let name = it.server().unwrap_or_default().to_owned();
        let known = servers.iter().chain(&runtimes).find(|it| it.name == name);
        let row = row(snapshot, it, &name, known.map(|it| it.kind), &id);
        rows.push(Row { shell: known.is_some_and(|it| it.is_runtime), ..row });
    }
    Ok(rows)
}

fn absent(server: &Server, container: String) -> Row {
    Row {
        name: server.name.clone(),
        kind: Some(server.kind.name()),
        shell: server.is_runtime,
        container,
        image: server.image(),
        owner: None,
        state: "absent".to_owned(),
        health: None,
        age_seconds: None,
        sessions: None,
        warm: None,
        network: server.sandbox.network.to_string(),
        stale: None,
        memory_bytes: None,
        cpu_percent: None,
        is_here: true,
    }
}

fn row(snapshot: &Snapshot, it: &Container, server: &str, kind: Option<Kind>, id: &str) -> Row {
    let asked = snapshot.health(it.name());
    let health = asked.map(|it| match it {
        Ok(health) if health.ready => "ready",
        _ => "not ready",
    });
    let asked = asked.and_then(|it| it.as_ref().ok());
    let usage = snapshot.usage(it.name());
    Row {
        name: server.to_owned(),
        kind: kind.map(Kind::name),
        shell: false,
        container: it.name().to_owned(),
        image: it.image_name(),
        owner: Some(match it.owner(server, id) {
            Owner::ThisWorkspace => OURS,
            Owner::OtherWorkspace(_) => OTHER,
            Owner::Unmanaged => "unmanaged",
        }),
        state: it.state.status.clone(),
        health,
        age_seconds: since(if it.state.running { &it.state.started_at } else { &it.created }),
        sessions: asked.map(|it| it.sessions),
        warm: asked.and_then(|it| it.warm),
        network: it.network(),
        stale: None,
        memory_bytes: usage.map(|it| it.memory),
        cpu_percent: usage.map(|it| it.cpu_percent),
        is_here: false,
    }
}

fn host_rows(ws: &Workspace) -> Result<Vec<Row>> {
    let sources = Sources::new(&ws.root);
    let mut rows = Vec::new();
    for server in select::load_valid(&ws.root)?.iter().filter(|it| it.kind == Kind::Rust) {
        let path = cargo::host_binary(ws, server)?;
        let state = if path.is_file() { "compiled" } else { "absent" };
        let stale = sources.is_stale(server, sources::of_binary(&path).as_deref()).filter(|_| path.is_file());
        let image = path.display().to_string();
        rows.push(Row { image, state: state.to_owned(), stale, ..absent(server, "-".to_owned()) });
    }
    Ok(rows)
}

fn since(moment: &str) -> Option<u64> {
    let moment = humantime::parse_rfc3339_weak(moment).ok()?;
    SystemTime::now().duration_since(moment).ok().map(|it| it.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_the_engine_are_read() {
        assert_eq!(since("2020-01-01T00:00:00.123456789Z").map(|it| it > 1_000_000), Some(true));
        assert_eq!(since("0001-01-01T00:00:00Z"), None);
    }
}
