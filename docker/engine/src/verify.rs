//! Whether a container has its server's whole sandbox, by what the engine says that it enforces.
//!
//! `Sandbox` + inspected container -> what does not hold. Invariant: fail closed: every value of the `Sandbox` is compared,
//! and what cannot be shown to hold is named.

use drydock_catalog::{LogOptions, Namespace, Sandbox, Seccomp, Server, Tmpfs, Volume};

use crate::error::Error;
use crate::flags::{
    CORE_DUMP, NO_NEW_PRIVILEGES, OPEN_FILES, log_options, network_mode, tmpfs_options, volume,
};
use crate::inspect::{Container, HostConfig, Mount};

/// Checks that the container, as the engine shows it, has the server's whole sandbox, and the volumes of the container of
/// the name `owner`: it may be about to take that one's place.
///
/// # Errors
/// Some part of it did not take effect: which, and what an engine needs to enforce it.
pub fn verify(found: &Container, server: &Server, owner: &str) -> Result<(), Error> {
    let unmet = unmet_of(found, &server.sandbox, &|it| volume(owner, &it.name));
    all_met(&format!("{}, so it was stopped", found.name()), &unmet)
}

/// The same of a container that has not been started, whose volumes have these names of their own.
pub(crate) fn verify_sandbox(found: &Container, sandbox: &Sandbox) -> Result<(), Error> {
    let unmet = unmet_of(found, sandbox, &|it| it.name.clone());
    all_met(&format!("{}, so it was not started", found.name()), &unmet)
}

fn all_met(what: &str, unmet: &[&str]) -> Result<(), Error> {
    if unmet.is_empty() {
        return Ok(());
    }
    let problem = format!("the engine does not enforce the sandbox of {what}: {}", unmet.join(", "));
    let needs_cgroups = unmet.iter().any(|it| ["memory", "swap", "cpus", "pids"].contains(it));
    Err(Error::new(problem).with_hint(if needs_cgroups {
        "let the engine use cgroups for memory, swap, cpu and pids (the end of the engine's own `info` says what it lacks; on Debian \
         and Ubuntu with cgroup v1 boot with `cgroup_enable=memory swapaccount=1`)"
    } else {
        "look at the engine's configuration (its own `info` shows it), and at what the image brings with it (a VOLUME)"
    }))
}

/// The parts of the sandbox that the container does not have, by name; none where it is whole.
#[must_use]
pub fn unmet(found: &Container, server: &Server) -> Vec<&'static str> {
    unmet_of(found, &server.sandbox, &|it| volume(found.name(), &it.name))
}

