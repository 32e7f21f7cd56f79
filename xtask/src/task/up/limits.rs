//! Reads back what an engine made of the sandbox that we asked for.
//!
//! A container as `inspect` shows it + the server's limits -> nothing, or an error. Invariant: fail closed: what cannot
//! be shown to hold is an error.

use anyhow::Result;

use crate::argv;
use crate::catalog::Server;
use crate::container::{Container, Mount};
use crate::fixable::fixable;
use crate::manifest::Network;

/// An error when any part of the sandbox did not take effect.
pub(super) fn read_back(found: &Container, server: &Server) -> Result<()> {
    let missing = missing(found, server);
    if missing.is_empty() {
        return Ok(());
    }
    Err(not_kept(found.name(), &missing.join(", ")))
}

pub(super) fn not_kept(name: &str, what: &str) -> anyhow::Error {
    fixable(
        format!("the engine does not keep the sandbox of {name}, so it was stopped: {what}"),
        "let the engine use cgroups for memory, swap, cpu and pids (`docker info` ends with what it lacks; on Debian \
         and Ubuntu with cgroup v1 boot with `cgroup_enable=memory swapaccount=1`)",
    )
}

fn missing(found: &Container, server: &Server) -> Vec<String> {
    let (host, limits) = (&found.host_config, &server.limits);
    let memory = i64::try_from(limits.memory).unwrap_or(i64::MAX);
    #[expect(clippy::cast_possible_truncation, reason = "the manifest allows up to 256")]
    let cpus = (limits.cpus * 1e9).round() as i64;
    let network = match limits.network {
        Network::None => "none",
        Network::Internet => "bridge",
    };
    let holds = |list: &Option<Vec<String>>, value: &str| {
        list.as_ref().is_some_and(|it| it.iter().any(|it| it.trim_end_matches(":true") == value))
    };
    let limit = |name: &str| host.ulimits.iter().flatten().find(|it| it.name == name).map(|it| it.hard);
    let tmpfs =
        |path: &str| host.tmpfs.as_ref().and_then(|it| it.get(path)).is_some_and(|it| it.contains("noexec"));
    [
        ("memory", host.memory == memory),
        ("swap", host.memory_swap == memory),
        ("cpus", host.nano_cpus == cpus),
        ("pids", host.pids_limit.and_then(|it| u64::try_from(it).ok()) == Some(limits.pids)),
        ("open files", limit("nofile") == Some(1024)),
        ("core dumps", limit("core") == Some(0)),
        ("read-only root", host.readonly_rootfs),
        ("no capabilities", holds(&host.cap_drop, "ALL") && host.cap_add.iter().flatten().next().is_none()),
        ("no privileges", !host.privileged && holds(&host.security_opt, "no-new-privileges")),
        ("user", found.config.user == "65532:65532"),
        ("init", host.init == Some(true)),
        ("network", host.network_mode == network || (network == "bridge" && host.network_mode == "default")),
        ("volumes", mounts(found, server)),
        ("/run", tmpfs("/run")),
        ("/tmp", tmpfs("/tmp")),
    ]
    .into_iter()
    .filter(|(_, held)| !held)
    .map(|(name, _)| name.to_owned())
    .collect()
}

/// The container has its own volumes, and nothing else of this machine.
fn mounts(found: &Container, server: &Server) -> bool {
    let asked = server.limits.mounts.iter().map(|it| Mount {
        kind: "volume".to_owned(),
        source: argv::volume(found.name(), &it.volume),
        target: it.path.clone(),
    });
    let host = &found.host_config;
    host.binds.iter().flatten().next().is_none() && asked.eq(host.mounts.iter().flatten().cloned())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::{Value, json};

    use super::*;
    use crate::catalog::{Kind, Limits, Program};

    fn server() -> Server {
        Server {
            name: "weather".into(),
            dir: PathBuf::new(),
            kind: Kind::Rust,
            base: false,
            id: String::new(),
            title: String::new(),
            description: String::new(),
            version: "1.0.0".into(),
            source: None,
            variables: Vec::new(),
            program: Program::default(),
            limits: Limits::sample(),
        }
    }

    /// As Docker 20.10 shows the container of that server.
    fn shown() -> Value {
        json!({
            "Id": "0123", "Name": "/mcp-weather", "Image": "sha256:0", "Created": "", "RestartCount": 0,
            "State": { "Status": "created", "Running": false, "ExitCode": 0, "StartedAt": "" },
            "Config": { "Image": "drydock/weather:1.0.0", "User": "65532:65532", "Labels": null },
            "HostConfig": {
                "Memory": 67_108_864, "MemorySwap": 67_108_864, "NanoCpus": 500_000_000, "PidsLimit": 32,
                "ReadonlyRootfs": true, "Privileged": false, "Init": true, "NetworkMode": "none",
                "CapAdd": null, "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"],
                "Tmpfs": { "/run": "rw,noexec,nosuid", "/tmp": "rw,noexec,nosuid" }, "Mounts": null, "Binds": null,
                "Ulimits": [{ "Name": "nofile", "Hard": 1024 }, { "Name": "core", "Hard": 0 }],
            },
        })
    }

    fn lost(change: &[(&str, Value)]) -> Vec<String> {
        let mut value = shown();
        for (pointer, to) in change {
            *value.pointer_mut(pointer).unwrap() = to.clone();
        }
        missing(&serde_json::from_value(value).unwrap(), &server())
    }

    #[test]
    fn a_whole_sandbox_is_whole() {
        assert_eq!(lost(&[]), [""; 0]);
    }

    #[test]
    fn each_part_that_is_lost_is_named() {
        for (pointer, to, name) in [
            ("/HostConfig/Memory", json!(0), "memory"),
            ("/HostConfig/MemorySwap", json!(-1), "swap"),
            ("/HostConfig/NanoCpus", json!(0), "cpus"),
            ("/HostConfig/PidsLimit", json!(null), "pids"),
            ("/HostConfig/PidsLimit", json!(-1), "pids"),
            ("/HostConfig/Ulimits", json!([{ "Name": "core", "Hard": 0 }]), "open files"),
            ("/HostConfig/Ulimits/1/Hard", json!(-1), "core dumps"),
            ("/HostConfig/ReadonlyRootfs", json!(false), "read-only root"),
            ("/HostConfig/CapDrop", json!(null), "no capabilities"),
            ("/HostConfig/CapAdd", json!(["SYS_ADMIN"]), "no capabilities"),
            ("/HostConfig/Privileged", json!(true), "no privileges"),
            ("/HostConfig/SecurityOpt", json!([]), "no privileges"),
            ("/Config/User", json!(""), "user"),
            ("/HostConfig/Init", json!(null), "init"),
            ("/HostConfig/NetworkMode", json!("bridge"), "network"),
            ("/HostConfig/Tmpfs", json!({ "/run": "noexec" }), "/tmp"),
            ("/HostConfig/Binds", json!(["/:/host"]), "volumes"),
            (
                "/HostConfig/Mounts",
                json!([{ "Type": "bind", "Source": "/home", "Target": "/cache" }]),
                "volumes",
            ),
        ] {
            assert_eq!(lost(&[(pointer, to)]), [name], "{pointer}");
        }
    }
}
