//! A new server: it is told what the one before was told, and gets what waits.
//!
//! A started server -> the handshake, what was subscribed to, what waits. Invariant: what may take effect is given to a server
//! only after it has shown that it is there, where there is anything that it could be asked before.

use super::{Action, Link, Output, Own, Session};
use crate::Time;
use crate::messages;
use crate::method::Purpose;
use crate::requests::{Place, Waiting};

impl Session {
    pub(super) fn start(&mut self, now: Time, out: &mut Output) {
        self.generation += 1;
        self.given = 0;
        self.started_at = now;
        self.has_spoken = false;
        self.is_useful = false;
        self.is_initialized = false;
        self.has_unknown_input = false;
        self.probed_at = None;
        self.lists.forget_tools();
        self.link = Link::Starting;
        out.actions.push(Action::Start { generation: self.generation });
    }

    /// The server of this number takes input.
    pub fn on_started(&mut self, now: Time, generation: u64, out: &mut Output) {
        if generation != self.generation || self.link != Link::Starting {
            return;
        }
        let is_agreed = self.handshake.is_agreed() && !planted!(self, NoHandshake);
        let id = is_agreed.then(|| self.next_own_id(Own::Initialize));
        match id.and_then(|it| self.handshake.request(&it)) {
            Some(request) => {
                self.link = Link::Handshaking { until: now + self.settings.wait };
                self.give(&request, out);
            }
            None => {
                self.link = Link::Silent;
                self.send_harmless(out);
                self.probe(now, out);
            }
        }
    }

    /// Asks a server of which nothing was heard whether it is there, if anything waits for that.
    pub(super) fn probe(&mut self, now: Time, out: &mut Output) {
        if self.link != Link::Silent || self.requests.waiting() == 0 || self.probed_at.is_some() {
            return;
        }
        match self.modern_meta.clone() {
            Some(meta) => {
                self.probed_at = Some(now);
                self.ask(Own::Probe, "server/discover", Some(&format!(r#"{{"_meta":{meta}}}"#)), out);
            }
            None if self.requests.is_any_sent() => {} // its answer will tell
            None => self.send_waiting(out),           // nothing could be asked
        }
    }

    pub(super) fn on_initialize_answered(&mut self, result: Option<&str>, line: &str, out: &mut Output) {
        let Some(result) = result else {
            let reason = format!("its answer to `initialize` is an error: {}", excerpt(line));
            return self.stop(&reason, out);
        };
        match self.handshake.compare(result) {
            Ok(new) if new.is_empty() => {}
            Ok(new) => out.note(format!(
                "the new server also has {}: its client will see that in its next session",
                new.join(", ")
            )),
            Err(reason) => {
                let reason = format!("the new server cannot go on with this session: {reason}");
                self.fail_all(&format!("The session has ended: {reason}."), out);
                return self.over(Some(reason), out);
            }
        }
        self.up(out);
        out.note("the session goes on with a new server");
    }

    /// The server takes requests.
    pub(super) fn up(&mut self, out: &mut Output) {
        self.link = Link::Up;
        if self.handshake.is_agreed() && !planted!(self, NothingRestored) {
            self.give_initialized(out);
            self.restore(out);
        }
        // First, since until they are answered no call is known to be one that may be repeated.
        for kind in self.lists.start_checks() {
            let params = self.lists.params(kind, None);
            self.ask(Own::List(kind), kind.method(), params.as_deref(), out);
        }
        self.send_waiting(out);
        if self.is_closed {
            out.actions.push(Action::CloseInput);
        }
    }

    /// The log level and the subscriptions. What was subscribed to may have changed while nobody was there to tell.
    fn restore(&mut self, out: &mut Output) {
        if let Some(level) = self.handshake.level.clone() {
            self.ask(Own::Restore, "logging/setLevel", Some(&level), out);
        }
        for uri in self.handshake.subscriptions.clone() {
            let params = format!(r#"{{"uri":{uri}}}"#);
            self.ask(Own::Restore, "resources/subscribe", Some(&params), out);
            out.tell(&messages::notification("notifications/resources/updated", Some(&params)));
        }
    }

    fn send_harmless(&mut self, out: &mut Output) {
        while self.requests.first_waiting().is_some_and(Purpose::is_harmless) {
            self.send_first(out);
        }
    }

    pub(super) fn send_waiting(&mut self, out: &mut Output) {
        if planted!(self, FirstWaitingLost) {
            self.requests.next_waiting();
        }
        while self.send_first(out) {}
    }

    /// Gives the server what waits first, if anything does.
    fn send_first(&mut self, out: &mut Output) -> bool {
        let Some(first) = self.requests.next_waiting() else { return false };
        match first {
            Waiting::Notification(line) => drop(self.give(&line, out)),
            Waiting::Request(id) => {
                if let Some(line) = self.requests.get_mut(&id).map(|it| it.line.clone()) {
                    let end = self.give(&line, out);
                    if let Some(request) = self.requests.get_mut(&id) {
                        request.place = Place::Sent { end };
                    }
                }
            }
        }
        true
    }
}

/// The message of an error, as one harmless line.
fn excerpt(line: &str) -> String {
    let message = serde_json::from_str::<serde_json::Value>(line)
        .ok()
        .and_then(|it| it["error"]["message"].as_str().map(str::to_owned))
        .unwrap_or_default();
    let short: String = message.chars().take(200).collect();
    drydock_runtime::contract::terminal::escape_line(&short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_in_a_line() {
        assert_eq!(excerpt(r#"{"error":{"message":"a\nb"}}"#), "a\\nb");
        assert_eq!(excerpt("{}"), "");
    }
}
