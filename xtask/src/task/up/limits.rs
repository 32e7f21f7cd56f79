//! Reads back what an engine made of the sandbox that we asked for.
//!
//! A container as `inspect` shows it + the server's limits -> nothing, or an error. Invariant: fail closed: what cannot
//! be shown to hold is an error.

use anyhow::Result;

use crate::catalog::Server;
use crate::container::Container;
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
        ("/run", tmpfs("/run")),
        ("/tmp", tmpfs("/tmp")),
    ]
    .into_iter()
    .filter(|(_, held)| !held)
    .map(|(name, _)| name.to_owned())
    .collect()
}
