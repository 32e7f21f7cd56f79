//! Brings one server up.
//!
//! Server -> ready container. Invariant: run twice, the second changes nothing; what is not ours is never touched;
//! what could not be made whole is taken away again or said.

use std::process::Output;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use drydock_catalog::Server;
use drydock_contract::Health;
use drydock_engine::docker_args::{self, Create, LogLines};
use drydock_engine::{Cli, Container, Image, Owner, error_text, proxies};

use crate::hint::with_hint;
use crate::interrupt;
use crate::ops::adopt;
use crate::ops::build::Builder;
use crate::ops::missing_grant;
use crate::ops::turn;
use crate::ui::progress;
use crate::workspace::Workspace;

/// How long a server may take to be ready.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(clap::Args, Debug, Default, Clone, Copy)]
pub(crate) struct UpOptions {
    /// Recreate also while sessions are open: they end
    #[arg(long)]
    pub(crate) force: bool,
    /// Take over another workspace's container of the same server. If this clone made it before `.drydock` was lost, or its
    /// clone is gone, then all of that workspace: its containers, images, and the entries that lead there
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Take the image that is there, also when the sources have changed since it was built
    #[arg(long)]
    pub(crate) no_build: bool,
    /// Recreate also what is as it should be.
    #[arg(skip)]
    pub(crate) restart: bool,
}

/// Brings one server up; when this returns it is ready. The builder makes its image if it is missing.
pub(crate) fn up(
    ws: &Workspace,
    builder: &Builder<'_>,
    server: &Server,
    env: &[(String, String)],
    options: UpOptions,
) -> Result<()> {
    needs_no_secrets(server)?;
    let cli = builder.cli();
    let env = server.environment(env)?;
    let name = server.container(&ws.global.name_prefix);
    let inspect = || -> Result<Option<Container>> {
        let found = drydock_engine::container(cli, &name)?;
        found.iter().try_for_each(|it| check_ownership(ws, cli, it, server, options))?;
        Ok(found)
    };
    inspect()?; // before the work of a build; and our id may be another one then
    let id = ws.id()?;
    let image = image(builder, server, &id, options)?;
    say_grants(server);
    let want = docker_args::create(server, &name, &id, &env);
    let want = want.from_image(&image.id).with_state(&ws.state_label()?);
    // A build takes minutes, in which somebody may have made or started one; or is about to.
    let _turn = turn::take(ws.state_dir()?, "up", &name)?;
    if let Some(found) = inspect()? {
        if !options.restart && is_current(&found, &want, &image, server, &id) {
            if !proxies::have_changed(cli, &found, &image, &env)? {
                return resume(ws, cli, server, &found);
            }
            progress::say(&format!("{name} has other proxies than {} gives to containers now", cli.name));
        }
        replace(cli, &found, options)?;
    }
    progress::step(&format!("starting {name}"), || create_and_start(ws, cli, server, &name, &want, &image))?;
    if server.is_runtime {
        progress::say(&format!(
            "{name} has a shell and the network: run nothing in it that you do not trust"
        ));
    }
    Ok(())
}

