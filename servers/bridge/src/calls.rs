//! The log of requests: what a client asked, how long it took, what came of it.
//!
//! Frames of both directions -> one log line per request. Invariants: nothing of arguments or results is kept, and what
//! is kept is bounded: of a client with more than `MOST` requests open, the rest is only counted.

use std::collections::HashMap;
use std::time::Instant;

use drydock_contract::log;

use crate::scan::{Frame, Id};

const MOST: usize = 1024;

#[derive(Debug)]
struct Call {
    method: String,
    tool: Option<String>,
    start: Instant,
}

#[derive(Debug, Default)]
pub(crate) struct Calls {
    open: HashMap<Id, Call>,
    untold: u64,
}

impl Calls {
    /// A message from the client.
    pub(crate) fn asked(&mut self, frame: Frame) {
        let Some(method) = frame.method else { return };
        if method == "notifications/cancelled" {
            if let Some((id, call)) = frame.cancels.and_then(|it| self.open.remove_entry(&it)) {
                call.tell(&id, "cancelled");
            }
            return;
        }
        let Some(id) = frame.id else { return };
        if self.open.len() >= MOST {
            self.untold += 1;
            return;
        }
        // Only here it is a name; elsewhere it may be an argument.
        let tool = frame.name.filter(|_| matches!(method.as_str(), "tools/call" | "prompts/get"));
        self.open.insert(id, Call { method, tool, start: Instant::now() });
    }

    /// A message from the server.
    pub(crate) fn answered(&mut self, frame: &Frame) {
        let Some(id) = frame.id.as_ref().filter(|_| frame.method.is_none()) else { return };
        let Some(call) = self.open.remove(id) else { return };
        match &frame.error {
            Some(code) => call.tell(id, format!("error {code}").trim_end()),
            None if frame.is_error => call.tell(id, "tool error"),
            None => call.tell(id, "ok"),
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// The session is over: nothing more will be answered.
    pub(crate) fn end(&mut self) {
        for (id, call) in self.open.drain() {
            call.tell(&id, "not answered");
        }
        if self.untold > 0 {
            log::warn(&format!("{} more requests were open than the log can follow", self.untold));
        }
    }
}

impl Call {
    fn tell(&self, id: &Id, outcome: &str) {
        log::request(log::Request {
            method: &self.method,
            tool: self.tool.as_deref(),
            id: &id.text,
            elapsed: self.start.elapsed(),
            outcome,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Scan;

    fn frame(text: &str) -> Frame {
        let mut found = None;
        Scan::default().feed(text.as_bytes(), |it| found = Some(it));
        found.unwrap()
    }

    #[test]
    fn a_call_is_open_until_it_is_answered_or_cancelled() {
        let mut calls = Calls::default();
        calls.asked(frame(r#"{"id":1,"method":"tools/call","params":{"name":"a"}}"#));
        calls.asked(frame(r#"{"id":2,"method":"resources/read","params":{"name":"secret"}}"#));
        calls.asked(frame(r#"{"method":"notifications/initialized"}"#));
        calls.asked(frame(r#"{"id":1,"result":{}}"#));
        let tools: Vec<_> = calls.open.values().filter_map(|it| it.tool.as_deref()).collect();
        assert_eq!((calls.open.len(), tools), (2, vec!["a"]));
        calls.answered(&frame(r#"{"id":1,"method":"sampling/createMessage"}"#));
        assert_eq!(calls.open.len(), 2, "the server's own request has the same id");
        calls.answered(&frame(r#"{"id":1,"result":{}}"#));
        calls.asked(frame(r#"{"method":"notifications/cancelled","params":{"requestId":2}}"#));
        assert!(calls.is_idle());
    }

    #[test]
    fn a_flood_is_counted_not_kept() {
        let mut calls = Calls::default();
        for id in 0..MOST + 7 {
            calls.asked(frame(&format!(r#"{{"id":{id},"method":"ping"}}"#)));
        }
        assert_eq!((calls.open.len(), calls.untold), (MOST, 7));
    }
}
