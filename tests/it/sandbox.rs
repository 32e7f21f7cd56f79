//! The sandbox as the engine made it: what `inspect` says, and what the kernel says about the processes inside.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use drydock_tests::engine::Engine;
use drydock_tests::session::LEGACY;
use drydock_tests::{engine_or_skip, skip, weather};
use expect_test::expect;
use serde_json::{Value, json};

#[test]
fn the_container_is_made_as_the_manifest_and_the_rules_say() {
    let engine = engine_or_skip!();
    let it = engine.inspect(&weather::shared(&engine).container);
    let host = &it["HostConfig"];
    // The engine itself adds a PATH.
    let mut environment = it["Config"]["Env"].as_array().unwrap().clone();
    environment.retain(|it| !it.as_str().unwrap().starts_with("PATH="));
    environment.sort_by_key(|it| it.to_string()); // the engine keeps no order
    let seen = json!({
        "user": it["Config"]["User"],
        "environment": environment,
        "read-only": host["ReadonlyRootfs"],
        "privileged": host["Privileged"],
        "cap-add": host["CapAdd"],
        "cap-drop": host["CapDrop"],
        "security": host["SecurityOpt"],
        "init": host["Init"],
        "network": host["NetworkMode"],
        "memory": host["Memory"],
        "memory and swap": host["MemorySwap"],
        "cpus": host["NanoCpus"],
        "pids": host["PidsLimit"],
        "ulimits": host["Ulimits"],
        "tmpfs": host["Tmpfs"],
        "mounts": it["Mounts"],
        "binds": host["Binds"],
        "devices": host["Devices"],
        "ports": host["PortBindings"],
        "restart": host["RestartPolicy"],
        "log": host["LogConfig"],
    });
    expect![[r#"
        {
          "binds": null,
          "cap-add": null,
          "cap-drop": [
            "ALL"
          ],
          "cpus": 1000000000,
          "devices": [],
          "environment": [
            "HOME=/home/mcp",
            "MCP_ALLOW_PRIVATE=127.0.0.1",
            "MCP_MAX_SESSIONS=128",
            "OPEN_METEO_URL=http://127.0.0.1:8091"
          ],
          "init": true,
          "log": {
            "Config": {
              "max-file": "3",
              "max-size": "1m"
            },
            "Type": "json-file"
          },
          "memory": 268435456,
          "memory and swap": 268435456,
          "mounts": [],
          "network": "bridge",
          "pids": 256,
          "ports": {},
          "privileged": false,
          "read-only": true,
          "restart": {
            "MaximumRetryCount": 0,
            "Name": "unless-stopped"
          },
          "security": [
            "no-new-privileges"
          ],
          "tmpfs": {
            "/home/mcp": "rw,noexec,nosuid,nodev,size=64m,mode=0700,uid=65532,gid=65532",
            "/run": "rw,noexec,nosuid,nodev,size=1m,mode=0700,uid=65532,gid=65532",
            "/tmp": "rw,noexec,nosuid,nodev,size=16m,mode=1777,uid=65532,gid=65532"
          },
          "ulimits": [
            {
              "Hard": 0,
              "Name": "core",
              "Soft": 0
            },
            {
              "Hard": 1024,
              "Name": "nofile",
              "Soft": 1024
            }
          ],
          "user": "65532:65532"
        }
    "#]]
    .assert_eq(&format!("{:#}\n", sorted(seen)));
}

#[test]
fn the_kernel_holds_the_server_and_its_sessions_to_it() {
    let engine = engine_or_skip!();
    let container = &weather::shared(&engine).container;
    let mut session = weather::session(&engine, container);
    session.open(LEGACY[0]);
    let processes = processes(&engine, container);
    let Some(Some(_)) = processes.iter().map(|(pid, _)| status(*pid)).next() else {
        skip!("the engine's processes are not on this machine: their state cannot be read");
    };
    assert!(processes.iter().any(|(_, command)| command == "/mcp stdio"), "no session among {processes:?}");
    assert!(processes.iter().any(|(_, command)| command == "/mcp serve"), "no server among {processes:?}");
    for (pid, command) in processes {
        let Some(status) = status(pid) else { continue };
        for (what, value) in [
            ("Uid", "65532 65532 65532 65532"),
            ("Gid", "65532 65532 65532 65532"),
            ("CapEff", "0000000000000000"),
            ("CapPrm", "0000000000000000"),
            ("CapBnd", "0000000000000000"),
            ("NoNewPrivs", "1"),
            ("Seccomp", "2"),
        ] {
            assert_eq!(status.get(what).map(String::as_str), Some(value), "{what} of {command}");
        }
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
        assert!(has_limit(&limits, "Max open files", "1024"), "{command}: {limits}");
        assert!(has_limit(&limits, "Max core file size", "0"), "{command}: {limits}");
    }
}

#[test]
fn nothing_but_two_small_tmpfs_can_be_written_and_nothing_there_runs() {
    let engine = engine_or_skip!();
    let container = &weather::shared(&engine).container;
    let pid = engine.inspect(container)["State"]["Pid"].as_u64().unwrap();
    let Ok(mounts) = fs::read_to_string(format!("/proc/{pid}/mountinfo")) else {
        skip!("the engine's processes are not on this machine: their mounts cannot be read");
    };
    let mut writable = Vec::new();
    for line in mounts.lines() {
        let (before, after) = line.split_once(" - ").unwrap();
        let fields: Vec<_> = before.split(' ').collect();
        let (place, options) = (fields[4], fields[5]);
        let of_the_engine = ["/proc", "/dev", "/sys", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts"];
        if options.split(',').any(|it| it == "rw") && !of_the_engine.iter().any(|it| place.starts_with(it)) {
            let super_options = after.rsplit(' ').next().unwrap();
            let size = super_options.split(',').find(|it| it.starts_with("size=")).unwrap_or("no size");
            let mut options: Vec<_> =
                options.split(',').filter(|it| *it != "relatime" && *it != "rw").collect();
            options.sort_unstable();
            writable.push(format!("{place} {} {size}", options.join(",")));
        }
    }
    writable.sort();
    assert_eq!(
        writable,
        [
            "/home/mcp nodev,noexec,nosuid size=65536k",
            "/run nodev,noexec,nosuid size=1024k",
            "/tmp nodev,noexec,nosuid size=16384k"
        ]
    );
}

#[test]
fn the_control_groups_hold_the_limits() {
    let engine = engine_or_skip!();
    let container = &weather::shared(&engine).container;
    let pid = engine.inspect(container)["State"]["Pid"].as_u64().unwrap();
    let Ok(groups) = fs::read_to_string(format!("/proc/{pid}/cgroup")) else {
        skip!("the engine's processes are not on this machine: their control groups cannot be read");
    };
    let read = |v1: &str, v2: &str, controller: &str| {
        let line = groups.lines().find(|it| {
            let kind = it.split(':').nth(1).unwrap_or_default();
            kind.is_empty() || kind.split(',').any(|it| it == controller)
        });
        let path = line.and_then(|it| it.splitn(3, ':').nth(2)).unwrap_or_default().trim_start_matches('/');
        let top = Path::new("/sys/fs/cgroup");
        fs::read_to_string(top.join(controller).join(path).join(v1))
            .or_else(|_| fs::read_to_string(top.join(path).join(v2)))
            .map(|it| it.trim().to_owned())
    };
    let Ok(memory) = read("memory.limit_in_bytes", "memory.max", "memory") else {
        skip!("the control groups of the container are not visible here");
    };
    assert_eq!(memory, (256 << 20).to_string());
    assert_eq!(read("pids.max", "pids.max", "pids").unwrap(), "256");
    let cpu = read("cpu.cfs_quota_us", "cpu.max", "cpu").unwrap();
    assert!(cpu == "100000" || cpu == "100000 100000", "{cpu}");
}

#[test]
fn the_network_is_the_one_that_the_manifest_asks_for_and_no_port_is_open() {
    let engine = engine_or_skip!();
    let it = engine.inspect(&weather::shared(&engine).container);
    let networks: Vec<&String> = it["NetworkSettings"]["Networks"].as_object().unwrap().keys().collect();
    assert_eq!(networks, ["bridge"]);
    assert_eq!(it["NetworkSettings"]["Ports"], json!({}));
}

/// With the keys in order, whether or not something in the workspace makes serde_json keep that of the text.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(it) => {
            let fields: BTreeMap<_, _> = it.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            fields.into_iter().collect()
        }
        Value::Array(it) => it.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// Process ids as this machine sees them, and what runs there.
fn processes(engine: &Engine, container: &str) -> Vec<(u64, String)> {
    let top = engine.ok(&["top", container, "-eo", "pid,args"]);
    let lines = top.lines().skip(1).filter_map(|it| it.trim().split_once(' '));
    lines.map(|(pid, args)| (pid.parse().expect("a process id"), args.trim().to_owned())).collect()
}

fn status(pid: u64) -> Option<BTreeMap<String, String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let fields = text.lines().filter_map(|it| it.split_once(':'));
    Some(
        fields
            .map(|(name, value)| (name.to_owned(), value.split_whitespace().collect::<Vec<_>>().join(" ")))
            .collect(),
    )
}

fn has_limit(limits: &str, name: &str, value: &str) -> bool {
    let line = limits.lines().find_map(|it| it.strip_prefix(name));
    line.is_some_and(|it| it.split_whitespace().take(2).eq([value, value]))
}
