//! Takes a server away whole: entries, container, volumes, images, its line in the workspace, its folder.
//!
//! A server's name -> what is there, and then nothing of it. Invariants: what names it goes before what it is made of, so that a
//! failure in between leaves something that can be removed by the same command; what is not ours stays.

mod git;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use drydock_catalog::container_name;
use drydock_config::client;
use drydock_config::entries::ChangeOptions;
use drydock_config::ledger::{InstalledEntry, Ledger};
use drydock_engine::{Cli, Container, Engine, Owner, docker_args};

use self::git::Unsaved;
use crate::hint::{or_hint, usage};
use crate::interrupt;
use crate::ops::down::Down;
use crate::ops::members::{self, Change, Direction, Hidden};
use crate::ops::turn;
use crate::ops::uninstall::{Uninstall, shown};
use crate::ui::progress::{self, say};
use crate::workspace::Workspace;

/// All that there is of a server.
pub(crate) struct Found<'a> {
    ws: &'a Workspace,
    name: String,
    /// Its folder below `servers/`, where that is there.
    folder: Option<PathBuf>,
    /// What of the folder the last commit does not hold.
    unsaved: Unsaved,
    is_member: bool,
    ledger: Ledger,
    engine: Option<OnEngine<'a>>,
}

/// What of it stands on an engine.
struct OnEngine<'a> {
    cli: &'a Cli,
    container: Option<Container>,
    volumes: Vec<String>,
    images: Vec<String>,
}

impl<'a> Found<'a> {
    /// Looks, and refuses what is no server, and a server that others are made of.
    pub(crate) fn look(ws: &'a Workspace, name: &str) -> Result<Self> {
        check_is_no_part(ws, name)?;
        let folder = ws.root.join("servers").join(name);
        let has_folder = drydock_catalog::names(&ws.root)?.iter().any(|it| it == name);
        let is_member = members::contains(&ws.root, name)?;
        if is_member {
            check_is_not_needed(ws, name)?;
        }
        let found = Self {
            name: name.to_owned(),
            unsaved: if has_folder { git::unsaved(&ws.root, name)? } else { Unsaved::Nothing },
            folder: has_folder.then_some(folder),
            is_member,
            ledger: Ledger::load(&ws.state)?,
            engine: engine(ws)?.map(|cli| OnEngine::look(ws, cli, name)).transpose()?,
            ws,
        };
        if found.is_empty() {
            drydock_catalog::check_names(&ws.root, &[name.to_owned()])?;
        }
        Ok(found)
    }

    fn is_empty(&self) -> bool {
        let on_engine = self.engine.as_ref().is_some_and(|it| !it.is_empty());
        self.folder.is_none() && !self.is_member && self.entries().is_empty() && !on_engine
    }

    fn entries(&self) -> Vec<&InstalledEntry> {
        self.ledger.entries.iter().filter(|it| it.server.as_ref() == Some(&self.name)).collect()
    }

    /// What would go, a line each.
    pub(crate) fn show(&self, volumes: bool) {
        let mut lines: Vec<_> = self.entries().into_iter().map(|it| format!("entry {}", shown(it))).collect();
        if let Some(it) = &self.engine {
            lines.extend(it.container.iter().map(|it| format!("container {}", it.name())));
            let stays = if volumes { "" } else { " stays (`--volumes` removes it)" };
            lines.extend(it.volumes.iter().map(|it| format!("volume {it}{stays}")));
            lines.extend(it.images.iter().map(|it| format!("image {it}")));
        }
        if self.is_member {
            lines.push(format!("its line in the workspace's Cargo.toml: \"servers/{}\"", self.name));
            lines.extend(
                members::profiles(&self.ws.root, &self.name).into_iter().map(|it| format!("  and {it}")),
            );
        }
        if self.folder.is_some() {
            lines.push(format!("folder servers/{}", self.name));
            lines.extend(self.unsaved.lines().into_iter().map(|it| format!("  {it}")));
        }
        say(&format!("of `{}` there is:", self.name));
        lines.iter().for_each(|it| say(&format!("  {it}")));
    }

    /// What a person agrees to.
    pub(crate) fn question(&self) -> String {
        let lost = self.unsaved.lost().map(|it| format!(", and {it} for good")).unwrap_or_default();
        format!("remove `{}`{lost}", self.name)
    }

    /// Can be run again after a failure: what is gone is not found any more.
    pub(crate) fn remove(self, volumes: bool) -> Result<()> {
        let ws = self.ws;
        // Neither may be under way.
        let state = ws.state_dir()?;
        let _turns = (turn::take(state, "build", &self.name)?, turn::take(state, "up", &self.name)?);
        self.uninstall()?;
        if let Some(it) = &self.engine {
            it.remove(ws, &self.name, volumes)?;
        }
        interrupt::check()?;
        let _turn = members::take_turn(ws)?;
        let hidden = self.leave_workspace()?;
        let Some(folder) = &self.folder else { return Ok(()) };
        let moved = fs::rename(folder, hidden.path.join("removed"));
        moved
            .with_context(|| format!("cannot remove {}; the rest of the server is gone", folder.display()))?;
        hidden.remove()?;
        say(&format!("servers/{}: removed", self.name));
        Ok(())
    }

