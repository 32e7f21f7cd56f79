//! A new image, started once before it gets its name: a part that it lacks is found by its build, not by its first client.
//!
//! Image -> fine, a note, or why it cannot work. Invariants: it runs in the server's own sandbox without network, secrets and
//! volumes, for 20 s at most; only a part that no grant brings fails a build.

use std::time::Duration;

use anyhow::Result;
use drydock_catalog::{Kind, Network, Sandbox, Server, Tmpfs};
use drydock_engine::Cli;
use drydock_engine::trial::{Outcome, Trial};

use crate::hint::with_hint;
use crate::interrupt;
use crate::ops::missing_grant;
use crate::ops::up::start::ends;
use crate::ui::progress;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_secs(20);
/// What a folder in the place of a volume holds, in bytes.
const FOLDER: u64 = 64 << 20;

/// Asks it for a session, as a client would.
pub(super) fn start(ws: &Workspace, cli: &Cli, server: &Server, image: &str) -> Result<()> {
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
        Outcome::Answered => {}
        Outcome::Silent => progress::say(&note(&server, "it did not answer within 20 s", "")),
        Outcome::Ended { stderr } => {
            if let Some(part) = missing_grant::missing_part(&server, &stderr) {
                let shown = ends(stderr.trim());
                let problem = format!("{tag} cannot start: it lacks {part}; the image was not kept\n{shown}");
                let hint = who_brings_it(&server);
                return Err(with_hint(problem, hint));
            }
            progress::say(&note(&server, "it ended", &ends(stderr.trim())));
        }
    }
    Ok(())
}

fn who_brings_it(server: &Server) -> &'static str {
    match (&server.program.package, server.kind) {
        (None, _) => "look at what it imports, and at what its folder says that it needs",
        // Most often it has no upper bound for what it imports.
        (Some(_), Kind::Python) => {
            "its package does not bring that: ask its publisher. Where a newer version of what it needs has it no longer: \
             `--with NAME<2` among its `runtimeArguments` in server.json takes an older one, then build it again (CONTRIBUTING.md, \
             \"Add a server from npm or PyPI, or one of your own\")"
        }
        (Some(_), _) => {
            "its package does not bring that: ask its publisher, or make it a server of your own that does (CONTRIBUTING.md, \
             \"Add a server from npm or PyPI, or one of your own\")"
        }
    }
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
