//! Which entries `install-client` is to write: the command line for each server, by the way that was chosen.
//!
//! Servers + way + scope -> `Plan`; `Plan` + client -> entries. Invariant: an entry of one person holds absolute
//! paths (desktop programs have a short PATH), one of a project the engine's bare name (others share the file).

use anyhow::{Context, Result, bail, ensure};
use drydock_catalog::Server;
use drydock_config::client::{self, Client, HttpEndpoint, Scope, StdioCommand, Transport, sounds_secret};
use drydock_config::entries::DesiredEntry;
use drydock_config::ledger::{InstalledEntry, Ledger};
use drydock_engine::{Cli, Engine, Location, docker_args};
use serde_json::Value;

use crate::cargo;
use crate::hint::with_hint;
use crate::ops::select;
use crate::ui::progress::say;
use crate::workspace::Workspace;

/// How a client gets to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Via {
    /// Into the running container (`up` starts it)
    Exec,
    /// A container of its own for each session, removed afterwards
    Run,
    /// The server as a plain process on this machine, without a sandbox (Rust servers)
    Host,
}

#[derive(Debug, Default)]
pub(crate) struct Plan {
    targets: Vec<Target>,
    name: Option<String>,
    /// How the servers of the workspace are started.
    via: Option<Via>,
    /// What is still to be done before the entries work.
    notes: Vec<String>,
    /// How many servers are described wrongly, which was said.
    pub(crate) left_out: usize,
}

#[derive(Debug)]
struct Target {
    /// What the entry is called, unless the client's rule or `--name` want it otherwise.
    name: String,
    server: Option<String>,
    transport: Transport,
}

/// The engine's command line, as an entry holds it.
struct CommandLine<'a> {
    name: &'static str,
    program: String,
    /// Nothing where no engine answers, and none has to.
    cli: Option<&'a Cli>,
    note: Option<String>,
}

impl<'a> CommandLine<'a> {
    /// `must_answer`: else the entry is only shown, and what it would hold is known without the engine.
    fn of(ws: &'a Workspace, must_answer: bool) -> Result<Self> {
        match ws.engine() {
            Ok(Engine::Cli(cli)) => {
                let program = cli.program.display().to_string();
                Ok(Self { name: cli.name, program, cli: Some(cli), note: None })
            }
            Ok(Engine::Host) => {
                let hint = "leave out `--via`, or take another `--engine`";
                Err(with_hint("engine `host` has no containers", hint))
            }
            Err(err) if must_answer => Err(err),
            Err(err) => {
                let (name, program) = drydock_engine::installed(ws.global.engine.as_deref());
                let program = program.map_or_else(|| name.to_owned(), |it| it.display().to_string());
                let note = format!("no engine was asked whether the container is there: {err:#}");
                Ok(Self { name, program, cli: None, note: Some(note) })
            }
        }
    }

    /// Whether this container is known not to run.
    fn lacks(&self, container: &str) -> Result<bool> {
        let Some(cli) = self.cli else { return Ok(false) };
        Ok(!drydock_engine::container(cli, container)?.is_some_and(|it| it.state.running))
    }

    /// A person's own entry also says where their engine is, if variables say so here: some clients start servers
    /// without most of their environment, and another engine has no such container. A project's entry is for everybody.
    fn launch(&self, scope: Scope, args: Vec<String>) -> StdioCommand {
        match scope {
            Scope::User => {
                let (command, env) = (self.program.clone(), Location::here().variables);
                StdioCommand { command, args, env, ..StdioCommand::default() }
            }
            Scope::Project => StdioCommand { command: self.name.to_owned(), args, ..StdioCommand::default() },
        }
    }
}

