//! `uninstall-client`: takes our entries out of the clients' files.
//!
//! Ledger -> entries removed. Invariant: what the ledger does not know is not ours, and stays.

use std::path::PathBuf;

use anyhow::{Result, bail};
use drydock_config::client::{self, Client, HostEnv, Scope};
use drydock_config::entries::{ChangeOptions, ClientConfigFile};
use drydock_config::file;
use drydock_config::ledger::{InstalledEntry, Ledger};

use crate::hint::with_hint;
use crate::ops::adopt;
use crate::ops::install::{confirm, project};
use crate::ops::uninstall::{Uninstall, shown};
use crate::scope;
use crate::ui::progress::say;
use crate::workspace::Workspace;

/// Take our entries out of the files of AI clients
///
/// Without ids: out of every client that has one, after showing the list and asking (`--yes` where nobody can be
/// asked). What was in a file besides our entries stays, byte for byte; so does an entry of ours whose command, arguments
/// or URL somebody has changed. Does the same under every engine.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Clients, as `cargo xtask clients` lists them
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Only this server's entries (may be given more than once)
    #[arg(long, value_name = "NAME")]
    server: Vec<String>,
    /// Only in this scope; without it in both
    #[arg(long, value_parser = scope::parser())]
    scope: Option<Scope>,
    /// Only the entry of this name
    #[arg(long, value_name = "ENTRY")]
    name: Option<String>,
    /// Only what stands in this project's files
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Also an unmanaged entry, or one of ours that somebody has changed; needs one client, a scope and a name
    #[arg(long, requires = "name", requires = "scope", requires = "ids")]
    force: bool,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let clients = match self.ids.as_slice() {
            [] => client::load(&ws.root)?,
            ids => client::pick(&ws.root, ids)?,
        };
        if self.force {
            return self.force(ws, &clients);
        }
        if self.scope == Some(Scope::User) && self.project.is_some() {
            let problem = "`--project` names a project's folder, and `--scope user` has none";
            return Err(with_hint(problem, "leave one of them out"));
        }
        let ledger = Ledger::load(&ws.state)?;
        self.check_servers(ws, &ledger)?;
        let project = self.project.as_ref().map(|it| file::resolve(it)).transpose()?;
        let in_project = |it: &InstalledEntry| {
            project.as_ref().is_none_or(|at| it.scope == Scope::Project && it.file.starts_with(at))
        };
        let ours: Vec<&InstalledEntry> =
            ledger.entries.iter().filter(|it| self.means(it) && in_project(it)).collect();
        let clients: Vec<Client> =
            clients.into_iter().filter(|it| ours.iter().any(|our| our.is_of(&it.id))).collect();
        if clients.is_empty() {
            say("no entry of ours is there to be removed");
            adopt::note_lost(ws);
            return Ok(());
        }
        if self.ids.is_empty() && !self.dry_run {
            ours.iter().for_each(|it| say(&format!("  {}", shown(it))));
            confirm("remove these entries", self.yes)?;
        }
        self.uninstall(ws).each(&clients, &ledger, &ours)
    }

    fn uninstall<'a>(&self, ws: &'a Workspace) -> Uninstall<'a> {
        Uninstall { ws, options: ChangeOptions { force: self.force, dry_run: self.dry_run } }
    }

    /// A server that nobody knows is a typo; one that is gone from the workspace may still have entries.
    fn check_servers(&self, ws: &Workspace, ledger: &Ledger) -> Result<()> {
        let entered = |name: &str| ledger.entries.iter().any(|it| it.server.as_deref() == Some(name));
        let unknown: Vec<_> = self.server.iter().filter(|it| !entered(it)).cloned().collect();
        if unknown.is_empty() { Ok(()) } else { Ok(drydock_catalog::check_names(&ws.root, &unknown)?) }
    }

    fn means(&self, it: &InstalledEntry) -> bool {
        self.scope.is_none_or(|scope| it.scope == scope)
            && self.name.as_ref().is_none_or(|name| it.name == *name)
            && (self.server.is_empty()
                || it.server.as_ref().is_some_and(|server| self.server.contains(server)))
    }

    fn force(&self, ws: &Workspace, clients: &[Client]) -> Result<()> {
        let (Some(name), Some(scope), [client]) = (&self.name, self.scope, clients) else {
            bail!("`--force` needs one client, `--scope` and `--name`");
        };
        let project = project(ws, self.project.as_deref())?;
        let config_file = ClientConfigFile::of(client, scope, &HostEnv::here()?, &project)?;
        self.uninstall(ws).entries(&config_file, std::slice::from_ref(name))
    }
}
