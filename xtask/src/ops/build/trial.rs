//! A new image, started once before it gets its name: a part that it lacks is found by its build, not by its first client.
//!
//! Image -> fine, a note, or why it cannot work. Invariants: it runs in the server's own sandbox without network, secrets and
//! volumes, for 20 s at most; only a part that no grant brings fails a build.

use std::time::Duration;

use anyhow::Result;
use drydock_catalog::{Network, Sandbox, Server, Tmpfs};
use drydock_engine::Cli;
use drydock_engine::trial::{Outcome, Trial};

use crate::hint::with_hint;
use crate::interrupt;
use crate::ops::broken_part::BrokenPart;
use crate::ops::up::start::ends;
use crate::ui::progress;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_secs(20);
/// What a folder in the place of a volume holds, in bytes.
const FOLDER: u64 = 64 << 20;

/// Asks it for a session, as a client would. What was seen that need be no mistake: a server may lack a network or a key.
pub(super) fn start(ws: &Workspace, cli: &Cli, server: &Server, image: &str) -> Result<Option<String>> {
    let (workspace, build) = (ws.id()?, super::build_name(ws, &server.name)?);
    let server = without_grants(server);
    let env = server.environment(&[]).unwrap_or_default();
    let trial = Trial {
        server: &server,
        image,
        workspace: &workspace,
        build: &build,
        env: &env,
        limit: LIMIT,
        is_cancelled: &|| interrupt::signal().is_some(),
    };
    let tag = server.image();
    let outcome = progress::step(&format!("trying {tag}"), || Ok(drydock_engine::trial::run(cli, &trial)?))?;
    interrupt::check()?;
    match outcome {
        Outcome::Answered { noise: None } => Ok(None),
        Outcome::Answered { noise: Some(line) } => {
            progress::say(&format!(
                "{}: it writes to its stdout what is no MCP message, as `{line}`: clients may end such a session; its log belongs on \
                 stderr",
                server.name
            ));
            Ok(None)
        }
        Outcome::Silent => Ok(Some(note(&server, "it did not answer within 20 s", ""))),
        Outcome::Ended { stderr } => {
            let said = said_by_server(&stderr);
            if let Some(part) = BrokenPart::find(&server, &said) {
                let problem = format!(
                    "{tag} cannot start: {}; the image was not kept\n{}",
                    part.problem(),
                    ends(&said)
                );
                return Err(with_hint(problem, part.hint(&server)));
            }
            Ok(Some(note(&server, "it ended", &ends(&said))))
        }
    }
}

/// Of the log of `/mcp`, what the server in it wrote to its stderr; all of it where it wrote nothing.
fn said_by_server(log: &str) -> String {
    // `TIME child [NUMBER] TEXT`; the number stands there for sessions.
    let words = |line: &str| {
        let (level, rest) = line.split_once(' ')?.1.split_once(' ')?;
        let text = rest.split_once("] ").filter(|it| it.0.starts_with('[')).map_or(rest, |it| it.1);
        (level == "child").then(|| text.to_owned())
    };
    let said: Vec<_> = log.lines().filter_map(words).collect();
    if said.is_empty() { log.trim().to_owned() } else { said.join("\n") }
}

/// What it has where nothing leads out: no network, and folders in memory for volumes. A variable that must be set may
/// be missing.
fn without_grants(server: &Server) -> Server {
    let mut server = server.clone();
    let sandbox = server.sandbox;
    let folder = |path: String| Tmpfs { path, size: FOLDER, mode: 0o700, owner: sandbox.user };
    let folders: Vec<_> = sandbox.volumes.into_iter().map(|it| folder(it.path)).collect();
    let tmpfs = sandbox.tmpfs.into_iter().chain(folders).collect();
    server.sandbox = Sandbox { network: Network::None, volumes: Vec::new(), tmpfs, ..sandbox };
    server.variables.iter_mut().for_each(|it| it.required = false);
    server
}

/// What it says takes several lines, of which any may tell why.
fn note(server: &Server, what: &str, said: &str) -> String {
    let said: String = said.lines().map(|it| format!("\n  {it}")).collect();
    let colon = if said.is_empty() { "" } else { ":" };
    format!("{}: started once, without network, secrets and keys: {what}{colon}{said}", server.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_own_words_are_told_from_the_log_around_them() {
        let log = "2026-11-27T22:15:55.185Z info  [9] session started\n2026-11-27T22:15:55.254Z child [9] Error: [x] no key\n\
                   2026-11-27T22:15:55.255Z child [9]     at y\n2026-11-27T22:15:55.261Z warn  [9] the server ended\nerror: it\n";
        assert_eq!(said_by_server(log), "Error: [x] no key\n    at y");
        assert_eq!(said_by_server("thread 'main' panicked\n"), "thread 'main' panicked");
    }
}
