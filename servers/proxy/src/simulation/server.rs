//! A server that is made up: it answers in any order, asks its client, and knows what it must never see.
//!
//! Bytes -> lines, or what is wrong with what it was given. Invariant: it says nothing of another server's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Checked, Random};

/// One server, from its start to its end.
pub(crate) struct Server {
    pub(crate) generation: u64,
    /// What its lists hold.
    pub(crate) version: u64,
    is_self_contained: bool,
    input: Vec<u8>,
    has_handshake: bool,
    is_initialized: bool,
    /// Requests to answer.
    pending: Vec<Value>,
    /// Its own requests, and what each is to be answered with.
    asked: BTreeMap<u64, String>,
    last_asked: u64,
    /// Those that it took back: an answer may have been on its way.
    taken_back: BTreeSet<u64>,
    level: Option<String>,
    subscriptions: BTreeSet<String>,
    /// The number of the client's request that came last.
    last: u64,
    /// Streams of notifications to be acknowledged, and those that were.
    streams: Vec<Value>,
    open_streams: Vec<Value>,
}

impl Server {
    pub(crate) fn new(generation: u64, version: u64, is_self_contained: bool) -> Self {
        Self {
            generation,
            version,
            is_self_contained,
            input: Vec::new(),
            has_handshake: false,
            is_initialized: false,
            pending: Vec::new(),
            asked: BTreeMap::new(),
            last_asked: 0,
            taken_back: BTreeSet::new(),
            level: None,
            subscriptions: BTreeSet::new(),
            last: 0,
            streams: Vec::new(),
            open_streams: Vec::new(),
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.pending.is_empty() && self.streams.is_empty()
    }

    /// Takes bytes; the ids of the client's requests that are whole now.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<Vec<Value>, String> {
        self.input.extend_from_slice(bytes);
        let mut ids = Vec::new();
        while let Some(end) = self.input.iter().position(|it| *it == b'\n') {
            let line: Vec<u8> = self.input.drain(..=end).collect();
            let message: Value = serde_json::from_slice(&line).map_err(|e| format!("torn line: {e}"))?;
            if message.get("method").is_some() && message.get("id").is_some() {
                ids.push(message["id"].clone());
            }
            self.on_message(message)?;
        }
        Ok(ids)
    }

    /// At the end of its input, many a server takes what stands there without a line break: the ids of requests in it.
    pub(crate) fn take_last_line(&mut self) -> Vec<Value> {
        let message = serde_json::from_slice::<Value>(&self.input).unwrap_or_default();
        message.get("method").and_then(|_| message.get("id")).cloned().into_iter().collect()
    }

    fn on_message(&mut self, message: Value) -> Checked {
        let Some(method) = message["method"].as_str() else { return self.on_answer(&message) };
        let is_ours = message["id"].as_str().is_some_and(|it| it.starts_with("drydock-hold:"));
        if message.get("id").is_none() {
            if method == "notifications/initialized" && std::mem::replace(&mut self.is_initialized, true) {
                return Err("initialized twice".into());
            }
            return Ok(());
        }
        if method == "initialize" {
            if std::mem::replace(&mut self.has_handshake, true) {
                return Err("a second handshake".into());
            }
        } else if !self.has_handshake && !self.is_self_contained {
            return Err(format!("{method} before the handshake"));
        }
        if !is_ours && method != "initialize" {
            self.check_request(&message)?;
        }
        if !is_ours && method != "initialize" && !self.is_initialized && !self.is_self_contained {
            return Err(format!("{method} before the server was told that its client is ready"));
        }
        match method {
            "logging/setLevel" => self.level = message["params"]["level"].as_str().map(str::to_owned),
            "resources/subscribe" => {
                self.subscriptions.extend(message["params"]["uri"].as_str().map(str::to_owned));
            }
            "subscriptions/listen" => {
                self.streams.push(message);
                return Ok(());
            }
            _ => {}
        }
        self.pending.push(message);
        Ok(())
    }

