//! What `check` tries: command lines, and where each comes from.
//!
//! Servers -> our own way in; a client's file -> what the client would start. Invariant: an entry that is not ours is
//! started only when it was named.

use crate::ops::select;
use drydock_catalog::Server;
use drydock_engine::Engine;
use std::path::Path;

use anyhow::Result;

use crate::again;
use crate::connect;
use crate::hint::with_hint;
use crate::workspace::Workspace;
use drydock_config::client::{self, Client, Launch, Machine, Scope, Way};
use drydock_config::entries::{Found, Spot, State};
use drydock_config::ledger::Ledger;

pub(crate) struct Try {
    pub(super) name: String,
    /// Where the server is one of this workspace.
    pub(super) server: Option<Server>,
    pub(super) client: Option<String>,
    pub(super) scope: Option<Scope>,
    pub(super) entry: Option<String>,
    /// An entry of ours that somebody has changed: how to get it back.
    pub(super) repair: Option<String>,
    pub(super) way: Result<Way>,
}

/// Every named server, entered by ourselves.
pub(crate) fn direct(ws: &Workspace, names: &[String]) -> Result<Vec<Try>> {
    let servers = drydock_catalog::pick(&ws.root, names)?;
    let engine = ws.engine()?;
    let servers = match engine {
        Engine::Host => select::on_host(servers, !names.is_empty())?,
        Engine::Cli(_) => servers,
    };
    let tries = servers.into_iter().map(|server| Try {
        name: server.name.clone(),
        client: None,
        scope: None,
        entry: None,
        repair: None,
        way: connect::launch(ws, &engine, &server).map(Way::Start),
        server: Some(server),
    });
    Ok(tries.collect())
}

/// The entries in a client's file: those of these names, or all of ours.
pub(crate) fn through(
    ws: &Workspace,
    id: &str,
    scope: Option<Scope>,
    project: &Path,
    names: &[String],
) -> Result<Vec<Try>> {
    let machine = Machine::here()?;
    let ledger = Ledger::load(&ws.state)?;
    let servers = select::load_valid(&ws.root)?;
    let scopes = scope.map_or_else(|| vec![Scope::User, Scope::Project], |it| vec![it]);
    let mut tries = Vec::new();
    for client in &client::pick(&ws.root, &[id.to_owned()])? {
        for scope in scopes.iter().copied().filter(|it| scope.is_some() || client.has_scope(&machine, *it)) {
            let spot = Spot::of(client, scope, &machine, project)?;
            for found in spot.list(&ledger)?.into_iter().filter(|it| wanted(it, names)) {
                let again = again::command(ws, &spot, &ledger, &found.name);
                tries.push(attempt(&machine, project, client, scope, found, &servers, again));
            }
        }
    }
    let missing: Vec<_> =
        names.iter().filter(|it| !tries.iter().any(|tried| tried.is(it))).map(String::as_str).collect();
    let what = match missing.as_slice() {
        [] if tries.is_empty() => "no entry of ours".to_owned(),
        [] => return Ok(tries),
        missing => format!("no entry for {}", missing.join(", ")),
    };
    let which = scope.map_or_else(String::new, |it| format!(" --scope {it}"));
    Err(with_hint(format!("{id} has {what}"), format!("cargo xtask install-client {id}{which}")))
}

fn wanted(found: &Found, names: &[String]) -> bool {
    if names.is_empty() {
        return found.state != State::Foreign;
    }
    names.iter().any(|it| *it == found.name || found.server.as_ref() == Some(it))
}

/// `again`: how the entry is written again.
fn attempt(
    machine: &Machine,
    project: &Path,
    client: &Client,
    scope: Scope,
    found: Found,
    servers: &[Server],
    again: String,
) -> Try {
    Try {
        repair: (found.state == State::Drifted)
            .then(|| format!("somebody changed the entry since; this puts it right: {again}")),
        name: found.server.clone().unwrap_or_else(|| found.name.clone()),
        server: servers.iter().find(|it| Some(&it.name) == found.server.as_ref()).cloned(),
        client: Some(client.id.clone()),
        scope: Some(scope),
        way: client.way(machine, project, scope, &found.name),
        entry: Some(found.name),
    }
}

impl Try {
    /// Starts it in another way, if it can be started at all.
    pub(crate) fn change_launch(&mut self, change: impl FnOnce(Launch) -> Launch) {
        if let Ok(Way::Start(launch)) = &mut self.way {
            *launch = change(std::mem::take(launch));
        }
    }

    fn is(&self, name: &str) -> bool {
        self.name == name || self.entry.as_deref() == Some(name)
    }
}
