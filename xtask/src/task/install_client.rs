//! `install-client`: makes AI clients start our servers, by an entry in each client's own file.
//!
//! Clients x servers -> entries (see entries.rs). Invariant: without ids nothing is written before the person has
//! seen the list and agreed, or has said `--all`.

mod wanted;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

pub(crate) use self::wanted::Via;
use crate::again::difference;
use crate::batch::try_each;
use crate::diff;
use crate::hint::with_hint;
use crate::ui::progress::say;
use crate::workspace::Workspace;
use drydock_config::client::{self, Client, Machine, Scope};
use drydock_config::entries::{Fate, Outcome, Spot, Wanted};
use drydock_edit as edit;

/// Write entries for servers into the files of AI clients
///
/// Without ids: every client that is found on this machine, after showing the list and asking (`--all` or `--yes`: without
/// asking). Without `--server`: every server of the workspace. An entry that is there already is brought up to
/// date, and keeps what you added to it; an entry of somebody else's is never replaced without `--force`.
///
/// With engine `host` the entries start the servers as plain processes, without a sandbox (`--via host`).
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Clients, as `cargo xtask clients` lists them
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Every client that is found on this machine, without asking
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Only this server (may be given more than once)
    #[arg(long, value_name = "NAME")]
    server: Vec<String>,
    /// Whose file; without it `user`, or `project` where a `--project` is given
    #[arg(long, value_enum)]
    scope: Option<Scope>,
    /// How the client gets to the server; without it `exec`, or `host` with engine host
    #[arg(long, value_enum)]
    via: Option<Via>,
    /// The entry's name (for one server); without it the server's
    #[arg(long, value_name = "ENTRY")]
    name: Option<String>,
    /// The project's folder; without it this workspace is the project
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    /// An entry for a command in any running container; the command stands behind `--`
    #[arg(long, value_name = "CONTAINER", requires = "command", conflicts_with_all = ["server", "via"])]
    container: Option<String>,
    /// An entry for a server that is reached over HTTP; give it a `--name`
    #[arg(long, value_name = "URL", requires = "name", conflicts_with_all = ["server", "via", "container"])]
    url: Option<String>,
    /// A header for `--url`, as in `Authorization: Bearer ${TOKEN}`. Each client gets the reference in its own syntax; a
    /// value that could be a secret is written nowhere
    #[arg(long, value_name = "NAME: VALUE", requires = "url")]
    header: Vec<String>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the entries alone, to paste them yourself
    #[arg(long, conflicts_with = "dry_run")]
    print: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Replace an entry of the same name that is not ours; with `--restore`, give up what was changed since
    #[arg(long)]
    force: bool,
    /// Put the file back as it was before our last change (a second time: undo that)
    #[arg(long, conflicts_with_all = ["server", "via", "name", "container", "url", "print"])]
    restore: bool,
    /// What to start in that container, with its arguments
    #[arg(last = true, value_name = "CMD", requires = "container")]
    command: Vec<String>,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let machine = Machine::here()?;
        let scope = self.scope()?;
        let project = project(ws, self.project.as_deref())?;
        let clients = chosen(ws, &machine, &self.ids, scope)?;
        let asks = !self.print && !self.dry_run && self.ids.is_empty();
        if self.restore {
            if asks {
                self.agreed(&clients, &machine, &project, "restore these files")?;
            }
            return try_each(&clients, "clients were not changed", |client| {
                self.restore_one(ws, &Spot::of(client, scope, &machine, &project)?)
            });
        }
        let plan = wanted::plan(ws, &self, scope)?;
        if asks {
            self.agreed(&clients, &machine, &project, &format!("write {} to these files", plan.names()))?;
        }
        let done = try_each(&clients, "clients were not changed", |client| {
            let wanted = plan.entries(client, scope)?;
            let spot = Spot::of(client, scope, &machine, &project)?;
            if self.print {
                return print(&spot, &wanted);
            }
            let outcome = spot.install(&ws.state, &wanted, self.force, self.dry_run)?;
            if self.dry_run {
                return show_diff(&spot, &outcome);
            }
            tell(&spot, &outcome);
            Ok(())
        });
        let none_written = done.is_err() && clients.len() == 1;
        if !self.print && !none_written {
            plan.advise();
        }
        done
    }

    fn scope(&self) -> Result<Scope> {
        match (self.scope, &self.project) {
            (Some(Scope::User), Some(_)) => {
                let problem = "`--project` names a project's folder, and `--scope user` has none";
                Err(with_hint(problem, "leave one of them away"))
            }
            (Some(scope), _) => Ok(scope),
            (None, project) => Ok(if project.is_some() { Scope::Project } else { Scope::User }),
        }
    }

    fn agreed(&self, clients: &[Client], machine: &Machine, project: &Path, what: &str) -> Result<()> {
        let scope = self.scope()?;
        say(&format!("clients found on this machine ({scope} scope):"));
        for client in clients {
            say(&format!("  {}: {}", client.id, client.file(machine, project, scope)?.display()));
        }
        agree(what, self.yes || self.all)
    }

    fn restore_one(&self, ws: &Workspace, spot: &Spot<'_>) -> Result<()> {
        let restored = spot.restore(&ws.state, self.force, self.dry_run)?;
        if self.dry_run {
            return show_diff(spot, &restored.outcome);
        }
        let (name, path) = (spot.client.name(), spot.path.display());
        match &restored.backup {
            Some(backup) => say(&format!("{name}: {path} is as it was before ({})", backup.display())),
            None => say(&format!("{name}: {path} is gone, as there was none before our last change")),
        }
        if !restored.with_entries {
            say(
                "  our entries in it may count as somebody else's (`install-client --force` takes them over)",
            );
        }
        if let Some(backup) = &restored.outcome.done.backup {
            say(&format!("  what stood there until now: {} (or `--restore` again)", backup.display()));
        }
        say(&format!("  next: {}", spot.client.after_change(spot.scope)));
        Ok(())
    }
}

