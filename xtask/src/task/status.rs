//! `status`: what stands on the engine, and whose it is.
//!
//! Servers and containers -> a table, or JSON. Invariant: it only looks.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use drydock_catalog::{Kind, Server};
use drydock_engine::{Cli, Container, Engine, Owner};
use serde::Serialize;

use crate::cargo;
use crate::ops::adopt;
use crate::ops::select;
use crate::ops::sources::{self, Sources};
use crate::ui::table;
use crate::workspace::Workspace;

/// List the servers and their containers
///
/// Containers of other workspaces are shown as theirs. `health` is asked of the server itself; WARM counts the children
/// that wait for the next sessions. A runtime image, which has a shell, is shown when its container is there. Under `--engine host` it
/// says which servers are compiled for this machine.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// As JSON: a list of objects with name, kind, shell, container, image, owner, state, health, age_seconds, sessions, warm, network, stale
    #[arg(long)]
    json: bool,
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
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let rows = match ws.engine()? {
            Engine::Cli(cli) => rows(ws, cli)?,
            Engine::Host => host_rows(ws)?,
        };
        if self.json {
            table::json(&rows)?
        } else {
            show(&rows)?
        }
        if rows.iter().any(|it| it.owner == Some("another workspace")) {
            adopt::note_lost(ws);
        }
        Ok(())
    }
}

fn show(rows: &[Row]) -> Result<()> {
    let head =
        ["NAME", "KIND", "CONTAINER", "IMAGE", "STATE", "HEALTH", "AGE", "SESSIONS", "WARM", "NETWORK"];
    let dash = || "-".to_owned();
    let lines = rows.iter().map(|row| {
        let state = match row.owner {
            None | Some("this workspace") if row.stale == Some(true) => {
                format!("{}, older sources", row.state)
            }
            None | Some("this workspace") => row.state.clone(),
            Some(other) => format!("{} ({other})", row.state),
        };
        [
            row.name.clone(),
            row.kind.map_or_else(dash, |it| format!("{it}{}", if row.shell { ", SHELL" } else { "" })),
            row.container.clone(),
            row.image.clone(),
            state,
            row.health.map_or_else(dash, str::to_owned),
            row.age_seconds.map_or_else(dash, age),
            row.sessions.map_or_else(dash, |it| it.to_string()),
            row.warm.map_or_else(dash, |it| it.to_string()),
            row.network.clone(),
        ]
    });
    table::print(&head, lines)
}

/// One row for each server of the workspace, then one for each other container with Drydock's label.
pub(crate) fn rows(ws: &Workspace, cli: &Cli) -> Result<Vec<Row>> {
    let servers = select::load_valid(&ws.root)?;
    let id = ws.id()?;
    let names: Vec<_> = servers.iter().map(|it| it.container(&ws.global.name_prefix)).collect();
    let mut found = drydock_engine::containers(cli, &names)?;
    found.sort_by(|a, b| a.name().cmp(b.name()));
    let sources = Sources::new(&ws.root);
    let mut rows = Vec::new();
    for (server, name) in servers.iter().zip(names) {
        let at = found.iter().position(|it| it.name() == name);
        rows.push(match at.map(|at| found.remove(at)) {
            Some(it) => {
                let row = row(cli, &it, &server.name, Some(server.kind), &id);
                let ours = row.owner == Some("this workspace");
                Row { stale: ours.then(|| sources.is_stale(server, it.sources())).flatten(), ..row }
            }
            None => absent(server, name),
        });
    }
    let runtimes = drydock_catalog::runtime_images(&ws.root)?;
    for it in &found {
        let name = it.server().unwrap_or_default().to_owned();
        let known = servers.iter().chain(&runtimes).find(|it| it.name == name);
        let row = row(cli, it, &name, known.map(|it| it.kind), &id);
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
    }
}

fn row(cli: &Cli, it: &Container, server: &str, kind: Option<Kind>, id: &str) -> Row {
    let owner = it.owner(server, id);
    // What is not ours is not entered, also not to ask how it is.
    let asked = (owner == Owner::ThisWorkspace && it.state.running && !it.is_session())
        .then(|| drydock_engine::health(cli, it.name()).ok());
    let health = asked.as_ref().map(|it| match it {
        Some(health) if health.ready => "ready",
        _ => "not ready",
    });
    let asked = asked.flatten();
    Row {
        name: server.to_owned(),
        kind: kind.map(Kind::name),
        shell: false,
        container: it.name().to_owned(),
        image: it.image_name(),
        owner: Some(match owner {
            Owner::ThisWorkspace => "this workspace",
            Owner::OtherWorkspace(_) => "another workspace",
            Owner::Unmanaged => "unmanaged",
        }),
        state: it.state.status.clone(),
        health,
        age_seconds: since(if it.state.running { &it.state.started_at } else { &it.created }),
        sessions: asked.as_ref().map(|it| it.sessions),
        warm: asked.and_then(|it| it.warm),
        network: it.network(),
        stale: None,
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

/// The two largest units, as in `2h 5m`.
fn age(seconds: u64) -> String {
    let text = humantime::format_duration(Duration::from_secs(seconds)).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        assert_eq!(age(0), "0s");
        assert_eq!(age(3_725), "1h 2m");
        assert_eq!(since("2020-01-01T00:00:00.123456789Z").map(|it| it > 1_000_000), Some(true));
        assert_eq!(since("0001-01-01T00:00:00Z"), None);
    }
}
