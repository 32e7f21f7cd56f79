//! A server's container: made, started, and put in the place of the one that serves.
//!
//! What it is made from -> a container that is ready, or why there is none. Invariants: nothing half made stays; a container that
//! serves goes only once the one in its place is ready, and serves on where that does not get ready.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, bail};
use drydock_catalog::{Server, container_name};
use drydock_contract::{Health, terminal};
use drydock_engine::docker_args::{self, Create, LogLines};
use drydock_engine::{Cli, Container, Image, Owner, error_text};

use super::because;
use crate::hint::with_hint;
use crate::interrupt;
use crate::ops::missing_grant;
use crate::ui::progress;
use crate::workspace::Workspace;

/// How long a server may take to be ready.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// What a container is made from.
#[derive(Clone, Copy)]
pub(super) struct Making<'a> {
    pub(super) ws: &'a Workspace,
    pub(super) cli: &'a Cli,
    pub(super) server: &'a Server,
    /// The container's.
    pub(super) name: &'a str,
    pub(super) want: &'a Create,
    pub(super) image: &'a Image,
}

impl Making<'_> {
    /// Where none is. A server that does not get ready is stopped and stays, with its log.
    pub(super) fn create_and_start(&self) -> Result<()> {
        remove_beside(self.ws, self.cli, &self.server.name)?;
        progress::step(&format!("starting {}", self.name), || {
            let output = self.cli.output(&self.want.args)?;
            if !output.status.success() && !created_concurrently(self.cli, self.name, self.want)? {
                bail!("cannot create {}: {}", self.name, error_text(&output));
            }
            if output.status.success() {
                self.prepare(self.name, &output).or_else(|err| self.remove_half_made(self.name, err))?;
            }
            start(self.ws, self.cli, self.server, self.name)
        })
    }

    /// In the place of `found`, which has no sessions, or is to lose them. Where that serves, it is stopped only when the
    /// other one is whole, as both have the same volumes, and started again where that one does not get ready.
    pub(super) fn replace(&self, found: &Container) -> Result<()> {
        let (cli, beside) = (self.cli, beside(self.name));
        if !is_ready(cli, found) {
            progress::step(&format!("stopping {}", self.name), || {
                Ok(drydock_engine::stop_and_remove(cli, found)?)
            })?;
            return self.create_and_start();
        }
        remove_beside(self.ws, cli, &self.server.name)?;
        progress::step(&format!("starting {}", self.name), || {
            let created = cli.output(&self.want.clone().named(&beside).args)?;
            if !created.status.success() {
                bail!("cannot create {beside}: {}; {} serves as before", error_text(&created), self.name);
            }
            self.prepare(&beside, &created).or_else(|err| self.remove_half_made(&beside, err))?;
            cli.output(&docker_args::stop(&found.id))?;
            match try_start(cli, self.server, self.name, &beside) {
                Ok(None) => {
                    cli.stdout(&docker_args::remove(&found.id))?;
                    Ok(cli.stdout(&docker_args::rename(&beside, self.name)).map(drop)?)
                }
                failed => Err(self.back_to(found, &beside, failed)),
            }
        })
    }

    /// It has its whole sandbox, before anything runs in it, and its volumes are its user's.
    fn prepare(&self, name: &str, created: &std::process::Output) -> Result<()> {
        interrupt::check()?;
        // What an engine cannot enforce it leaves out, with a warning: what it then shows decides.
        let warnings = String::from_utf8_lossy(&created.stderr);
        warnings.lines().for_each(|it| progress::say(&format!("{}: {}", self.cli.name, it.escape_debug())));
        drydock_engine::verify(&inspect_owned(self.cli, name)?, self.server, self.name)?;
        Ok(drydock_engine::give_volumes(self.cli, self.server, self.name, &self.image.id)?)
    }

    fn remove_half_made(&self, name: &str, err: Error) -> Result<()> {
        let removed = self.cli.stdout(&docker_args::remove(name));
        removed.with_context(|| format!("could not remove the half made {name}"))?;
        Err(err)
    }

    /// The container from before serves again; why the other one does not.
    fn back_to(&self, found: &Container, beside: &str, failed: Result<Option<NotReady>>) -> Error {
        let again = || -> Result<Option<String>> {
            self.cli.stdout(&docker_args::remove(beside))?;
            self.cli.stdout(&docker_args::start(&found.id))?;
            until_ready(self.cli, self.name)
        };
        let state = match again() {
            Ok(None) => "serves again as it was before".to_owned(),
            Ok(Some(why)) => format!("was started again as it was before, and is not ready: {why}"),
            Err(err) => format!("is stopped, as it cannot be started again: {err:#}"),
        };
        let (name, up) = (self.name, self.ws.command(&format!("up {}", self.server.name)));
        match failed {
            Ok(Some(not)) => {
                let file = self.keep(&not.log).map(|it| format!("all of its log: {}; ", it.display()));
                let mend = format!("{}mend it, then {up}", file.unwrap_or_default());
                let hint = missing_grant::advice(self.ws, self.server, &not.log).unwrap_or(mend);
                with_hint(
                    format!(
                        "the new {name} did not become ready: {}\n{}\n{name} {state}",
                        not.why,
                        not.words()
                    ),
                    hint,
                )
            }
            Err(err) => err.context(format!("the new {name} was not started; {name} {state}")),
            Ok(None) => Error::msg(format!("{name} {state}")),
        }
    }

    /// The log of a container that is gone; nothing depends on it.
    fn keep(&self, log: &str) -> Option<PathBuf> {
        let file = self.ws.state_dir().ok()?.join(format!("{}.failed.log", self.name));
        fs::write(&file, terminal::escape(log)).ok()?;
        Some(file)
    }
}

