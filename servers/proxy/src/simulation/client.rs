//! A client that is made up: it remembers what it sent, and knows what it must never read.
//!
//! Numbers -> lines; lines -> what is wrong with them. Invariant: no two of its requests have the same id or nonce.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Checked, Random};

#[derive(Debug)]
struct Sent {
    method: &'static str,
    tool: &'static str,
    is_answered: bool,
    is_cancelled: bool,
    /// How often it reached a server whole.
    reached: u32,
}

/// The client.
pub(crate) struct Client {
    pub(crate) is_self_contained: bool,
    sent: BTreeMap<String, Sent>,
    seq: u64,
    is_initialized: bool,
    has_said_so: bool,
    level: Option<String>,
    subscriptions: Vec<String>,
    /// What it was asked, to be answered some time.
    asked: Vec<(Value, Value)>,
    /// The version of the tools that it knows; `None` once it was told that they have changed.
    tools: Option<u64>,
    has_listed: bool,
    /// The first page of the tools is there, and the second was not asked for.
    has_more: bool,
    has_stream: bool,
    is_acknowledged: bool,
}

impl Client {
    pub(crate) fn new(is_self_contained: bool) -> Self {
        Self {
            is_self_contained,
            sent: BTreeMap::new(),
            seq: 0,
            is_initialized: false,
            has_said_so: false,
            level: None,
            subscriptions: Vec::new(),
            asked: Vec::new(),
            tools: None,
            has_listed: false,
            has_more: false,
            has_stream: false,
            is_acknowledged: false,
        }
    }

    /// A request with this id is with a server as a whole.
    pub(crate) fn reached(&mut self, id: &Value) {
        if let Some(sent) = self.sent.get_mut(&id.to_string()) {
            sent.reached += 1;
        }
    }

    /// Whatever it does next.
    pub(crate) fn send(&mut self, random: &mut Random) -> Option<String> {
        if self.sent.is_empty() && !self.is_self_contained {
            return Some(self.request("initialize", "", json!({})));
        }
        if !self.is_initialized && !self.is_self_contained {
            return None; // it waits for the answer
        }
        if !self.is_self_contained && !std::mem::replace(&mut self.has_said_so, true) {
            return Some(json!({ "method": "notifications/initialized" }).to_string());
        }
        if self.is_self_contained && !self.has_stream && random.one_in(4) {
            self.has_stream = true;
            return Some(self.request(
                "subscriptions/listen",
                "",
                json!({ "notifications": { "toolsListChanged": true } }),
            ));
        }
        Some(match random.below(10) {
            0 | 1 => self.request("tools/call", "read", json!({ "name": "read" })),
            2 | 3 => self.request("tools/call", "write", json!({ "name": "write" })),
            4 if std::mem::take(&mut self.has_more) => {
                self.request("tools/list", "", json!({ "cursor": "2" }))
            }
            4 => self.request("tools/list", "", json!({})),
            5 => self.request("ping", "", json!({})),
            6 if !self.is_self_contained => self.request("logging/setLevel", "", json!({ "level": "info" })),
            7 if !self.is_self_contained => {
                let uri = format!("x://{}", random.below(3));
                self.request("resources/subscribe", "", json!({ "uri": uri }))
            }
            8 => return self.cancel(random),
            _ => return self.answer_late(random),
        })
    }

    fn request(&mut self, method: &'static str, tool: &'static str, mut params: Value) -> String {
        self.seq += 1;
        let id = if self.seq.is_multiple_of(2) { json!(self.seq) } else { json!(format!("r\"{}", self.seq)) };
        params["seq"] = json!(self.seq);
        params["nonce"] = id.clone();
        if self.is_self_contained {
            params["_meta"] = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" });
        }
        params["knownLevel"] = json!(self.level);
        params["knownSubscriptions"] = json!(self.subscriptions);
        let sent = Sent { method, tool, is_answered: false, is_cancelled: false, reached: 0 };
        self.sent.insert(id.to_string(), sent);
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
    }

    fn cancel(&mut self, random: &mut Random) -> Option<String> {
        let open: Vec<_> =
            self.sent.iter_mut().filter(|(_, it)| !it.is_answered && it.method == "tools/call").collect();
        if open.is_empty() {
            return None;
        }
        let at = random.below(open.len());
        let (id, sent) = open.into_iter().nth(at)?;
        sent.is_cancelled = true;
        let id: Value = serde_json::from_str(id).unwrap();
        Some(json!({ "method": "notifications/cancelled", "params": { "requestId": id } }).to_string())
    }

