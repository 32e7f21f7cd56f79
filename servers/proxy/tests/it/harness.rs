//! A client of `drydock-hold` that writes and reads lines, and a look at what is left in `/proc`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Only keeps a broken test from hanging.
const LIMIT: Duration = Duration::from_secs(60);

/// Cargo builds examples beside the tests.
fn desk() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("examples/desk")
}

/// Waits for something that has to come.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(it) = ask() {
            return it;
        }
        assert!(start.elapsed() < LIMIT, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The processes whose parent this one is.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(|it| it.parse().unwrap()).collect()
}

pub(crate) fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|it| !it.1.trim_start().starts_with('Z'))
}

/// SIGKILL, and its effect.
pub(crate) fn kill(pid: u32) {
    signal(pid, Signal::KILL);
    until("its end", || (!is_alive(pid)).then_some(()));
}

pub(crate) fn stop(pid: u32) {
    signal(pid, Signal::STOP);
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

/// A held session, and a folder of its own.
pub(crate) struct Held {
    pub(crate) child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    folder: tempfile::TempDir,
    last_id: u64,
}

impl Held {
    /// Around the first version of the server, until [`replace`](Self::replace).
    pub(crate) fn desk(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let version = folder.path().join("version");
        fs::write(&version, "old").unwrap();
        let script = format!("DESK=$(cat {}) exec {} stdio", version.display(), desk().display());
        Self::start(options, &["sh", "-c", &script], folder)
    }

    pub(crate) fn around(options: &[&str], command: &[&str]) -> Self {
        Self::start(options, command, tempfile::tempdir().unwrap())
    }

    /// With a client that does not read.
    pub(crate) fn unread(options: &[&str], command: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = spawn(options, command, &folder);
        let stdin = child.stdin.take();
        Self { child, stdin, lines: channel().1, folder, last_id: 0 }
    }

    fn start(options: &[&str], command: &[&str], folder: tempfile::TempDir) -> Self {
        let mut child = spawn(options, command, &folder);
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let Ok(message) = serde_json::from_str(&line) else { return }; // cut by its end
                let _ = sender.send(message);
            }
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines, folder, last_id: 0 }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    /// The next server is of this version.
    pub(crate) fn replace(&self, version: &str) {
        fs::write(self.path("version"), version).unwrap();
    }

    /// The process of the server that is there.
    pub(crate) fn server(&self) -> u32 {
        until("a server", || children(self.child.id()).first().copied())
    }

    pub(crate) fn send(&mut self, message: &Value) {
        writeln!(self.stdin.as_mut().unwrap(), "{message}").unwrap();
    }

    /// Sends a request; its id.
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> u64 {
        self.last_id += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params }));
        self.last_id
    }

    pub(crate) fn next(&self) -> Value {
        self.lines.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("nothing came; the log:\n{}", self.log()))
    }

    /// The next message, which answers this request.
    pub(crate) fn answer(&self, id: u64) -> Value {
        let message = self.next();
        assert_eq!(message["id"], id, "{message}");
        message
    }

    /// `initialize`, `initialized` and `tools/list`; the answers.
    pub(crate) fn begin(&mut self) -> (Value, Value) {
        let client = json!({ "name": "test", "version": "1" });
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
        let id = self.ask("initialize", &params);
        let initialized = self.answer(id);
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        let id = self.ask("tools/list", &json!({}));
        (initialized, self.answer(id))
    }

    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> u64 {
        self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    /// The process that answers.
    pub(crate) fn who(&mut self) -> u32 {
        let id = self.call("who", &json!({}));
        let answer = self.answer(id);
        text(&answer).parse().unwrap_or_else(|_| panic!("{answer}"))
    }

    /// Waits until a server has written into this file.
    pub(crate) fn until_written(path: &Path, lines: usize) {
        until("the call to begin", || {
            (fs::read_to_string(path).unwrap_or_default().lines().count() >= lines).then_some(())
        });
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        until("the end of drydock-hold", || child.try_wait().unwrap())
    }
}

fn spawn(options: &[&str], command: &[&str], folder: &tempfile::TempDir) -> Child {
    Command::new(env!("CARGO_BIN_EXE_drydock-hold"))
        .args(options)
        .arg("--")
        .args(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap()
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text of a tool's result.
pub(crate) fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_default()
}