fn needs_no_secrets(server: &Server) -> Result<()> {
    let names: Vec<_> = server.secrets().filter(|it| it.required).map(|it| it.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let problem = format!(
        "`{}` does not start without {}: a secret, and this version of Drydock cannot deliver secrets yet; nothing was started",
        server.name,
        names.join(", ")
    );
    let file = server.dir.join("server.json");
    let hint = format!("if it starts without: take `isRequired` off that variable in {}", file.display());
    Err(with_hint(problem, hint))
}

/// Whether the container of that name is ours to change.
fn check_ownership(
    ws: &Workspace,
    cli: &Cli,
    found: &Container,
    server: &Server,
    options: UpOptions,
) -> Result<()> {
    let name = found.name();
    match found.owner(&server.name, &ws.id()?) {
        Owner::ThisWorkspace => Ok(()),
        Owner::OtherWorkspace(_) => adopt::take_over(ws, cli, found, options.adopt).map(drop),
        Owner::Unmanaged => Err(with_hint(
            format!(
                "the container {name} (image {}) is not managed by Drydock; it was left as it is",
                found.image_name()
            ),
            "use another name with `--name-prefix PREFIX`, or remove that container yourself",
        )),
    }
}

/// What the server may do that others may not, and what its publisher would like it to do besides.
fn say_grants(server: &Server) {
    let (beyond, file) = (server.beyond_default(), server.grants_file());
    if !beyond.is_empty() {
        progress::say(&format!("{}: beyond the default: {}", server.name, beyond.join(", ")));
    }
    if !server.requests.is_empty() {
        let wishes = server.requests.join(", ");
        progress::say(&format!(
            "{}: its server.json asks for {wishes}: not granted, unless {} says so",
            server.name,
            file.display()
        ));
    }
}

/// Our image of this version, built if it is missing, or older than its sources.
fn image(builder: &Builder<'_>, server: &Server, id: &str, options: UpOptions) -> Result<Image> {
    match drydock_engine::image(builder.cli(), &server.own_image(id))? {
        Some(image) if image.is_ours(&server.name, id) => {
            if image.sources() == Some(&builder.sources.fingerprint(server)?) {
                return Ok(image);
            }
            if options.no_build {
                progress::say(&format!(
                    "{} was built from other sources than these: not built, as you say",
                    server.image()
                ));
                return Ok(image);
            }
            progress::say(&format!(
                "{} was built from other sources than these: building it",
                server.image()
            ));
            return builder.rebuild(server, &image);
        }
        Some(_) => progress::say(&format!("{} was not built by this workspace: building it", server.image())),
        None => progress::say(&format!("{} is not there yet: building it", server.image())),
    }
    builder.build_stale(server)
}

fn is_current(found: &Container, want: &Create, image: &Image, server: &Server, id: &str) -> bool {
    found.owner(&server.name, id) == Owner::ThisWorkspace
        && found.settings() == Some(&want.settings)
        && found.image == image.id
        && drydock_engine::unmet(found, server).is_empty() // `docker update`, say
        && found.state.status != "created" // an `up` that was cut short made it
}

/// The container is the right one: it only has to run.
fn resume(ws: &Workspace, cli: &Cli, server: &Server, found: &Container) -> Result<()> {
    let name = found.name();
    if !found.state.running {
        return progress::step(&format!("starting {name}"), || start(ws, cli, server, name));
    }
    if drydock_engine::health(cli, name).is_ok_and(|it| it.ready) {
        progress::say(&format!("{name}: already up"));
        return Ok(());
    }
    // It may still be at its start. Somebody may be at work in it, so it is not for us to stop.
    let Some(why) = progress::step(&format!("waiting for {name}"), || until_ready(cli, name))? else {
        return Ok(());
    };
    let [logs, down, up] = ["logs", "down", "up"].map(|it| ws.command(&format!("{it} {}", server.name)));
    let problem = format!("{name} runs, but did not become ready: {why}; it was left as it is");
    Err(with_hint(problem, format!("{logs}; to begin anew: {down}, then {up}")))
}

/// Takes our old container away, unless somebody works with it.
fn replace(cli: &Cli, found: &Container, options: UpOptions) -> Result<()> {
    let name = found.name();
    // One that starts again and again has no sessions.
    if found.state.running && found.state.status != "restarting" && !options.force {
        let differs = if options.restart { "" } else { "differs from what it should be and " };
        match drydock_engine::health(cli, name) {
            Ok(health) if health.sessions == 0 => {}
            Ok(health) => {
                let problem = format!("{name} {differs}has {} open sessions", health.sessions);
                let hint = "close the clients that use it, or end their sessions with `--force`";
                return Err(with_hint(format!("{problem}; it was left as it is"), hint));
            }
            Err(err) => {
                let problem = format!("{name} {differs}does not say whether sessions are open ({err:#})");
                let hint = "`--force` recreates it all the same; sessions end";
                return Err(with_hint(format!("{problem}; it was left as it is"), hint));
            }
        }
    }
    if options.restart {
        return progress::step(&format!("stopping {name}"), || {
            Ok(drydock_engine::stop_and_remove(cli, found)?)
        });
    }
    progress::say(&format!("{name} differs from what it should be: recreating it"));
    Ok(drydock_engine::stop_and_remove(cli, found)?)
}

/// Creates and starts. Nothing half made stays; a server that does not get ready is stopped and stays, with its log.
fn create_and_start(
    ws: &Workspace,
    cli: &Cli,
    server: &Server,
    name: &str,
    want: &Create,
    image: &Image,
) -> Result<()> {
    let output = cli.output(&want.args)?;
    if !output.status.success() {
        return match created_concurrently(cli, name, want)? {
            true => start(ws, cli, server, name),
            false => bail!("cannot create {name}: {}", error_text(&output)),
        };
    }
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let own = || Ok(drydock_engine::give_volumes(cli, server, name, &image.id)?);
    let made = verify_sandbox(cli, server, name, &output)
        .and_then(|()| own())
        .and_then(|()| try_start(ws, cli, server, name));
    match made {
        Ok(started) => started,
        Err(err) => {
            cli.stdout(&docker_args::remove(&id))
                .with_context(|| format!("could not remove the half made {name}"))?;
            Err(err)
        }
    }
}

/// Whether another `up` was faster and made the very same; its container is listed a little after its name is taken.
fn created_concurrently(cli: &Cli, name: &str, want: &Create) -> Result<bool> {
    for _ in 0..20 {
        if let Some(found) = drydock_engine::container(cli, name)? {
            return Ok(found.settings() == Some(&want.settings));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(false)
}

/// Whether what was created has its whole sandbox, before anything runs in it.
fn verify_sandbox(cli: &Cli, server: &Server, name: &str, created: &Output) -> Result<()> {
    interrupt::check()?;
    // What an engine cannot enforce it leaves out, with a warning: what it then shows decides.
    let warnings = String::from_utf8_lossy(&created.stderr);
    warnings.lines().for_each(|it| progress::say(&format!("{}: {}", cli.name, it.escape_debug())));
    Ok(drydock_engine::verify(&inspect_owned(cli, name)?, server)?)
}

fn start(ws: &Workspace, cli: &Cli, server: &Server, name: &str) -> Result<()> {
    try_start(ws, cli, server, name)?
}

/// The inner error: it did not get ready, and was stopped.
fn try_start(ws: &Workspace, cli: &Cli, server: &Server, name: &str) -> Result<Result<()>> {
    cli.stdout(&docker_args::start(name))?;
    if let Err(err) = drydock_engine::verify(&inspect_owned(cli, name)?, server) {
        cli.stdout(&docker_args::stop(name))?;
        return Err(err.into());
    }
    stop_unless_ready(ws, cli, server, name)
}

fn inspect_owned(cli: &Cli, name: &str) -> Result<Container> {
    drydock_engine::container(cli, name)?.with_context(|| format!("{name} went away while it was started"))
}

/// Waits until the server answers: nothing, or why it does not.
fn until_ready(cli: &Cli, name: &str) -> Result<Option<String>> {
    let (start, restarts) = (Instant::now(), inspect_owned(cli, name)?.restart_count);
    let mut first_death = None;
    loop {
        interrupt::check()?;
        let why = match drydock_engine::health(cli, name) {
            Ok(health) if health.ready => return Ok(None),
            Ok(Health { failures: 2.., reason: Some(why), .. }) if first_death.as_ref() == Some(&why) => {
                return Ok(Some(format!("it died twice in the same way: {why}")));
            }
            Ok(Health { failures: 1.., reason: Some(why), .. }) => {
                let said = format!("it says that it is not ready: {why}");
                first_death = Some(why);
                said
            }
            Ok(health) => format!("it says that it is not ready{}", because(&health)),
            Err(err) => format!("{err:#}"),
        };
        let now = inspect_owned(cli, name)?;
        if !now.state.running || now.restart_count > restarts {
            let memory =
                if now.state.oom_killed { ": the kernel has ended it for want of memory" } else { "" };
            return Ok(Some(format!("it ended with exit code {}{memory}", now.state.exit_code)));
        }
        if start.elapsed() > READY_TIMEOUT {
            return Ok(Some(format!("not within {} s: {why}", READY_TIMEOUT.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A server that we have started and that does not get ready is stopped, and what it said is in the inner error.
fn stop_unless_ready(ws: &Workspace, cli: &Cli, server: &Server, name: &str) -> Result<Result<()>> {
    let Some(why) = until_ready(cli, name)? else { return Ok(Ok(())) };
    let logs = cli.output(&docker_args::logs(name, LogLines::default()))?;
    let logs = format!("{}{}", String::from_utf8_lossy(&logs.stdout), String::from_utf8_lossy(&logs.stderr));
    cli.output(&docker_args::stop(name))?;
    let words = match logs.trim() {
        "" => "it logged nothing".to_owned(),
        logs => format!("its log:\n{}", ends(logs)),
    };
    let problem = format!("{name} did not become ready, and was stopped: {why}\n{words}");
    let whole = format!("all of its log: {}", ws.command(&format!("logs {}", server.name)));
    let hint = missing_grant::advice(ws, server, &logs).unwrap_or(whole);
    Ok(Err(with_hint(problem, hint)))
}

/// The first and the last lines: a cause is said early, an end late.
pub(crate) fn ends(text: &str) -> String {
    const FIRST: usize = 10;
    const LAST: usize = 20;
    let lines: Vec<_> = text.lines().collect();
    match lines.len().checked_sub(FIRST + LAST).filter(|it| *it > 1) {
        None => text.to_owned(),
        Some(between) => {
            let (first, last) = (&lines[..FIRST], &lines[FIRST + between..]);
            format!("{}\n.. {between} lines ..\n{}", first.join("\n"), last.join("\n"))
        }
    }
}

/// As the end of a sentence: `: exit code 3`, or nothing.
pub(crate) fn because(health: &Health) -> String {
    health.why_not_ready().map(|it| format!(": {it}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_log_the_ends_are_shown() {
        let lines = |n: usize| (1..=n).map(|it| it.to_string()).collect::<Vec<_>>().join("\n");
        assert_eq!(ends(&lines(31)), lines(31));
        let shown = ends(&lines(1000));
        assert!(shown.starts_with("1\n2\n") && shown.contains("\n10\n.. 970 lines ..\n981\n"), "{shown}");
        assert_eq!(shown.lines().count(), 31);
    }
}
