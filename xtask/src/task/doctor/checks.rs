//! The checks, in the order in which one stands on the other.

use std::path::Path;
use std::thread::{self, ScopedJoinHandle};

use anyhow::{Result, anyhow};
use drydock_catalog::{Kind, Server};
use drydock_config::client::{self, HostEnv, Scope};
use drydock_config::entries::{ClientConfigFile, EntryState, ListedEntry};
use drydock_config::ledger::Ledger;
use drydock_engine::{Cli, Container, Engine, Image, Owner, docker_args};

use super::{Finding, State, proxies};
use crate::cargo;
use crate::ops::adopt::{self, Maker};
use crate::ops::build::mebibytes;
use crate::ops::preflight::{self, UnmetRequirement};
use crate::ops::reinstall;
use crate::ops::snapshot::{Besides, Snapshot};
use crate::ops::sources::{self, Sources};
use crate::ops::up::because;
use crate::workspace::Workspace;

/// An image with its build takes this much at most.
const ROOM: u64 = 3 << 30;

/// What takes a program to find out is asked for at the same time; the lines have one order all the same.
pub(super) fn all(ws: &Workspace) -> Vec<Finding> {
    thread::scope(|scope| {
        let tools = ["cargo", "rustc"].map(|name| scope.spawn(move || tool(name)));
        let metadata = scope.spawn(|| ws.metadata().map(drop));
        let loaded = drydock_catalog::load_partial(&ws.root);
        let engine = ws.engine();
        let cli = match &engine {
            Ok(Engine::Cli(cli)) => Some(cli),
            _ => None,
        };
        let target = cli.map(|cli| scope.spawn(move || static_target(cli)));
        let proxies = scope.spawn(move || proxies::all(cli));
        let servers = loaded.as_ref().map_or(&[][..], |it| it.0.as_slice());
        let snapshot = cli.map(|cli| Snapshot::take(ws, cli, servers, Besides::Images));

        let mut all = vec![engine_line(&engine)];
        all.extend(tools.into_iter().map(joined));
        all.extend(target.map(joined));
        all.extend(joined(proxies));
        all.extend(disk(&ws.root));
        drop(joined(metadata)); // what is wrong with it is each server's line
        let (snapshot, problem) = match snapshot.transpose() {
            Ok(snapshot) => (snapshot, None),
            Err(err) => (None, Some(Finding::bad("containers", &err))),
        };
        all.extend(problem);
        let sources = Sources::new(&ws.root);
        all.extend(servers.iter().flat_map(|it| server(ws, &engine, snapshot.as_ref(), &sources, it)));
        let wrong = loaded.map_or_else(|err| vec![err], |it| it.1);
        all.extend(wrong.into_iter().map(|err| Finding::bad("servers", &err.into())));
        let clients = client_files(ws, &engine, snapshot.as_ref());
        all.extend(clients.unwrap_or_else(|err| vec![Finding::bad("clients", &err)]));
        all
    })
}

/// A panic stays one.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn engine_line(engine: &Result<&Engine>) -> Finding {
    match engine {
        Ok(Engine::Cli(it)) => {
            let untested = if it.name == "podman" { " (untested with Drydock)" } else { "" };
            let text =
                format!("{} {}, {}, {}{untested}", it.name, it.version, it.platform, it.program.display());
            Finding::ok("engine", text)
        }
        Ok(Engine::Host) => Finding::note(
            "engine",
            "host: servers run as plain processes",
            "leave out --engine for a sandbox",
        ),
        Err(err) => Finding::bad("engine", err),
    }
}

fn tool(name: &str) -> Finding {
    match (which::which(name), cargo::version(name)) {
        (Ok(path), Ok(version)) => Finding::ok(name, format!("{version}, {}", path.display())),
        (Err(_), Ok(version)) => Finding::note(
            name,
            format!("{version}, not in PATH"),
            "add the `bin` folder of `.cargo` in your home to PATH",
        ),
        (_, Err(err)) => Finding::bad(name, &err),
    }
}

