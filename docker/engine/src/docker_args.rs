//! What the engine is told: a server and where it stands, as vectors of arguments.
//!
//! `Server` -> arguments (build, create, exec). Pure: nothing is run or read here. Invariant: every value from a
//! manifest stands behind a flag of ours, or behind a fixed beginning (`drydock/`), so none can become a flag.

use std::hash::Hasher;
use std::path::Path;

use drydock_catalog::Server;
use drydock_contract::{image, label, subcommand};
use rustc_hash::FxHasher;

use crate::flags::{self, strings, volume};
use crate::trial::Trial;

mod container;
pub(crate) mod steps;

pub use container::Create;

/// `docker create` with the whole sandbox.
#[must_use]
pub fn create(server: &Server, container: &str, workspace: &str, env: &[(String, String)]) -> Create {
    let mut args = strings(["create", "--pull", "never", "--name", container]);
    args.extend(flags::of(&server.sandbox));
    args.extend(home(server));
    for it in &server.sandbox.volumes {
        let (volume, path) = (volume(container, &it.name), &it.path);
        let owner = |name: &str, value: &str| format!("volume-label={name}={value}");
        let labels = [owner(label::SERVER, &server.name), owner(label::WORKSPACE, workspace)].join(",");
        let words = format!("type=volume,source={volume},target={path},{labels}");
        args.extend(["--mount".to_owned(), words]);
    }
    args.extend(strings(["--restart", "unless-stopped"]));
    for (name, value) in env {
        args.extend(["--env".to_owned(), format!("{name}={value}")]);
    }
    for (name, value) in [(label::SERVER, server.name.as_str()), (label::WORKSPACE, workspace)] {
        args.extend(["--label".to_owned(), format!("{name}={value}")]);
    }
    let settings = fingerprint(&args);
    let image = server.own_image(workspace);
    args.extend(["--label".to_owned(), format!("{}={settings}", label::SETTINGS), image]);
    Create { args, settings }
}

/// How an image is made, and what its labels say besides what the server's manifest does.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The clone's id.
    pub workspace: &'a str,
    /// As in `MIT OR Apache-2.0`; empty where it is not known.
    pub license: &'a str,
    /// The cargo profile.
    pub profile: &'a str,
    /// A hash of the sources.
    pub sources: &'a str,
    /// Whether layers that the engine has may be used again.
    pub cached: bool,
    /// The names of our environment's variables that hold the proxies to be used by the steps of the build. Their values,
    /// which may hold passwords, stand in no argument, and such arguments of an engine's own in no image.
    pub proxies: &'a [String],
    /// Where the image's id is to be written, instead of giving it its names.
    pub id_file: Option<&'a Path>,
}

/// `docker build` from a staged context that holds its `Dockerfile`; `build_args` are the Dockerfile's own.
#[must_use]
pub fn build(server: &Server, origin: &Origin, build_args: &[(&str, &str)], context: &Path) -> Vec<String> {
    let mut args = strings(["build", "--force-rm"]);
    args.extend(match origin.id_file {
        Some(file) => vec!["--iidfile".to_owned(), file.display().to_string()],
        None => {
            let names = [server.image(), server.own_image(origin.workspace)];
            names.into_iter().flat_map(|it| ["--tag".to_owned(), it]).collect()
        }
    });
    args.extend((!origin.cached).then(|| "--no-cache".to_owned()));
    for name in origin.proxies {
        args.extend(["--build-arg".to_owned(), name.clone()]);
    }
    for (name, value) in build_args {
        args.extend(["--build-arg".to_owned(), format!("{name}={value}")]);
    }
    // Without a repository in the manifest, at least where in the workspace its sources are.
    let in_workspace = format!("{}/{}", if server.is_runtime { "docker" } else { "servers" }, server.name);
    for (name, value) in [
        (label::SERVER, server.name.as_str()),
        (label::WORKSPACE, origin.workspace),
        (label::PROFILE, origin.profile),
        (label::SOURCES, origin.sources),
        ("io.modelcontextprotocol.server.name", &server.id),
        ("org.opencontainers.image.description", &server.description),
        ("org.opencontainers.image.licenses", origin.license),
        ("org.opencontainers.image.source", server.source.as_ref().unwrap_or(&in_workspace)),
        ("org.opencontainers.image.title", &server.title),
        (label::VERSION, &server.version),
    ] {
        if !value.is_empty() {
            args.extend(["--label".to_owned(), format!("{name}={value}")]);
        }
    }
    args.push(context.display().to_string());
    args
}

/// A container that never runs: a way to an image's files. Prints its id.
#[must_use]
pub fn create_bare(image: &str) -> Vec<String> {
    strings(["create", "--pull", "never", "--network", "none", image])
}

