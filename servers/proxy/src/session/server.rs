//! What the server sends.
//!
//! Lines of the server -> lines for the client. Invariant: an answer reaches the client while its request is open, or was
//! cancelled with this server, or may be one to what we could not read; what we asked for ourselves never does.

use std::time::Duration;

use serde_json::Value;

use super::{Link, Output, Own, Session};
use crate::Time;
use crate::frame::{Frame, Id, replaced};
use crate::lists::{Compared, ListKind};
use crate::messages;
use crate::method::{Params, Purpose};
use crate::requests::Request;

/// How long the end of a stream of notifications is held back: a server that is told to end ends its streams, too.
const LAST_WORD_DELAY: Duration = Duration::from_secs(2);

impl Session {
    /// The server of this number has sent a line, here without its line break.
    pub fn on_server_line(&mut self, now: Time, generation: u64, line: &str, out: &mut Output) {
        if generation != self.generation || self.link == Link::Over {
            return;
        }
        self.has_spoken = true;
        if self.link == Link::Silent {
            self.up(out);
        }
        match Frame::read(line) {
            Frame::Blank => {}
            Frame::Unknown => out.tell(line), // a plain pipe would show it, too
            Frame::Batch(parts) => {
                for part in parts {
                    match Frame::read(part) {
                        Frame::Batch(_) => out.tell(part),
                        _ => self.on_server_line(now, generation, part, out),
                    }
                }
            }
            Frame::Request { id, params, .. } => match self.callbacks.open(line, id, params) {
                Some(renamed) => out.tell(&renamed),
                None => {
                    let reason = "too many requests are without an answer";
                    self.give(&messages::error(id, messages::INTERNAL_ERROR, reason), out);
                }
            },
            Frame::Notification { method, params } => self.on_told(now, line, &method, params, out),
            Frame::Answer { id: "null", .. } => out.tell(line), // to what it could not read
            Frame::Answer { id, result } => {
                let key = Id::read(id);
                match self.own.remove(&key) {
                    Some(own) => self.on_own_answer(own, result, line, out),
                    None => self.on_answered(now, key, result, line, out),
                }
            }
        }
    }

    fn on_answered(&mut self, now: Time, id: Id, result: Option<&str>, line: &str, out: &mut Output) {
        let is_open = self.requests.contains(&id);
        if !is_open && self.requests.was_cancelled(&id) {
            return out.tell(line);
        }
        // Clients take `"1"` for `1`, and some servers make that of it.
        let id = if is_open { id } else { id.of_other_type() };
        if self.delay_end(now, &id, line) {
            return;
        }
        let Some(request) = self.requests.remove(&id) else {
            if self.has_unknown_input {
                out.tell(line);
            }
            return;
        };
        self.is_useful = true;
        let told = result.and_then(|it| self.note_result(&request, line, it));
        if planted!(self, WrongId) && line.len().is_multiple_of(5) {
            return out.tell(&line.replacen(&request.id, "\"another\"", 1));
        }
        out.tell(told.as_deref().unwrap_or(line));
        if request.purpose == Purpose::Initialize && self.handshake.is_agreed() {
            self.give_initialized(out); // if the client was faster than its server
        }
    }

    /// The end of a stream that had begun waits, in case its server ends with it.
    fn delay_end(&mut self, now: Time, id: &Id, line: &str) -> bool {
        let Some(stream) = self.requests.get_mut(id).filter(|it| it.acknowledged.is_some()) else {
            return false;
        };
        stream.last_word.get_or_insert((line.to_owned(), now + LAST_WORD_DELAY));
        true
    }

    /// Remembers what a new server has to be told; the answer for the client, where it is another one.
    fn note_result(&mut self, request: &Request, line: &str, result: &str) -> Option<String> {
        match &request.purpose {
            Purpose::Initialize => return self.handshake.agree(&request.line, line, result),
            Purpose::List(kind, cursor) => self.lists.on_page(*kind, cursor.as_deref(), result),
            Purpose::SetLevel => {
                if let Frame::Request { params: Some(params), .. } = Frame::read(&request.line) {
                    self.handshake.level = Some(params.to_owned());
                }
            }
            Purpose::Subscribe(uri) => drop(self.handshake.subscriptions.insert(uri.clone())),
            Purpose::Unsubscribe(uri) => drop(self.handshake.subscriptions.remove(uri)),
            Purpose::Ping | Purpose::Call { .. } | Purpose::Listen | Purpose::Read | Purpose::Other => {}
        }
        None
    }

    fn on_told(&mut self, now: Time, line: &str, method: &str, params: Option<&str>, out: &mut Output) {
        let params = Params::read(params);
        let is_for_client = match method {
            "notifications/progress" => self.is_new_progress(&params),
            "notifications/subscriptions/acknowledged" => self.on_acknowledged(&params, out),
            "notifications/cancelled" => return self.on_server_cancelled(now, line, &params, out),
            _ => true,
        };
        if is_for_client {
            out.tell(line);
        }
        if method == "notifications/subscriptions/acknowledged" {
            for kind in self.lists.untold() {
                self.tell_changed(kind, out); // what could not be told before this stream began
            }
        }
    }

    /// What a repeated request tells again is not told to the client: progress only grows.
    fn is_new_progress(&mut self, params: &Params<'_>) -> bool {
        let Some(token) = params.progress_token.map(|it| Id::read(it.get())) else { return true };
        let value = params.progress.and_then(|it| it.get().parse::<f64>().ok());
        let (Some(request), Some(value)) = (self.requests.by_token(&token), value) else { return true };
        let is_repeated = request.is_repeated;
        let Some(progress) = &mut request.progress else { return true };
        let is_new = !is_repeated || value > progress.last;
        progress.last = progress.last.max(value);
        is_new
    }

