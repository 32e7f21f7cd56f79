//! What the client sends.
//!
//! Lines of the client -> lines for the server, or answers of ours. Invariant: each request has a place at once: with the
//! server, in the queue, or answered.

use super::{Action, Link, Output, Session};
use crate::Time;
use crate::frame::{Frame, Id, replaced};
use crate::messages;
use crate::method::{Params, Purpose};
use crate::requests::{Place, Progress, Request};

/// More messages than that in one line are refused.
const MAX_BATCH: usize = 1000;

impl Session {
    /// The client has sent a line, here without its line break.
    pub fn on_client_line(&mut self, now: Time, line: &str, out: &mut Output) {
        match Frame::read(line) {
            Frame::Blank => {}
            Frame::Unknown if matches!(self.link, Link::Up | Link::Silent) => {
                self.has_unknown_input = true;
                self.give(line, out);
            }
            Frame::Unknown => {
                out.tell(&messages::error("null", messages::PARSE_ERROR, "this is no JSON-RPC message"));
            }
            Frame::Batch(parts) if parts.len() > MAX_BATCH => {
                out.tell(&messages::error(
                    "null",
                    messages::INVALID_REQUEST,
                    "too many messages in one line",
                ));
            }
            Frame::Batch(parts) => {
                for part in parts {
                    if matches!(Frame::read(part), Frame::Batch(_)) {
                        out.tell(&messages::error("null", messages::INVALID_REQUEST, "a batch in a batch"));
                    } else {
                        self.on_client_line(now, part, out);
                    }
                }
            }
            Frame::Request { id, method, params } => self.on_request(now, line, id, &method, params, out),
            Frame::Notification { method, params } => self.on_notification(now, line, &method, params, out),
            Frame::Answer { id, result } => self.on_answer(line, id, result, out),
        }
    }

    /// The client has closed its end: it sends no more, and may still read.
    pub fn on_client_closed(&mut self, out: &mut Output) {
        self.is_closed = true;
        match self.link {
            Link::Up => out.actions.push(Action::CloseInput),
            Link::Silent if self.requests.waiting() == 0 => out.actions.push(Action::CloseInput),
            Link::Silent | Link::Over => {} // what waits is given to a server that speaks, and to no other
            Link::Down { .. } | Link::Starting | Link::Handshaking { .. } | Link::Stopping => {
                self.fail_all("The session has ended before a server was there.", out);
                self.over(None, out);
            }
        }
    }

