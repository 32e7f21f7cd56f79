//! What is in the way of an entry: a container, an image or a program that is not there.
//!
//! Command line + engine -> what is missing, and the command that makes it. Invariant: only what the entry itself
//! names is looked at, not what we would write today.

use std::path::Path;

use anyhow::Result;
use drydock_catalog::Server;
use drydock_config::client::StdioCommand;
use drydock_engine::{Cli, Engine};

use crate::ops::reinstall;
use crate::ops::snapshot::Snapshot;
use crate::workspace::Workspace;

/// What an entry needs and does not have.
#[derive(Debug, PartialEq)]
pub(crate) struct UnmetRequirement {
    pub(crate) what: String,
    /// Nothing where we do not know who makes it.
    pub(crate) fix: Option<String>,
}

/// What is in the way; nothing also where the engine cannot be asked. It is asked for what no `snapshot` knows.
pub(crate) fn find_blocker(
    ws: &Workspace,
    engine: &Result<&Engine>,
    snapshot: Option<&Snapshot>,
    launch: &StdioCommand,
) -> Option<UnmetRequirement> {
    let program = Path::new(&launch.command);
    match engine {
        Ok(Engine::Cli(cli)) if program.file_stem().is_some_and(|it| it == cli.name) => {
            on_engine(ws, cli, snapshot, launch).ok().flatten()
        }
        _ if program.is_absolute() && !program.exists() => {
            Some(UnmetRequirement { what: format!("{} is not there", launch.command), fix: None })
        }
        _ => None,
    }
}

fn on_engine(
    ws: &Workspace,
    cli: &Cli,
    snapshot: Option<&Snapshot>,
    launch: &StdioCommand,
) -> Result<Option<UnmetRequirement>> {
    if let Some(name) = reinstall::container(launch) {
        let container = match snapshot {
            Some(snapshot) => snapshot.container(cli, name)?,
            None => drydock_engine::container(cli, name)?,
        };
        let what = match container {
            Some(it) if it.state.running => return Ok(None),
            Some(_) => "is not running",
            None => "is not there",
        };
        return Ok(Some(UnmetRequirement { what: format!("container {name} {what}"), fix: up(ws, name)? }));
    }
    let Some((image, name)) = image_of_run(launch) else { return Ok(None) };
    let found = match snapshot {
        Some(snapshot) => snapshot.find_image(cli, image)?,
        None => drydock_engine::image(cli, image)?,
    };
    let (what, fix) = match found {
        None => ("is not built", Some(ws.command(&format!("build-images {name}")))),
        Some(it) if !it.is_ours(name, &ws.id()?) => ("was built by another clone", None),
        Some(_) => return Ok(None),
    };
    Ok(Some(UnmetRequirement { what: format!("image {image} {what}"), fix }))
}

/// What an entry of before says: it starts whichever image has a tag that every clone writes. Writing it again mends it.
pub(crate) fn shared_tag(launch: &StdioCommand) -> Option<UnmetRequirement> {
    let (image, _) = image_of_run(launch)?;
    let is_shared = image.matches('/').count() == 1;
    is_shared.then(|| UnmetRequirement {
        what: format!("it starts the image {image}, whichever clone built that last"),
        fix: None,
    })
}

/// The image that an entry of ours starts for each session, and its server's name.
fn image_of_run(launch: &StdioCommand) -> Option<(&str, &str)> {
    let [first, .., image, _] = launch.args.as_slice() else { return None };
    let name = image.strip_prefix("drydock/")?.split(['/', ':']).next()?;
    (first == "run").then_some((image.as_str(), name))
}

/// The command that starts this container, if it is one of a server or a runtime image of this workspace.
fn up(ws: &Workspace, container: &str) -> Result<Option<String>> {
    let known = drydock_catalog::load_partial(&ws.root)?
        .0
        .into_iter()
        .chain(drydock_catalog::runtime_images(&ws.root)?);
    let prefix = |it: &Server| container.strip_suffix(&it.container("")).map(str::to_owned);
    let found = known.into_iter().find_map(|it| Some((prefix(&it)?, it.name)));
    Ok(found.map(|(prefix, name)| ws.command_for(&format!("up {name}"), &prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Global;

    fn workspace() -> Workspace {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
        let global = Global { engine: None, name_prefix: String::new() };
        Workspace::at(root.clone(), root.join(".drydock"), global)
    }

    #[test]
    fn the_command_for_a_container_of_ours() {
        let up = |container: &str| up(&workspace(), container).unwrap();
        assert_eq!(up("mcp-weather").as_deref(), Some("cargo xtask up weather"));
        assert_eq!(up("t-mcp-node").as_deref(), Some("cargo xtask up node --name-prefix t-"));
        assert_eq!(up("somebody-elses"), None);
    }

    #[test]
    fn a_tag_that_every_clone_writes_is_told_from_our_own() {
        let run = |image: &str| StdioCommand {
            command: "/usr/bin/docker".to_owned(),
            args: ["run", "-i", "--rm", image, "stdio"].map(str::to_owned).to_vec(),
            ..StdioCommand::default()
        };
        let (shared, own) = (run("drydock/weather:0.1.0"), run("drydock/weather/0123456789abcdef:0.1.0"));
        for launch in [&shared, &own] {
            assert_eq!(image_of_run(launch).map(|it| it.1), Some("weather"));
        }
        assert!(shared_tag(&shared).unwrap().what.contains("drydock/weather:0.1.0"));
        assert_eq!([shared_tag(&own), shared_tag(&run("else/weather:1"))], [None, None]);
    }

    #[test]
    fn a_program_that_is_not_there() {
        let gone = StdioCommand { command: "/no/such/weather".to_owned(), ..StdioCommand::default() };
        let blocker = |launch: &StdioCommand| find_blocker(&workspace(), &Ok(&Engine::Host), None, launch);
        assert_eq!(blocker(&gone).unwrap().what, "/no/such/weather is not there");
        // What is looked up in PATH is the client's business.
        assert_eq!(blocker(&StdioCommand { command: "docker".to_owned(), ..gone }), None);
    }
}
