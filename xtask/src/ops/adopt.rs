//! What another workspace id owns, and this clone may take over: above all what it made itself before `.drydock` was lost.
//!
//! Container of another id -> whose it is; with the person's yes the id, and with it containers, images and volumes, and the
//! entries that lead there. Invariant: an id that a living clone has is never taken; what is known of the owner is said first.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use anyhow::Result;
use drydock_config::client::{self, Client, HostEnv, Scope, StdioCommand};
use drydock_config::entries::{ClientConfigFile, DesiredEntry};
use drydock_config::file;
use drydock_config::ledger::Ledger;
use drydock_contract::label;
use drydock_engine::{Cli, Container, Engine, Location, docker_args};
use serde_json::Value;

use crate::hint::with_hint;
use crate::ops::install::confirm;
use crate::ops::reinstall;
use crate::ui::progress::say;
use crate::workspace::{Workspace, machine};

/// Who made a container that carries another workspace's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// This clone, before it lost its state.
    Ourselves,
    /// A clone that is gone, or has another id by now: where its state was.
    Gone(PathBuf),
    /// Another clone, which has that id: where its state is.
    Living(PathBuf),
    /// It does not say, or stands on another machine.
    Unknown,
}

/// What is ours now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adopted {
    /// All that carries the id.
    Everything,
    /// The right to this one container, which still carries the other id.
    Container,
}

impl Maker {
    pub(crate) fn of(ws: &Workspace, found: &Container) -> Self {
        let here = fs::canonicalize(&ws.state).unwrap_or_else(|_| ws.state.clone());
        let Some((on, folder)) = found.state_folder() else { return Self::Unknown };
        if on != machine() || !folder.is_absolute() {
            return Self::Unknown;
        }
        if folder == here {
            return Self::Ourselves;
        }
        match file::read(&folder.join("workspace-id")) {
            Ok(id) if id.as_deref().map(<[u8]>::trim_ascii) != found.workspace().map(str::as_bytes) => {
                Self::Gone(folder.to_path_buf())
            }
            // What we may not look at may be alive.
            _ => Self::Living(folder.to_path_buf()),
        }
    }
}

/// As the end of `the container .. was made `.
impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clone = |state: &PathBuf| {
            let root = state.parent().filter(|_| state.ends_with(".drydock"));
            root.unwrap_or(state).display().to_string().escape_debug().to_string()
        };
        match self {
            Self::Ourselves => f.write_str("by this clone, which has lost its state (`.drydock`) since"),
            Self::Gone(state) => {
                write!(f, "by the clone in {}, which is gone or has another id by now", clone(state))
            }
            Self::Living(state) => write!(f, "by the clone in {}, which is in use", clone(state)),
            Self::Unknown => f.write_str("by a clone that is not known here"),
        }
    }
}

/// Whose it is, in words: `mcp-weather belongs to another workspace (ID, created ..), made by ..`.
pub(crate) fn describe(ws: &Workspace, found: &Container) -> String {
    let (id, created) =
        (found.workspace().unwrap_or_default(), found.created.split('.').next().unwrap_or_default());
    format!(
        "the container {} belongs to another workspace ({}, created {}): it was made {}",
        found.name(),
        id.escape_debug(),
        created.escape_debug(),
        Maker::of(ws, found)
    )
}

/// Takes over a container that carries another id, and where that can be done all that carries it.
///
/// `adopt`: the person has said so; else a person at a terminal is asked, where it is about everything.
pub(crate) fn take_over(ws: &Workspace, cli: &Cli, found: &Container, adopt: bool) -> Result<Adopted> {
    let maker = Maker::of(ws, found);
    let id = found.workspace().unwrap_or_default();
    let everything = matches!(maker, Maker::Ourselves | Maker::Gone(_)) && has_nothing(ws, cli)?;
    if !adopt {
        let asks = everything && io::stdin().is_terminal() && io::stderr().is_terminal();
        if !asks {
            return Err(refusal(ws, cli, found, &maker, everything)?);
        }
        say(&describe(ws, found));
        confirm(&format!("take over {}", Belongings::of(cli, id)?), false)?;
    }
    if everything {
        let belongings = Belongings::of(cli, id)?;
        ws.take_id(id)?;
        say(&format!("taken over: {belongings}"));
    }
    if matches!(maker, Maker::Ourselves | Maker::Gone(_)) {
        entries(ws, cli, id)?;
    }
    Ok(if everything { Adopted::Everything } else { Adopted::Container })
}

