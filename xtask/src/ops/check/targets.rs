//! What `check` connects to: command lines, and where each comes from.
//!
//! Servers -> our own way in; a client's file -> what the client would start. Invariant: what somebody else
//! wrote into an entry is started only when the person has said so (`--force`), after it was shown.

use std::path::Path;
use std::rc::Rc;

use anyhow::{Error, Result};
use drydock_catalog::{Server, container_name, runtime_names};
use drydock_config::client::{self, CaveatKind, Client, HostEnv, Scope, Transport};
use drydock_config::entries::{ClientConfigFile, EntryState, ListedEntry};
use drydock_config::ledger::Ledger;
use drydock_engine::{Cli, Engine, Owner};

use super::environment;
use crate::connect;
use crate::hint::with_hint;
use crate::ops::preflight;
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
    /// Somebody else wrote what would be started or reached, and nobody has agreed to it: why it is not.
    pub(super) refusal: Option<Error>,
    /// How the entry is written again.
    pub(super) reinstall: String,
    /// What is in the way besides what is started.
    pub(super) notes: Vec<String>,
    /// Whose entry it is.
    pub(super) through: Option<Rc<Client>>,
}

/// Which entries of a client are checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection<'a> {
    /// The client's id.
    pub(crate) client: &'a str,
    /// None: both.
    pub(crate) scope: Option<Scope>,
    /// The project's folder.
    pub(crate) project: &'a Path,
    /// Entries or servers; none: all entries of ours.
    pub(crate) names: &'a [String],
    /// Also what is not as we wrote it.
    pub(crate) force: bool,
}

/// Every named server, entered by ourselves.
pub(crate) fn from_server(ws: &Workspace, names: &[String]) -> Result<Vec<CheckTarget>> {
    refuse_runtime_images(ws, names)?;
    let engine = select::engine(ws, names)?;
    let cli = match engine {
        Engine::Cli(cli) => cli,
        Engine::Host => {
            let servers = drydock_catalog::pick_each(&ws.root, names)?;
            let servers = select::on_host(servers, !names.is_empty())?;
            return servers.into_iter().map(|it| it.map(|it| entered(ws, engine, it))).collect();
        }
    };
    let mut targets = Vec::new();
    for name in names_to_check(ws, cli, names)? {
        targets.push(match drydock_catalog::pick(&ws.root, &name) {
            Ok(server) => entered(ws, engine, server),
            Err(problem) => entered_anyway(ws, cli, name, Error::from(problem))?,
        });
    }
    Ok(targets)
}

/// Those that were named, which may be of containers alone; else every server of the workspace.
fn names_to_check(ws: &Workspace, cli: &Cli, names: &[String]) -> Result<Vec<String>> {
    match names {
        [] => Ok(drydock_catalog::names(&ws.root)?),
        names => select::names(ws, cli, names),
    }
}

/// A runtime image has no server of its own.
fn refuse_runtime_images(ws: &Workspace, names: &[String]) -> Result<()> {
    for name in names.iter().filter(|it| runtime_names().any(|name| name == **it)) {
        drydock_catalog::pick_each(&ws.root, std::slice::from_ref(name))?;
    }
    Ok(())
}

/// A server of the workspace.
fn entered(ws: &Workspace, engine: &Engine, server: Server) -> CheckTarget {
    let transport = connect::launch(ws, engine, &server).map(Transport::Stdio);
    let notes = connect::note_stale(ws, &server).into_iter().collect();
    CheckTarget { server: Some(server.clone()), notes, ..directly(server.name, transport) }
}

/// A container of ours whose server is described wrongly, or not at all: it can be entered all the same.
fn entered_anyway(ws: &Workspace, cli: &Cli, name: String, problem: Error) -> Result<CheckTarget> {
    let container = container_name(&ws.global.name_prefix, &name);
    let found = drydock_engine::container(cli, &container)?;
    let id = ws.id()?;
    if !found.is_some_and(|it| it.state.running && it.owner(&name, &id) == Owner::ThisWorkspace) {
        return Ok(directly(name, Err(problem)));
    }
    let transport = connect::into_container(cli, &container).map(Transport::Stdio);
    Ok(CheckTarget { notes: vec![format!("{problem:#}")], ..directly(name, transport) })
}

fn directly(name: String, transport: Result<Transport>) -> CheckTarget {
    CheckTarget {
        name,
        transport,
        server: None,
        client: None,
        scope: None,
        entry: None,
        repair: None,
        refusal: None,
        reinstall: String::new(),
        notes: Vec::new(),
        through: None,
    }
}

