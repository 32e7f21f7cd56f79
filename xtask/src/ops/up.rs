//! Brings one server up.
//!
//! Server -> ready container. Invariant: run twice, the second changes nothing; what is not ours, or has sessions, is never
//! touched.

pub(crate) mod start;

use anyhow::Result;
use drydock_catalog::Server;
use drydock_contract::Health;
use drydock_engine::docker_args::{self, Create};
use drydock_engine::{Cli, Container, Image, Owner, proxies};

use self::start::{Making, start, until_ready};
use crate::hint::with_hint;
use crate::ops::adopt;
use crate::ops::build::Builder;
use crate::ops::turn;
use crate::ui::progress;
use crate::workspace::Workspace;

#[derive(clap::Args, Debug, Default, Clone, Copy)]
pub(crate) struct UpOptions {
    /// Recreate also while sessions are open: they end
    #[arg(long)]
    pub(crate) force: bool,
    /// Take over another workspace's container of the same server. If this clone made it before `.drydock` was lost, or its
    /// clone is gone, then all of that workspace: its containers, images, and the entries that lead there
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Take the image that is there, also when the sources have changed since it was built
    #[arg(long)]
    pub(crate) no_build: bool,
    /// Recreate also what is as it should be.
    #[arg(skip)]
    pub(crate) restart: bool,
}

/// Brings one server up; when this returns it is ready. The builder makes its image if it is missing.
pub(crate) fn up(
    ws: &Workspace,
    builder: &Builder<'_>,
    server: &Server,
    env: &[(String, String)],
    options: UpOptions,
) -> Result<()> {
    needs_no_secrets(server)?;
    let cli = builder.cli();
    let env = server.environment(env)?;
    let name = server.container(&ws.global.name_prefix);
    let inspect = || -> Result<Option<Container>> {
        let found = drydock_engine::container(cli, &name)?;
        found.iter().try_for_each(|it| check_ownership(ws, cli, it, server, options))?;
        Ok(found)
    };
    inspect()?; // before the work of a build; and our id may be another one then
    let id = ws.id()?;
    let image = image(builder, server, &id, options)?;
    say_grants(server);
    let want = docker_args::create(server, &name, &id, &env);
    let want = want.from_image(&image.id).with_state(&ws.state_label()?);
    let making = Making { ws, cli, server, name: &name, want: &want, image: &image };
    // A build takes minutes, in which somebody may have made or started one; or is about to.
    let _turn = turn::take(ws.state_dir()?, "up", &name)?;
    if let Some(found) = inspect()? {
        if !options.restart && is_current(&found, &want, &image, server, &id) {
            if !proxies::have_changed(cli, &found, &image, &env)? {
                return resume(ws, cli, server, &found);
            }
            progress::say(&format!("{name} has other proxies than {} gives to containers now", cli.name));
        }
        refuse_if_in_use(cli, &found, options)?;
        if !options.restart {
            progress::say(&format!("{name} differs from what it should be: recreating it"));
        }
        making.replace(&found)?;
    } else {
        making.create_and_start()?;
    }
    if server.is_runtime {
        progress::say(&format!(
            "{name} has a shell and the network: run nothing in it that you do not trust"
        ));
    }
    Ok(())
}

