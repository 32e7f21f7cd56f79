//! `quickstart`: the whole job once, from the sources to an answer through a client's own entry.
//!
//! A fresh clone -> a running server, two project entries, one real answer. Invariant: what the last screen says was
//! read from what happened, through the entry that the client will start.

mod screen;

use std::time::Instant;

use anyhow::{Context, Error, Result, bail};
use drydock_catalog::Server;
use drydock_config::client::{self, Client, HostEnv, Scope, StdioCommand, Transport};
use drydock_config::entries::{ClientConfigFile, EntryState};
use drydock_config::ledger::Ledger;
use drydock_engine::Engine;
use serde::Deserialize;

use self::screen::{Answer, Screen};
use crate::cargo::{self, Profile};
use crate::connect::{Connect, Options};
use crate::hint::{self, with_hint};
use crate::interrupt;
use crate::ops::build::{BuildOptions, Builder};
use crate::ops::install::install;
use crate::ops::install::plan::Via;
use crate::ops::up::{UpOptions, up};
use crate::ui::progress::{self, say};
use crate::workspace::Workspace;

const SERVER: &str = "weather";
const CLIENTS: [&str; 2] = ["cursor", "claude-code"];
const PLACE: &str = "Reykjavik";

/// Do the whole job once: build and start `weather`, wire it into this workspace, ask it something
///
/// Writes entries for Cursor and Claude Code into this clone alone (they are git-ignored), connects through the very
/// entry that it wrote, lists the tools and calls one. Builds with the profile `quick`: larger and slower than what
/// `build-images` makes, in a fraction of the time. Without an engine, or with `--engine host`, it runs the server as a
/// plain process, without a sandbox.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// The part of a tool list that the screen shows.
#[derive(Deserialize)]
struct Tools {
    tools: Vec<Tool>,
}

#[derive(Deserialize)]
struct Tool {
    name: String,
    title: Option<String>,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        interrupt::arm()?;
        let start = Instant::now();
        let server = drydock_catalog::pick(&ws.root, SERVER)?;
        let engine = engine(ws)?;
        let via = bring_up(ws, engine, &server)?;
        let clients = client::pick(&ws.root, &CLIENTS.map(str::to_owned))?;
        let place = place(engine, &server, &ws.global.name_prefix);
        let (wired, left) = wire_all(ws, &clients, via)?;
        let Some((_, launch)) = wired.first() else { return Err(unfinished(&place, &wired, &left)) };
        let connect = Connect::build(ws)?;
        for (client, launch) in &wired {
            handshake(&connect, client, launch)?;
        }
        let tools = tools(&connect, launch)?;
        let answer = ask(&connect, launch)?;
        Screen {
            place: place.clone(),
            sandboxed: matches!(engine, Engine::Cli(_)),
            clients: wired.iter().map(|(it, _)| it.name().to_owned()).collect(),
            tools,
            answer,
            took: progress::seconds(progress::whole_time(start)),
            options: ws.command("").trim_start_matches("cargo xtask").trim_end().to_owned(),
        }
        .show()?;
        if left.is_empty() { Ok(()) } else { Err(unfinished(&place, &wired, &left)) }
    }
}

/// A client with what it will start.
type Wired<'a> = (&'a Client, StdioCommand);

/// A client that has no entry from us, and what to do about it.
#[derive(Debug)]
struct Left {
    client: String,
    why: String,
    todo: String,
}

/// Goes on after a client that fails: the others, and the server, are worth having.
fn wire_all<'a>(ws: &Workspace, clients: &'a [Client], via: Via) -> Result<(Vec<Wired<'a>>, Vec<Left>)> {
    let (mut wired, mut left) = (Vec::new(), Vec::new());
    for client in clients {
        match wire(ws, client, via) {
            Ok(launch) => wired.push((client, launch)),
            Err(err) => {
                say(&format!("{}: no entry written, going on without it", client.name()));
                let todo = todo(ws, client, via, &err)?;
                left.push(Left { client: client.name().to_owned(), why: format!("{err:#}"), todo });
            }
        }
    }
    Ok((wired, left))
}

/// What a person must do before this client has its entry; the hints of `install-client` name flags that are not ours.
fn todo(ws: &Workspace, client: &Client, via: Via, err: &Error) -> Result<String> {
    let config_file = ClientConfigFile::of(client, Scope::Project, &HostEnv::here()?, &ws.root)?;
    let Ok(entries) = config_file.list(&Ledger::load(&ws.state)?) else {
        let file = config_file.path.display();
        return Ok(format!("mend {file} (or move it away), then: cargo xtask quickstart"));
    };
    let name = client.entry_name(SERVER);
    if entries.iter().any(|it| it.name == name && it.state == EntryState::Unmanaged) {
        let replace = install_command(client, via, &ws.global.name_prefix);
        return Ok(format!("{replace} --force (replaces the unmanaged entry until ours goes)"));
    }
    Ok(hint::hints(err).join("; "))
}

