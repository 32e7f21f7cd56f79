//! `up`: every server's container stands, with its whole sandbox, and answers.
//!
//! Servers -> ready containers. Invariant: run twice, the second changes nothing; what is not ours is never touched;
//! what could not be made whole is taken away again or said.

mod limits;

use std::process::Output;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::argv::{self, Create};
use crate::cargo::{self, Profile};
use crate::catalog::{self, Server};
use crate::container::{self, Container, Image, Owner};
use crate::each::each;
use crate::engine::{self, Cli, Engine};
use crate::fixable::fixable;
use crate::interrupt;
use crate::progress;
use crate::task::build_images;
use crate::workspace::Workspace;

/// How long a server may take to be ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// Start the servers' containers (all of them without names)
///
/// Creates what is missing, starts what is stopped, leaves what already runs from the same image and settings, and
/// recreates what is ours and differs, unless sessions are open. Builds images that are missing. Under `--engine host`
/// there is nothing to start: it compiles the Rust servers, and a client starts them.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Servers and bases (node, python); without any, all servers of the workspace
    names: Vec<String>,
    /// Set a variable that the server.json declares, in this container. Not remembered: an `up` without it takes the default
    #[arg(long = "env", value_name = "KEY=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Args, Debug, Default, Clone, Copy)]
pub(crate) struct How {
    /// Recreate also while sessions are open: they end
    #[arg(long)]
    pub(crate) force: bool,
    /// Replace another workspace's container of the same server
    #[arg(long)]
    pub(crate) adopt: bool,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        interrupt::arm()?;
        let servers = catalog::pick_with_bases(&ws.root, &self.names)?;
        if servers.len() > 1 && !self.env.is_empty() {
            bail!("--env sets a variable of one server: name that server");
        }
        match engine::find(ws)? {
            Engine::Host => {
                catalog::on_host(servers, !self.names.is_empty())?.iter().try_for_each(|it| on_host(ws, it))
            }
            Engine::Cli(cli) => {
                each(&servers, "servers are not up", |it| up(ws, &cli, it, &self.env, self.how))
            }
        }
    }
}

fn on_host(ws: &Workspace, server: &Server) -> Result<()> {
    let path = cargo::build_host(ws, server)?;
    let path = path.display();
    progress::say(&format!(
        "{}: {path} (engine host: clients start it themselves, without a sandbox)",
        server.name
    ));
    Ok(())
}

/// Brings one server up; when this returns it is ready.
pub(crate) fn up(
    ws: &Workspace,
    cli: &Cli,
    server: &Server,
    env: &[(String, String)],
    how: How,
) -> Result<()> {
    if server.secrets().any(|it| it.required) {
        bail!("`{}` needs secrets, which this version of Drydock cannot deliver yet", server.name);
    }
    let env = server.environment(env)?;
    let name = server.container(&ws.global.name_prefix);
    let id = ws.id()?;
    let look = || -> Result<Option<Container>> {
        let found = container::named(cli, &name)?;
        found.iter().try_for_each(|it| may_touch(it, server, &id, how))?;
        Ok(found)
    };
    look()?; // before the work of a build
    let image = image(ws, cli, server, &id)?;
    let want = argv::create(server, &name, &id, &env);
    // A build takes minutes, in which somebody may have made or started one.
    if let Some(found) = look()? {
        if same(&found, &want, &image, server, &id) {
            return resume(ws, cli, server, &found);
        }
        replace(cli, &found, how)?;
    }
    progress::step(&format!("starting {name}"), || make(cli, server, &name, &want))?;
    if server.base {
        progress::say(&format!(
            "{name} has a shell and runs whatever it is told: nothing that you do not trust"
        ));
    }
    Ok(())
}

/// Whether the container of that name is ours to change.
fn may_touch(found: &Container, server: &Server, id: &str, how: How) -> Result<()> {
    let name = found.name();
    match found.owner(&server.name, id) {
        Owner::Us => Ok(()),
        Owner::Workspace(_) if how.adopt => Ok(()),
        Owner::Workspace(other) => Err(fixable(
            format!("the container {name} belongs to another workspace ({other}); it was left as it is"),
            "use another name with `--name-prefix PREFIX`, or take it over with `--adopt`",
        )),
        Owner::Stranger => Err(fixable(
            format!(
                "the container {name} (image {}) is not Drydock's; it was left as it is",
                found.config.image
            ),
            "use another name with `--name-prefix PREFIX`, or remove that container yourself",
        )),
    }
}

/// Our image of this version, built if it is missing.
fn image(ws: &Workspace, cli: &Cli, server: &Server, id: &str) -> Result<Image> {
    match container::image(cli, &server.image())? {
        Some(image) if image.is_ours(&server.name, id) => return Ok(image),
        Some(_) => progress::say(&format!("{} was not built by this workspace: building it", server.image())),
        None => progress::say(&format!("{} is not there yet: building it", server.image())),
    }
    build_images::build(ws, cli, server, build_images::How::with(Profile::Release))
}

fn same(found: &Container, want: &Create, image: &Image, server: &Server, id: &str) -> bool {
    found.owner(&server.name, id) == Owner::Us
        && found.settings() == Some(&want.settings)
        && found.image == image.id
        && found.state.status != "created" // an `up` that was cut short made it
}