fn unmet_of(found: &Container, sandbox: &Sandbox, volume_name: VolumeName<'_>) -> Vec<&'static str> {
    let checks = limits(found, sandbox).into_iter().chain(isolation(found, sandbox));
    let volumes = ("volumes", has_only(found, &sandbox.volumes, volume_name));
    checks.chain([volumes]).filter(|(_, holds)| !holds).map(|(name, _)| name).collect()
}

/// What the engine calls a volume.
type VolumeName<'a> = &'a dyn Fn(&Volume) -> String;

type Check = (&'static str, bool);

/// What it may use up.
fn limits(found: &Container, sandbox: &Sandbox) -> Vec<Check> {
    let host = &found.host_config;
    let bytes = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
    #[expect(clippy::cast_possible_truncation, reason = "the manifest allows up to 256")]
    let nano_cpus = (sandbox.cpus * 1e9).round() as i64;
    let pids = host.pids_limit.and_then(|it| u64::try_from(it).ok());
    let ulimit = |name: &str, most: u64| {
        let it = host.ulimits.iter().flatten().find(|it| it.name == name);
        it.is_some_and(|it| it.soft == bytes(most) && it.hard == bytes(most))
    };
    let mut all = vec![
        ("memory", host.memory == bytes(sandbox.memory)),
        ("swap", host.memory_swap == bytes(sandbox.memory + sandbox.swap)),
        ("cpus", host.nano_cpus == nano_cpus),
        ("pids", pids == Some(sandbox.pids)),
        ("open files", ulimit(OPEN_FILES, sandbox.open_files)),
        ("core dumps", ulimit(CORE_DUMP, sandbox.core_dump)),
        ("log", has_log(host, &sandbox.log)),
    ];
    let mounted = host.tmpfs.iter().flatten();
    all.push((
        "tmpfs",
        mounted.count() == sandbox.tmpfs.len() && sandbox.tmpfs.iter().all(|it| has_tmpfs(host, it)),
    ));
    all
}

fn has_log(host: &HostConfig, log: &LogOptions) -> bool {
    let Some(found) = &host.log_config else { return false };
    let has =
        |name: &str, value: &String| found.config.as_ref().is_some_and(|it| it.get(name) == Some(value));
    found.kind == log.driver && log_options(log).iter().all(|(name, value)| has(name, value))
}

/// With all of its options; others beside them are fine if they let nothing more.
fn has_tmpfs(host: &HostConfig, wanted: &Tmpfs) -> bool {
    let Some(options) = host.tmpfs.as_ref().and_then(|it| it.get(&wanted.path)) else { return false };
    let found: Vec<&str> = options.split(',').collect();
    tmpfs_options(wanted).iter().all(|it| found.contains(&it.as_str()))
        && !["exec", "suid", "dev"].iter().any(|it| found.contains(it))
}

/// What it can reach and become.
fn isolation(found: &Container, sandbox: &Sandbox) -> Vec<Check> {
    let host = &found.host_config;
    let network = network_mode(sandbox.network);
    let is_default = network == "bridge" && host.network_mode == "default";
    let (no_new, others): (Vec<_>, Vec<_>) =
        host.security_opt.iter().flatten().partition(|it| it.trim_end_matches(":true") == NO_NEW_PRIVILEGES);
    let dropped = host.cap_drop.iter().flatten().any(|it| it == "ALL");
    let added = host.cap_add.iter().flatten().map(|it| it.trim_start_matches("CAP_"));
    let devices = host.devices.iter().flatten().map(|it| it.path_on_host.as_str());
    let by_rule =
        host.device_requests.iter().flatten().count() + host.device_cgroup_rules.iter().flatten().count();
    vec![
        (
            "user",
            found.config.user == sandbox.user.to_string() && host.group_add.iter().flatten().count() == 0,
        ),
        ("capabilities", dropped && added.eq(sandbox.capabilities.iter().map(String::as_str))),
        ("privileges", !host.privileged && no_new.is_empty() == sandbox.new_privileges),
        // Any other option takes protection away, or names a profile that is not ours.
        ("seccomp", sandbox.seccomp != Seccomp::EngineDefault || others.is_empty()),
        ("read-only root", host.readonly_rootfs == sandbox.read_only_root),
        ("init", host.init.unwrap_or_default() == sandbox.init),
        ("kernel files", hides_kernel_files(host)),
        ("network", host.network_mode == network || is_default),
        ("devices", by_rule == 0 && devices.eq(sandbox.devices.iter().map(String::as_str))),
        ("pid namespace", is_private(sandbox, Namespace::Pid, &host.pid_mode)),
        ("ipc namespace", is_private(sandbox, Namespace::Ipc, &host.ipc_mode)),
        ("uts namespace", is_private(sandbox, Namespace::Uts, &host.uts_mode)),
        ("user namespace", is_private(sandbox, Namespace::User, &host.userns_mode)),
    ]
}

/// The parts of /proc and /sys that every engine hides or makes read-only. Kernel settings are nobody's to change.
fn hides_kernel_files(host: &HostConfig) -> bool {
    let is_kept = |it: &Option<Vec<String>>| it.as_ref().is_none_or(|it| !it.is_empty());
    is_kept(&host.masked_paths) && is_kept(&host.readonly_paths) && host.sysctls.iter().flatten().count() == 0
}

/// An engine shows nothing, or its word for a namespace of the container's own; else whose it shares.
fn is_private(sandbox: &Sandbox, namespace: Namespace, mode: &str) -> bool {
    let is_own = match namespace {
        Namespace::Ipc => mode == "private", // nothing said may be `shareable`
        _ => matches!(mode, "" | "private"),
    };
    is_own || !sandbox.namespaces.contains(&namespace)
}

/// The container has its own volumes, and nothing else of this machine.
fn has_only(found: &Container, volumes: &[Volume], name: VolumeName<'_>) -> bool {
    let wanted = |it: &Volume| Mount { kind: "volume".to_owned(), source: name(it), target: it.path.clone() };
    let host = &found.host_config;
    let from_elsewhere = host.binds.iter().flatten().chain(host.volumes_from.iter().flatten()).count();
    // What is mounted in the end: an image can bring volumes of its own.
    let mounted: Vec<_> = found.mounts.iter().flatten().filter(|it| it.kind != "tmpfs").collect();
    from_elsewhere == 0
        && volumes.iter().map(wanted).eq(host.mounts.iter().flatten().cloned())
        && mounted.len() == volumes.len()
        && mounted
            .iter()
            .all(|it| volumes.iter().any(|volume| it.kind == "volume" && it.destination == volume.path))
}

#[cfg(test)]
mod tests;