fn install_command(client: &Client, via: Via, prefix: &str) -> String {
    let via = if via == Via::Host { " --via host" } else { "" };
    let prefix = if prefix.is_empty() { String::new() } else { format!(" --name-prefix {prefix}") };
    format!("cargo xtask install-client {} --scope project --server {SERVER}{via}{prefix}", client.id)
}

/// The error at the end: what is done all the same, and what is left to do.
fn unfinished(place: &str, wired: &[Wired<'_>], left: &[Left]) -> Error {
    let done: Vec<_> = wired.iter().map(|(it, _)| it.name()).collect();
    let done = if done.is_empty() { "no client".to_owned() } else { done.join(" and ") };
    let why: Vec<_> = left.iter().map(|it| format!("{}: {}", it.client, it.why)).collect();
    let todo: Vec<_> = left.iter().map(|it| it.todo.as_str()).filter(|it| !it.is_empty()).collect();
    let problem = format!("{}\ndone: the server, {place}; {done} wired up", why.join("\n"));
    if todo.is_empty() { Error::msg(problem) } else { with_hint(problem, todo.join("\nhint: ")) }
}

/// The engine that was named, the one that answers, or none: then servers run as plain processes.
fn engine(ws: &Workspace) -> Result<&Engine> {
    match ws.engine() {
        Err(err) if ws.global.engine.is_none() => {
            say(&format!("no container engine: {err:#}"));
            say("going on with engine `host`: weather runs as a plain process, WITHOUT a sandbox");
            Ok(&Engine::Host)
        }
        Ok(host @ Engine::Host) => {
            say("engine `host`: weather runs as a plain process, WITHOUT a sandbox");
            Ok(host)
        }
        other => other,
    }
}

fn bring_up(ws: &Workspace, engine: &Engine, server: &Server) -> Result<Via> {
    match engine {
        Engine::Cli(cli) => {
            say(&format!("{} {}; a quick (unoptimised) build", cli.name, cli.version));
            let builder = Builder::new(ws, cli, BuildOptions::with(Profile::Quick));
            builder.build(server)?;
            up(ws, &builder, server, &[], UpOptions::default())?;
            Ok(Via::Exec)
        }
        Engine::Host => {
            cargo::build_host(ws, server)?;
            Ok(Via::Host)
        }
    }
}

/// Writes the client's project entry, and reads back what the client would start.
fn wire(ws: &Workspace, client: &Client, via: Via) -> Result<StdioCommand> {
    install(ws, client, Scope::Project, &[SERVER.to_owned()], via)?;
    Ok(client.stdio_command(&HostEnv::here()?, &ws.root, Scope::Project, &client.entry_name(SERVER))?)
}

fn handshake(connect: &Connect, client: &Client, launch: &StdioCommand) -> Result<()> {
    progress::step(&format!("connecting through the entry of {}", client.name()), || {
        let report = connect.check(&Transport::Stdio(launch.clone()), &Options::default())?;
        match report.error {
            None => Ok(()),
            Some(error) => bail!("the entry of {} does not work: {}", client.name(), error.message),
        }
    })
}

/// Names and titles.
fn tools(connect: &Connect, launch: &StdioCommand) -> Result<Vec<(String, String)>> {
    let output = connect.run(launch, &Options::default(), &words(&["tools", "--json"]))?;
    let list: Tools =
        serde_json::from_slice(&output.stdout).with_context(|| drydock_engine::error_text(&output))?;
    Ok(list.tools.into_iter().map(|it| (it.name, it.title.unwrap_or_default())).collect())
}

/// Today's weather; where that cannot be reached, the sun, which is computed.
fn ask(connect: &Connect, launch: &StdioCommand) -> Result<Answer> {
    let arguments = format!(r#"{{"place": "{PLACE}"}}"#);
    let options = Options { timeout: 20.0, ..Options::default() };
    let call = |tool: &str| {
        let words = words(&["call", tool, &arguments]);
        progress::step(&format!("calling {tool}"), || connect.run(launch, &options, &words))
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let online = call("get_current_weather")?;
    if online.status.success() {
        return Ok(Answer { tool: "get_current_weather", arguments, text: text(&online.stdout), why: None });
    }
    let why = Some(reason(&text(&online.stdout), &text(&online.stderr)));
    let computed = call("sun_times")?;
    if !computed.status.success() {
        bail!("`sun_times` failed: {}", drydock_engine::error_text(&computed));
    }
    Ok(Answer { tool: "sun_times", arguments, text: text(&computed.stdout), why })
}

/// Why there was no answer from outside, on one line: the tool's own words, or else our client's.
fn reason(answer: &str, error_text: &str) -> String {
    let line = answer.lines().chain(error_text.lines()).find(|it| !it.trim().is_empty());
    line.unwrap_or("get_current_weather gave no answer").to_owned()
}

fn place(engine: &Engine, server: &Server, prefix: &str) -> String {
    match engine {
        Engine::Cli(_) => server.container(prefix),
        Engine::Host => format!("{} (a plain process for each session)", server.name),
    }
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|it| (*it).to_owned()).collect()
}

#[cfg(test)]
mod tests;