fn refusal(
    ws: &Workspace,
    cli: &Cli,
    found: &Container,
    maker: &Maker,
    everything: bool,
) -> Result<anyhow::Error> {
    let problem = format!("{}; it was left as it is", describe(ws, found));
    let other_name = "use another name with `--name-prefix PREFIX`";
    let hint = match maker {
        _ if everything => {
            let belongings = Belongings::of(cli, found.workspace().unwrap_or_default())?;
            format!("run it again with `--adopt`: that takes over {belongings}; or {other_name}")
        }
        Maker::Living(_) => format!("{other_name}; `up --adopt` takes it away from that clone"),
        _ => format!("{other_name}, or take it over with `--adopt`"),
    };
    Ok(with_hint(problem, hint))
}

/// What carries an id.
struct Belongings {
    id: String,
    containers: Vec<String>,
    images: usize,
}

impl Belongings {
    fn of(cli: &Cli, id: &str) -> Result<Self> {
        let containers = owned(cli, id)?.iter().map(|it| it.name().to_owned()).collect();
        Ok(Self { id: id.to_owned(), containers, images: drydock_engine::count_images(cli, id)? })
    }
}

impl fmt::Display for Belongings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let images = if self.images == 1 { "1 image".to_owned() } else { format!("{} images", self.images) };
        let (id, containers) = (self.id.escape_debug(), self.containers.join(", "));
        write!(
            f,
            "all of the workspace {id}: {containers}, {images}, and the clients' entries that lead there"
        )
    }
}

fn owned(cli: &Cli, id: &str) -> Result<Vec<Container>> {
    let mut all = drydock_engine::containers(cli, &[])?;
    all.retain(|it| it.workspace() == Some(id) && it.settings().is_some());
    all.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(all)
}

/// Whether nothing would be lost with our own id.
fn has_nothing(ws: &Workspace, cli: &Cli) -> Result<bool> {
    let id = ws.id()?;
    Ok(Ledger::load(&ws.state)?.entries.is_empty()
        && owned(cli, &id)?.is_empty()
        && drydock_engine::count_images(cli, &id)? == 0)
}

/// The containers that this clone made before it lost its state, newest first.
pub(crate) fn lost(ws: &Workspace, cli: &Cli) -> Result<Vec<Container>> {
    lost_among(ws, drydock_engine::containers(cli, &[])?)
}

fn lost_among(ws: &Workspace, mut all: Vec<Container>) -> Result<Vec<Container>> {
    let id = ws.id()?;
    all.retain(|it| {
        it.settings().is_some() && it.workspace() != Some(&id) && Maker::of(ws, it) == Maker::Ourselves
    });
    all.sort_by(|a, b| b.created.cmp(&a.created));
    Ok(all)
}

/// Takes over what this clone lost, if anything of it is there.
pub(crate) fn take_over_lost(ws: &Workspace) -> Result<()> {
    let Engine::Cli(cli) = ws.engine()? else { return Ok(()) };
    match lost(ws, cli)?.first() {
        Some(found) => take_over(ws, cli, found, true).map(drop),
        None => {
            say("nothing that this clone lost is on the engine");
            Ok(())
        }
    }
}

/// Says that something of this clone's waits to be taken over. Of an engine that does not answer nothing is known.
pub(crate) fn note_lost(ws: &Workspace) {
    if let Ok(Engine::Cli(cli)) = ws.engine()
        && let Ok(all) = drydock_engine::containers(cli, &[])
    {
        note_lost_among(ws, &all);
    }
}

/// The same of these containers, for whoever knows them already.
pub(crate) fn note_lost_among(ws: &Workspace, all: &[Container]) {
    let Ok(found) = lost_among(ws, all.to_vec()) else { return };
    let Some(server) = found.first().and_then(Container::server) else { return };
    let names: Vec<_> = found.iter().map(Container::name).collect();
    say(&format!(
        "note: this clone made {} before it lost its state (`.drydock`); with images and entries it is its own again after: {}",
        names.join(", "),
        ws.command(&format!("up {server} --adopt"))
    ));
}

