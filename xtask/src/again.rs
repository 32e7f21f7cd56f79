//! How an entry of ours is written again, and how what stands in the file differs from it.
//!
//! Entry in the ledger -> the command line that makes this very entry, to be pasted. Invariant: the command names the
//! entry's server or container, so that it never writes another entry than the one that it is shown for.

use std::path::Path;

use serde_json::Value;

use crate::workspace::Workspace;
use drydock_config::client::{Client, Launch, Remote, Scope};
use drydock_config::entries::Spot;
use drydock_config::ledger::{Difference, Ledger, Written};

/// The command for the entry of that name in that file.
pub(crate) fn command(ws: &Workspace, spot: &Spot<'_>, ledger: &Ledger, name: &str) -> String {
    let project =
        spot.client.project_of(&spot.path).filter(|it| spot.scope == Scope::Project && *it != ws.root);
    let mut words = vec!["install-client".to_owned(), spot.client.id.clone()];
    words.extend(["--scope".to_owned(), spot.scope.to_string()]);
    words.extend(project.map(|it| ["--project".to_owned(), it.display().to_string()]).into_iter().flatten());
    match ledger.entries.iter().find(|it| spot.holds(it) && it.name == name) {
        Some(written) => words.extend(entry(ws, spot.client, written)),
        None => words.extend(["--name".to_owned(), name.to_owned()]),
    }
    let words: Vec<_> = words.iter().map(|it| quoted(it)).collect();
    format!("cargo xtask {}", words.join(" "))
}

/// What follows the client: which entry, and how it gets to its server.
fn entry(ws: &Workspace, client: &Client, written: &Written) -> Vec<String> {
    let value = Value::Object(written.entry.clone());
    if let Ok(remote) = client.read_remote(&value) {
        return over_http(&written.name, &remote);
    }
    let launch = client.read(&value).unwrap_or_default();
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

fn over_http(name: &str, remote: &Remote) -> Vec<String> {
    let mut words = strings(&["--name", name, "--url", &remote.url]);
    for (header, value) in &remote.headers {
        words.extend(["--header".to_owned(), format!("{header}: {value}")]);
    }
    words
}

/// An entry with a command of the person's own.
fn any_command(ws: &Workspace, client: &Client, name: &str, launch: &Launch) -> Vec<String> {
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
fn engine(ws: &Workspace, launch: &Launch) -> Vec<String> {
    let written = Path::new(&launch.command).file_stem().and_then(|it| it.to_str()).unwrap_or_default();
    let taken = ws.global.engine.as_deref().unwrap_or("docker");
    if written != taken && matches!(written, "docker" | "podman") {
        strings(&["--engine", written])
    } else {
        Vec::new()
    }
}

/// The container that a command line enters.
pub(crate) fn container(launch: &Launch) -> Option<&str> {
    match launch.args.as_slice() {
        [exec, i, container, ..] if exec == "exec" && i == "-i" => Some(container),
        _ => None,
    }
}

/// For a shell. Double quotes where they are enough: these mean the same on Windows.
fn quoted(word: &str) -> String {
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

/// As in `args: we wrote .. "a" .., found .. "b" ..`.
pub(crate) fn difference(it: &Difference) -> String {
    let field = if it.field.is_empty() { "the entry" } else { &it.field };
    match (&it.written, &it.found) {
        (Some(written), Some(found)) => {
            let (written, found) = narrowed(written, found);
            format!("{field}: we wrote {written}, found {found}")
        }
        (Some(written), None) => format!("{field}: we wrote {written}, and it is gone"),
        (None, Some(_)) => format!("{field}: added by somebody else"),
        (None, None) => field.to_owned(),
    }
}

/// Of two long lists only what differs: command lines have dozens of words.
fn narrowed(written: &Value, found: &Value) -> (String, String) {
    let (Value::Array(a), Value::Array(b)) = (written, found) else {
        return (written.to_string(), found.to_string());
    };
    let head = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a_rest, b_rest) = (&a[head..], &b[head..]);
    let tail = a_rest.iter().rev().zip(b_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    (middle(a, head, tail), middle(b, head, tail))
}

/// As in `.. "a", "b" ..`, where the dots stand for what is the same on both sides.
fn middle(all: &[Value], head: usize, tail: usize) -> String {
    let words: Vec<_> = all[head..all.len() - tail].iter().map(Value::to_string).collect();
    let words = if words.is_empty() { "nothing".to_owned() } else { words.join(", ") };
    let dots = |count: usize| if count == 0 { "" } else { ".." };
    [dots(head), &words, dots(tail)].iter().filter(|it| !it.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
