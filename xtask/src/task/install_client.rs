//! `install-client`: makes AI clients start our servers, by an entry in each client's own file.
//!
//! Clients x servers -> entries (see entries.rs). Invariant: without ids nothing is written before the person has
//! seen the list and agreed, or has said `--all`.

mod plan;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

pub(crate) use self::plan::Via;
use crate::diff;
use crate::each::each;
use crate::fixable::fixable;
use crate::progress::say;
use crate::scope;
use crate::workspace::Workspace;
use drydock_config::client::{self, Client, HostEnv, Scope};
use drydock_config::entries::{ChangeOptions, ClientConfigFile, DesiredEntry, EntryAction, Outcome};
use drydock_edit as edit;

/// Write entries for servers into the files of AI clients
///
/// Without ids: every client that is found on this machine, after showing the list and asking (`--all` or `--yes`: without
/// asking). Without `--server`: every server of the workspace. An entry that is there already is brought up to
/// date, and keeps what you added to it; an unmanaged entry is never replaced without `--force`.
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
    #[arg(long, value_parser = scope::parser())]
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
    /// Replace an unmanaged entry of the same name; with `--restore`, give up what was changed since
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
        let host_env = HostEnv::here()?;
        let scope = self.scope()?;
        let project = project(ws, self.project.as_deref())?;
        let clients = select_clients(ws, &host_env, &self.ids, scope)?;
        let asks = !self.print && !self.dry_run && self.ids.is_empty();
        if self.restore {
            if asks {
                self.confirm_files(&clients, &host_env, &project, "restore these files")?;
            }
            return each(&clients, "clients were not changed", |client| {
                self.restore_one(ws, &ClientConfigFile::of(client, scope, &host_env, &project)?)
            });
        }
        let plan = plan::plan(ws, &self, scope)?;
        if asks {
            self.confirm_files(
                &clients,
                &host_env,
                &project,
                &format!("write {} to these files", plan.names()),
            )?;
        }
        let done = each(&clients, "clients were not changed", |client| {
            let desired = plan.entries(client, scope)?;
            let config_file = ClientConfigFile::of(client, scope, &host_env, &project)?;
            if self.print {
                return print(&config_file, &desired);
            }
            let outcome = config_file.install(&ws.state, &desired, self.options())?;
            if self.dry_run {
                return show_diff(&config_file, &outcome);
            }
            print_report(&config_file, &outcome);
            Ok(())
        });
        let none_written = done.is_err() && clients.len() == 1;
        if !self.print && !none_written {
            plan.advise();
        }
        done
    }

    fn options(&self) -> ChangeOptions {
        ChangeOptions { force: self.force, dry_run: self.dry_run }
    }

    fn scope(&self) -> Result<Scope> {
        match (self.scope, &self.project) {
            (Some(Scope::User), Some(_)) => {
                let problem = "`--project` names a project's folder, and `--scope user` has none";
                Err(fixable(problem, "leave one of them away"))
            }
            (Some(scope), _) => Ok(scope),
            (None, project) => Ok(if project.is_some() { Scope::Project } else { Scope::User }),
        }
    }

    fn confirm_files(
        &self,
        clients: &[Client],
        host_env: &HostEnv,
        project: &Path,
        what: &str,
    ) -> Result<()> {
        let scope = self.scope()?;
        say(&format!("clients found on this machine ({scope} scope):"));
        for client in clients {
            say(&format!("  {}: {}", client.id, client.file(host_env, project, scope)?.display()));
        }
        confirm(what, self.yes || self.all)
    }

    fn restore_one(&self, ws: &Workspace, config_file: &ClientConfigFile<'_>) -> Result<()> {
        let restored = config_file.restore(&ws.state, self.options())?;
        if self.dry_run {
            return show_diff(config_file, &restored.outcome);
        }
        let (name, path) = (config_file.client.name(), config_file.path.display());
        match &restored.backup {
            Some(backup) => say(&format!("{name}: {path} is as it was before ({})", backup.display())),
            None => say(&format!("{name}: {path} is gone, as there was none before our last change")),
        }
        if !restored.with_entries {
            say("  our entries in it may count as unmanaged (`install-client --force` takes them over)");
        }
        if let Some(backup) = &restored.outcome.report.backup {
            say(&format!("  what stood there until now: {} (or `--restore` again)", backup.display()));
        }
        say(&format!("  next: {}", config_file.client.after_change(config_file.scope)));
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
    let plan = plan::servers(ws, servers, scope, Some(via), None, false)?;
    let config_file = ClientConfigFile::of(client, scope, &HostEnv::here()?, &ws.root)?;
    let outcome = config_file.install(&ws.state, &plan.entries(client, scope)?, ChangeOptions::default())?;
    print_report(&config_file, &outcome);
    Ok(())
}

/// The project's folder, which must be there: a typo would make it.
pub(super) fn project(ws: &Workspace, asked: Option<&Path>) -> Result<PathBuf> {
    let Some(folder) = asked else { return Ok(ws.root.clone()) };
    if !folder.is_dir() {
        let problem = format!("there is no folder {}; nothing was changed", folder.display());
        return Err(fixable(problem, "give `--project` the folder that holds the project"));
    }
    std::path::absolute(folder).map_err(Into::into)
}

