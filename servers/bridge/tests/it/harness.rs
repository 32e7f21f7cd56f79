//! A `serve` in a folder of its own, sessions with it, and a look at what is left of them in `/proc`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const MCP: &str = env!("CARGO_BIN_EXE_mcp");

/// Cargo builds examples beside the tests.
pub(crate) fn misbehaving_server() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples/misbehaving_server")
}

/// Waits for something that has to come. The limit only keeps a broken test from hanging.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(it) = ask() {
            return it;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Pids of all processes that have `marker` in their command line, zombies of our tests not among them.
pub(crate) fn processes_with(marker: &str) -> Vec<u32> {
    let pids =
        std::fs::read_dir("/proc").unwrap().filter_map(|it| it.ok()?.file_name().to_str()?.parse().ok());
    let has_mark = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|it| *it == 0).any(|it| it == marker.as_bytes())
    };
    pids.filter(has_mark).collect()
}

/// Children of a process, zombies among them.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let pids =
        std::fs::read_dir("/proc").unwrap().filter_map(|it| it.ok()?.file_name().to_str()?.parse().ok());
    let is_child = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map(|it| it.1.split_whitespace());
        fields.and_then(|mut it| it.nth(1)?.parse::<u32>().ok()) == Some(parent)
    };
    pids.filter(is_child).collect()
}

fn below(root: u32) -> Vec<u32> {
    children(root).into_iter().flat_map(|it| [vec![it], below(it)].concat()).collect()
}

/// A line of `/proc/PID/status` in kB, such as `VmHWM`.
pub(crate) fn memory(pid: u32, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

pub(crate) struct Serve {
    child: Child,
    folder: tempfile::TempDir,
    /// In the command line of every process of its servers.
    pub(crate) marker: String,
}

impl Serve {
    /// Around a misbehaving server with these behaviours.
    pub(crate) fn misbehaving(behaviours: &[&str], options: &[&str]) -> Self {
        let marker = marker();
        let args: Vec<&str> = [marker.as_str()].into_iter().chain(behaviours.iter().copied()).collect();
        let config = json!({"command": misbehaving_server(), "args": args, "env": {"MISBEHAVING": "1"}});
        Self::start(Some(&config), options, marker)
    }

    pub(crate) fn start(config: Option<&Value>, options: &[&str], marker: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = File::options().create(true).append(true).open(folder.path().join("log")).unwrap();
        let mut command = Command::new(MCP);
        command.args(["serve", "--log", "debug", "--socket"]).arg(folder.path().join("mcp.sock"));
        if let Some(config) = config {
            let file = folder.path().join("bridge.json");
            std::fs::write(&file, config.to_string()).unwrap();
            command.arg("--config").arg(file);
        }
        let child = command.args(options).stderr(log).stdin(Stdio::null()).spawn().unwrap();
        let serve = Self { child, folder, marker };
        until("serve answers", || serve.health());
        serve
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("mcp.sock")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub(crate) fn health(&self) -> Option<Value> {
        serde_json::from_slice(&health(&self.socket()).stdout).ok()
    }

    pub(crate) fn wait_warm(&self, count: u32) {
        until("warm children", || (self.health()?["warm"] == count).then_some(()));
    }

    /// A session that is through its handshake.
    pub(crate) fn session(&self, options: &[&str]) -> Session {
        let mut session = self.start_session(options);
        assert_eq!(session.ask("initialize", &json!({}))["method"], "initialize");
        session
    }

    pub(crate) fn start_session(&self, options: &[&str]) -> Session {
        let socket = self.socket();
        let mut all = vec!["--socket", socket.to_str().unwrap(), "stdio"];
        all.extend(options);
        Session::start(&all)
    }

    /// No session, and nothing that a session's server ever started: only what waits is left.
    pub(crate) fn wait_clean(&self) {
        let warm = until("an end of all sessions", || {
            let health = self.health()?;
            (health["sessions"] == 0).then(|| health["warm"].as_u64())
        });
        until("all processes gone but those that wait", || {
            let supervisors = children(self.pid());
            let pooled: Vec<u32> = supervisors.iter().flat_map(|it| below(*it)).collect();
            let left: Vec<u32> =
                processes_with(&self.marker).into_iter().filter(|it| !pooled.contains(it)).collect();
            (supervisors.len() <= 1 && left.is_empty()).then_some(())
        });
        assert!(warm.is_some());
    }

    pub(crate) fn stop(mut self) {
        signal(self.pid(), "TERM");
        assert!(self.child.wait().unwrap().success());
        assert!(!self.socket().exists());
        assert!(
            processes_with(&self.marker).is_empty(),
            "{:?}\n{}",
            processes_with(&self.marker),
            self.log()
        );
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A word that no other process has in its command line.
pub(crate) fn marker() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("marker-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn health(socket: &Path) -> std::process::Output {
    Command::new(MCP).args(["health", "--json", "--socket"]).arg(socket).output().unwrap()
}

pub(crate) fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap().success());
}

pub(crate) struct Session {
    pub(crate) child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Option<BufReader<ChildStdout>>,
    id: u64,
}

impl Session {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_on(Stdio::piped(), args)
    }

    pub(crate) fn start_on(stdin: Stdio, args: &[&str]) -> Self {
        let mut child = Command::new(MCP)
            .args(args)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().map(BufReader::new);
        Self { child, stdin, stdout, id: 0 }
    }

    pub(crate) fn send(&mut self, line: &Value) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    pub(crate) fn request(&mut self, method: &str, params: &Value) {
        self.id += 1;
        let id = self.id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) {
        self.request("tools/call", &json!({"name": tool, "arguments": arguments}));
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        line
    }

    pub(crate) fn answer(&mut self) -> Value {
        let line = self.line();
        let answer: Value =
            serde_json::from_str(&line).unwrap_or_else(|e| panic!("no JSON on stdout: {line:?}: {e}"));
        assert_eq!(answer["id"], self.id);
        answer["result"].clone()
    }

    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.request(method, params);
        self.answer()
    }

    pub(crate) fn tool(&mut self, tool: &str, arguments: &Value) -> Value {
        self.call(tool, arguments);
        self.answer()
    }

    /// Waits for the end; the test runner's own limit is the only clock.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        (status, text)
    }

    pub(crate) fn close(mut self) -> (ExitStatus, String) {
        self.stdin = None;
        self.ended()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