fn needs_no_secrets(server: &Server) -> Result<()> {
    let names: Vec<_> = server.secrets().filter(|it| it.required).map(|it| it.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let problem = format!(
        "`{}` does not start without {}: a secret, and this version of Drydock cannot deliver secrets yet; nothing was started",
        server.name,
        names.join(", ")
    );
    let file = server.dir.join("server.json");
    let hint = format!("if it starts without: take `isRequired` off that variable in {}", file.display());
    Err(with_hint(problem, hint))
}

/// Whether the container of that name is ours to change.
fn check_ownership(
    ws: &Workspace,
    cli: &Cli,
    found: &Container,
    server: &Server,
    options: UpOptions,
) -> Result<()> {
    let name = found.name();
    match found.owner(&server.name, &ws.id()?) {
        Owner::ThisWorkspace => Ok(()),
        Owner::OtherWorkspace(_) => adopt::take_over(ws, cli, found, options.adopt).map(drop),
        Owner::Unmanaged => Err(with_hint(
            format!(
                "the container {name} (image {}) is not managed by Drydock; it was left as it is",
                found.image_name()
            ),
            "use another name with `--name-prefix PREFIX`, or remove that container yourself",
        )),
    }
}

/// What the server may do that others may not, and what its publisher would like it to do besides.
fn say_grants(server: &Server) {
    let (beyond, file) = (server.beyond_default(), server.grants_file());
    if !beyond.is_empty() {
        progress::say(&format!("{}: beyond the default: {}", server.name, beyond.join(", ")));
    }
    if !server.requests.is_empty() {
        let wishes = server.requests.join(", ");
        progress::say(&format!(
            "{}: its server.json asks for {wishes}: not granted, unless {} says so",
            server.name,
            file.display()
        ));
    }
}

/// Our image of this version, built if it is missing, or older than its sources.
fn image(builder: &Builder<'_>, server: &Server, id: &str, options: UpOptions) -> Result<Image> {
    match drydock_engine::image(builder.cli(), &server.own_image(id))? {
        Some(image) if image.is_ours(&server.name, id) => {
            if image.sources() == Some(&builder.sources.fingerprint(server)?) {
                return Ok(image);
            }
            if options.no_build {
                progress::say(&format!(
                    "{} was built from other sources than these: not built, as you say",
                    server.image()
                ));
                return Ok(image);
            }
            progress::say(&format!(
                "{} was built from other sources than these: building it",
                server.image()
            ));
            return builder.rebuild(server, &image);
        }
        Some(_) => progress::say(&format!("{} was not built by this workspace: building it", server.image())),
        None => progress::say(&format!("{} is not there yet: building it", server.image())),
    }
    builder.build_stale(server)
}

fn is_current(found: &Container, want: &Create, image: &Image, server: &Server, id: &str) -> bool {
    found.owner(&server.name, id) == Owner::ThisWorkspace
        && found.settings() == Some(&want.settings)
        && found.image == image.id
        && drydock_engine::unmet(found, server).is_empty() // `docker update`, say
        && found.state.status != "created" // an `up` that was cut short made it
}

/// The container is the right one: it only has to run.
fn resume(ws: &Workspace, cli: &Cli, server: &Server, found: &Container) -> Result<()> {
    let name = found.name();
    if !found.state.running {
        return progress::step(&format!("starting {name}"), || start(ws, cli, server, name));
    }
    if drydock_engine::health(cli, name).is_ok_and(|it| it.ready) {
        progress::say(&format!("{name}: already up"));
        return Ok(());
    }
    // It may still be at its start. Somebody may be at work in it, so it is not for us to stop.
    let Some(why) = progress::step(&format!("waiting for {name}"), || until_ready(cli, name))? else {
        return Ok(());
    };
    let [logs, down, up] = ["logs", "down", "up"].map(|it| ws.command(&format!("{it} {}", server.name)));
    let problem = format!("{name} runs, but did not become ready: {why}; it was left as it is");
    Err(with_hint(problem, format!("{logs}; to begin anew: {down}, then {up}")))
}

/// A container is not taken from whoever works with it.
fn refuse_if_in_use(cli: &Cli, found: &Container, options: UpOptions) -> Result<()> {
    let name = found.name();
    // One that starts again and again has no sessions.
    if !found.state.running || found.state.status == "restarting" || options.force {
        return Ok(());
    }
    let differs = if options.restart { "" } else { "differs from what it should be and " };
    match drydock_engine::health(cli, name) {
        Ok(health) if health.sessions == 0 => Ok(()),
        Ok(health) => {
            let problem = format!("{name} {differs}has {} open sessions", health.sessions);
            let hint = "close the clients that use it, or end their sessions with `--force`";
            Err(with_hint(format!("{problem}; it was left as it is"), hint))
        }
        Err(err) => {
            let problem = format!("{name} {differs}does not say whether sessions are open ({err:#})");
            let hint = "`--force` recreates it all the same; sessions end";
            Err(with_hint(format!("{problem}; it was left as it is"), hint))
        }
    }
}

/// As the end of a sentence: `: exit code 3`, or nothing.
pub(crate) fn because(health: &Health) -> String {
    health.why_not_ready().map(|it| format!(": {it}")).unwrap_or_default()
}
