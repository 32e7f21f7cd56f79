//! `check`: does a client get through to the servers?
//!
//! Servers, or a client's own entries -> a handshake and a tool list each, one row per try. Invariant: with `--client`
//! exactly what stands in that client's file is started, not what we would have written.

mod targets;

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

pub(crate) use self::targets::{CheckTarget, from_client, from_server};
use crate::catalog::Server;
use crate::connect::{self, Connect, Failure, Options, Protocol, ServerInfo};
use crate::engine;
use crate::fixable::fixable;
use crate::preflight::{self, UnmetRequirement};
use crate::reinstall;
use crate::scope;
use crate::table;
use crate::workspace::Workspace;
use drydock_config::client::{Scope, Transport};

/// Shake hands with servers over MCP and list their tools
///
/// Without `--client` each server's container is entered as clients do it; under `--engine host` the binary that `up`
/// compiled is started, without a sandbox. With `--client` the entries of that client's file are started, exactly as
/// they stand there.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Servers; with --client also names of entries. Without any: all servers, or all entries of ours
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Through this client's own entries
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Only the entries of this scope; without it, of both
    #[arg(long, value_parser = scope::parser(), requires = "client")]
    scope: Option<Scope>,
    /// The project's folder, for the entries of a project; without it this workspace
    #[arg(long, value_name = "DIR", requires = "client")]
    project: Option<PathBuf>,
    /// As JSON: a list of objects with name, client, scope, entry, ok, server, protocol, tool_names, ms, error
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: Options,
}

/// How one try went. The field names are promised.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Row {
    /// The server, or the entry where no server of ours stands behind it.
    pub(crate) name: String,
    /// The client whose entry was started; nothing when we went in ourselves.
    pub(crate) client: Option<String>,
    pub(crate) scope: Option<Scope>,
    pub(crate) entry: Option<String>,
    pub(crate) ok: bool,
    /// `name` and `version`, as the server says.
    pub(crate) server: Option<ServerInfo>,
    /// `version`, and `lifecycle`: `discover` or `initialize`.
    pub(crate) protocol: Option<Protocol>,
    pub(crate) tool_names: Vec<String>,
    /// From the start of the command to the whole list, in milliseconds.
    pub(crate) ms: Option<f64>,
    /// `step`, `reason`, `hint`, `stderr`.
    pub(crate) error: Option<Failure>,
    /// The error for people: what, and what to do.
    #[serde(skip)]
    said: (String, Option<String>),
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let targets = match &self.client {
            Some(id) => {
                let project = self.project.as_ref().unwrap_or(&ws.root);
                from_client(ws, id, self.scope, project, &self.names)?
            }
            None => from_server(ws, &self.names)?,
        };
        let connect = Connect::build(ws)?;
        let rows = targets
            .into_iter()
            .map(|it| check(ws, &connect, &self.options, it))
            .collect::<Result<Vec<_>>>()?;
        if self.json {
            table::json(&rows)?
        } else {
            show(&rows)?
        }
        verdict(&rows)
    }
}

/// One handshake and tool list.
pub(crate) fn check(ws: &Workspace, connect: &Connect, options: &Options, it: CheckTarget) -> Result<Row> {
    let mut row =
        Row { name: it.name, client: it.client, scope: it.scope, entry: it.entry, ..Row::default() };
    let way = match it.transport {
        Ok(way) => way,
        Err(err) => {
            let hint = crate::fixable::hints(&err).first().map(|it| (*it).to_owned());
            row.said = (format!("{err:#}"), hint.clone());
            row.error = Some(Failure {
                step: "start".to_owned(),
                reason: format!("{err:#}"),
                hint,
                stderr: Vec::new(),
            });
            return Ok(row);
        }
    };
    let (report, said) = connect.check(&way, options)?;
    row.ok = report.ok;
    row.server = report.server;
    row.protocol = report.protocol;
    row.tool_names = report.tool_names;
    row.ms = report.ok.then(|| report.ms.values().sum());
    row.error = report.error;
    if let Some(error) = &mut row.error {
        row.said = split(&said);
        let blocker = find_blocker(ws, &way, row.client.is_some(), it.server.as_ref());
        let fix = blocker.as_ref().and_then(|it| it.fix.clone());
        if let Some(blocker) = blocker {
            row.said = (blocker.what.clone(), None);
            (error.reason, error.hint) = (blocker.what, None);
        }
        let hints: Vec<_> = fix.into_iter().chain(it.repair).collect();
        if !hints.is_empty() {
            row.said.1 = Some(hints.join("; "));
            error.hint = row.said.1.clone();
        }
    }
    Ok(row)
}

