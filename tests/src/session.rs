//! One MCP session, spoken by hand: raw JSON-RPC lines over a process's stdin and stdout.
//!
//! Method + params -> result or error. Invariant: every line that the server writes to stdout is a JSON-RPC message;
//! anything else fails the test.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};

use crate::process::{Collected, TIMEOUT, collect, wait};

/// Versions of the protocol that begin with `initialize`.
pub const LEGACY: [&str; 2] = ["2025-06-18", "2025-11-25"];
/// The version that begins with `server/discover`.
pub const MODERN: &str = "2026-07-28";

/// A server that runs, and the two pipes to it; it is killed with this value.
#[derive(Debug)]
pub struct Session {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: Option<Collected>,
    next_id: u64,
    /// Sent with each request from protocol 2026-07-28 on.
    meta: Option<Value>,
}

/// What a tool answered.
#[derive(Debug)]
pub struct Answer {
    /// What MCP calls `isError`.
    pub is_error: bool,
    /// The texts of the content, a line break between two.
    pub text: String,
    /// `structuredContent`, or null.
    pub structured: Value,
}

impl Session {
    /// Starts the program; nothing is said to it yet.
    pub fn start(mut command: Command) -> Self {
        let what = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {what}: {e}"));
        let (send, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        let stderr = collect(child.stderr.take().expect("a pipe"));
        let stdin = child.stdin.take();
        Self { child, stdin, lines, stderr: Some(stderr), next_id: 0, meta: None }
    }

    /// The process that we started: the server's own where no engine stands between.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The handshake of the given protocol version; returns what the server says about itself.
    #[track_caller]
    pub fn open(&mut self, protocol: &str) -> Value {
        let me = json!({"name": "drydock-tests", "version": "0"});
        if protocol == MODERN {
            self.meta = Some(json!({
                "io.modelcontextprotocol/protocolVersion": protocol,
                "io.modelcontextprotocol/clientInfo": me,
                "io.modelcontextprotocol/clientCapabilities": {},
            }));
            return self.request("server/discover", json!({}));
        }
        let params = json!({"protocolVersion": protocol, "capabilities": {}, "clientInfo": me});
        let hello = self.request("initialize", params);
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        hello
    }

    /// A request that must be answered with a result.
    #[track_caller]
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        self.try_request(method, params)
            .unwrap_or_else(|error| panic!("{method} was answered with an error: {error}"))
    }

    /// A request's result, or its error.
    #[track_caller]
    pub fn try_request(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.send_request(method, params);
        loop {
            let message = self.receive();
            if message["id"] == id {
                return match message.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(message["result"].clone()),
                };
            }
            assert!(message.get("method").is_some(), "an answer to nothing that was asked: {message}");
        }
    }

    /// Sends a request without waiting; returns its id.
    #[track_caller]
    pub fn send_request(&mut self, method: &str, mut params: Value) -> u64 {
        self.next_id += 1;
        if let Some(meta) = &self.meta {
            params["_meta"] = meta.clone();
        }
        self.send(&json!({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}));
        self.next_id
    }

    /// Calls a tool and waits for its result.
    #[track_caller]
    pub fn call(&mut self, tool: &str, arguments: Value) -> Answer {
        let result = self.request("tools/call", json!({"name": tool, "arguments": arguments}));
        let text = result["content"].as_array().into_iter().flatten().filter_map(|it| it["text"].as_str());
        Answer {
            is_error: result["isError"] == true,
            text: text.collect::<Vec<_>>().join("\n"),
            structured: result["structuredContent"].clone(),
        }
    }

    /// The names of the tools, in the server's order.
    #[track_caller]
    pub fn tools(&mut self) -> Vec<String> {
        let list = self.request("tools/list", json!({}));
        let tools = list["tools"].as_array().unwrap_or_else(|| panic!("no list of tools: {list}"));
        tools.iter().map(|it| it["name"].as_str().expect("a tool has a name").to_owned()).collect()
    }

    /// Writes one message as a line.
    #[track_caller]
    pub fn send(&mut self, message: &Value) {
        let stdin = self.stdin.as_mut().expect("the session is open");
        writeln!(stdin, "{message}").expect("the server reads");
    }

    /// The next message, whatever it is.
    #[track_caller]
    pub fn receive(&mut self) -> Value {
        message(&self.receive_line())
    }

    /// The next line of stdout, of a program that does not speak MCP itself.
    #[track_caller]
    pub fn receive_line(&mut self) -> String {
        match self.lines.recv_timeout(TIMEOUT) {
            Ok(line) => line,
            Err(_) => {
                let _ = self.child.kill();
                let stderr = self.stderr.take().map(Collected::take).unwrap_or_default();
                panic!("the server does not answer; its stderr: {stderr}");
            }
        }
    }

    /// Closes stdin and waits for the program to end, whatever it still says.
    #[track_caller]
    pub fn finish(mut self) -> ExitStatus {
        drop(self.stdin.take());
        wait(&mut self.child, TIMEOUT).expect("the program ends when its input does")
    }

    /// Closes stdin and waits for the server to end; returns how, what it still said, and its stderr.
    #[track_caller]
    pub fn close(mut self) -> (ExitStatus, Vec<Value>, String) {
        drop(self.stdin.take());
        let status = wait(&mut self.child, TIMEOUT).expect("the server ends when its input does");
        let rest = self.lines.iter().map(|line| message(&line)).collect();
        (status, rest, self.stderr.take().map(Collected::take).unwrap_or_default())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn message(line: &str) -> Value {
    let value: Value =
        serde_json::from_str(line).unwrap_or_else(|e| panic!("stdout holds no JSON ({e}): {line:?}"));
    assert_eq!(value["jsonrpc"], "2.0", "stdout holds something else than MCP: {line}");
    value
}
