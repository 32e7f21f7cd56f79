//! Whatever an engine may show instead of what it was told is named.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;
use drydock_catalog::{Kind, Network, Program};

fn server() -> Server {
    Server {
        name: "weather".into(),
        dir: PathBuf::new(),
        kind: Kind::Rust,
        is_runtime: false,
        id: String::new(),
        title: String::new(),
        description: String::new(),
        version: "1.0.0".into(),
        source: None,
        variables: Vec::new(),
        program: Program::default(),
        sandbox: Sandbox { memory: 64 << 20, cpus: 0.5, pids: 32, ..Sandbox::strict() },
        sessions: 16,
        warm: 0,
        install_scripts: false,
        args: Vec::new(),
        env: Vec::new(),
        requests: Vec::new(),
        notes: Vec::new(),
    }
}

/// As Docker 20.10 shows the container of that server.
fn shown() -> Value {
    let folder = |rest: &str| format!("rw,noexec,nosuid,nodev,{rest},uid=65532,gid=65532");
    let host_config = json!({
        "Memory": 67_108_864, "MemorySwap": 67_108_864, "NanoCpus": 500_000_000, "PidsLimit": 32,
        "ReadonlyRootfs": true, "Privileged": false, "Init": true, "NetworkMode": "none",
        "CapAdd": null, "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"], "GroupAdd": null,
        "PidMode": "", "IpcMode": "private", "UTSMode": "", "UsernsMode": "",
        "MaskedPaths": ["/proc/kcore"], "ReadonlyPaths": ["/proc/sys"], "Sysctls": null,
        "Devices": [], "DeviceRequests": null, "DeviceCgroupRules": null,
        "LogConfig": { "Type": "json-file", "Config": { "max-size": "1m", "max-file": "3" } },
        "Tmpfs": { "/run": folder("size=1m,mode=0700"), "/tmp": folder("size=16m,mode=1777"),
            "/home/mcp": folder("size=64m,mode=0700") },
        "Mounts": null, "Binds": null, "VolumesFrom": null,
        "Ulimits": [
            { "Name": "nofile", "Soft": 1024, "Hard": 1024 },
            { "Name": "core", "Soft": 0, "Hard": 0 },
        ],
    });
    json!({
        "Id": "0123", "Name": "/mcp-weather", "Image": "sha256:0", "Created": "", "RestartCount": 0,
        "State": { "Status": "created", "Running": false, "ExitCode": 0, "StartedAt": "" },
        "Config": { "Image": "drydock/weather:1.0.0", "User": "65532:65532", "Labels": null },
        "HostConfig": host_config,
        "Mounts": [],
    })
}

fn lost(change: &[(&str, Value)]) -> Vec<&'static str> {
    let mut value = shown();
    for (pointer, to) in change {
        *value.pointer_mut(pointer).unwrap() = to.clone();
    }
    unmet(&serde_json::from_value(value).unwrap(), &server())
}

#[test]
fn a_whole_sandbox_is_whole() {
    assert_eq!(lost(&[]), [""; 0]);
}

