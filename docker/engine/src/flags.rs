//! A sandbox, as flags for the engine.
//!
//! `Sandbox` -> arguments. Pure. Invariant: every field is rendered, or its default is what no flag says.

use drydock_catalog::{LogOptions, Namespace, Network, Sandbox, Seccomp, Tmpfs, User};

/// The whole sandbox but its volumes, which have names of the container's own.
pub(crate) fn of(sandbox: &Sandbox) -> Vec<String> {
    // Taken apart, so that a field which is added and not rendered does not compile.
    let Sandbox {
        user,
        capabilities,
        new_privileges,
        read_only_root,
        init,
        network,
        memory,
        swap,
        cpus,
        pids,
        open_files,
        core_dump,
        tmpfs,
        volumes: _,
        devices,
        namespaces,
        seccomp,
        log,
    } = sandbox;
    let mut all: Vec<String> = Vec::new();
    all.extend(init.then(|| "--init".to_owned()));
    all.extend(read_only_root.then(|| "--read-only".to_owned()));
    let mut flag = |name: &str, value: String| all.extend([name.to_owned(), value]);
    flag("--cap-drop", "ALL".to_owned());
    capabilities.iter().for_each(|it| flag("--cap-add", it.clone()));
    if !new_privileges {
        flag("--security-opt", NO_NEW_PRIVILEGES.to_owned());
    }
    match seccomp {
        Seccomp::EngineDefault => {}
    }
    flag("--user", user.to_string());
    flag("--network", network_mode(*network).to_owned());
    if namespaces.contains(&Namespace::Ipc) {
        flag("--ipc", "private".to_owned()); // the others are private where nothing is said
    }
    flag("--memory", memory.to_string());
    flag("--memory-swap", (memory + swap).to_string());
    flag("--cpus", cpus.to_string());
    flag("--pids-limit", pids.to_string());
    flag("--ulimit", format!("{OPEN_FILES}={open_files}:{open_files}"));
    flag("--ulimit", format!("{CORE_DUMP}={core_dump}:{core_dump}"));
    tmpfs.iter().for_each(|it| flag("--tmpfs", format!("{}:{}", it.path, tmpfs_options(it).join(","))));
    devices.iter().for_each(|it| flag("--device", it.clone()));
    flag("--log-driver", log.driver.clone());
    log_options(log).iter().for_each(|(name, value)| flag("--log-opt", format!("{name}={value}")));
    all
}

pub(crate) const NO_NEW_PRIVILEGES: &str = "no-new-privileges";

/// The engine's name of a limit, see setrlimit(2).
pub(crate) const OPEN_FILES: &str = "nofile";
pub(crate) const CORE_DUMP: &str = "core";

pub(crate) fn network_mode(network: Network) -> &'static str {
    match network {
        Network::None => "none",
        Network::Internet => "bridge",
    }
}

pub(crate) fn tmpfs_options(it: &Tmpfs) -> Vec<String> {
    let User { uid, gid } = it.owner;
    let mut all = strings(["rw", "noexec", "nosuid", "nodev"]);
    all.extend([format!("size={}", size(it.size)), format!("mode={:04o}", it.mode)]);
    all.extend([format!("uid={uid}"), format!("gid={gid}")]);
    all
}

pub(crate) fn log_options(log: &LogOptions) -> [(&'static str, String); 2] {
    [("max-size", size(log.max_size)), ("max-file", log.max_files.to_string())]
}

/// Bytes as the engine reads them: `16m`, `1k`, `100`.
fn size(bytes: u64) -> String {
    match bytes {
        _ if bytes.is_multiple_of(1 << 20) => format!("{}m", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{}k", bytes >> 10),
        _ => bytes.to_string(),
    }
}

/// What the engine calls a container's own volume.
pub(crate) fn volume(container: &str, volume: &str) -> String {
    format!("{container}-{volume}")
}

pub(crate) fn strings<'a>(list: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    list.into_iter().map(str::to_owned).collect()
}
