//! An engine of our own for the tests: Debian's Docker, installed where it is missing, started, and stopped again.
//!
//! A workspace -> a running engine, or nothing to do because one answers. Invariant: an engine that answers
//! and that we did not start is never touched; what we start, we end by its process id.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use drydock_engine::Engine;
use xshell::{Shell, cmd};

use crate::hint::with_hint;
use crate::workspace::Workspace;

const START_LIMIT: Duration = Duration::from_secs(90);
const ENGINE_PID_FILE: &str = "/var/run/docker.pid";

/// An engine that we started.
#[derive(Debug)]
pub(super) struct Dockerd {
    pid: u32,
    /// Absent when an earlier, interrupted run started it.
    child: Option<Child>,
    our_pid_file: PathBuf,
}

/// Why no engine can be had: none answers, and this is no machine on which to install and start one.
pub(super) fn find_blocker(ws: &Workspace) -> Option<&'static str> {
    if answers(ws).is_some() {
        return None;
    }
    if !Path::new("/etc/debian_version").exists() {
        return Some("this is not Debian");
    }
    let root = Shell::new().ok().and_then(|sh| cmd!(sh, "id -u").quiet().read().ok());
    (root.as_deref() != Some("0")).then_some("this is not the root user")
}

/// Makes sure that an engine answers. `Some` is ours to stop.
pub(super) fn ensure(ws: &Workspace) -> Result<Option<Dockerd>> {
    let sh = Shell::new()?;
    let folder = ws.state_dir()?.join("engine");
    let our_pid_file = folder.join("dockerd.pid");
    if let Some(version) = answers(ws) {
        let pid = fs::read_to_string(&our_pid_file).ok().and_then(|it| it.trim().parse().ok());
        let left_over = pid.filter(|pid| is_dockerd(*pid));
        let whose = if left_over.is_some() { ", started by an earlier run that was interrupted" } else { "" };
        eprintln!("engine {version} answers{whose}");
        return Ok(left_over.map(|pid| Dockerd { pid, child: None, our_pid_file }));
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    install(&sh, &folder.join("apt.log"))?;
    start(ws, &sh, &folder, our_pid_file)
}

impl Dockerd {
    /// Ends the engine and waits until it is gone. Its containers end with it.
    pub(super) fn stop(mut self) {
        let pid = self.pid.to_string();
        let runs = is_dockerd(self.pid);
        if runs && Shell::new().is_ok_and(|sh| cmd!(sh, "kill -TERM {pid}").quiet().run().is_ok()) {
            eprintln!("stopping the engine that was started for the tests");
            if let Some(child) = &mut self.child {
                let _ = child.wait();
            } else {
                wait_until(|| !is_dockerd(self.pid));
            }
        }
        let _ = fs::remove_file(&self.our_pid_file);
    }
}

/// The engine's version, once it answers.
fn answers(ws: &Workspace) -> Option<String> {
    // Asked anew each time: it is waited for.
    match drydock_engine::find(ws.global.engine.as_deref()) {
        Ok(Engine::Cli(cli)) => Some(cli.version),
        _ => None,
    }
}

fn is_dockerd(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == "dockerd")
}

fn has(program: &str) -> bool {
    which::which(program).is_ok()
}

/// Debian's `docker.io`, and `iptables`, without which the engine has no network to offer.
fn install(sh: &Shell, log: &Path) -> Result<()> {
    if has("dockerd") && has("iptables") && has("docker") {
        return Ok(());
    }
    eprintln!("installing docker.io and iptables");
    let mut failure = None;
    for attempt in 1..=3 {
        // The lists may be missing or too old for the archive: refresh them, except when the first try just works.
        if attempt > 1 || !lists_are_there() {
            apt(sh, log, &["update"])?;
        }
        // In newer Debians the command line tool is a package of its own.
        let client =
            cmd!(sh, "apt-cache show docker-cli").quiet().ignore_stdout().ignore_stderr().run().is_ok();
        let packages = ["docker.io", "iptables", "docker-cli"];
        let packages = &packages[..if client { 3 } else { 2 }];
        match apt(sh, log, &[&["install", "-y", "--no-install-recommends"], packages].concat()) {
            Ok(()) => return Ok(()),
            Err(err) => failure = Some(err),
        }
    }
    failure.map_or(Ok(()), Err)
}

fn lists_are_there() -> bool {
    fs::read_dir("/var/lib/apt/lists")
        .is_ok_and(|lists| lists.flatten().any(|it| it.file_name().to_string_lossy().contains("_Packages")))
}