    /// A stream of notifications has begun: `true` for the first time. A new server that agrees to something else ends it,
    /// since the client cannot be told of that in another way.
    fn on_acknowledged(&mut self, params: &Params<'_>, out: &mut Output) -> bool {
        let Some(id) = params.meta().subscription_id.map(|it| Id::read(it.get())) else { return true };
        let agreed = params.notifications.map_or("{}", |it| it.get());
        let Some(request) = self.requests.get_mut(&id).filter(|it| it.purpose == Purpose::Listen) else {
            return true;
        };
        let Some(before) = &request.acknowledged else {
            request.acknowledged = Some(agreed.to_owned());
            return true;
        };
        let id_text = request.id.clone();
        if same_filter(before, agreed) {
            tell_updated(&id_text, agreed, out);
        } else {
            let reason = "the server behind this session was replaced, and agrees to other notifications";
            let line = messages::cancelled(&id_text, reason);
            self.requests.remove(&id);
            self.give(&line, out);
            out.tell(&line);
        }
        false
    }

    /// The server takes back what it has asked, or ends a stream of notifications.
    fn on_server_cancelled(&mut self, now: Time, line: &str, params: &Params<'_>, out: &mut Output) {
        let Some(theirs) = params.request_id.map(|it| it.get()) else { return out.tell(line) };
        if let Some(ours) = self.callbacks.cancel(theirs) {
            return out.tell(&replaced(line, &[(theirs, &ours)]));
        }
        let id = Id::read(theirs);
        if self.delay_end(now, &id, line) {
            return;
        }
        if self.requests.get_mut(&id).is_some_and(|it| it.purpose == Purpose::Listen) {
            self.requests.remove(&id);
        }
        out.tell(line);
    }

    fn on_own_answer(&mut self, own: Own, result: Option<&str>, line: &str, out: &mut Output) {
        match own {
            Own::Initialize => self.on_initialize_answered(result, line, out),
            Own::Restore if result.is_none() => {
                out.note(
                    "the new server refuses the log level or a subscription that the last one had taken",
                );
            }
            Own::Restore | Own::Probe => {}
            Own::List(kind) => match self.lists.on_checked(kind, result) {
                Compared::Same => {}
                Compared::More(cursor) => {
                    let params = self.lists.params(kind, Some(&cursor));
                    self.ask(Own::List(kind), kind.method(), params.as_deref(), out);
                }
                Compared::Differs => self.tell_changed(kind, out),
            },
        }
    }

    /// Asks the server something ourselves.
    pub(super) fn ask(&mut self, own: Own, method: &str, params: Option<&str>, out: &mut Output) {
        let id = self.next_own_id(own);
        self.give(&messages::request(&id, method, params), out);
    }

    pub(super) fn next_own_id(&mut self, own: Own) -> String {
        self.last_own += 1;
        let id = messages::quoted(&format!("{}own:{}", self.settings.prefix, self.last_own));
        self.own.insert(Id::read(&id), own);
        id
    }

    /// Tells the client as far as its revision can: in a session always, else on the streams that ask for it.
    fn tell_changed(&mut self, kind: ListKind, out: &mut Output) {
        if planted!(self, ChangeNotTold) {
            return;
        }
        let (method, field) = kind.change();
        out.note(format!("{}: the new server has another list", kind.method()));
        let mut is_told = self.handshake.is_agreed();
        if is_told {
            out.tell(&messages::notification(method, None));
        }
        for stream in self.requests.streams() {
            let agreed: Value =
                serde_json::from_str(stream.acknowledged.as_deref().unwrap_or("")).unwrap_or_default();
            if agreed[field] == true {
                is_told = true;
                out.tell(&messages::notification(method, Some(&of_stream(&stream.id, ""))));
            }
        }
        self.lists.set_told(kind, is_told);
    }

    /// Gives the server the client's `notifications/initialized`, if there was one and its `initialize` is with this server.
    pub(super) fn give_initialized(&mut self, out: &mut Output) {
        let is_asked = self.handshake.is_agreed() || self.requests.is_any_sent();
        if let (Some(line), true, false) = (self.handshake.initialized.clone(), is_asked, self.is_initialized)
        {
            self.is_initialized = true;
            self.give(&line, out);
        }
    }
}

/// The parameters of a notification on a stream; their text.
fn of_stream(id: &str, fields: &str) -> String {
    format!(r#"{{"_meta":{{"io.modelcontextprotocol/subscriptionId":{id}}}{fields}}}"#)
}

/// What was subscribed to may have changed while nobody was there to tell.
fn tell_updated(id: &str, agreed: &str, out: &mut Output) {
    let agreed: Value = serde_json::from_str(agreed).unwrap_or_default();
    for uri in agreed["resourceSubscriptions"].as_array().into_iter().flatten() {
        let params = of_stream(id, &format!(r#","uri":{uri}"#));
        out.tell(&messages::notification("notifications/resources/updated", Some(&params)));
    }
}

/// Whether two filters ask for the same, in whatever order they name it.
fn same_filter(one: &str, two: &str) -> bool {
    let read = |text: &str| {
        let mut filter: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        for list in filter.values_mut().filter_map(Value::as_array_mut) {
            list.sort_by_key(Value::to_string);
        }
        filter
    };
    read(one) == read(two)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_compared_by_what_they_ask_for() {
        assert!(same_filter(r#"{"a":true,"r":["x","y"]}"#, r#"{ "r":["y","x"],"a":true}"#));
        assert!(!same_filter(r#"{"a":true,"r":["x","y"]}"#, r#"{"a":true,"r":["x"]}"#));
        assert!(!same_filter(r#"{"a":true}"#, r#"{"a":false}"#));
    }
}