/// A container that never runs: a way to volumes, each in a folder at the root. Prints its id.
#[must_use]
pub fn create_with_volumes(image: &str, volumes: &[(String, String)]) -> Vec<String> {
    let mut args = strings(["create", "--pull", "never", "--network", "none"]);
    for (volume, folder) in volumes {
        args.extend(["--mount".to_owned(), format!("type=volume,source={volume},target=/{folder}")]);
    }
    args.push(image.to_owned());
    args
}

/// `/mcp` out of a container.
#[must_use]
pub fn copy_out(container: &str, to: &Path) -> Vec<String> {
    vec!["cp".to_owned(), format!("{container}:{}", image::ENTRY_POINT), to.display().to_string()]
}

/// One MCP session: what a client starts.
#[must_use]
pub fn exec_stdio(container: &str) -> Vec<String> {
    strings(["exec", "-i", container, image::ENTRY_POINT, subcommand::STDIO])
}

/// One MCP session in a container of its own, with the same sandbox, gone when the session ends.
#[must_use]
pub fn run_stdio(server: &Server, workspace: &str, env: &[(String, String)]) -> Vec<String> {
    let mut args = strings(["run", "-i", "--rm", "--pull", "never", "--no-healthcheck"]);
    args.extend(flags::of(&server.sandbox));
    args.extend(home(server));
    for (name, value) in env {
        args.extend(["--env".to_owned(), format!("{name}={value}")]);
    }
    let labels =
        [(label::SERVER, server.name.as_str()), (label::WORKSPACE, workspace), (label::SESSION, "run")];
    for (name, value) in labels {
        args.extend(["--label".to_owned(), format!("{name}={value}")]);
    }
    args.push(server.own_image(workspace));
    args.push(subcommand::STDIO.to_owned());
    args
}

/// One MCP session with a new image, in a container of this name that goes with it. It is a build's, and no server's.
#[must_use]
pub fn run_trial(trial: &Trial<'_>, container: &str) -> Vec<String> {
    let server = trial.server;
    let mut args = strings(["run", "-i", "--rm", "--pull", "never", "--no-healthcheck", "--name", container]);
    args.extend(flags::of(&server.sandbox));
    args.extend(home(server));
    for (name, value) in trial.env {
        args.extend(["--env".to_owned(), format!("{name}={value}")]);
    }
    args.extend(steps::Build { workspace: trial.workspace, server: trial.build }.labels());
    args.extend([trial.image.to_owned(), subcommand::STDIO.to_owned()]);
    args
}

/// The user's home, where a program starts that has no folder of its own: the engine makes it, so no image needs a layer
/// for it.
fn home(server: &Server) -> Vec<String> {
    if server.is_runtime {
        return Vec::new();
    }
    strings(["--workdir", image::HOME, "--env", &format!("HOME={}", image::HOME)])
}

/// Unpacks an archive from stdin into a container that need not run.
#[must_use]
pub fn unpack(container: &str) -> Vec<String> {
    vec!["cp".to_owned(), "-".to_owned(), format!("{container}:/")]
}

/// A command of somebody's own in a container of somebody's own.
#[must_use]
pub fn exec(container: &str, command: &[String]) -> Vec<String> {
    let mut args = strings(["exec", "-i", container]);
    args.extend_from_slice(command);
    args
}

/// Ready or not, and how many sessions: what `up` polls.
#[must_use]
pub fn exec_health(container: &str) -> Vec<String> {
    strings(["exec", container, image::ENTRY_POINT, subcommand::HEALTH, "--json"])
}

/// Every container as `ID<tab>NAME<tab>SERVER`, the last one from our label.
#[must_use]
pub fn list_containers() -> Vec<String> {
    let format = format!("{{{{.ID}}}}\t{{{{.Names}}}}\t{{{{.Label \"{}\"}}}}", label::SERVER);
    strings(["ps", "--all", "--no-trunc", "--format", &format])
}

/// All that the engine knows of these containers, as JSON.
#[must_use]
pub fn inspect(ids: &[String]) -> Vec<String> {
    let mut args = strings(["container", "inspect"]);
    args.extend_from_slice(ids);
    args
}

/// The id of the image with this tag, or nothing.
#[must_use]
pub fn list_image(tag: &str) -> Vec<String> {
    strings(["image", "ls", "--no-trunc", "--quiet", tag])
}

/// Every image that has a name as `ID<tab>REPOSITORY:TAG`, a line for each name.
#[must_use]
pub fn list_images() -> Vec<String> {
    strings(["image", "ls", "--no-trunc", "--format", "{{.ID}}\t{{.Repository}}:{{.Tag}}"])
}

/// All that the engine knows of these images, as JSON.
#[must_use]
pub fn inspect_images(ids: &[String]) -> Vec<String> {
    let mut args = strings(["image", "inspect"]);
    args.extend_from_slice(ids);
    args
}