/// Writes entries for servers that are up, or built, already: as `quickstart` does it.
pub(crate) fn install(
    ws: &Workspace,
    client: &Client,
    scope: Scope,
    servers: &[String],
    via: Via,
) -> Result<()> {
    let plan = wanted::servers(ws, servers, scope, Some(via), None, false)?;
    let spot = Spot::of(client, scope, &Machine::here()?, &ws.root)?;
    let outcome = spot.install(&ws.state, &plan.entries(client, scope)?, false, false)?;
    tell(&spot, &outcome);
    Ok(())
}

/// The project's folder, which must be there: a typo would make it.
pub(super) fn project(ws: &Workspace, asked: Option<&Path>) -> Result<PathBuf> {
    let Some(folder) = asked else { return Ok(ws.root.clone()) };
    if !folder.is_dir() {
        let problem = format!("there is no folder {}; nothing was changed", folder.display());
        return Err(with_hint(problem, "give `--project` the folder that holds the project"));
    }
    std::path::absolute(folder).map_err(Into::into)
}

/// The clients of these ids, or all that are here.
fn chosen(ws: &Workspace, machine: &Machine, ids: &[String], scope: Scope) -> Result<Vec<Client>> {
    if !ids.is_empty() {
        return client::pick(&ws.root, ids);
    }
    let all = client::load(&ws.root)?;
    let known: Vec<_> = all.iter().map(|it| it.id.clone()).collect();
    let found: Vec<_> =
        all.into_iter().filter(|it| it.is_here(machine) && it.has_scope(machine, scope)).collect();
    if found.is_empty() {
        let hint = format!("name the ones that you mean: {}", known.join(", "));
        return Err(with_hint("no client was found on this machine", hint));
    }
    Ok(found)
}

pub(super) fn agree(what: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(with_hint(
            format!("nobody is there to be asked whether to {what}"),
            "run it again with `--yes`",
        ));
    }
    eprint!("{what}? [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if !matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        bail!("nothing was changed");
    }
    Ok(())
}

fn print(spot: &Spot<'_>, wanted: &[Wanted]) -> Result<()> {
    let keys = spot.client.place().at.join(" > ");
    say(&format!("{}, for {keys} in {}:", spot.client.name(), spot.path.display()));
    let entries: Vec<_> = wanted.iter().map(|it| (it.name.as_str(), &it.entry)).collect();
    write!(io::stdout(), "{}", edit::render_snippet(spot.client.place(), &entries))?;
    Ok(())
}

pub(super) fn show_diff(spot: &Spot<'_>, outcome: &Outcome) -> Result<()> {
    if outcome.old == outcome.new {
        say(&format!("{}: {} would stay as it is", spot.client.name(), spot.path.display()));
        return Ok(());
    }
    let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|it| String::from_utf8_lossy(it).into_owned());
    let diff = diff::unified(&spot.path, text(&outcome.old).as_deref(), text(&outcome.new).as_deref());
    write!(io::stdout(), "{}", diff::shown(&diff))?;
    Ok(())
}

/// What became of a file, and what the client needs now.
pub(super) fn tell(spot: &Spot<'_>, outcome: &Outcome) {
    say(&format!("{}: {}", spot.client.name(), spot.path.display()));
    for (name, fate) in &outcome.entries {
        say(&format!("  {name:?}: {}", fate_text(fate)));
        if let Fate::Updated(drift) | Fate::RemovedWith(drift) = fate {
            drift.iter().for_each(|it| say(&format!("    {}", difference(it))));
        }
    }
    if let Some(note) = &outcome.done.note {
        say(&format!("  note: {note}"));
    }
    if outcome.done.changed {
        if outcome.new.is_none() && outcome.old.is_some() {
            say("  the file, which held nothing else, is gone");
        }
        if let Some(backup) = &outcome.done.backup {
            say(&format!("  the file as it was: {} (or `--restore`)", backup.display()));
        }
        say(&format!("  next: {}", next(spot, outcome)));
    }
}

fn next(spot: &Spot<'_>, outcome: &Outcome) -> String {
    let stands = |it: &Fate| matches!(it, Fate::Added | Fate::Updated(_) | Fate::Replaced | Fate::Unchanged);
    if outcome.entries.iter().any(|(_, fate)| stands(fate)) {
        spot.client.after_change(spot.scope).to_owned()
    } else {
        spot.client.after_removal(spot.scope)
    }
}

fn fate_text(fate: &Fate) -> String {
    let text = match fate {
        Fate::Kept(others) => return format!("stays for {}, which read(s) the same file", others.join(", ")),
        Fate::Added => "added",
        Fate::Updated(drift) if drift.is_empty() => "brought up to date",
        Fate::Updated(_) => "somebody had changed it; written again:",
        Fate::Unchanged => "there already, unchanged",
        Fate::AlreadyThere => {
            "there already, written by somebody else; left as it is (`--force`: take it over)"
        }
        Fate::Adopted => "there already, written by somebody else; taken over",
        Fate::Replaced => "replaced an entry that was not ours (it comes back with `uninstall-client`)",
        Fate::Removed => "removed",
        Fate::RemovedWith(_) => "removed, with what was changed in it since:",
        Fate::GivenBack => "removed; the entry that it had replaced is back",
        Fate::Gone => "was gone already",
    };
    text.to_owned()
}