/// Entries for servers of the workspace. `write`: the entries are written, so what they start is made for way `host`, and the
/// engine has to answer for the others.
pub(crate) fn servers(
    ws: &Workspace,
    names: &[String],
    scope: Scope,
    via: Option<Via>,
    name: Option<&str>,
    write: bool,
) -> Result<Plan> {
    let (servers, left_out) = select::or_left_out(&ws.root, names)?;
    ensure!(!servers.is_empty(), "this workspace has no servers yet");
    if name.is_some() && servers.len() > 1 {
        return Err(with_hint("`--name` names one entry, and these are several", "add `--server NAME`"));
    }
    let name = name.map(str::to_owned);
    let mut plan = Plan { name, left_out, ..Plan::default() };
    let via = match via {
        None if matches!(ws.engine(), Ok(Engine::Host)) => Via::Host,
        chosen => chosen.unwrap_or(Via::Exec),
    };
    plan.via = Some(via);
    if via == Via::Host {
        for server in select::on_host(servers, !names.is_empty())? {
            let server = server?;
            plan.targets.push(Target::of(&server, on_host(ws, &server, write)?));
        }
        return Ok(plan);
    }
    let engine = CommandLine::of(ws, write)?;
    for server in servers.iter().filter_map(|(_, it)| it.as_ref().ok()) {
        let container = server.container(&ws.global.name_prefix);
        let args = if via == Via::Run {
            no_secrets(server, "run")?;
            docker_args::run_stdio(server, &ws.id()?, &server.environment(&[])?)
        } else {
            if engine.lacks(&container)? {
                let up = ws.command(&format!("up {}", server.name));
                plan.notes.push(format!("`{}` is not running yet: {up}", server.name));
            }
            docker_args::exec_stdio(&container)
        };
        plan.targets.push(Target::of(server, engine.launch(scope, args)));
    }
    plan.notes.extend(engine.note);
    plan.notes.extend(note_location(scope));
    Ok(plan)
}

/// An entry for any command in any container. `write`: as in [`servers`].
pub(crate) fn any_command(
    ws: &Workspace,
    container: &str,
    command: &[String],
    scope: Scope,
    name: Option<&str>,
    write: bool,
) -> Result<Plan> {
    let plain = |it: char| it.is_ascii_alphanumeric() || "_.-".contains(it);
    if !container.starts_with(|it: char| it.is_ascii_alphanumeric()) || !container.chars().all(plain) {
        bail!("{container:?} is no container's name");
    }
    let engine = CommandLine::of(ws, write)?;
    let launch = engine.launch(scope, docker_args::exec(container, command));
    let target = Target { name: container.to_owned(), server: None, transport: Transport::Stdio(launch) };
    let mut notes = Vec::new();
    if engine.lacks(container)? {
        notes.push(format!("no container {container} is running yet{}", start_runtime(ws, container)?));
    }
    notes.extend(engine.note);
    notes.extend(note_location(scope));
    if let Some(word) = secret_word(command) {
        notes.push(format!("what `{word}` is given stands in the client's file, as it is"));
    }
    Ok(Plan { targets: vec![target], name: name.map(str::to_owned), notes, ..Plan::default() })
}

/// The command that starts it, if it is the container of one of our runtime images.
fn start_runtime(ws: &Workspace, container: &str) -> Result<String> {
    let runtimes = drydock_catalog::runtime_images(&ws.root)?;
    let command = runtimes.iter().find(|it| it.container(&ws.global.name_prefix) == container);
    Ok(command.map(|it| format!(": {}", ws.command(&format!("up {}", it.name)))).unwrap_or_default())
}

/// What is given a secret on this command line: the option in `--api-key VALUE`, the name in `API_KEY=VALUE`.
fn secret_word(command: &[String]) -> Option<&str> {
    let words = || command.iter().map(String::as_str);
    let plain = |value: &str| !value.is_empty() && !value.starts_with(['-', '$']);
    let options = words().zip(words().skip(1)).filter(|(it, _)| it.starts_with('-') && !it.contains('='));
    let mut all = options.chain(words().filter_map(|it| it.split_once('=')));
    all.find(|(name, value)| sounds_secret(name) && plain(value)).map(|it| it.0)
}

/// An entry for a server that runs somewhere else.
pub(crate) fn over_http(url: &str, headers: &[String], name: Option<&str>) -> Result<Plan> {
    let name = name.context("`--url` needs `--name`")?.to_owned();
    let headers = headers.iter().map(|it| header(it)).collect::<Result<_>>()?;
    let transport = Transport::Http(HttpEndpoint { url: url.to_owned(), headers });
    Ok(Plan {
        targets: vec![Target { name: name.clone(), server: None, transport }],
        name: Some(name),
        ..Plan::default()
    })
}

