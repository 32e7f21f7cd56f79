//! `clients`: every AI client that we know, whether it is here, its files, and the entries in them.
//!
//! Data files + ledger + machine -> a listing. Invariant: it reads and never writes; a file that cannot be read is
//! part of the listing, not its end.

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use super::install_client::difference;
use crate::client::{self, Client, Evidence, Machine, Scope};
use crate::entries::{Found, Spot, State};
use crate::file;
use crate::ledger::{Difference, Ledger};
use crate::progress::say;
use crate::table;
use crate::workspace::Workspace;

/// List the AI clients that we know: here or not, their files, our entries and others
///
/// With ids: more about these, also what is not confirmed about them. Does the same under every engine.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// As JSON: per client `id`, `name`, `found`, `docs`, `evidence`, `unconfirmed` and `files`; per file `scope`,
    /// `path`, `exists`, `error` and `entries`; per entry `name`, `state` (`ours`, `drifted`, `missing`, `foreign`),
    /// `server` and `differences`
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    found: bool,
    docs: String,
    evidence: Vec<&'static str>,
    unconfirmed: Vec<String>,
    files: Vec<ClientFile>,
}

#[derive(Serialize)]
struct ClientFile {
    scope: Scope,
    path: String,
    exists: bool,
    error: Option<String>,
    entries: Vec<Entry>,
    /// How our entries are written again.
    #[serde(skip)]
    again: String,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    state: State,
    server: Option<String>,
    differences: Vec<Difference>,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let clients = match self.ids.as_slice() {
            [] => client::load(&ws.root)?,
            ids => client::pick(&ws.root, ids)?,
        };
        let (machine, ledger) = (Machine::here()?, Ledger::load(&ws.state)?);
        let rows: Vec<Row> = clients.iter().map(|it| row(ws, &machine, &ledger, it)).collect();
        if self.json {
            return table::json(&rows);
        }
        table::print(&["CLIENT", "FOUND", "SCOPE", "FILE", "ENTRIES"], rows.iter().flat_map(lines))?;
        rows.iter().for_each(remarks);
        if !self.ids.is_empty() {
            rows.iter().for_each(details);
        }
        Ok(())
    }
}

fn row(ws: &Workspace, machine: &Machine, ledger: &Ledger, client: &Client) -> Row {
    let scopes = [Scope::User, Scope::Project].into_iter();
    let mut files: Vec<_> =
        scopes.filter_map(|it| Some((it, client.file(machine, &ws.root, it).ok()?))).collect();
    let known: Vec<_> = files.iter().map(|(_, path)| path.clone()).collect();
    files.extend(elsewhere(ledger, client, &known));
    let evidence = client.evidence().iter().map(|it| match it {
        Evidence::Run => "run",
        Evidence::Source => "source",
        Evidence::Documentation => "documentation",
    });
    Row {
        id: client.id.clone(),
        name: client.name().to_owned(),
        found: client.is_here(machine),
        docs: client.docs().to_owned(),
        evidence: evidence.collect(),
        unconfirmed: client.unconfirmed().to_vec(),
        files: files.into_iter().map(|(scope, path)| client_file(ws, ledger, client, scope, path)).collect(),
    }
}

/// Files with entries of ours that are not where we look now: of other projects, or of another environment.
fn elsewhere(ledger: &Ledger, client: &Client, known: &[PathBuf]) -> Vec<(Scope, PathBuf)> {
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
    let project = client.project_of(&path).filter(|it| scope == Scope::Project && *it != ws.root);
    let project = project.map_or_else(String::new, |it| format!(" --project {}", it.display()));
    let listed = Spot::at(client, scope, path.clone()).and_then(|it| it.list(ledger));
    let (entries, error) = match listed {
        Ok(entries) => (entries, None),
        Err(err) => (Vec::new(), Some(format!("{err:#}"))),
    };
    let entry = |Found { name, state, server, differences }| Entry { name, state, server, differences };
    ClientFile {
        again: format!("cargo xtask install-client {} --scope {scope}{project}", client.id),
        scope,
        exists: path.exists(),
        path: path.display().to_string(),
        error,
        entries: entries.into_iter().map(entry).collect(),
    }
}

fn lines(row: &Row) -> Vec<[String; 5]> {
    let line = |(n, file): (usize, &ClientFile)| {
        let first = |text: &str| if n == 0 { text.to_owned() } else { String::new() };
        let found = if row.found { "yes" } else { "no" };
        [first(&row.id), first(found), file.scope.to_string(), file.path.clone(), summary(file)]
    };
    row.files.iter().enumerate().map(line).collect()
}

/// As in `ours: weather; foreign: 2`.
fn summary(file: &ClientFile) -> String {
    if file.error.is_some() {
        return "not readable, see below".into();
    }
    let names = |state: State| {
        let names = file.entries.iter().filter(|it| it.state == state).map(|it| it.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let mut parts = Vec::new();
    for (state, label) in [(State::Ours, "ours"), (State::Drifted, "changed"), (State::Missing, "taken out")]
    {
        let names = names(state);
        if !names.is_empty() {
            parts.push(format!("{label}: {names}"));
        }
    }
    let foreign = file.entries.iter().filter(|it| it.state == State::Foreign).count();
    match foreign {
        0 => {}
        some => parts.push(format!("foreign: {some}")),
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
        }
        for entry in file.entries.iter().filter(|it| it.state == State::Drifted || it.state == State::Missing)
        {
            say(&format!("\n{}: {:?} in {} is not as we wrote it:", row.id, entry.name, file.path));
            if entry.state == State::Missing {
                say("  the whole entry was taken out");
            }
            entry.differences.iter().for_each(|it| say(&format!("  {}", difference(it))));
            let way = if entry.server.is_some() { "" } else { " --container .. -- .." };
            say(&format!("  to write it again: {}{way}", file.again));
        }
    }
}

fn details(row: &Row) {
    say(&format!("\n{} ({}): {}", row.name, row.id, row.docs));
    say(&format!("  known from: {}", row.evidence.join(", ")));
    for it in &row.unconfirmed {
        say(&format!("  not confirmed: {it}"));
    }
    for file in &row.files {
        for it in file.entries.iter().filter(|it| it.state == State::Foreign) {
            say(&format!("  foreign: {:?} in {}", it.name, file.path));
        }
    }
}
