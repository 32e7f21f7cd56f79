//! `doctor --as-client`: would the client itself get through?
//!
//! A client's entries -> a finding each, from a real handshake. Invariant: a desktop program's entry is started with
//! nothing of this shell's environment but what a desktop session has too.

use anyhow::{Result, anyhow};
use drydock_config::client::{self, StartedFrom, StdioCommand};

use super::{Finding, State};
use crate::connect::{Connect, Options};
use crate::ops::check::targets::{self, Selection};
use crate::ops::check::{CheckResult, check};
use crate::workspace::Workspace;

/// What a desktop session sets, besides PATH, that an engine's client may need.
const KEPT: [&str; 8] =
    ["HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR", "USERPROFILE", "SYSTEMROOT"];

/// `force`: also what is not as we wrote it.
pub(super) fn all(ws: &Workspace, id: &str, force: bool) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for client in client::pick(&ws.root, &[id.to_owned()])? {
        let targets = targets::from_client(
            ws,
            Selection { client: id, scope: None, project: &ws.root, names: &[], force },
        )?;
        let connect = Connect::build(ws)?;
        for mut it in targets {
            if client.started_from() == StartedFrom::Desktop {
                it.change_launch(on_desktop);
            }
            findings.push(finding(client.name(), &check(ws, &connect, &Options::default(), it)?));
        }
    }
    Ok(findings)
}

/// The same command line with a desktop program's environment.
fn on_desktop(launch: StdioCommand) -> StdioCommand {
    let kept = KEPT.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
    let path = ("PATH".to_owned(), short_path().to_owned());
    let env = kept.chain([path]).chain(launch.env).collect();
    StdioCommand { env, clear_env: true, ..launch }
}

/// What programs get that no shell has started: launchd's on macOS, a login session's on Linux.
fn short_path() -> &'static str {
    match std::env::consts::OS {
        "macos" => "/usr/bin:/bin:/usr/sbin:/sbin",
        "windows" => "C:\\Windows\\System32;C:\\Windows",
        _ => "/usr/local/bin:/usr/bin:/bin",
    }
}

fn finding(client: &str, row: &CheckResult) -> Finding {
    let check = row.scope.map_or_else(|| client.to_owned(), |scope| format!("{client} ({scope})"));
    let entry = row.entry.as_deref().unwrap_or(&row.name);
    match &row.error {
        None => Finding::ok(check, format!("entry {entry:?} answers, {} tools", row.tool_names.len())),
        Some(error) => {
            let bad =
                Finding::bad(check, &anyhow!("entry {entry:?}: {} failed: {}", error.step, error.reason));
            Finding { state: State::Bad, fix: error.hint.clone(), ..bad }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desktop_program_has_a_short_path_and_the_entrys_own_variables_win() {
        let env = vec![("PATH".to_owned(), "/opt/bin".to_owned())];
        let launch =
            on_desktop(StdioCommand { command: "docker".to_owned(), env, ..StdioCommand::default() });
        let paths: Vec<_> = launch.env.iter().filter(|it| it.0 == "PATH").map(|it| it.1.as_str()).collect();
        assert_eq!(paths, [short_path(), "/opt/bin"]);
        assert!(launch.clear_env && launch.env.iter().all(|it| it.0 != "CARGO_MANIFEST_DIR"));
    }
}
