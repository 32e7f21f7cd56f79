//! Writes entries into clients' files, and tells what became of them.
//!
//! Plan + client's file -> the file changed, a report on stderr. Invariant: nothing is written that the person was not
//! told of.

pub(crate) mod plan;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use drydock_config::client::{Client, HostEnv, Scope};
use drydock_config::entries::{ChangeOptions, ClientConfigFile, EntryAction, Outcome};

use self::plan::Via;
use crate::hint::with_hint;
use crate::ui::progress::say;
use crate::ui::{ask, diff};
use crate::workspace::Workspace;

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
pub(crate) fn project(ws: &Workspace, asked: Option<&Path>) -> Result<PathBuf> {
    let Some(folder) = asked else { return Ok(ws.root.clone()) };
    if !folder.is_dir() {
        let problem = format!("there is no folder {}; nothing was changed", folder.display());
        return Err(with_hint(problem, "give `--project` the folder that holds the project"));
    }
    std::path::absolute(folder).map_err(Into::into)
}

pub(crate) fn confirm(what: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if let Some(stream) = ask::not_a_terminal() {
        let problem = format!("cannot ask whether to {what}: {stream} is not a terminal");
        return Err(with_hint(problem, "run it again with `--yes`"));
    }
    let answer = ask::line(&format!("{what}? [y/N] "))?;
    if !matches!(answer.to_lowercase().as_str(), "y" | "yes") {
        bail!("nothing was changed");
    }
    Ok(())
}

pub(crate) fn show_diff(config_file: &ClientConfigFile<'_>, outcome: &Outcome) -> Result<()> {
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
pub(crate) fn print_report(config_file: &ClientConfigFile<'_>, outcome: &Outcome) {
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
    let there = outcome.entries.iter().filter(|(_, action)| is_there(action)).map(|it| it.0.clone());
    note_caveats(config_file, &there.collect::<Vec<_>>());
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

/// Why entries do not count, or not everywhere, although they stand in the file.
pub(crate) fn note_caveats(config_file: &ClientConfigFile<'_>, names: &[String]) {
    if names.is_empty() {
        return;
    }
    for it in config_file.caveats(names) {
        say(&format!("  note: {}; {}", it.what, it.fix));
    }
}

fn is_there(action: &EntryAction) -> bool {
    matches!(
        action,
        EntryAction::Added
            | EntryAction::Updated(_)
            | EntryAction::Replaced
            | EntryAction::Unchanged
            | EntryAction::Identical
            | EntryAction::Adopted
    )
}

fn next_steps(config_file: &ClientConfigFile<'_>, outcome: &Outcome) -> String {
    if outcome.entries.iter().any(|(_, action)| is_there(action)) {
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
        EntryAction::LeftUnmanaged => {
            "ours was gone already; an entry that is not managed by Drydock has its name, and stays"
        }
    };
    text.to_owned()
}
