//! `clients`: the AI clients that we know, whether they are here, their files, and the entries in them.
//!
//! Data files + ledger + host_env -> a listing. Invariant: it reads and never writes; a file that cannot be read is
//! part of the listing, not its end.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use drydock_config::client::{self, Client, HeaderSupport, HostEnv, Scope, System};
use drydock_config::drift::Difference;
use drydock_config::entries::{ClientConfigFile, EntryState, ListedEntry};
use drydock_config::file;
use drydock_config::ledger::Ledger;
use serde::Serialize;

use crate::ops::clients_table;
use crate::ops::reinstall;
use crate::ui::progress::say;
use crate::ui::table;
use crate::workspace::Workspace;

/// List AI clients: here or not, their files, our entries and others
///
/// Without ids: those that are found on this machine, or hold entries of ours. With ids: more about these, also what
/// is not confirmed about them. Does the same under every engine.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Clients to show more of
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Every client that we know, here or not
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// All of it as JSON: per client `id`, `name`, `found`, `docs`, `evidence`, `unconfirmed`, `http` (whether it
    /// reaches servers over HTTP), `headers` (whether with references in headers) and `files`; per file `scope`,
    /// `path`, `exists`, `error` and `entries`; per entry `name`, `state` (`managed`, `modified`, `missing`,
    /// `unmanaged`), `server` and `differences`. A file with an `error` makes the exit code 1
    #[arg(long)]
    json: bool,
    /// Write the table of clients in docs/clients.md again, from clients/*.toml
    #[arg(long, conflicts_with_all = ["ids", "all", "json"])]
    table: bool,
    /// Only say whether that table is up to date
    #[arg(long, requires = "table")]
    check: bool,
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    found: bool,
    docs: String,
    evidence: Vec<&'static str>,
    unconfirmed: Vec<String>,
    http: bool,
    headers: bool,
    files: Vec<ClientFile>,
}

#[derive(Serialize)]
struct ClientFile {
    scope: Scope,
    path: String,
    exists: bool,
    error: Option<String>,
    entries: Vec<Entry>,
    /// How to get rid of the error.
    #[serde(skip)]
    hints: Vec<String>,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    state: EntryState,
    server: Option<String>,
    differences: Vec<Difference>,
    /// How an entry of ours is written again.
    #[serde(skip)]
    reinstall: String,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        if self.table {
            return if self.check { clients_table::check(&ws.root) } else { clients_table::write(&ws.root) };
        }
        let clients = match self.ids.as_slice() {
            [] => client::load(&ws.root)?,
            ids => client::pick(&ws.root, ids)?,
        };
        let (host_env, ledger) = (HostEnv::here()?, Ledger::load(&ws.state)?);
        let rows: Vec<Row> = clients.iter().map(|it| row(ws, &host_env, &ledger, it)).collect();
        if self.json {
            table::json(&rows)?;
        } else {
            self.show(&rows, &host_env)?;
        }
        match rows.iter().flat_map(|it| &it.files).filter(|it| it.error.is_some()).count() {
            0 => Ok(()),
            1 => bail!("1 file cannot be read"),
            some => bail!("{some} files cannot be read"),
        }
    }

    fn show(&self, rows: &[Row], host_env: &HostEnv) -> Result<()> {
        let every = self.all || !self.ids.is_empty();
        let (shown, left): (Vec<_>, Vec<_>) = rows.iter().partition(|it| every || it.matters());
        let head = ["CLIENT", "FOUND", "SCOPE", "FILE", "ENTRIES"];
        table::print(&head, shown.iter().flat_map(|it| lines(it, every, &host_env.home)))?;
        shown.iter().for_each(|it| remarks(it));
        if !self.ids.is_empty() {
            shown.iter().for_each(|it| details(it));
        } else if shown.iter().any(|it| !it.unconfirmed.is_empty()) {
            say("\n* not all of it is confirmed: `cargo xtask clients ID` says what");
        }
        if !left.is_empty() {
            let ids: Vec<_> = left.iter().map(|it| it.id.as_str()).collect();
            say(&format!("\nnot found here (`--all` lists them): {}", ids.join(", ")));
        }
        Ok(())
    }
}

impl Row {
    /// Here, or with something of ours.
    fn matters(&self) -> bool {
        self.found || self.files.iter().any(ClientFile::matters)
    }
}

impl ClientFile {
    fn matters(&self) -> bool {
        self.error.is_some() || self.entries.iter().any(|it| it.state != EntryState::Unmanaged)
    }
}

fn row(ws: &Workspace, host_env: &HostEnv, ledger: &Ledger, client: &Client) -> Row {
    let scopes = [Scope::User, Scope::Project].into_iter();
    let mut files: Vec<_> =
        scopes.filter_map(|it| Some((it, client.file(host_env, &ws.root, it).ok()?))).collect();
    let known: Vec<_> = files.iter().map(|(_, path)| path.clone()).collect();
    files.extend(other_files(ledger, client, &known));
    let paths = "the paths on this system: they are from documentation or source, nobody has tried them";
    let paths = (host_env.system != System::Linux).then(|| paths.to_owned());
    let unconfirmed = client.unconfirmed().iter().cloned().chain(paths);
    Row {
        id: client.id.clone(),
        name: client.name().to_owned(),
        found: client.is_here(host_env),
        docs: client.docs().to_owned(),
        evidence: client.evidence().iter().map(|it| it.word()).collect(),
        unconfirmed: unconfirmed.collect(),
        http: client.http().is_some(),
        headers: client.http().is_some_and(|it| it != HeaderSupport::None),
        files: files.into_iter().map(|(scope, path)| client_file(ws, ledger, client, scope, path)).collect(),
    }
}

