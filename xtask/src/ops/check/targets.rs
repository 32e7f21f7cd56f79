//! What `check` connects to: command lines, and where each comes from.
//!
//! Servers -> our own way in; a client's file -> what the client would start. Invariant: an entry that is not ours is
//! started only when it was named.

use std::path::Path;

use anyhow::Result;
use drydock_catalog::Server;
use drydock_config::client::{self, Client, HostEnv, Scope, StdioCommand, Transport};
use drydock_config::entries::{ClientConfigFile, EntryState, ListedEntry};
use drydock_config::ledger::Ledger;
use drydock_engine::Engine;

use crate::connect;
use crate::hint::with_hint;
use crate::ops::reinstall;
use crate::ops::select;
use crate::workspace::Workspace;

/// What is checked: a server that we enter ourselves, or a client's entry.
pub(crate) struct CheckTarget {
    pub(super) name: String,
    /// Where the server is one of this workspace.
    pub(super) server: Option<Server>,
    pub(super) client: Option<String>,
    pub(super) scope: Option<Scope>,
    pub(super) entry: Option<String>,
    /// An entry of ours that somebody has changed: how to get it back.
    pub(super) repair: Option<String>,
    pub(super) transport: Result<Transport>,
}

/// Every named server, entered by ourselves.
pub(crate) fn from_server(ws: &Workspace, names: &[String]) -> Result<Vec<CheckTarget>> {
    let servers = drydock_catalog::pick(&ws.root, names)?;
    let engine = ws.engine()?;
    let servers = match engine {
        Engine::Host => select::on_host(servers, !names.is_empty())?,
        Engine::Cli(_) => servers,
    };
    let targets = servers.into_iter().map(|server| CheckTarget {
        name: server.name.clone(),
        client: None,
        scope: None,
        entry: None,
        repair: None,
        transport: connect::launch(ws, engine, &server).map(Transport::Stdio),
        server: Some(server),
    });
    Ok(targets.collect())
}

/// The entries in a client's file: those of these names, or all of ours.
pub(crate) fn from_client(
    ws: &Workspace,
    id: &str,
    scope: Option<Scope>,
    project: &Path,
    names: &[String],
) -> Result<Vec<CheckTarget>> {
    let host_env = HostEnv::here()?;
    let ledger = Ledger::load(&ws.state)?;
    let servers = select::load_valid(&ws.root)?;
    let scopes = scope.map_or_else(|| vec![Scope::User, Scope::Project], |it| vec![it]);
    let mut targets = Vec::new();
    for client in &client::pick(&ws.root, &[id.to_owned()])? {
        for scope in scopes.iter().copied().filter(|it| scope.is_some() || client.has_scope(&host_env, *it)) {
            let config_file = ClientConfigFile::of(client, scope, &host_env, project)?;
            for found in config_file.list(&ledger)?.into_iter().filter(|it| wanted(it, names)) {
                let reinstall = reinstall::command(ws, &config_file, &ledger, &found);
                targets.push(target(&host_env, project, client, scope, found, &servers, reinstall));
            }
        }
    }
    let missing: Vec<_> =
        names.iter().filter(|it| !targets.iter().any(|target| target.is(it))).map(String::as_str).collect();
    let what = match missing.as_slice() {
        [] if targets.is_empty() => "no entry of ours".to_owned(),
        [] => return Ok(targets),
        missing => format!("no entry for {}", missing.join(", ")),
    };
    let which = scope.map_or_else(String::new, |it| format!(" --scope {it}"));
    Err(with_hint(format!("{id} has {what}"), format!("cargo xtask install-client {id}{which}")))
}

fn wanted(found: &ListedEntry, names: &[String]) -> bool {
    if names.is_empty() {
        return found.state != EntryState::Unmanaged;
    }
    names.iter().any(|it| *it == found.name || found.server.as_ref() == Some(it))
}

/// `reinstall`: how the entry is written again.
fn target(
    host_env: &HostEnv,
    project: &Path,
    client: &Client,
    scope: Scope,
    found: ListedEntry,
    servers: &[Server],
    reinstall: String,
) -> CheckTarget {
    CheckTarget {
        repair: (found.state == EntryState::Modified)
            .then(|| format!("somebody changed the entry since; this puts it right: {reinstall}")),
        name: found.server.clone().unwrap_or_else(|| found.name.clone()),
        server: servers.iter().find(|it| Some(&it.name) == found.server.as_ref()).cloned(),
        client: Some(client.id.clone()),
        scope: Some(scope),
        transport: client.transport(host_env, project, scope, &found.name).map_err(Into::into),
        entry: Some(found.name),
    }
}

impl CheckTarget {
    /// Starts it in another way, if it can be started at all.
    pub(crate) fn change_launch(&mut self, change: impl FnOnce(StdioCommand) -> StdioCommand) {
        if let Ok(Transport::Stdio(launch)) = &mut self.transport {
            *launch = change(std::mem::take(launch));
        }
    }

    fn is(&self, name: &str) -> bool {
        self.name == name || self.entry.as_deref() == Some(name)
    }
}