/// The container is the right one: it only has to run.
fn resume(ws: &Workspace, cli: &Cli, server: &Server, found: &Container) -> Result<()> {
    let name = found.name();
    if !found.state.running {
        return progress::step(&format!("starting {name}"), || start(cli, server, name));
    }
    if container::health(cli, name).is_ok_and(|it| it.ready) {
        progress::say(&format!("{name}: already up"));
        return Ok(());
    }
    // It may still be at its start. Somebody may be at work in it, so it is not for us to stop.
    let Some(why) = progress::step(&format!("waiting for {name}"), || until_ready(cli, name))? else {
        return Ok(());
    };
    let [logs, down, up] = ["logs", "down", "up"].map(|it| ws.command(&format!("{it} {}", server.name)));
    let problem = format!("{name} runs, but did not become ready: {why}; it was left as it is");
    Err(fixable(problem, format!("{logs}; to begin anew: {down}, then {up}")))
}

/// Takes our old container away, unless somebody works with it.
fn replace(cli: &Cli, found: &Container, how: How) -> Result<()> {
    let name = found.name();
    // One that starts again and again has no sessions.
    if found.state.running && found.state.status != "restarting" && !how.force {
        let differs = format!("{name} differs from what it should be and");
        match container::health(cli, name) {
            Ok(health) if health.sessions == 0 => {}
            Ok(health) => {
                let problem = format!("{differs} has {} open sessions", health.sessions);
                let hint = "close the clients that use it, or end their sessions with `--force`";
                return Err(fixable(format!("{problem}; it was left as it is"), hint));
            }
            Err(err) => {
                let problem = format!("{differs} does not say whether sessions are open ({err:#})");
                let hint = "`--force` makes it anew all the same; sessions end";
                return Err(fixable(format!("{problem}; it was left as it is"), hint));
            }
        }
    }
    progress::say(&format!("{name} differs from what it should be: making it anew"));
    remove(cli, found)
}

/// Ends a container in order, then removes it: that one, whoever has its name by now.
pub(crate) fn remove(cli: &Cli, found: &Container) -> Result<()> {
    cli.output(&argv::stop(&found.id))?; // one that does not run is as good as stopped
    cli.read(&argv::remove(&found.id)).map(drop)
}

/// Creates and starts; on any failure before the server was ready, nothing half made stays.
fn make(cli: &Cli, server: &Server, name: &str, want: &Create) -> Result<()> {
    let output = cli.output(&want.args)?;
    if !output.status.success() {
        return match elsewhere(cli, name, want)? {
            true => start(cli, server, name),
            false => bail!("cannot create {name}: {}", engine::complaint(&output)),
        };
    }
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let made = whole(cli, server, name, &output).and_then(|()| start(cli, server, name));
    if made.is_err() {
        cli.read(&argv::remove(&id)).with_context(|| format!("could not remove the half made {name}"))?;
    }
    made
}

/// Whether another `up` was faster and made the very same; its container is listed a little after its name is taken.
fn elsewhere(cli: &Cli, name: &str, want: &Create) -> Result<bool> {
    for _ in 0..20 {
        if let Some(found) = container::named(cli, name)? {
            return Ok(found.settings() == Some(&want.settings));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(false)
}

/// Whether what was created has its whole sandbox, before anything runs in it.
fn whole(cli: &Cli, server: &Server, name: &str, created: &Output) -> Result<()> {
    interrupt::check()?;
    // An engine that cannot keep a limit says so here, and goes on without it.
    let said = String::from_utf8_lossy(&created.stderr);
    let warnings: Vec<_> = said.lines().filter(|it| it.starts_with("WARNING")).collect();
    if !warnings.is_empty() {
        return Err(limits::not_kept(name, &warnings.join("; ")));
    }
    limits::read_back(&found(cli, name)?, server)
}

fn start(cli: &Cli, server: &Server, name: &str) -> Result<()> {
    cli.read(&argv::start(name))?;
    if let Err(err) = limits::read_back(&found(cli, name)?, server) {
        cli.read(&argv::stop(name))?;
        return Err(err);
    }
    ready(cli, name)
}

fn found(cli: &Cli, name: &str) -> Result<Container> {
    container::named(cli, name)?.with_context(|| format!("{name} went away while it was started"))
}

/// Waits until the server answers: nothing, or why it does not.
fn until_ready(cli: &Cli, name: &str) -> Result<Option<String>> {
    let (start, restarts) = (Instant::now(), found(cli, name)?.restart_count);
    loop {
        interrupt::check()?;
        let why = match container::health(cli, name) {
            Ok(health) if health.ready => return Ok(None),
            Ok(health) => format!("it says that it is not ready{}", health.why()),
            Err(err) => err.to_string(),
        };
        let now = found(cli, name)?;
        if !now.state.running || now.restart_count > restarts {
            return Ok(Some(format!("it ended with exit code {}", now.state.exit_code)));
        }
        if start.elapsed() > PATIENCE {
            return Ok(Some(format!("not within {} s: {why}", PATIENCE.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A server that we have started and that does not get ready is stopped, and its last words are in the error.
fn ready(cli: &Cli, name: &str) -> Result<()> {
    let Some(why) = until_ready(cli, name)? else { return Ok(()) };
    let logs = cli.output(&argv::logs(name, false, Some(20)))?;
    let logs = format!("{}{}", String::from_utf8_lossy(&logs.stdout), String::from_utf8_lossy(&logs.stderr));
    cli.output(&argv::stop(name))?;
    let words =
        if logs.trim().is_empty() { "it logged nothing".to_owned() } else { format!("its log:\n{logs}") };
    bail!("{name} did not become ready: {why}\n{}", words.trim_end())
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}
