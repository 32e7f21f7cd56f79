//! What the engine is told: a server and where it stands, as vectors of arguments.
//!
//! `Server` -> arguments (build, create, exec). Pure: nothing is run or read here. Invariant: every value from a
//! manifest stands behind a flag of ours, or behind a fixed beginning (`drydock/`), so none can become a flag.

use std::path::Path;

use crate::catalog::Server;
use crate::fingerprint::fingerprint;
use crate::manifest::Network;

/// The user inside every image.
const USER: &str = "65532:65532";

pub(crate) const SERVER_LABEL: &str = "dev.drydock.server";
pub(crate) const WORKSPACE_LABEL: &str = "dev.drydock.workspace";
pub(crate) const SETTINGS_LABEL: &str = "dev.drydock.settings";
/// On the container of one session, which a client starts.
pub(crate) const SESSION_LABEL: &str = "dev.drydock.session";
pub(crate) const PROFILE_LABEL: &str = "dev.drydock.profile";

/// How to make a container, and the hash of everything that makes it up besides the image.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Create {
    pub(crate) args: Vec<String>,
    pub(crate) settings: String,
}

/// `docker create` with the whole sandbox.
pub(crate) fn create(server: &Server, container: &str, workspace: &str, env: &[(String, String)]) -> Create {
    let mut args = strings(["create", "--pull", "never", "--name", container]);
    args.extend(sandbox(server));
    for mount in &server.limits.mounts {
        let (volume, path) = (volume(container, &mount.volume), &mount.path);
        let label = |name: &str, value: &str| format!("volume-label={name}={value}");
        let labels = [label(SERVER_LABEL, &server.name), label(WORKSPACE_LABEL, workspace)].join(",");
        let words = format!("type=volume,source={volume},target={path},{labels}");
        args.extend(["--mount".to_owned(), words]);
    }
    args.extend(strings(["--restart", "unless-stopped"]));
    for (name, value) in env {
        args.extend(["--env".to_owned(), format!("{name}={value}")]);
    }
    for (label, value) in [(SERVER_LABEL, server.name.as_str()), (WORKSPACE_LABEL, workspace)] {
        args.extend(["--label".to_owned(), format!("{label}={value}")]);
    }
    let settings = fingerprint(args.join("\0").as_bytes());
    args.extend(["--label".to_owned(), format!("{SETTINGS_LABEL}={settings}"), server.image()]);
    Create { args, settings }
}

/// What the engine calls a container's own volume.
pub(crate) fn volume(container: &str, volume: &str) -> String {
    format!("{container}-{volume}")
}

fn sandbox(server: &Server) -> Vec<String> {
    let limits = &server.limits;
    let network = match limits.network {
        Network::None => "none",
        Network::Internet => "bridge",
    };
    let memory = limits.memory.to_string();
    let (cpus, pids) = (limits.cpus.to_string(), limits.pids.to_string());
    strings(
        [
            &[
                "--init",
                "--read-only",
                "--cap-drop",
                "ALL",
                "--security-opt",
                "no-new-privileges",
                "--user",
                USER,
            ][..],
            &["--network", network, "--memory", &memory, "--memory-swap", &memory, "--cpus", &cpus],
            &["--pids-limit", &pids, "--ulimit", "nofile=1024:1024", "--ulimit", "core=0:0"],
            &["--tmpfs", &tmpfs("/run", "1m", "0700"), "--tmpfs", &tmpfs("/tmp", "16m", "1777")],
            &["--log-driver", "json-file", "--log-opt", "max-size=1m", "--log-opt", "max-file=3"],
        ]
        .concat(),
    )
}

fn tmpfs(path: &str, size: &str, mode: &str) -> String {
    format!("{path}:rw,noexec,nosuid,nodev,size={size},mode={mode},uid=65532,gid=65532")
}

/// How an image is made, and what its labels say besides what the server's manifest does.
pub(crate) struct Origin<'a> {
    pub(crate) workspace: &'a str,
    pub(crate) license: &'a str,
    pub(crate) profile: &'a str,
    /// Whether layers that the engine has may be used again.
    pub(crate) cached: bool,
}

