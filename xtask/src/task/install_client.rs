//! `install-client`: makes AI clients start our servers, by an entry in each client's own file.
//!
//! Clients x servers -> entries (see entries.rs). Invariant: without ids nothing is written before the person has
//! seen the list and agreed, or has said `--all`.

use std::cell::Cell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use drydock_config::ErrorKind;
use drydock_config::client::{self, Client, HostEnv, Scope};
use drydock_config::entries::{ChangeOptions, ClientConfigFile, DesiredEntry, EntryAction, Outcome};
use drydock_edit as edit;

use crate::batch::try_each;
use crate::hint::with_hint;
use crate::ops::adopt;
use crate::ops::install::plan::{self, Plan, Via};
use crate::ops::install::{confirm, note_caveats, print_report, project, show_diff};
use crate::scope;
use crate::ui::progress::say;
use crate::workspace::Workspace;

/// Write entries for servers into the files of AI clients
///
/// Without ids: every client that is found on this machine, after showing the list and asking (`--all` or `--yes`: without
/// asking). Without `--server`: every server of the workspace. An entry that is there already is brought up to
/// date, and keeps what you added to it; an unmanaged entry, or one of ours whose command, arguments or URL somebody has
/// changed, is never replaced without `--force`.
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
    /// Show what would change, and change nothing; needs no engine
    #[arg(long)]
    dry_run: bool,
    /// Print the entries alone, to paste them yourself
    #[arg(long, conflicts_with = "dry_run")]
    print: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Replace an unmanaged or modified entry of the same name; with `--restore`, give up what was changed since
    #[arg(long)]
    force: bool,
    /// First take over what this clone made before `.drydock` was lost: containers, images, and the entries that lead there
    #[arg(long, conflicts_with_all = ["print", "dry_run", "restore"])]
    adopt: bool,
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
            return try_each(&clients, "clients were not changed", |client| {
                self.restore_one(ws, &ClientConfigFile::of(client, scope, &host_env, &project)?)
            });
        }
        if self.adopt {
            adopt::take_over_lost(ws)?;
        }
        let plan = self.plan(ws, scope)?;
        if asks {
            self.confirm_files(
                &clients,
                &host_env,
                &project,
                &format!("write {} to these files", plan.names()),
            )?;
        }
        let unmanaged = Cell::new(false);
        let all = client::load(&ws.root)?;
        let done = try_each(&clients, "clients were not changed", |client| {
            let desired = plan.entries(client, scope)?;
            let config_file = ClientConfigFile::of(client, scope, &host_env, &project)?;
            if self.print {
                return print(&config_file, &desired);
            }
            let outcome = config_file.install(&ws.state, &desired, self.options()).inspect_err(|err| {
                unmanaged.set(unmanaged.get() || err.kind() == ErrorKind::Unmanaged);
            })?;
            let identical = outcome.entries.iter().any(|it| it.1 == EntryAction::Identical);
            unmanaged.set(unmanaged.get() || identical);
            if self.dry_run {
                show_diff(&config_file, &outcome)?;
            } else {
                print_report(&config_file, &outcome);
            }
            note_hidden(&all, &config_file, &outcome, &project);
            Ok(())
        });
        let none_written = done.is_err() && clients.len() == 1;
        if !self.print && !none_written {
            plan.advise();
        }
        if unmanaged.get() {
            adopt::note_lost(ws);
        }
        done?;
        match plan.left_out {
            0 => Ok(()),
            some => bail!("{some} servers were left out, see above"),
        }
    }

    fn plan(&self, ws: &Workspace, scope: Scope) -> Result<Plan> {
        let name = self.name.as_deref();
        let write = !self.print && !self.dry_run;
        match (&self.container, &self.url) {
            (Some(container), _) => plan::any_command(ws, container, &self.command, scope, name, write),
            (None, Some(url)) => plan::over_http(url, &self.header, name),
            (None, None) => {
                let mut plan = plan::servers(ws, &self.server, scope, self.via, name, write)?;
                if self.via.is_none() {
                    plan.note_other_ways(ws, &self.ids, scope)?;
                }
                Ok(plan)
            }
        }
    }

    fn options(&self) -> ChangeOptions {
        ChangeOptions { force: self.force, dry_run: self.dry_run }
    }

    fn scope(&self) -> Result<Scope> {
        match (self.scope, &self.project) {
            (Some(Scope::User), Some(_)) => {
                let problem = "`--project` names a project's folder, and `--scope user` has none";
                Err(with_hint(problem, "leave one of them out"))
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
        return Err(with_hint("no client was found on this machine", hint));
    }
    Ok(found)
}

/// Which clients read another file no more, since there is this one.
fn note_hidden(all: &[Client], config_file: &ClientConfigFile<'_>, outcome: &Outcome, project: &Path) {
    let is_made = outcome.old.is_none() && outcome.new.is_some();
    if !is_made || config_file.scope != Scope::Project {
        return;
    }
    for client in all {
        if let Some(hidden) = client.no_longer_reads(project, &config_file.path) {
            let (name, made) = (client.name(), config_file.path.display());
            let hidden = hidden.display();
            say(&format!(
                "  note: {name} reads {made} instead of {hidden} from now on; move its entries over"
            ));
        }
    }
}

fn print(config_file: &ClientConfigFile<'_>, desired: &[DesiredEntry]) -> Result<()> {
    let keys = config_file.client.servers_path(config_file.scope).at.join(" > ");
    say(&format!("{}, for {keys} in {}:", config_file.client.name(), config_file.path.display()));
    note_caveats(config_file, &desired.iter().map(|it| it.name.clone()).collect::<Vec<_>>());
    let entries: Vec<_> = desired.iter().map(|it| (it.name.as_str(), &it.entry)).collect();
    write!(
        io::stdout(),
        "{}",
        edit::render_snippet(config_file.client.servers_path(config_file.scope), &entries)
    )?;
    Ok(())
}