/// The name of the container that is to take the place of the one with this name. Without a dot, no server's is.
fn beside(name: &str) -> String {
    format!("{name}.new")
}

/// What a replacement has left that was cut off.
pub(crate) fn remove_beside(ws: &Workspace, cli: &Cli, server: &str) -> Result<()> {
    let name = beside(&container_name(&ws.global.name_prefix, server));
    match drydock_engine::container(cli, &name)? {
        Some(left) if left.owner(server, &ws.id()?) == Owner::ThisWorkspace => {
            Ok(cli.stdout(&docker_args::remove(&left.id)).map(drop)?)
        }
        _ => Ok(()),
    }
}

fn is_ready(cli: &Cli, found: &Container) -> bool {
    found.state.running && drydock_engine::health(cli, found.name()).is_ok_and(|it| it.ready)
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

/// Starts one that is there. It is stopped where it does not get ready.
pub(super) fn start(ws: &Workspace, cli: &Cli, server: &Server, name: &str) -> Result<()> {
    let Some(not) = try_start(cli, server, name, name)? else { return Ok(()) };
    let problem = format!("{name} did not become ready, and was stopped: {}\n{}", not.why, not.words());
    let whole = format!("all of its log: {}", ws.command(&format!("logs {}", server.name)));
    Err(with_hint(problem, missing_grant::advice(ws, server, &not.log).unwrap_or(whole)))
}

/// Why a server that was started is stopped again.
struct NotReady {
    why: String,
    log: String,
}

impl NotReady {
    fn words(&self) -> String {
        match self.log.trim() {
            "" => "it logged nothing".to_owned(),
            log => format!("its log:\n{}", ends(log)),
        }
    }
}

/// Starts a container, whose volumes have the names of `owner`: nothing, or why it did not get ready and was stopped.
fn try_start(cli: &Cli, server: &Server, owner: &str, name: &str) -> Result<Option<NotReady>> {
    cli.stdout(&docker_args::start(name))?;
    if let Err(err) = drydock_engine::verify(&inspect_owned(cli, name)?, server, owner) {
        cli.stdout(&docker_args::stop(name))?;
        return Err(err.into());
    }
    let Some(why) = until_ready(cli, name)? else { return Ok(None) };
    let logs = cli.output(&docker_args::logs(name, LogLines::default()))?;
    let log = format!("{}{}", String::from_utf8_lossy(&logs.stdout), String::from_utf8_lossy(&logs.stderr));
    cli.output(&docker_args::stop(name))?;
    Ok(Some(NotReady { why, log }))
}

fn inspect_owned(cli: &Cli, name: &str) -> Result<Container> {
    drydock_engine::container(cli, name)?.with_context(|| format!("{name} went away while it was started"))
}

/// Waits until the server answers: nothing, or why it does not.
pub(super) fn until_ready(cli: &Cli, name: &str) -> Result<Option<String>> {
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