    /// A request of the client says what has to be true by then.
    fn check_request(&mut self, message: &Value) -> Checked {
        let told = &message["params"];
        let number = told["seq"].as_u64().unwrap_or(0);
        if number <= self.last {
            return Err(format!("request {number} after {}", self.last));
        }
        self.last = number;
        if told["knownLevel"].as_str().is_some() && self.level.is_none() {
            return Err("the log level is not what the client has set".into());
        }
        let subscribed = told["knownSubscriptions"].as_array().into_iter().flatten();
        match subscribed.filter_map(Value::as_str).find(|it| !self.subscriptions.contains(*it)) {
            Some(uri) => Err(format!("{uri} is not subscribed to")),
            None => Ok(()),
        }
    }

    fn on_answer(&mut self, message: &Value) -> Checked {
        let nonce = message["result"]["nonce"].as_str().unwrap_or_default();
        match message["id"].as_u64().and_then(|it| self.asked.remove(&it)) {
            Some(expected) if expected == nonce => Ok(()),
            None if message["id"].as_u64().is_some_and(|it| self.taken_back.contains(&it))
                && nonce.starts_with(&format!("{}-", self.generation)) =>
            {
                Ok(())
            }
            other => {
                Err(format!("server {} gets the answer {message}, and waits for {other:?}", self.generation))
            }
        }
    }

    /// A line of its own, or an answer to any of what it was asked.
    pub(crate) fn say(&mut self, random: &mut Random) -> Option<String> {
        if let Some(stream) = self.streams.pop() {
            let params = json!({
                "_meta": { "io.modelcontextprotocol/subscriptionId": stream["id"] },
                "notifications": stream["params"]["notifications"],
            });
            let message = json!({ "method": "notifications/subscriptions/acknowledged", "params": params });
            self.open_streams.push(stream["id"].clone());
            return Some(message.to_string());
        }
        if random.one_in(40)
            && let Some(id) = self.open_streams.pop()
        {
            return Some(json!({ "id": id, "result": {} }).to_string()); // as one that is told to end
        }
        if random.one_in(60)
            && let Some((id, _)) = self.asked.pop_first()
        {
            self.taken_back.insert(id);
            let params = json!({ "requestId": id });
            return Some(json!({ "method": "notifications/cancelled", "params": params }).to_string());
        }
        if self.has_handshake && !self.is_self_contained && random.one_in(5) && self.asked.len() < 3 {
            self.last_asked += 1; // the same for each server
            let id = self.last_asked;
            let nonce = format!("{}-{id}", self.generation);
            let params = json!({ "nonce": nonce });
            self.asked.insert(id, nonce);
            return Some(json!({ "id": id, "method": "elicitation/create", "params": params }).to_string());
        }
        if self.pending.is_empty() {
            return None;
        }
        let request = self.pending.swap_remove(random.below(self.pending.len()));
        if request["method"] == "initialize" && self.generation > 1 && random.one_in(10) {
            return Some(
                json!({ "id": request["id"], "error": { "code": 1, "message": "not today" } }).to_string(),
            );
        }
        Some(json!({ "jsonrpc": "2.0", "id": request["id"], "result": self.result(&request) }).to_string())
    }

    fn result(&self, request: &Value) -> Value {
        let tool = |name: &str, annotations| json!({ "name": name, "annotations": annotations });
        match request["method"].as_str().unwrap_or_default() {
            "initialize" => json!({ "protocolVersion": "2025-11-25", "capabilities": { "tools": {} } }),
            "tools/list" if request["params"]["cursor"].is_null() => json!({
                "tools": [tool("read", json!({ "readOnlyHint": true })), tool("write", json!({}))],
                "nextCursor": "2",
                "nonce": request["params"]["nonce"],
            }),
            "tools/list" => json!({
                "tools": [tool(&format!("v{}", self.version), json!({}))],
                "nonce": request["params"]["nonce"],
            }),
            _ => json!({ "nonce": request["params"]["nonce"] }),
        }
    }
}