#[test]
fn each_part_that_is_lost_is_named() {
    let tmpfs = |run: &str| {
        json!({ "/run": run, "/tmp": shown()["HostConfig"]["Tmpfs"]["/tmp"],
        "/home/mcp": shown()["HostConfig"]["Tmpfs"]["/home/mcp"] })
    };
    let host = [
        ("Memory", json!(0), "memory"),
        ("MemorySwap", json!(-1), "swap"),
        ("NanoCpus", json!(0), "cpus"),
        ("PidsLimit", json!(null), "pids"),
        ("PidsLimit", json!(-1), "pids"),
        ("Ulimits", json!([{ "Name": "core", "Soft": 0, "Hard": 0 }]), "open files"),
        ("Ulimits/0/Soft", json!(4096), "open files"),
        ("Ulimits/1/Hard", json!(-1), "core dumps"),
        ("ReadonlyRootfs", json!(false), "read-only root"),
        ("CapDrop", json!(null), "capabilities"),
        ("CapDrop", json!(["NET_RAW"]), "capabilities"),
        ("CapAdd", json!(["SYS_ADMIN"]), "capabilities"),
        ("Privileged", json!(true), "privileges"),
        ("SecurityOpt", json!([]), "privileges"),
        ("SecurityOpt", json!(["no-new-privileges:true", "seccomp=unconfined"]), "seccomp"),
        ("SecurityOpt", json!(["no-new-privileges", "apparmor=unconfined"]), "seccomp"),
        ("SecurityOpt", json!(["no-new-privileges", "label=disable"]), "seccomp"),
        ("GroupAdd", json!(["docker"]), "user"),
        ("Init", json!(null), "init"),
        ("MaskedPaths", json!([]), "kernel files"),
        ("ReadonlyPaths", json!([]), "kernel files"),
        ("Sysctls", json!({ "kernel.shmmax": "1" }), "kernel files"),
        ("NetworkMode", json!("bridge"), "network"),
        ("NetworkMode", json!("container:0456"), "network"),
        ("PidMode", json!("host"), "pid namespace"),
        ("PidMode", json!("container:0456"), "pid namespace"),
        ("IpcMode", json!("shareable"), "ipc namespace"),
        ("IpcMode", json!("host"), "ipc namespace"),
        ("UTSMode", json!("host"), "uts namespace"),
        ("UsernsMode", json!("host"), "user namespace"),
        ("Devices", json!([{ "PathOnHost": "/dev/kvm", "PathInContainer": "/dev/kvm" }]), "devices"),
        ("DeviceRequests", json!([{ "Driver": "nvidia" }]), "devices"),
        ("DeviceCgroupRules", json!(["c 1:1 rwm"]), "devices"),
        ("LogConfig", json!({ "Type": "none", "Config": {} }), "log"),
        ("LogConfig/Config/max-size", json!("1g"), "log"),
        ("Tmpfs", json!({ "/run": shown()["HostConfig"]["Tmpfs"]["/run"] }), "tmpfs"),
        ("Tmpfs", tmpfs("rw,noexec,nosuid,nodev,size=1g,mode=0700,uid=65532,gid=65532"), "tmpfs"),
        ("Tmpfs", tmpfs("rw,noexec,nosuid,nodev,size=1m,mode=0777,uid=65532,gid=65532"), "tmpfs"),
        ("Tmpfs", tmpfs("rw,noexec,nosuid,nodev,size=1m,mode=0700,uid=0,gid=65532"), "tmpfs"),
        ("Tmpfs", tmpfs("rw,noexec,nosuid,nodev,size=1m,mode=0700,uid=65532,gid=65532,exec"), "tmpfs"),
        ("Tmpfs/~1run", json!("rw,noexec,nosuid,size=1m,mode=0700,uid=65532,gid=65532"), "tmpfs"),
        ("Binds", json!(["/:/host"]), "volumes"),
        ("VolumesFrom", json!(["other"]), "volumes"),
        ("Mounts", json!([{ "Type": "bind", "Source": "/home", "Target": "/cache" }]), "volumes"),
    ];
    for (field, to, name) in host {
        assert_eq!(lost(&[(&format!("/HostConfig/{field}"), to)]), [name], "{field}");
    }
    assert_eq!(lost(&[("/Config/User", json!(""))]), ["user"]);
    let anonymous = json!([{ "Type": "volume", "Name": "0", "Destination": "/cache" }]);
    assert_eq!(lost(&[("/Mounts", anonymous)]), ["volumes"], "an image's own volume");
}

/// So that no field of a `Sandbox` is forgotten: one that differs in any of them is not the one that is shown.
#[test]
fn each_field_is_compared() {
    let shown: Container = serde_json::from_value(shown()).unwrap();
    let changes: [fn(&mut Sandbox); 17] = [
        |it| it.user.gid = 0,
        |it| it.capabilities.push("NET_RAW".into()),
        |it| it.new_privileges = true,
        |it| it.read_only_root = false,
        |it| it.init = false,
        |it| it.network = Network::Internet,
        |it| it.memory += 1,
        |it| it.swap = 1,
        |it| it.cpus = 2.0,
        |it| it.pids = 1,
        |it| it.open_files = 1,
        |it| it.core_dump = 1,
        |it| it.tmpfs[0].size = 1,
        |it| it.volumes.push(Volume { name: "data".into(), path: "/data".into() }),
        |it| it.devices.push("/dev/kvm".into()),
        |it| it.log.max_files = 1,
        |it| it.tmpfs.truncate(1),
    ];
    for (i, change) in changes.iter().enumerate() {
        let mut server = server();
        change(&mut server.sandbox);
        assert!(!unmet(&shown, &server).is_empty(), "change {i}");
    }
}

/// Who starts an image by hand, without the flags, is that user, too.
#[test]
fn every_dockerfile_has_the_sandboxs_user() {
    let docker = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let user = format!("USER {}", Sandbox::strict().user);
    let files = ["static", "rust", "node", "python"].map(|it| docker.join(format!("{it}.Dockerfile")));
    let files = files.into_iter().chain(["node", "python"].map(|it| docker.join(it).join("Dockerfile")));
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let last = text.lines().rfind(|it| it.starts_with("USER "));
        assert_eq!(last, Some(&*user), "{}", file.display());
    }
}