    /// Its line goes before its folder: a member without one would stop every cargo command, this one, too.
    fn leave_workspace(&self) -> Result<Hidden> {
        // Cargo.lock may still name one whose line is gone: a command was killed between the two.
        let is_crate = self.folder.as_ref().is_some_and(|it| it.join("Cargo.toml").is_file());
        if !self.is_member && !is_crate {
            return Hidden::new(self.ws);
        }
        let mut change = Change::new(self.ws, &self.name, Direction::Remove)?;
        change
            .resolve()
            .with_context(|| format!("servers/{} stays, and its line in Cargo.toml", self.name))?;
        change.write()?;
        if self.is_member {
            say(&format!("Cargo.toml: \"servers/{}\" is no member any more", self.name));
        }
        Ok(change.into_hidden())
    }

    fn uninstall(&self) -> Result<()> {
        let ours = self.entries();
        let mut clients = client::load(&self.ws.root)?;
        clients.retain(|it| ours.iter().any(|our| our.is_of(&it.id)));
        let options = ChangeOptions { force: false, dry_run: false };
        let done = Uninstall { ws: self.ws, options }.each(&clients, &self.ledger, &ours);
        done.map_err(|err| err.context(format!("`{}` is not removed", self.name)))
    }
}

impl<'a> OnEngine<'a> {
    fn look(ws: &Workspace, cli: &'a Cli, name: &str) -> Result<Self> {
        let (id, container) = (ws.id()?, container_name(&ws.global.name_prefix, name));
        let found = drydock_engine::container(cli, &container)?;
        Ok(Self {
            // What is not ours is said when it is to go: there is nothing to be asked about it.
            container: found.filter(|it| it.owner(name, &id) != Owner::Unmanaged),
            volumes: drydock_engine::volumes_of(cli, name, &container, &id)?,
            images: drydock_engine::image_names_of(cli, name, &id)?,
            cli,
        })
    }

    fn is_empty(&self) -> bool {
        self.container.is_none() && self.volumes.is_empty() && self.images.is_empty()
    }

    fn remove(&self, ws: &Workspace, name: &str, volumes: bool) -> Result<()> {
        let down = Down { ws, cli: self.cli, adopt: false, named: true };
        if self.container.is_some() {
            down.container(name)?;
        }
        if volumes {
            down.volumes(name, true)?;
        }
        if self.images.is_empty() {
            return Ok(());
        }
        let removed = || Ok(self.cli.stdout(&docker_args::remove_images(&self.images)).map(drop)?);
        progress::step(&format!("removing {}", self.images.join(", ")), removed)
            .map_err(|err| or_hint(err, "a container that is made of it goes first; then run this again"))
    }
}

/// None where no engine is installed, or the person means none: then nothing can stand there.
fn engine(ws: &Workspace) -> Result<Option<&Cli>> {
    match ws.engine() {
        Ok(Engine::Cli(cli)) => Ok(Some(cli)),
        Ok(Engine::Host) => {
            say("engine host: containers and images are not looked for");
            Ok(None)
        }
        Err(_) if ws.global.engine.is_none() && drydock_engine::installed(None).1.is_none() => {
            say("no engine is installed: containers and images are not looked for");
            Ok(None)
        }
        Err(err) => Err(err.context("nothing was changed")),
    }
}

/// Folders below `servers/` without a server.json are Drydock itself, and runtime images are no servers.
fn check_is_no_part(ws: &Workspace, name: &str) -> Result<()> {
    if drydock_catalog::runtime_names().any(|it| it == name) {
        let command = ws.command(&format!("down {name} --volumes"));
        let problem = format!("`{name}` is a runtime image, and a part of Drydock");
        return Err(usage(problem, format!("this removes its container, and what that keeps: {command}")));
    }
    let dir = ws.root.join("servers").join(name);
    let is_name = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\']);
    let is_server = drydock_catalog::names(&ws.root)?.iter().any(|it| it == name);
    if is_name && !is_server && dir.join("Cargo.toml").is_file() {
        let problem = format!("servers/{name} is no server: it has no server.json");
        return Err(usage(problem, "it is a library, most likely one that Drydock itself is made of"));
    }
    Ok(())
}

fn check_is_not_needed(ws: &Workspace, name: &str) -> Result<()> {
    let needed_by = ws.metadata()?.dependents(&ws.root.join("servers").join(name));
    if needed_by.is_empty() {
        return Ok(());
    }
    let problem = format!("`{name}` is needed by {}; nothing was changed", needed_by.join(", "));
    Err(usage(problem, "take it out of their Cargo.toml first"))
}