    fn answer_late(&mut self, random: &mut Random) -> Option<String> {
        if self.asked.is_empty() {
            return None;
        }
        let (id, nonce) = self.asked.swap_remove(random.below(self.asked.len()));
        Some(json!({ "id": id, "result": { "nonce": nonce } }).to_string())
    }

    /// What it still does when it is left to itself.
    pub(crate) fn react(&mut self) -> Option<String> {
        if self.is_initialized && !std::mem::replace(&mut self.has_said_so, true) {
            return Some(json!({ "method": "notifications/initialized" }).to_string());
        }
        let (id, nonce) = self.asked.pop()?;
        Some(json!({ "id": id, "result": { "nonce": nonce } }).to_string())
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.sent.values().all(|it| it.is_answered || it.is_cancelled || it.method == "subscriptions/listen")
    }

    /// Reads a line.
    pub(crate) fn receive(&mut self, line: &str) -> Checked {
        let message: Value = serde_json::from_str(line).map_err(|e| format!("{e} in {line}"))?;
        match (message["method"].as_str(), message.get("id")) {
            (Some(_), Some(id)) => self.asked.push((id.clone(), message["params"]["nonce"].clone())),
            (Some("notifications/tools/list_changed"), None) => self.tools = None,
            (Some("notifications/subscriptions/acknowledged"), None) => {
                if std::mem::replace(&mut self.is_acknowledged, true) {
                    return Err("the stream was acknowledged twice".into());
                }
            }
            (Some("notifications/cancelled"), None) => {
                self.asked
                    .retain(|(id, _)| *id != message["params"]["requestId"] || self.seq.is_multiple_of(3));
            }
            (Some(_), None) => {}
            (None, Some(id)) => return self.on_answer(&id.to_string(), &message),
            (None, None) => return Err(format!("no message: {line}")),
        }
        Ok(())
    }

    fn on_answer(&mut self, id: &str, message: &Value) -> Checked {
        let Some(sent) = self.sent.get_mut(id) else {
            return Err(format!("an answer to nothing: {message}"));
        };
        if std::mem::replace(&mut sent.is_answered, true) && !sent.is_cancelled {
            return Err(format!("a second answer: {message}"));
        }
        let most = match sent.tool {
            "write" => 1,
            "read" => 2,
            _ => u32::MAX, // it does no harm
        };
        if sent.reached > most {
            return Err(format!("{} {} reached a server {} times", sent.method, sent.tool, sent.reached));
        }
        let text = message["result"]["content"][0]["text"].as_str().unwrap_or_default();
        if text.contains("not known") && sent.reached == 0 {
            return Err(format!("it never left, and its outcome is said not to be known: {message}"));
        }
        if message.get("error").is_some() || message["result"]["isError"] == true {
            return Ok(());
        }
        let nonce = message["result"]["nonce"].to_string();
        if nonce != id && !["initialize", "ping", "subscriptions/listen"].contains(&sent.method) {
            return Err(format!("the answer to {nonce} has the id {id}"));
        }
        let method = sent.method;
        self.learn(method, message);
        Ok(())
    }

    fn learn(&mut self, method: &str, message: &Value) {
        match method {
            "initialize" => self.is_initialized = true,
            "logging/setLevel" => self.level = Some("info".into()),
            "tools/list" if message["result"]["nextCursor"].is_string() => {
                self.has_more = true;
                self.tools = None;
            }
            "tools/list" => {
                let name = message["result"]["tools"][0]["name"].as_str().unwrap_or_default();
                self.tools = name[1..].parse().ok();
                self.has_listed = true;
            }
            "subscriptions/listen" => self.is_acknowledged = false,
            _ => {}
        }
    }

    /// At the end: whether each request was answered, and whether it was told of what has changed.
    pub(crate) fn check_all_answered(&self, version: Option<u64>) -> Checked {
        let is_open = |it: &Sent| !it.is_answered && !it.is_cancelled && it.method != "subscriptions/listen";
        if let Some((id, sent)) = self.sent.iter().find(|(_, it)| is_open(it)) {
            return Err(format!("{id} was never answered: {sent:?}"));
        }
        let is_told = !self.is_self_contained || self.is_acknowledged;
        match (version, self.tools) {
            (Some(version), Some(known)) if self.has_listed && is_told && known != version => {
                Err(format!("it knows the tools of version {known}, and was not told of {version}"))
            }
            _ => Ok(()),
        }
    }
}
