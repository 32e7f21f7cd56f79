//! `check`: does a client get through to the servers?
//!
//! Servers, or a client's own entries -> a handshake and a tool list each, one row for each. Invariant: with `--client`
//! exactly what stands in that client's file is started, not what we would have written, and only what we wrote or the
//! person agreed to.

use std::path::PathBuf;

use anyhow::Result;
use drydock_config::client::Scope;

use crate::connect::{Connect, Options};
use crate::hint::with_hint;
use crate::ops::check::targets::{Selection, from_client, from_server};
use crate::ops::check::{CheckResult, check};
use crate::scope;
use crate::ui::progress::say;
use crate::ui::table;
use crate::workspace::Workspace;

/// Shake hands with servers over MCP and list their tools
///
/// Without `--client` each server's container is entered as clients do it; under `--engine host` the binary that `up`
/// compiled is started, without a sandbox. With `--client` the entries of that client's file are started, exactly as
/// they stand there and in the environment that the client gives them; one that is not as we wrote it is shown and not
/// started, without `--force`. Exit codes: 0 all of them answered, 1 one did not, 2 wrong usage.
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
    /// Also start an entry that somebody has changed, or that is not managed by Drydock: whatever stands in it is run
    #[arg(long, requires = "client")]
    force: bool,
    /// As JSON: a list of objects with name, client, scope, entry, ok, server, protocol, tool_names, ms, error, notes
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: Options,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let targets = match &self.client {
            Some(id) => {
                let project = self.project.as_ref().unwrap_or(&ws.root);
                let (scope, names, force) = (self.scope, self.names.as_slice(), self.force);
                from_client(ws, Selection { client: id, scope, project, names, force })?
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

fn show(rows: &[CheckResult]) -> Result<()> {
    let dash = || "-".to_owned();
    let lines = rows.iter().map(|row| {
        [
            row.name.clone(),
            row.through(),
            if row.ok { "ok" } else { "failed" }.to_owned(),
            row.server.as_ref().map_or_else(dash, |it| it.version.clone()),
            row.protocol.as_ref().map_or_else(dash, |it| it.version.clone()),
            if row.ok { row.tool_names.len().to_string() } else { dash() },
            row.ms.map_or_else(dash, |it| format!("{it:.0} ms")),
        ]
    });
    table::print(&["NAME", "THROUGH", "RESULT", "VERSION", "PROTOCOL", "TOOLS", "TIME"], lines)?;
    for row in rows {
        row.notes.iter().for_each(|it| say(&format!("note: `{}` ({}): {it}", row.name, row.through())));
    }
    Ok(())
}

/// An error when one failed, with each reason and what to do about it.
fn verdict(rows: &[CheckResult]) -> Result<()> {
    let failed: Vec<_> = rows.iter().filter_map(|it| Some((it, it.error.as_ref()?))).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let reasons: Vec<_> = failed
        .iter()
        .map(|(it, error)| format!("`{}` ({}): {}", it.name, it.through(), error.message))
        .collect();
    let mut hints: Vec<_> = failed.iter().filter_map(|(_, error)| error.hint.clone()).collect();
    hints.dedup();
    let problem = match reasons.as_slice() {
        [one] => one.clone(),
        all => format!("{} of {} failed\n{}", all.len(), rows.len(), all.join("\n")),
    };
    if hints.is_empty() {
        Err(anyhow::Error::msg(problem))
    } else {
        Err(with_hint(problem, hints.join("\nhint: ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Failure;

    #[test]
    fn one_failure_fails_all_and_each_is_told() {
        let row = |name: &str, failed: Option<&str>| CheckResult {
            name: name.to_owned(),
            ok: failed.is_none(),
            error: failed.map(|it| Failure {
                message: it.to_owned(),
                hint: Some("cargo xtask up".to_owned()),
                ..Failure::default()
            }),
            ..CheckResult::default()
        };
        assert!(verdict(&[row("a", None)]).is_ok());
        let err = verdict(&[row("a", Some("gone")), row("b", None), row("c", Some("hangs"))]).unwrap_err();
        assert_eq!(format!("{err}"), "2 of 3 failed\n`a` (directly): gone\n`c` (directly): hangs");
        assert_eq!(crate::hint::hints(&err), ["cargo xtask up"]);
    }
}