/// Records the entries in clients' files that start a session in one of these containers, or with that id.
fn entries(ws: &Workspace, cli: &Cli, id: &str) -> Result<()> {
    let containers: BTreeMap<_, _> = owned(cli, id)?
        .iter()
        .filter_map(|it| Some((it.name().to_owned(), it.server()?.to_owned())))
        .collect();
    let (host_env, ledger) = (HostEnv::here()?, Ledger::load(&ws.state)?);
    for client in client::load(&ws.root)? {
        for scope in Scope::ALL {
            // A file that cannot be read holds nothing that we could be sure of.
            let Ok(config_file) = ClientConfigFile::of(&client, scope, &host_env, &ws.root) else { continue };
            let Ok(unmanaged) = config_file.unmanaged_entries(&ledger) else { continue };
            let ours =
                unmanaged.iter().filter_map(|(name, value)| written(&client, name, value, &containers, id));
            let adopted = config_file.adopt(&ws.state, &ours.collect::<Vec<_>>())?;
            for name in adopted {
                say(&format!("taken over: the entry {name:?} in {}", config_file.path.display()));
            }
        }
    }
    Ok(())
}

/// The entry as we must have written it, if it is one of ours by all that it starts.
fn written(
    client: &Client,
    name: &str,
    value: &Value,
    containers: &BTreeMap<String, String>,
    id: &str,
) -> Option<DesiredEntry> {
    let launch = client.parse_stdio(value).ok()?;
    let program = std::path::Path::new(&launch.command).file_stem()?.to_str()?;
    if !["docker", "podman"].contains(&program) {
        return None;
    }
    let server = match reinstall::container(&launch) {
        Some(container) if launch.args == docker_args::exec_stdio(container) => {
            containers.get(container)?.clone()
        }
        Some(_) => return None,
        None => server_of_run(&launch, id)?.to_owned(),
    };
    let env = launch.env.into_iter().filter(|(name, _)| Location::is_variable(name)).collect();
    let command = StdioCommand { command: launch.command, args: launch.args, env, ..StdioCommand::default() };
    Some(DesiredEntry {
        name: name.to_owned(),
        server: Some(server),
        entry: client.stdio_entry(name, &command),
    })
}

/// Of an entry that starts a container for each session: its labels say whose it is.
fn server_of_run<'l>(launch: &'l StdioCommand, id: &str) -> Option<&'l str> {
    if launch.args.first().is_none_or(|it| it != "run") {
        return None;
    }
    let labels =
        || launch.args.windows(2).filter(|it| it[0] == "--label").filter_map(|it| it[1].split_once('='));
    labels().find(|it| *it == (label::WORKSPACE, id))?;
    labels().find(|it| it.0 == label::SERVER).map(|it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef";

    fn cursor() -> Client {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        client::pick(root, &["cursor".to_owned()]).unwrap().remove(0)
    }

    fn server(entry: Value) -> Option<String> {
        let containers = BTreeMap::from([("t-mcp-weather".to_owned(), "weather".to_owned())]);
        written(&cursor(), "x", &entry, &containers, ID)?.server
    }

    #[test]
    fn an_entry_is_ours_by_all_that_it_starts() {
        let enters = |program: &str, words: &[&str]| {
            let args = [&["exec", "-i"], words].concat();
            server(serde_json::json!({"command": program, "args": args}))
        };
        assert_eq!(
            enters("/usr/bin/docker", &["t-mcp-weather", "/mcp", "stdio"]).as_deref(),
            Some("weather")
        );
        assert_eq!(enters("/usr/bin/docker", &["t-mcp-weather", "sh"]), None);
        assert_eq!(enters("/usr/bin/docker", &["mcp-weather", "/mcp", "stdio"]), None, "another container");
        assert_eq!(enters("/bin/sh", &["t-mcp-weather", "/mcp", "stdio"]), None);
        let run = |id: &str| {
            let labels = [format!("{}=weather", label::SERVER), format!("{}={id}", label::WORKSPACE)];
            server(serde_json::json!({"command": "docker", "args":
                ["run", "-i", "--label", labels[0], "--label", labels[1], "drydock/weather:1", "stdio"]}))
        };
        assert_eq!(run(ID).as_deref(), Some("weather"));
        assert_eq!(run("fedcba9876543210"), None);
    }

    /// What a person added is not what we wrote: it shows as a difference.
    #[test]
    fn only_variables_that_say_where_the_engine_is_are_taken_for_ours() {
        let containers = BTreeMap::from([("mcp-a".to_owned(), "a".to_owned())]);
        let entry = serde_json::json!({"command": "docker", "args": ["exec", "-i", "mcp-a", "/mcp", "stdio"],
            "env": {"DOCKER_HOST": "unix:///x", "LD_PRELOAD": "/e.so"}});
        let written = written(&cursor(), "a", &entry, &containers, ID).unwrap();
        assert_eq!(written.entry["env"], serde_json::json!({"DOCKER_HOST": "unix:///x"}));
    }
}