/// The clients of these ids, or all that are here.
fn select_clients(ws: &Workspace, host_env: &HostEnv, ids: &[String], scope: Scope) -> Result<Vec<Client>> {
    if !ids.is_empty() {
        return Ok(client::pick(&ws.root, ids)?);
    }
    let all = client::load(&ws.root)?;
    let known: Vec<_> = all.iter().map(|it| it.id.clone()).collect();
    let found: Vec<_> =
        all.into_iter().filter(|it| it.is_here(host_env) && it.has_scope(host_env, scope)).collect();
    if found.is_empty() {
        let hint = format!("name the ones that you mean: {}", known.join(", "));
        return Err(fixable("no client was found on this machine", hint));
    }
    Ok(found)
}

pub(super) fn confirm(what: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    for (stream, is_terminal) in
        [("stdin", io::stdin().is_terminal()), ("stderr", io::stderr().is_terminal())]
    {
        if !is_terminal {
            let problem = format!("cannot ask whether to {what}: {stream} is not a terminal");
            return Err(fixable(problem, "run it again with `--yes`"));
        }
    }
    eprint!("{what}? [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if !matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        bail!("nothing was changed");
    }
    Ok(())
}

fn print(config_file: &ClientConfigFile<'_>, desired: &[DesiredEntry]) -> Result<()> {
    let keys = config_file.client.servers_path().at.join(" > ");
    say(&format!("{}, for {keys} in {}:", config_file.client.name(), config_file.path.display()));
    let entries: Vec<_> = desired.iter().map(|it| (it.name.as_str(), &it.entry)).collect();
    write!(io::stdout(), "{}", edit::render_snippet(config_file.client.servers_path(), &entries))?;
    Ok(())
}

pub(super) fn show_diff(config_file: &ClientConfigFile<'_>, outcome: &Outcome) -> Result<()> {
    if outcome.old == outcome.new {
        say(&format!("{}: {} would stay as it is", config_file.client.name(), config_file.path.display()));
        return Ok(());
    }
    let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|it| String::from_utf8_lossy(it).into_owned());
    let diff = diff::unified(&config_file.path, text(&outcome.old).as_deref(), text(&outcome.new).as_deref());
    write!(io::stdout(), "{}", diff::shown(&diff))?;
    Ok(())
}

/// What became of a file, and what the client needs now.
pub(super) fn print_report(config_file: &ClientConfigFile<'_>, outcome: &Outcome) {
    say(&format!("{}: {}", config_file.client.name(), config_file.path.display()));
    for (name, action) in &outcome.entries {
        say(&format!("  {name:?}: {}", action_text(action)));
        if let EntryAction::Updated(drift) | EntryAction::RemovedWith(drift) = action {
            drift.iter().for_each(|it| say(&format!("    {it}")));
        }
    }
    if let Some(note) = &outcome.report.note {
        say(&format!("  note: {note}"));
    }
    if outcome.report.changed {
        if outcome.new.is_none() && outcome.old.is_some() {
            say("  the file, which held nothing else, is gone");
        }
        if let Some(backup) = &outcome.report.backup {
            say(&format!("  the file as it was: {} (or `--restore`)", backup.display()));
        }
        say(&format!("  next: {}", next_steps(config_file, outcome)));
    }
}

fn next_steps(config_file: &ClientConfigFile<'_>, outcome: &Outcome) -> String {
    let stands = |it: &EntryAction| {
        matches!(
            it,
            EntryAction::Added | EntryAction::Updated(_) | EntryAction::Replaced | EntryAction::Unchanged
        )
    };
    if outcome.entries.iter().any(|(_, action)| stands(action)) {
        config_file.client.after_change(config_file.scope).to_owned()
    } else {
        config_file.client.after_removal(config_file.scope)
    }
}

fn action_text(action: &EntryAction) -> String {
    let text = match action {
        EntryAction::Kept(others) => {
            return format!("stays for {}, which read(s) the same file", others.join(", "));
        }
        EntryAction::Added => "added",
        EntryAction::Updated(drift) if drift.is_empty() => "brought up to date",
        EntryAction::Updated(_) => "somebody had changed it; written again:",
        EntryAction::Unchanged => "there already, unchanged",
        EntryAction::Identical => {
            "there already, not managed by Drydock; left as it is (`--force`: take it over)"
        }
        EntryAction::Adopted => "there already, not managed by Drydock until now; taken over",
        EntryAction::Replaced => "replaced an unmanaged entry (it comes back with `uninstall-client`)",
        EntryAction::Removed => "removed",
        EntryAction::RemovedWith(_) => "removed, with what was changed in it since:",
        EntryAction::Restored => "removed; the entry that it had replaced is back",
        EntryAction::AlreadyAbsent => "was gone already",
    };
    text.to_owned()
}