fn static_target(cli: &Cli) -> Finding {
    match cargo::static_target(&cli.platform) {
        Ok(Some(target)) => Finding::ok("static build", target),
        Ok(None) => Finding::note(
            "static build",
            format!(
                "this machine cannot make a static binary for {}: `build-images` compiles in the engine",
                cli.platform
            ),
            "on Linux install glibc's static library (Debian: libc6-dev) for faster builds",
        ),
        Err(err) => Finding::bad("static build", &err),
    }
}

#[cfg(unix)]
fn disk(root: &Path) -> Option<Finding> {
    let stat = rustix::fs::statvfs(root).ok()?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let found = format!("{} GiB free at {}", free >> 30, root.display());
    Some(match free {
        ROOM.. => Finding::ok("disk", found),
        _ => Finding::note(
            "disk",
            found,
            "make room (`cargo clean`, `cargo xtask prune`): builds take up to 3 GiB",
        ),
    })
}

#[cfg(not(unix))]
fn disk(_: &Path) -> Option<Finding> {
    None
}

fn server(
    ws: &Workspace,
    engine: &Result<&Engine>,
    snapshot: Option<&Snapshot>,
    sources: &Sources<'_>,
    server: &Server,
) -> Vec<Finding> {
    let name = format!("server {}", server.name);
    let what = match &server.program.package {
        _ if server.kind == Kind::Rust => {
            ws.metadata().and_then(|it| it.describe(server)).map(|it| it.package)
        }
        Some(package) => Ok(package.name.clone()),
        None => Ok(format!("a {} server", server.kind.name())),
    };
    let what = match what {
        Err(err) => return vec![Finding::bad(name, &err)],
        Ok(what) => what,
    };
    let found = match (engine, snapshot) {
        (Ok(Engine::Cli(_)), Some(snapshot)) => server_status(ws, snapshot, sources, server),
        (Ok(Engine::Host), _) => on_host(ws, sources, server).map(|it| vec![it]),
        _ => Ok(vec![Finding::ok(&name, format!("{what} {}", server.version))]),
    };
    found.unwrap_or_else(|err| vec![Finding::bad(name, &err)])
}

/// Whether it can run as a plain process, and would.
fn on_host(ws: &Workspace, sources: &Sources<'_>, server: &Server) -> Result<Finding> {
    let name = format!("server {}", server.name);
    if server.kind != Kind::Rust {
        return Ok(Finding { state: State::Note, ..Finding::bad(name, &server.needs_a_container().into()) });
    }
    let (binary, up) = (cargo::host_binary(ws, server)?, ws.command(&format!("up {}", server.name)));
    if !binary.is_file() {
        return Ok(Finding::note(name, "not compiled for this machine", up));
    }
    if sources.is_stale(server, sources::of_binary(&binary).as_deref()) == Some(true) {
        return Ok(Finding::note(name, "compiled from other sources than these", up));
    }
    Ok(Finding::ok(name, format!("{}, {}", server.version, binary.display())))
}

/// Its image and its container.
fn server_status(
    ws: &Workspace,
    snapshot: &Snapshot,
    sources: &Sources<'_>,
    server: &Server,
) -> Result<Vec<Finding>> {
    let (id, up) = (ws.id()?, ws.command(&format!("up {}", server.name)));
    let build = ws.command(&format!("build-images {}", server.name));
    let image = snapshot.image(&server.own_image(&id));
    let image_line = match image {
        None => Finding::note(server.image(), "not built", &build),
        Some(it) if !it.is_ours(&server.name, &id) => {
            Finding::note(server.image(), "built by another workspace", &build)
        }
        Some(it) if sources.is_stale(server, it.sources()) == Some(true) => {
            Finding::note(server.image(), "built from other sources than these", &up)
        }
        Some(it) if it.profile() == Some("quick") => Finding::note(
            server.image(),
            format!("{}, a quick (unoptimised) build", mebibytes(it.size)),
            &build,
        ),
        Some(it) => Finding::ok(server.image(), mebibytes(it.size)),
    };
    let name = server.container(&ws.global.name_prefix);
    let container = snapshot.containers().iter().find(|it| it.name() == name);
    let container_line = match container {
        None => Finding::note(name, "not there", &up),
        Some(it) => running(ws, snapshot, server, image, it)?,
    };
    Ok(vec![image_line, container_line])
}