/// The entries in a client's file: those of these names, or all of ours.
pub(crate) fn from_client(ws: &Workspace, selection: Selection<'_>) -> Result<Vec<CheckTarget>> {
    let Selection { client: id, scope, project, names, .. } = selection;
    let host_env = HostEnv::here()?;
    let ledger = Ledger::load(&ws.state)?;
    let servers = select::load_valid(&ws.root)?;
    let scopes = scope.map_or_else(|| vec![Scope::User, Scope::Project], |it| vec![it]);
    let mut targets = Vec::new();
    for client in client::pick(&ws.root, &[id.to_owned()])?.into_iter().map(Rc::new) {
        for scope in scopes.iter().copied().filter(|it| scope.is_some() || client.has_scope(&host_env, *it)) {
            let config_file = ClientConfigFile::of(&client, scope, &host_env, project)?;
            for found in config_file.list(&ledger)?.into_iter().filter(|it| wanted(it, names)) {
                let reinstall = reinstall::command(ws, &config_file, &ledger, &found);
                let transport = client.transport(&host_env, project, scope, &found.name).map_err(Error::from);
                let agreed = selection.force || found.runs_as_written || found.state == EntryState::Missing;
                let by_force = by_force(ws, &config_file, project, &found.name);
                let refusal =
                    (!agreed).then(|| refusal(&config_file, &found, &transport, &reinstall, &by_force));
                let mut notes = notes(&config_file, &found.name);
                notes
                    .extend(transport.as_ref().ok().and_then(|it| environment::note_references(&client, it)));
                notes.extend(transport.as_ref().ok().and_then(|it| note_shared_tag(it, &reinstall)));
                let transport = transport.map(|it| match it {
                    Transport::Stdio(launch) => Transport::Stdio(environment::as_client(&client, launch)),
                    other => other,
                });
                let target = target(&config_file, found, &servers, reinstall, transport);
                targets.push(CheckTarget { refusal, notes, through: Some(Rc::clone(&client)), ..target });
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
    Err(with_hint(format!("{id} has {what}"), ws.command(&format!("install-client {id}{which}"))))
}

/// An update keeps what was added to an entry, so it would not help.
const TAKE_OUT: &str = "what was added to the entry is not ours: if it is not yours, take it out of the file";

/// What keeps the client from using the entry, although it stands there and answers.
fn notes(config_file: &ClientConfigFile<'_>, name: &str) -> Vec<String> {
    let caveats = config_file.caveats(&[name.to_owned()]).into_iter();
    // Of tools' names more is known once they are listed.
    caveats
        .filter(|it| it.kind != CaveatKind::LongToolNames)
        .map(|it| format!("{} ({})", it.what, it.fix))
        .collect()
}

/// An entry of before may start what another clone built.
fn note_shared_tag(transport: &Transport, reinstall: &str) -> Option<String> {
    let Transport::Stdio(launch) = transport else { return None };
    Some(format!("{} ({reinstall} writes it anew)", preflight::shared_tag(launch)?.what))
}

/// Shows what would be started, or how it differs from what we wrote.
fn refusal(
    config_file: &ClientConfigFile<'_>,
    found: &ListedEntry,
    transport: &Result<Transport>,
    reinstall: &str,
    by_force: &str,
) -> Error {
    let (name, path) = (&found.name, config_file.path.display());
    let starts = match transport {
        Ok(Transport::Stdio(it)) => {
            format!("\n  it starts {:?}", [vec![it.command.clone()], it.args.clone()].concat())
        }
        Ok(Transport::Http(it)) => format!("\n  it leads to {:?}", it.url),
        Err(_) => String::new(),
    };
    if found.state == EntryState::Unmanaged {
        let problem =
            format!("the entry {name:?} in {path} is not managed by Drydock, and was not started{starts}");
        return with_hint(problem, format!("look at it first; this starts it as it stands: {by_force}"));
    }
    let differences: String = found.differences.iter().map(|it| format!("\n  {it}")).collect();
    let problem =
        format!("the entry {name:?} in {path} is not as we wrote it, and was not started{differences}");
    let cure = match found.is_only_added_to() {
        true => TAKE_OUT.to_owned(),
        false => format!("{reinstall} writes ours again"),
    };
    let hint = format!("{cure}; this starts it as it stands: {by_force}");
    with_hint(problem, hint)
}

fn wanted(found: &ListedEntry, names: &[String]) -> bool {
    if names.is_empty() {
        return found.state != EntryState::Unmanaged;
    }
    names.iter().any(|it| *it == found.name || found.server.as_ref() == Some(it))
}

/// The command that starts this very entry, whoever wrote it.
fn by_force(ws: &Workspace, config_file: &ClientConfigFile<'_>, project: &Path, name: &str) -> String {
    let (id, scope) = (&config_file.client.id, config_file.scope);
    let project = (scope == Scope::Project && project != ws.root)
        .then(|| format!(" --project {}", reinstall::quoted(&project.display().to_string())));
    let project = project.unwrap_or_default();
    ws.command(&format!("check --client {id} --scope {scope}{project} {} --force", reinstall::quoted(name)))
}

/// `reinstall`: how the entry is written again.
fn target(
    config_file: &ClientConfigFile<'_>,
    found: ListedEntry,
    servers: &[Server],
    reinstall: String,
    transport: Result<Transport>,
) -> CheckTarget {
    CheckTarget {
        transport,
        refusal: None,
        notes: Vec::new(),
        through: None,
        repair: (found.state == EntryState::Modified).then(|| match found.is_only_added_to() {
            true => TAKE_OUT.to_owned(),
            false => format!("somebody changed the entry since; this puts it right: {reinstall}"),
        }),
        reinstall,
        name: found.server.clone().unwrap_or_else(|| found.name.clone()),
        server: servers.iter().find(|it| Some(&it.name) == found.server.as_ref()).cloned(),
        client: Some(config_file.client.id.clone()),
        scope: Some(config_file.scope),
        entry: Some(found.name),
    }
}

impl CheckTarget {
    fn is(&self, name: &str) -> bool {
        self.name == name || self.entry.as_deref() == Some(name)
    }
}

#[cfg(test)]
mod tests;
