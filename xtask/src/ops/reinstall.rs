//! How an entry of ours is written again.
//!
//! Entry in the ledger -> the command line that makes this very entry, to be pasted. Invariant: the command names the
//! entry's server or container, so that it never writes another entry than the one that it is shown for.

use std::path::Path;

use drydock_config::client::{Client, HttpEndpoint, Scope, StdioCommand};
use drydock_config::entries::{ClientConfigFile, EntryState, ListedEntry};
use drydock_config::ledger::{InstalledEntry, Ledger};
use serde_json::Value;

use crate::workspace::Workspace;

/// The command for an entry of that file; with `--force` where it would be refused without.
pub(crate) fn command(
    ws: &Workspace,
    config_file: &ClientConfigFile<'_>,
    ledger: &Ledger,
    found: &ListedEntry,
) -> String {
    let name = found.name.as_str();
    let project = config_file
        .client
        .project_of(&config_file.path)
        .filter(|it| config_file.scope == Scope::Project && *it != ws.root);
    let mut words = vec!["install-client".to_owned(), config_file.client.id.clone()];
    words.extend(["--scope".to_owned(), config_file.scope.to_string()]);
    words.extend(project.map(|it| ["--project".to_owned(), it.display().to_string()]).into_iter().flatten());
    words.extend((found.needs_force && found.state == EntryState::Modified).then(|| "--force".to_owned()));
    match ledger.entries.iter().find(|it| config_file.holds(it) && it.name == name) {
        Some(written) => words.extend(entry(ws, config_file.client, written)),
        None => words.extend(["--name".to_owned(), name.to_owned()]),
    }
    let words: Vec<_> = words.iter().map(|it| quoted(it)).collect();
    format!("cargo xtask {}", words.join(" "))
}

/// What follows the client: which entry, and how it gets to its server.
fn entry(ws: &Workspace, client: &Client, written: &InstalledEntry) -> Vec<String> {
    let value = Value::Object(written.entry.clone());
    if let Ok(endpoint) = client.parse_http(&value) {
        return over_http(&written.name, &endpoint);
    }
    let launch = client.parse_stdio(&value).unwrap_or_default();
    let Some(server) = &written.server else { return any_command(ws, client, &written.name, &launch) };
    let mut words = named(client, server, &written.name);
    words.extend(strings(&["--server", server]));
    match launch.args.first().map(String::as_str) {
        Some("run") => words.extend(strings(&["--via", "run"])),
        Some("stdio") => return [words, strings(&["--via", "host"])].concat(),
        Some("exec") if ws.global.engine.as_deref() == Some("host") => {
            words.extend(strings(&["--via", "exec"]))
        }
        _ => {}
    }
    let prefix = container(&launch).and_then(|it| it.strip_suffix(&format!("mcp-{server}")));
    if let Some(prefix) = prefix.filter(|it| !it.is_empty() || !ws.global.name_prefix.is_empty()) {
        words.extend(strings(&["--name-prefix", prefix]));
    }
    words.extend(engine(ws, &launch));
    words
}

fn over_http(name: &str, endpoint: &HttpEndpoint) -> Vec<String> {
    let mut words = strings(&["--name", name, "--url", &endpoint.url]);
    for (header, value) in &endpoint.headers {
        words.extend(["--header".to_owned(), format!("{header}: {value}")]);
    }
    words
}

/// An entry with a command of the person's own.
fn any_command(ws: &Workspace, client: &Client, name: &str, launch: &StdioCommand) -> Vec<String> {
    let (Some(container), Some(command)) = (container(launch), launch.args.get(3..)) else {
        return strings(&["--name", name]);
    };
    let mut words = named(client, container, name);
    words.extend(engine(ws, launch));
    words.extend(strings(&["--container", container, "--"]));
    words.extend_from_slice(command);
    words
}

/// `--name`, where the client would call it otherwise by itself.
fn named(client: &Client, of: &str, name: &str) -> Vec<String> {
    if client.entry_name(of) == name { Vec::new() } else { strings(&["--name", name]) }
}

/// `--engine`, where another one would be taken by itself.
fn engine(ws: &Workspace, launch: &StdioCommand) -> Vec<String> {
    let written = Path::new(&launch.command).file_stem().and_then(|it| it.to_str()).unwrap_or_default();
    // What only this command was given, the next one does not know.
    let taken =
        ws.global.engine.as_deref().filter(|it| std::env::var("DRYDOCK_ENGINE").as_deref() == Ok(*it));
    let is_another = written != taken.unwrap_or("docker") || ws.global.engine.as_deref() == Some("host");
    if is_another && matches!(written, "docker" | "podman") {
        strings(&["--engine", written])
    } else {
        Vec::new()
    }
}

/// The container that a command line enters.
pub(crate) fn container(launch: &StdioCommand) -> Option<&str> {
    match launch.args.as_slice() {
        [exec, i, container, ..] if exec == "exec" && i == "-i" => Some(container),
        _ => None,
    }
}

/// For a shell. Double quotes where they are enough: these mean the same on Windows.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "_@%+=:,./-".contains(it);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else if !word.contains(['"', '$', '`', '\\', '!', '\'']) && !word.chars().any(char::is_control) {
        format!("\"{word}\"")
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|it| (*it).to_owned()).collect()
}

#[cfg(test)]
mod tests;