/// What the engine knows better than our client: the entry's own container is missing, or the server's is not well.
fn find_blocker(
    ws: &Workspace,
    way: &Transport,
    entry: bool,
    server: Option<&Server>,
) -> Option<UnmetRequirement> {
    if let Transport::Stdio(launch) = way
        && entry
    {
        let blocker = preflight::find_blocker(ws, &engine::find(ws), launch);
        if blocker.is_some() || reinstall::container(launch).is_none() {
            return blocker;
        }
    }
    let (what, fix) = connect::diagnose(ws, server?)?;
    Some(UnmetRequirement { what, fix: Some(fix) })
}

/// The client's message, escaped as it is, apart from its hint.
fn split(said: &str) -> (String, Option<String>) {
    let said = said.trim().trim_start_matches("error: ");
    match said.split_once("\n\nhint: ") {
        Some((what, hint)) => (what.to_owned(), Some(hint.to_owned())),
        None => (said.to_owned(), None),
    }
}

fn show(rows: &[Row]) -> Result<()> {
    let dash = || "-".to_owned();
    let lines = rows.iter().map(|row| {
        [
            row.name.clone(),
            row.way(),
            if row.ok { "ok" } else { "failed" }.to_owned(),
            row.server.as_ref().map_or_else(dash, |it| it.version.clone()),
            row.protocol.as_ref().map_or_else(dash, |it| it.version.clone()),
            if row.ok { row.tool_names.len().to_string() } else { dash() },
            row.ms.map_or_else(dash, |it| format!("{it:.0} ms")),
        ]
    });
    table::print(&["NAME", "THROUGH", "RESULT", "VERSION", "PROTOCOL", "TOOLS", "TIME"], lines)
}

impl Row {
    fn way(&self) -> String {
        match (&self.client, self.scope, &self.entry) {
            (Some(client), Some(scope), Some(entry)) if *entry == self.name => format!("{client}, {scope}"),
            (Some(client), Some(scope), Some(entry)) => format!("{client}, {scope}: {entry}"),
            _ => "directly".to_owned(),
        }
    }
}

/// An error when a row failed, with each reason and what to do about it.
pub(crate) fn verdict(rows: &[Row]) -> Result<()> {
    let failed: Vec<_> = rows.iter().filter(|it| !it.ok).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let reasons: Vec<_> =
        failed.iter().map(|it| format!("`{}` ({}): {}", it.name, it.way(), it.said.0)).collect();
    let mut hints: Vec<_> = failed.iter().filter_map(|it| it.said.1.clone()).collect();
    hints.dedup();
    let problem = match reasons.as_slice() {
        [one] => one.clone(),
        all => format!("{} of {} failed\n{}", all.len(), rows.len(), all.join("\n")),
    };
    if hints.is_empty() {
        Err(anyhow::Error::msg(problem))
    } else {
        Err(fixable(problem, hints.join("\nhint: ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_told_from_the_reason() {
        let said = "error: handshake failed: the server ended\n\nthe server's last lines on stderr:\n  | x\n\nhint: y\n";
        let (what, hint) = split(said);
        assert_eq!(what, "handshake failed: the server ended\n\nthe server's last lines on stderr:\n  | x");
        assert_eq!(hint.as_deref(), Some("y"));
    }

    #[test]
    fn one_failure_fails_all_and_each_is_told() {
        let row = |name: &str, ok, said: &str| Row {
            name: name.to_owned(),
            ok,
            said: (said.to_owned(), Some("cargo xtask up".to_owned())),
            ..Row::default()
        };
        assert!(verdict(&[row("a", true, "")]).is_ok());
        let err =
            verdict(&[row("a", false, "gone"), row("b", true, ""), row("c", false, "hangs")]).unwrap_err();
        assert_eq!(format!("{err}"), "2 of 3 failed\n`a` (directly): gone\n`c` (directly): hangs");
        assert_eq!(crate::fixable::hints(&err), ["cargo xtask up"]);
    }
}