fn running(
    ws: &Workspace,
    snapshot: &Snapshot,
    server: &Server,
    image: Option<&Image>,
    it: &Container,
) -> Result<Finding> {
    let (id, name, up) = (ws.id()?, it.name(), ws.command(&format!("up {}", server.name)));
    if let Owner::OtherWorkspace(_) = it.owner(&server.name, &id) {
        let fix = match Maker::of(ws, it) {
            Maker::Living(_) => "use another name: --name-prefix PREFIX".to_owned(),
            _ => format!("{up} --adopt"),
        };
        return Ok(Finding { fix: Some(fix), ..Finding::bad(name, &anyhow!(adopt::describe(ws, it))) });
    }
    if it.owner(&server.name, &id) != Owner::ThisWorkspace {
        let err = anyhow!("an unmanaged container has this name (image {})", it.image_name());
        let fix = Some("use another name: --name-prefix PREFIX".to_owned());
        return Ok(Finding { fix, ..Finding::bad(name, &err) });
    }
    if !it.state.running {
        return Ok(Finding::note(
            name,
            format!("{} (exit code {})", it.state.status, it.state.exit_code),
            up,
        ));
    }
    let health = match snapshot.health(name) {
        None => format!("{}, not asked", it.state.status),
        Some(Ok(health)) if health.ready => format!("ready, {} sessions", health.sessions),
        Some(Ok(health)) => {
            return Ok(unhealthy(
                ws,
                name,
                &format!("it says that it is not ready{}", because(health)),
                server,
            ));
        }
        Some(Err(err)) => {
            return Ok(unhealthy(ws, name, &format!("it does not answer: {err:#}"), server));
        }
    };
    if image.is_some_and(|image| image.id != it.image) {
        return Ok(Finding::note(name, format!("{health}; made from an older image"), up));
    }
    let env = server.environment(&[]);
    let default = env.as_ref().map(|env| docker_args::create(server, name, &id, env).settings);
    if default.is_ok_and(|settings| it.settings() != Some(&settings)) {
        return Ok(Finding::note(name, format!("{health}; other settings than the manifest's (--env?)"), up));
    }
    if let (Some(image), Ok(env)) = (image, &env)
        && !snapshot.proxies().hold_in(it, image, env)
    {
        return Ok(Finding::note(name, format!("{health}; other proxies than the engine gives now"), up));
    }
    Ok(Finding::ok(name, health))
}

fn unhealthy(ws: &Workspace, name: &str, found: &str, server: &Server) -> Finding {
    let command = |words: &str| ws.command(&format!("{words} {}", server.name));
    let fix = Some(format!("{}, then {}, {}", command("logs"), command("down"), command("up")));
    Finding { check: name.to_owned(), state: State::Bad, found: found.to_owned(), fix }
}