    fn on_request(
        &mut self,
        now: Time,
        line: &str,
        id_text: &str,
        method: &str,
        params: Option<&str>,
        out: &mut Output,
    ) {
        let id = Id::read(id_text);
        let refuse = |reason, out: &mut Output| {
            out.tell(&messages::error(id_text, messages::INVALID_REQUEST, reason));
        };
        if self.requests.contains(&id) {
            return refuse("another request with this id is not answered yet", out);
        }
        let is_full = self.requests.bytes() + line.len() > self.settings.max_bytes;
        if is_full || self.requests.len() >= self.settings.max_requests {
            return refuse("too many requests are without an answer", out);
        }
        let params = Params::read(params);
        let meta = params.meta();
        let purpose = Purpose::of(method, &params);
        let is_modern = meta.protocol_version.is_some();
        if let Some(version) = meta.protocol_version {
            let ours = params.meta.and_then(|it| meta_of_ours(it.get()));
            let least = || format!(r#"{{"io.modelcontextprotocol/protocolVersion":{}}}"#, version.get());
            self.modern_meta = Some(ours.unwrap_or_else(least));
        }
        if let Purpose::List(kind, None) = purpose {
            self.lists.on_asked(kind, self.modern_meta.as_deref().filter(|_| is_modern));
        }
        let token = meta.progress_token.map(|it| Id::read(it.get()));
        let mut request = Request {
            id: id_text.to_owned(),
            line: line.to_owned(),
            purpose,
            is_modern,
            place: Place::Waiting,
            since: now,
            is_repeated: false,
            has_left: false,
            progress: token.map(|token| Progress { token, last: f64::NEG_INFINITY }),
            acknowledged: None,
            last_word: None,
        };
        if self.link == Link::Over {
            self.fail(&request, "The session has ended. It was not sent.", out);
        } else if self.takes(&request.purpose, is_modern) {
            request.place = Place::Sent { end: self.give(line, out) };
            self.requests.insert(id, request);
        } else if request.purpose == Purpose::Ping {
            self.fail(&request, "", out);
        } else if self.requests.waiting() < self.settings.max_waiting {
            self.requests.insert(id, request);
            self.probe(now, out);
        } else {
            self.fail(&request, "There is no server, and too much waits for one. It was not sent.", out);
        }
    }

    /// Whether the server gets such a request now. One of which nothing was heard gets what is harmless, and what belongs to no
    /// revision, since there is nothing that could be asked before.
    fn takes(&self, purpose: &Purpose, is_modern: bool) -> bool {
        match self.link {
            Link::Up => true,
            Link::Silent if self.requests.waiting() > 0 => false,
            Link::Silent => purpose.is_harmless() || (!is_modern && !self.requests.is_any_sent()),
            _ => false,
        }
    }

    fn on_notification(
        &mut self,
        now: Time,
        line: &str,
        method: &str,
        params: Option<&str>,
        out: &mut Output,
    ) {
        let is_up = self.link == Link::Up;
        match method {
            "notifications/initialized" => {
                self.handshake.initialized = Some(line.to_owned());
                if is_up || self.link == Link::Silent {
                    self.give_initialized(out);
                }
            }
            "notifications/cancelled" => self.on_cancelled(now, line, params, out),
            "notifications/progress" => {
                let token = Params::read(params).progress_token.map(|it| it.get());
                let theirs = token.and_then(|it| self.callbacks.token(it)).map(str::to_owned);
                if let (Some(ours), Some(theirs), true) = (token, theirs, is_up) {
                    self.give(&replaced(line, &[(ours, &theirs)]), out);
                }
            }
            // Of a task that the server which is there has not asked for, it is to hear nothing.
            "notifications/tasks/status" => {
                let id = Params::read(params).task_id.map(|it| it.get());
                if is_up && id.is_some_and(|it| self.callbacks.has_task(it)) {
                    self.give(line, out);
                }
            }
            _ if is_up => drop(self.give(line, out)),
            // A new server asks for the roots anyway.
            "notifications/roots/list_changed" => {}
            _ if self.requests.waiting() < self.settings.max_waiting
                && self.requests.bytes() + line.len() <= self.settings.max_bytes =>
            {
                self.requests.wait_notification(line.to_owned());
                self.probe(now, out);
            }
            _ => out.note("a notification was dropped: there is no server, and too much waits for one"),
        }
    }

    fn on_cancelled(&mut self, now: Time, line: &str, params: Option<&str>, out: &mut Output) {
        let Some(id) = Params::read(params).request_id.map(|it| Id::read(it.get())) else { return };
        let Some(request) = self.requests.cancel(&id) else { return };
        if let Place::Sent { .. } = request.place {
            self.give(line, out);
        }
        self.probe(now, out); // what waits may have waited for its answer
    }

    /// To something that a server has asked.
    fn on_answer(&mut self, line: &str, id: &str, result: Option<&str>, out: &mut Output) {
        let theirs = self.callbacks.close(id, result);
        if let (Some(theirs), Link::Up | Link::Handshaking { .. }) = (theirs, self.link) {
            self.give(&replaced(line, &[(id, &theirs)]), out);
        }
    }
}

/// What a request of ours carries in `_meta`: as the client's, without what is about that one request alone.
fn meta_of_ours(text: &str) -> Option<String> {
    let mut fields: serde_json::Map<_, _> = serde_json::from_str(text).ok()?;
    let of_one_request =
        ["progressToken", "io.modelcontextprotocol/logLevel", "traceparent", "tracestate", "baggage"];
    fields.retain(|name, _| !of_one_request.contains(&name.as_str()));
    Some(serde_json::Value::Object(fields).to_string())
}