/// `docker build` from a staged context that holds its `Dockerfile`; `build_args` are the Dockerfile's own.
pub(crate) fn build(
    server: &Server,
    origin: &Origin,
    build_args: &[(&str, &str)],
    context: &Path,
) -> Vec<String> {
    let mut args = strings(["build", "--force-rm", "--tag", &server.image()]);
    args.extend((!origin.cached).then(|| "--no-cache".to_owned()));
    for (name, value) in build_args {
        args.extend(["--build-arg".to_owned(), format!("{name}={value}")]);
    }
    // Without a repository in the manifest, at least where in the workspace its sources are.
    let in_workspace = format!("{}/{}", if server.base { "docker" } else { "servers" }, server.name);
    for (label, value) in [
        (SERVER_LABEL, server.name.as_str()),
        (WORKSPACE_LABEL, origin.workspace),
        (PROFILE_LABEL, origin.profile),
        ("io.modelcontextprotocol.server.name", &server.id),
        ("org.opencontainers.image.description", &server.description),
        ("org.opencontainers.image.licenses", origin.license),
        ("org.opencontainers.image.source", server.source.as_ref().unwrap_or(&in_workspace)),
        ("org.opencontainers.image.title", &server.title),
        ("org.opencontainers.image.version", &server.version),
    ] {
        if !value.is_empty() {
            args.extend(["--label".to_owned(), format!("{label}={value}")]);
        }
    }
    args.push(context.display().to_string());
    args
}

/// A container that never runs: a way to an image's files. Prints its id.
pub(crate) fn create_bare(image: &str) -> Vec<String> {
    strings(["create", "--pull", "never", "--network", "none", image])
}

/// `/mcp` out of a container.
pub(crate) fn copy_out(container: &str, to: &Path) -> Vec<String> {
    vec!["cp".to_owned(), format!("{container}:/mcp"), to.display().to_string()]
}

/// One MCP session: what a client starts.
pub(crate) fn exec_stdio(container: &str) -> Vec<String> {
    strings(["exec", "-i", container, "/mcp", "stdio"])
}

/// One MCP session in a container of its own, with the same sandbox, gone when the session ends.
pub(crate) fn run_stdio(server: &Server, workspace: &str, env: &[(String, String)]) -> Vec<String> {
    let mut args = strings(["run", "-i", "--rm", "--pull", "never", "--no-healthcheck"]);
    args.extend(sandbox(server));
    for (name, value) in env {
        args.extend(["--env".to_owned(), format!("{name}={value}")]);
    }
    let labels = [(SERVER_LABEL, server.name.as_str()), (WORKSPACE_LABEL, workspace), (SESSION_LABEL, "run")];
    for (label, value) in labels {
        args.extend(["--label".to_owned(), format!("{label}={value}")]);
    }
    args.push(server.image());
    args.push("stdio".to_owned());
    args
}

/// A command of somebody's own in a container of somebody's own.
pub(crate) fn exec(container: &str, command: &[String]) -> Vec<String> {
    let mut args = strings(["exec", "-i", container]);
    args.extend_from_slice(command);
    args
}

/// Ready or not, and how many sessions: what `up` polls.
pub(crate) fn exec_health(container: &str) -> Vec<String> {
    strings(["exec", container, "/mcp", "health", "--json"])
}

/// Every container as `ID<tab>NAME<tab>SERVER`, the last one from our label.
pub(crate) fn list_containers() -> Vec<String> {
    let format = format!("{{{{.ID}}}}\t{{{{.Names}}}}\t{{{{.Label \"{SERVER_LABEL}\"}}}}");
    strings(["ps", "--all", "--no-trunc", "--format", &format])
}

pub(crate) fn inspect(ids: &[String]) -> Vec<String> {
    let mut args = strings(["container", "inspect"]);
    args.extend_from_slice(ids);
    args
}

/// The id of the image with this tag, or nothing.
pub(crate) fn list_image(tag: &str) -> Vec<String> {
    strings(["image", "ls", "--no-trunc", "--quiet", tag])
}

pub(crate) fn inspect_image(id: &str) -> Vec<String> {
    strings(["image", "inspect", id])
}

pub(crate) fn start(container: &str) -> Vec<String> {
    strings(["start", container])
}

/// Ends a container's processes with SIGTERM, and with SIGKILL if that is not enough.
pub(crate) fn stop(container: &str) -> Vec<String> {
    strings(["stop", "-t", "5", container])
}

pub(crate) fn remove(container: &str) -> Vec<String> {
    strings(["rm", "--force", container])
}

pub(crate) fn logs(container: &str, follow: bool, tail: Option<u64>) -> Vec<String> {
    let mut args = strings(["logs"]);
    args.extend(follow.then(|| "--follow".to_owned()));
    args.extend(tail.map(|lines| format!("--tail={lines}")));
    args.push(container.to_owned());
    args
}

fn strings<'a>(list: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    list.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