/// A line for each client file that holds entries of ours, or that we cannot read.
fn client_files(
    ws: &Workspace,
    engine: &Result<&Engine>,
    snapshot: Option<&Snapshot>,
) -> Result<Vec<Finding>> {
    let (host_env, ledger) = (HostEnv::here()?, Ledger::load(&ws.state)?);
    let mut all = Vec::new();
    for client in client::load(&ws.root)? {
        for scope in [Scope::User, Scope::Project] {
            if !client.has_scope(&host_env, scope) {
                continue;
            }
            let check = format!("{} ({scope})", client.name());
            let config_file = match ClientConfigFile::of(&client, scope, &host_env, &ws.root) {
                Ok(config_file) => config_file,
                Err(err) => {
                    all.push(Finding::bad(check, &err.into()));
                    continue;
                }
            };
            match config_file.list(&ledger) {
                Ok(entries) => {
                    let ours =
                        |it: &&ListedEntry| matches!(it.state, EntryState::Managed | EntryState::Modified);
                    let names: Vec<_> = entries.iter().filter(ours).map(|it| it.name.clone()).collect();
                    all.extend(entries.iter().filter_map(|it| {
                        let again = reinstall::command(ws, &config_file, &ledger, it);
                        let finding = entry(&check, &again, it)?;
                        if finding.state != State::Ok {
                            return Some(finding);
                        }
                        let launch = client.stdio_command(&host_env, &ws.root, scope, &it.name).ok();
                        let missing = launch.and_then(|it| {
                            let blocker = preflight::find_blocker(ws, engine, snapshot, &it);
                            blocker.or_else(|| preflight::shared_tag(&it))
                        });
                        Some(
                            missing.map_or(finding, |missing| cannot_start(&check, &it.name, missing, again)),
                        )
                    }));
                    let caveats = if names.is_empty() { Vec::new() } else { config_file.caveats(&names) };
                    all.extend(caveats.into_iter().map(|it| Finding::note(&check, it.what, it.fix)));
                }
                Err(err) => all.push(Finding::bad(check, &err.into())),
            }
        }
    }
    if all.is_empty() {
        all.push(Finding::note("clients", "no entries of ours", ws.command("install-client")));
    }
    Ok(all)
}

/// `again`: how the entry is written again.
fn entry(check: &str, again: &str, it: &ListedEntry) -> Option<Finding> {
    let note = |what: &str| Finding::note(check, format!("entry {:?} {what}", it.name), again);
    match it.state {
        EntryState::Managed => Some(Finding::ok(check, format!("entry {:?}", it.name))),
        EntryState::Modified if it.is_only_added_to() => {
            let found = format!("entry {:?} was added to by somebody", it.name);
            Some(Finding::note(check, found, "take it out of the file if it is not yours"))
        }
        EntryState::Modified => Some(note("was changed by somebody")),
        EntryState::Missing => Some(note("was taken out")),
        EntryState::Unmanaged => None,
    }
}

/// An entry that is as we wrote it, and leads to nothing. Writing it again compiles what it starts on the host.
fn cannot_start(check: &str, name: &str, missing: UnmetRequirement, again: String) -> Finding {
    let fix = missing.fix.unwrap_or(again);
    Finding::note(check, format!("entry {name:?}: {}", missing.what), fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_fix_behind_what_was_found() {
        let lines = Finding::note("disk", "1 GiB free", "make room").lines(6);
        assert_eq!(lines, ["disk    1 GiB free; fix: make room"]);
    }

    #[test]
    fn what_was_said_on_several_lines_stays_on_them() {
        let lines = Finding::note("cursor", "it differs\n  args: a\n\n  env: b\n", "write it").lines(6);
        assert_eq!(
            lines,
            ["cursor  it differs", "          args: a", "          env: b", "        fix: write it"]
        );
        let long = Finding::ok("x", "y\n".repeat(1_000)).lines(6);
        assert_eq!(long.len(), 20);
    }

    #[test]
    fn what_cannot_run_without_a_container_has_no_tick_under_engine_host() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
        let global = crate::workspace::Global { engine: None, name_prefix: String::new() };
        let ws = Workspace::at(root.clone(), root.join(".drydock"), global);
        let sources = Sources::new(&root);
        let context7 = drydock_catalog::pick(&root, "context7").unwrap();
        let findings = server(&ws, &Ok(&Engine::Host), None, &sources, &context7);
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!(finding.state, State::Note);
        assert!(finding.found.contains("runs in a container only") && finding.fix.is_some(), "{finding:?}");
    }

    #[test]
    fn a_missing_tool_is_bad() {
        let finding = tool("no-such-tool-of-drydock");
        assert_eq!(finding.state, State::Bad, "{finding:?}");
    }
}