/// The value is not repeated in the error: somebody may have put a secret there.
fn header(text: &str) -> Result<(String, String)> {
    let Some((name, value)) = text.split_once(':') else {
        let hint = "as in: --header 'Authorization: Bearer ${TOKEN}'";
        return Err(with_hint("a `--header` reads `NAME: VALUE`, and one has no colon", hint));
    };
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// What a client must get from elsewhere to find the same engine.
fn note_location(scope: Scope) -> Option<String> {
    let Location { variables, secret } = Location::here();
    let set = variables.iter().map(|it| it.0.as_str()).filter(|_| scope == Scope::Project).chain(secret);
    let set: Vec<_> = set.collect();
    let why = match scope {
        Scope::User => "not written: the value may hold a secret",
        Scope::Project => "not written, as others share the file",
    };
    (!set.is_empty()).then(|| {
        format!(
            "{}: {why}; a client finds your engine only if it has that from the session that starts it",
            set.join(", ")
        )
    })
}

fn on_host(ws: &Workspace, server: &Server, build: bool) -> Result<StdioCommand> {
    no_secrets(server, "host")?;
    let binary = if build { cargo::build_host(ws, server)? } else { cargo::host_binary(ws, server)? };
    Ok(StdioCommand {
        command: binary.display().to_string(),
        args: vec!["stdio".into()],
        ..StdioCommand::default()
    })
}

/// What is not the warm container gets no secrets delivered.
fn no_secrets(server: &Server, way: &str) -> Result<()> {
    let names: Vec<_> = server.secrets().filter(|it| it.required).map(|it| it.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let problem = format!("`{}` needs {}, which `--via {way}` cannot give it", server.name, names.join(", "));
    Err(with_hint(problem, "no command of this version of Drydock can deliver secrets yet"))
}

/// How an entry of ours gets to its server.
fn way(launch: &StdioCommand) -> Option<Via> {
    match launch.args.first()?.as_str() {
        "exec" => Some(Via::Exec),
        "run" => Some(Via::Run),
        "stdio" => Some(Via::Host),
        _ => None,
    }
}

fn other_way(was: Via) -> &'static str {
    match was {
        Via::Exec => {
            "led into a container, and is now a plain process without a sandbox; to keep that, take an engine with containers"
        }
        Via::Run => "had a container for each session; to keep that, add `--via run`",
        Via::Host => "was a plain process; to keep that, add `--via host`",
    }
}

impl Target {
    fn of(server: &Server, launch: StdioCommand) -> Self {
        Self {
            name: server.name.clone(),
            server: Some(server.name.clone()),
            transport: Transport::Stdio(launch),
        }
    }
}

impl Plan {
    /// Notes what was entered in another way for these clients (all without ids) than it is now, which nobody asked for.
    pub(crate) fn note_other_ways(&mut self, ws: &Workspace, ids: &[String], scope: Scope) -> Result<()> {
        let ledger = Ledger::load(&ws.state)?;
        let meant = |it: &&InstalledEntry| {
            it.scope == scope
                && (ids.is_empty() || ids.iter().any(|id| it.is_of(id)))
                && self.targets.iter().any(|target| target.server.is_some() && target.server == it.server)
        };
        let clients = client::load(&ws.root)?;
        let was = |it: &InstalledEntry| {
            let client = clients.iter().find(|client| client.id == it.client)?;
            way(&client.parse_stdio(&Value::Object(it.entry.clone())).ok()?)
        };
        let found = ledger.entries.iter().filter(meant);
        let changed = found.filter_map(|it| Some((it, was(it).filter(|was| Some(*was) != self.via)?)));
        let notes = changed.map(|(it, was)| format!("{:?} of {} {}", it.name, it.client, other_way(was)));
        self.notes.extend(notes.collect::<Vec<_>>());
        Ok(())
    }

    pub(crate) fn entries(&self, client: &Client, scope: Scope) -> Result<Vec<DesiredEntry>> {
        let desired = self.targets.iter().map(|it| {
            let name = self.name.clone().unwrap_or_else(|| client.entry_name(&it.name));
            client.check_name(&name)?;
            let entry = match &it.transport {
                Transport::Stdio(launch) => client.stdio_entry(&name, launch),
                Transport::Http(endpoint) => client.http_entry(scope, &name, endpoint)?,
            };
            Ok(DesiredEntry { entry, server: it.server.clone(), name })
        });
        desired.collect()
    }

    /// As in `weather, time`.
    pub(crate) fn names(&self) -> String {
        let name = |it: &Target| format!("{:?}", self.name.as_ref().unwrap_or(&it.name));
        self.targets.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn advise(&self) {
        self.notes.iter().for_each(|it| say(&format!("note: {it}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_an_entry_is_told_by_its_arguments() {
        let way = |args: &[&str]| {
            let args = args.iter().map(|it| (*it).to_owned()).collect();
            super::way(&StdioCommand { command: "x".to_owned(), args, ..StdioCommand::default() })
        };
        assert_eq!(way(&["exec", "-i", "mcp-weather", "/mcp", "stdio"]), Some(Via::Exec));
        assert_eq!(way(&["run", "-i"]), Some(Via::Run));
        assert_eq!(way(&["stdio"]), Some(Via::Host));
        assert_eq!((way(&[]), way(&["-y"])), (None, None));
    }
}
