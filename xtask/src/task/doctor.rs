//! `doctor`: what is here, what is missing, and the one thing to do about each.
//!
//! This machine -> a line for each check. Invariant: it only looks, and goes on after a check that fails.

mod as_client;
mod checks;
mod proxies;

use anyhow::{Result, bail};
use serde::Serialize;

use crate::ui::colour::{Colour, paint};
use crate::ui::table;
use crate::workspace::Workspace;

/// Check engine, tools, disk, images, containers and client entries; a line for each, with the fix
///
/// Fails when something is broken; what is merely not done yet is a note. Under `--engine host` it checks what servers
/// need that run as plain processes.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// As JSON: a list of objects with check, state (ok, note or bad), found and fix
    #[arg(long)]
    json: bool,
    /// Start our entries of this client as it would: a desktop program has a short PATH, and nothing that your shell sets
    #[arg(long, value_name = "ID")]
    as_client: Option<String>,
    /// With `--as-client`: also start an entry that somebody has changed
    #[arg(long, requires = "as_client")]
    force: bool,
}

/// What one check found. The field names are promised.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    check: String,
    state: State,
    found: String,
    /// What to do; nothing when all is well.
    fix: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Note,
    Bad,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let findings = match &self.as_client {
            Some(id) => as_client::all(ws, id, self.force)?,
            None => checks::all(ws),
        };
        if self.json {
            table::json(&findings)?;
        } else {
            let width = findings.iter().map(|it| it.check.chars().count()).max().unwrap_or_default();
            findings.iter().try_for_each(|it| it.print(width))?;
        }
        match findings.iter().filter(|it| it.state == State::Bad).count() {
            0 => Ok(()),
            count => bail!("{count} of {} checks failed", findings.len()),
        }
    }
}

impl Finding {
    fn print(&self, width: usize) -> Result<()> {
        let (sign, colour) = match self.state {
            State::Ok => ("✓", Colour::Green),
            State::Note => ("-", Colour::Yellow),
            State::Bad => ("✗", Colour::Red),
        };
        let lines = self.lines(width);
        table::signed_line(&paint(sign, colour, table::is_coloured()), &lines[0])?;
        lines[1..].iter().try_for_each(|it| table::line(&format!("  {it}")))
    }

    /// Behind the sign: one line with the fix at its end, or, of what was said on several lines, these, and then the fix.
    fn lines(&self, width: usize) -> Vec<String> {
        const MAX_LINES: usize = 20;
        const MAX_CHARS: usize = 200;
        let shorten = |line: &str| match line.char_indices().nth(MAX_CHARS) {
            Some((end, _)) => format!("{}..", &line[..end]),
            None => line.to_owned(),
        };
        let found = self.found.lines().filter(|it| !it.trim().is_empty());
        let mut found: Vec<_> = found.take(MAX_LINES).map(|it| shorten(it.trim_end())).collect();
        match (&self.fix, found.as_mut_slice()) {
            (Some(fix), [one]) => one.push_str(&format!("; fix: {fix}")),
            (Some(fix), _) => found.push(format!("fix: {fix}")),
            (None, _) => {}
        }
        let check = std::iter::once(self.check.as_str()).chain(std::iter::repeat(""));
        let lines = check.zip(&found).map(|(check, line)| format!("{check:width$}  {line}"));
        let lines: Vec<_> = lines.collect();
        if lines.is_empty() { vec![self.check.clone()] } else { lines }
    }

    fn ok(check: impl Into<String>, found: impl Into<String>) -> Self {
        Self { check: check.into(), state: State::Ok, found: found.into(), fix: None }
    }

    fn note(check: impl Into<String>, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check: check.into(), state: State::Note, found: found.into(), fix: Some(fix.into()) }
    }

    fn bad(check: impl Into<String>, err: &anyhow::Error) -> Self {
        let hints = crate::hint::hints(err);
        let fix = (!hints.is_empty()).then(|| hints.join("; "));
        Self { check: check.into(), state: State::Bad, found: format!("{err:#}"), fix }
    }
}