/// `apt-get`, patient with a lock that another one holds; what it prints goes to the log.
fn apt(sh: &Shell, log: &Path, args: &[&str]) -> Result<()> {
    let apt = cmd!(sh, "apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 {args...}")
        .env("DEBIAN_FRONTEND", "noninteractive");
    let what = apt.to_string();
    let status = Command::from(apt)
        .stdin(Stdio::null())
        .stdout(append(log)?)
        .stderr(append(log)?)
        .status()
        .with_context(|| format!("cannot run `{what}`"))?;
    if status.success() {
        return Ok(());
    }
    Err(with_hint(
        format!("`{what}` failed; its last lines:\n{}", last_lines(log)),
        "install Docker yourself, then run the tests again",
    ))
}

fn start(ws: &Workspace, sh: &Shell, folder: &Path, our_pid_file: PathBuf) -> Result<Option<Dockerd>> {
    // The package may have started its own service: then it is not ours.
    if wait_for_other_dockerd(ws) {
        return Ok(None);
    }
    remove_stale_pid_file();
    mount_cgroups(sh)?;
    let log = folder.join("dockerd.log");
    let begins_at = fs::metadata(&log).map_or(0, |it| it.len());
    // A session of its own, so that Ctrl-C ends the tests first and the engine in order.
    let mut child = Command::from(cmd!(sh, "setsid dockerd"))
        .stdin(Stdio::null())
        .stdout(append(&log)?)
        .stderr(append(&log)?)
        .spawn()
        .context("cannot start dockerd")?;
    fs::write(&our_pid_file, child.id().to_string())
        .with_context(|| format!("cannot write {}", our_pid_file.display()))?;
    let mut version = None;
    wait_until(|| {
        version = answers(ws);
        version.is_some() || matches!(child.try_wait(), Ok(Some(_)))
    });
    let dockerd = Dockerd { pid: child.id(), child: Some(child), our_pid_file };
    if let Some(version) = version {
        eprintln!("engine {version} started, log in {}", log.display());
        return Ok(Some(dockerd));
    }
    dockerd.stop();
    let new = fs::read(&log)
        .map(|it| it.get(begins_at as usize..).unwrap_or_default().to_vec())
        .unwrap_or_default();
    Err(with_hint(
        format!("dockerd did not come up; its last lines:\n{}", tail(&String::from_utf8_lossy(&new))),
        format!("read {}, start an engine yourself, or leave out `--with-engine`", log.display()),
    ))
}

/// Whether a `dockerd` that somebody else started came up. Its process is there before it answers.
fn wait_for_other_dockerd(ws: &Workspace) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    let pids = processes.flatten().filter_map(|it| it.file_name().to_str()?.parse().ok());
    let Some(other) = pids.into_iter().find(|pid| is_dockerd(*pid)) else { return false };
    eprintln!("waiting for the dockerd that runs already (process {other})");
    wait_until(|| answers(ws).is_some() || !is_dockerd(other));
    answers(ws).is_some()
}

/// A pid file left by a dead engine stops the next one when another process has got that number.
fn remove_stale_pid_file() {
    let pid = fs::read_to_string(ENGINE_PID_FILE).ok().and_then(|it| it.trim().parse().ok());
    if pid.is_some_and(|pid| !is_dockerd(pid)) {
        let _ = fs::remove_file(ENGINE_PID_FILE);
    }
}

/// Machines without an init have no cgroup hierarchy mounted: mount what the kernel offers.
fn mount_cgroups(sh: &Shell) -> Result<()> {
    let top = Path::new("/sys/fs/cgroup");
    if top.join("memory").exists() || top.join("cgroup.controllers").exists() {
        return Ok(());
    }
    let table = fs::read_to_string("/proc/cgroups").context("this kernel has no control groups")?;
    cmd!(sh, "mount -t tmpfs cgroup {top}").quiet().run()?;
    let enabled = table.lines().filter(|line| !line.starts_with('#') && line.ends_with('1'));
    for name in enabled.filter_map(|line| line.split_whitespace().next()) {
        let at = top.join(name);
        fs::create_dir_all(&at).with_context(|| format!("cannot make {}", at.display()))?;
        cmd!(sh, "mount -t cgroup -o {name} cgroup {at}").quiet().run()?;
    }
    Ok(())
}

fn append(log: &Path) -> Result<File> {
    File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot write {}", log.display()))
}

fn last_lines(log: &Path) -> String {
    tail(&fs::read_to_string(log).unwrap_or_default())
}

fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() && began.elapsed() < START_LIMIT {
        std::thread::sleep(Duration::from_millis(200));
    }
}
