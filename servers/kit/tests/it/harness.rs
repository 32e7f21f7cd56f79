//! A session as a process, and what a client does with it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Cargo builds examples beside the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples").join(name)
}

pub(crate) struct Session {
    pub(crate) child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Option<BufReader<ChildStdout>>,
}

impl Session {
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::start_of("dice", options)
    }

    pub(crate) fn start_of(server: &str, options: &[&str]) -> Self {
        let mut command = Command::new(example(server));
        command.arg("stdio").args(options);
        Self::start_command(command)
    }

    pub(crate) fn start_command(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().map(BufReader::new);
        Self { child, stdin, stdout }
    }

    pub(crate) fn initialized(options: &[&str]) -> Self {
        Self::initialized_of("dice", options)
    }

    pub(crate) fn initialized_of(server: &str, options: &[&str]) -> Self {
        Self::start_of(server, options).with_handshake()
    }

    pub(crate) fn with_handshake(mut self) -> Self {
        self.initialize("2025-11-25");
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        self
    }

    /// What the server says of itself.
    pub(crate) fn initialize(&mut self, version: &str) -> Value {
        self.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}));
        let answer = self.answer();
        assert_eq!(answer["result"]["protocolVersion"], version);
        answer["result"].clone()
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.write(message.to_string().as_bytes());
        self.write(b"\n");
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub(crate) fn call(&mut self, id: u32, tool: &str, arguments: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments}}));
    }

    pub(crate) fn roll(&mut self, id: u32, arguments: &Value) {
        self.call(id, "roll", arguments);
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        line
    }

    /// The next line of stdout, which has to be JSON.
    pub(crate) fn answer(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("not MCP on stdout: {line:?}: {e}"))
    }

    pub(crate) fn close(&mut self) {
        self.stdin = None;
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for the end. The limit only keeps a broken test from hanging.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        const LIMIT: Duration = Duration::from_secs(60);
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < LIMIT, "the session does not end: pid {}", self.child.id());
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status, log)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A `serve`, and its log.
pub(crate) struct Serve {
    pub(crate) child: Child,
    folder: tempfile::TempDir,
}

impl Serve {
    pub(crate) fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = File::options().create(true).append(true).open(folder.path().join("log")).unwrap();
        let child = Command::new(example("dice"))
            .args(["serve", "--socket"])
            .arg(folder.path().join("mcp.sock"))
            .args(options)
            .stderr(log)
            .spawn()
            .unwrap();
        let serve = Self { child, folder };
        while serve.health().is_none() {
            std::thread::sleep(Duration::from_millis(20));
        }
        serve
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("mcp.sock")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// The log, once nobody is served any more.
    pub(crate) fn log_at_rest(&self) -> String {
        const LIMIT: Duration = Duration::from_secs(60);
        let start = Instant::now();
        while self.health().is_none_or(|it| it["sessions"] != 0) {
            assert!(start.elapsed() < LIMIT, "a session is still there: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.log()
    }

    pub(crate) fn health(&self) -> Option<Value> {
        let asked = health(&self.socket());
        asked.status.success().then(|| serde_json::from_slice(&asked.stdout).unwrap())
    }
}

pub(crate) fn health(socket: &Path) -> Output {
    Command::new(example("dice")).args(["health", "--json", "--socket"]).arg(socket).output().unwrap()
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