/// What these containers use, measured by the engine for 1 to 2 s: an object of JSON a line.
#[must_use]
pub fn stats(ids: &[String]) -> Vec<String> {
    let mut args = strings(["stats", "--no-stream", "--no-trunc", "--format", "{{json .}}"]);
    args.extend_from_slice(ids);
    args
}

/// The ids of the images that a workspace built.
#[must_use]
pub fn list_images_of(workspace: &str) -> Vec<String> {
    let filter = format!("label={}={workspace}", label::WORKSPACE);
    strings(["image", "ls", "--no-trunc", "--quiet", "--filter", &filter])
}

/// The ids of the images that a workspace built for a server.
#[must_use]
pub fn list_images_of_server(server: &str, workspace: &str) -> Vec<String> {
    let mut args = list_images_of(workspace);
    args.extend(["--filter".to_owned(), format!("label={}={server}", label::SERVER)]);
    args
}

/// The ids of the images of a workspace that have no name and nothing stands on.
#[must_use]
pub fn list_untagged_images_of(workspace: &str) -> Vec<String> {
    let mut args = list_images_of(workspace);
    args.extend(strings(["--filter", "dangling=true"]));
    args
}

/// Removes them, but those that containers are made of.
#[must_use]
pub fn prune_images_of(workspace: &str) -> Vec<String> {
    let filter = format!("label={}={workspace}", label::WORKSPACE);
    strings(["image", "prune", "--force", "--filter", &filter])
}

/// All that the engine knows of an image, as JSON.
#[must_use]
pub fn inspect_image(id: &str) -> Vec<String> {
    strings(["image", "inspect", id])
}

/// Whether the engine itself, which pulls images, has proxies: what `info` says of them.
#[must_use]
pub fn info_proxies() -> Vec<String> {
    strings(["info", "--format", "{{.HTTPProxy}}{{.HTTPSProxy}}"])
}

/// Starts a container that was created, or has stopped.
#[must_use]
pub fn start(container: &str) -> Vec<String> {
    strings(["start", container])
}

/// Gives a container another name, also while it runs.
#[must_use]
pub fn rename(container: &str, name: &str) -> Vec<String> {
    strings(["rename", container, name])
}

/// Ends a container's processes with SIGTERM, and with SIGKILL if that is not enough.
#[must_use]
pub fn stop(container: &str) -> Vec<String> {
    strings(["stop", "-t", "5", container])
}

/// Removes a container, running or not. Its volumes stay.
#[must_use]
pub fn remove(container: &str) -> Vec<String> {
    strings(["rm", "--force", container])
}

/// The names of the volumes that a workspace made for a server, whatever its containers are called.
#[must_use]
pub fn list_volumes(server: &str, workspace: &str) -> Vec<String> {
    let server = format!("label={}={server}", label::SERVER);
    let workspace = format!("label={}={workspace}", label::WORKSPACE);
    strings(["volume", "ls", "--quiet", "--filter", &server, "--filter", &workspace])
}

/// Removes volumes with what is in them.
#[must_use]
pub fn remove_volumes(names: &[String]) -> Vec<String> {
    let mut args = strings(["volume", "rm"]);
    args.extend_from_slice(names);
    args
}

/// Which lines of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogLines<'a> {
    /// Also those that come.
    pub follow: bool,
    /// Only so many from before now.
    pub tail: Option<u64>,
    /// Only from then on: RFC 3339, or seconds before now, as in `90s`.
    pub since: Option<&'a str>,
}

/// What a container and its sessions logged.
#[must_use]
pub fn logs(container: &str, lines: LogLines<'_>) -> Vec<String> {
    let mut args = strings(["logs"]);
    args.extend(lines.follow.then(|| "--follow".to_owned()));
    args.extend(lines.tail.map(|it| format!("--tail={it}")));
    args.extend(lines.since.map(|it| format!("--since={it}")));
    args.push(container.to_owned());
    args
}

/// Gives an image, by its id or a name, another name.
#[must_use]
pub fn tag(image: &str, name: &str) -> Vec<String> {
    strings(["image", "tag", image, name])
}

/// Removes an image by its id, and its name where it has one, with those that it alone stands on and that have none.
#[must_use]
pub fn remove_image(id: &str) -> Vec<String> {
    strings(["image", "rm", id])
}

/// Takes images' names away, and each image with its last one; an image without a name goes by its id.
#[must_use]
pub fn remove_images(names: &[String]) -> Vec<String> {
    let mut args = strings(["image", "rm"]);
    args.extend_from_slice(names);
    args
}

/// A pull of an image from its registry.
#[must_use]
pub fn pull(image: &str) -> Vec<String> {
    strings(["pull", image])
}

/// A short name for everything that makes up a container. Nothing depends on its being hard to forge: who can make a
/// container can give it any label.
fn fingerprint(args: &[String]) -> String {
    let mut hasher = FxHasher::default();
    for arg in args {
        hasher.write(arg.as_bytes());
        hasher.write_u8(0);
    }
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