/// Files with entries of ours that are not where we look now: of other projects, or of another environment.
fn other_files(ledger: &Ledger, client: &Client, known: &[PathBuf]) -> Vec<(Scope, PathBuf)> {
    let mut files = Vec::new();
    for it in ledger.entries.iter().filter(|it| it.is_of(&client.id)) {
        let file = (it.scope, it.file.clone());
        if !files.contains(&file)
            && !known.iter().any(|path| file::resolve(path).is_ok_and(|it| it == file.1))
        {
            files.push(file);
        }
    }
    files
}

fn client_file(ws: &Workspace, ledger: &Ledger, client: &Client, scope: Scope, path: PathBuf) -> ClientFile {
    let listed = ClientConfigFile::at(client, scope, path.clone()).and_then(|config_file| {
        let entry = |it: ListedEntry| Entry {
            reinstall: reinstall::command(ws, &config_file, ledger, &it),
            name: it.name,
            state: it.state,
            server: it.server,
            differences: it.differences,
        };
        Ok(config_file.list(ledger)?.into_iter().map(entry).collect())
    });
    let exists = path.exists();
    let path = path.display().to_string();
    match listed {
        Ok(entries) => ClientFile { scope, path, exists, error: None, entries, hints: Vec::new() },
        Err(err) => {
            let hints = err.hint().into_iter().map(str::to_owned).collect();
            let error = Some(format!("{err:#}"));
            ClientFile { scope, path, exists, error, entries: Vec::new(), hints }
        }
    }
}

/// `every`: also a project's file that does not exist.
fn lines(row: &Row, every: bool, home: &Path) -> Vec<[String; 5]> {
    let worth = |it: &&ClientFile| every || it.scope == Scope::User || it.exists || it.matters();
    let line = |(n, file): (usize, &ClientFile)| {
        let first = |text: String| if n == 0 { text } else { String::new() };
        let mark = if row.unconfirmed.is_empty() { "" } else { "*" };
        let found = if row.found { "yes" } else { "no" };
        let id = first(format!("{}{mark}", row.id));
        [id, first(found.to_owned()), file.scope.to_string(), below(home, &file.path), summary(file)]
    };
    row.files.iter().filter(worth).enumerate().map(line).collect()
}

/// Shorter, where it is below the home folder.
fn below(home: &Path, path: &str) -> String {
    let rest = Path::new(path).strip_prefix(home).ok().filter(|_| home.parent().is_some());
    rest.map_or_else(|| path.to_owned(), |it| Path::new("~").join(it).display().to_string())
}

/// As in `managed: weather; unmanaged: 2`.
fn summary(file: &ClientFile) -> String {
    if file.error.is_some() {
        return "not readable, see below".into();
    }
    let names = |state: EntryState| {
        let names = file.entries.iter().filter(|it| it.state == state).map(|it| it.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let mut parts = Vec::new();
    for (state, label) in [
        (EntryState::Managed, "managed"),
        (EntryState::Modified, "modified"),
        (EntryState::Missing, "missing"),
    ] {
        let names = names(state);
        if !names.is_empty() {
            parts.push(format!("{label}: {names}"));
        }
    }
    let unmanaged = file.entries.iter().filter(|it| it.state == EntryState::Unmanaged).count();
    match unmanaged {
        0 => {}
        some => parts.push(format!("unmanaged: {some}")),
    }
    match (parts.is_empty(), file.exists) {
        (false, _) => parts.join("; "),
        (true, true) => "none".into(),
        (true, false) => "no file".into(),
    }
}

/// What must not be overlooked: files that cannot be read, and entries that are not as we wrote them.
fn remarks(row: &Row) {
    for file in &row.files {
        if let Some(error) = &file.error {
            say(&format!("\n{}: {error}", row.id));
            file.hints.iter().for_each(|it| say(&format!("  hint: {it}")));
        }
        for entry in file
            .entries
            .iter()
            .filter(|it| it.state == EntryState::Modified || it.state == EntryState::Missing)
        {
            say(&format!("\n{}: {:?} in {} is not as we wrote it:", row.id, entry.name, file.path));
            if entry.state == EntryState::Missing {
                say("  the whole entry was taken out");
            }
            entry.differences.iter().for_each(|it| say(&format!("  {it}")));
            say(&format!("  to write it again: {}", entry.reinstall));
        }
    }
}

fn details(row: &Row) {
    say(&format!("\n{} ({}): {}", row.name, row.id, row.docs));
    say(&format!("  known from: {}", row.evidence.join(", ")));
    let http = match (row.http, row.headers) {
        (false, _) => "no",
        (true, false) => "yes, without headers (it replaces no variables in them, as far as we know)",
        (true, true) => "yes, also with references in headers",
    };
    say(&format!("  over HTTP: {http}"));
    for it in &row.unconfirmed {
        say(&format!("  not confirmed: {it}"));
    }
    for file in &row.files {
        for it in file.entries.iter().filter(|it| it.state == EntryState::Unmanaged) {
            say(&format!("  unmanaged: {:?} in {}", it.name, file.path));
        }
    }
}
