//! The end of a server, and of the session.
//!
//! A server that is gone -> answers to what nobody will answer, and the next server. Invariant: after it, nothing is under
//! way: each request was answered, or waits.

use std::time::Duration;

use super::{Action, Link, Output, Session};
use crate::Time;
use crate::messages;
use crate::method::Purpose;
use crate::requests::Request;

/// Before the next server is started where the last one was of no use; it doubles with each.
const FIRST_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(5);

/// A server that has lived for so long was of use, though nobody asked it anything.
const LONG_LIFE: Duration = Duration::from_secs(2);

impl Session {
    /// The server of this number has ended, and all that it wrote was told. `written`: how many of the bytes that it was
    /// given have left us; `words`: how it ended, harmless to show.
    pub fn on_gone(&mut self, now: Time, generation: u64, written: u64, words: &str, out: &mut Output) {
        if generation != self.generation || matches!(self.link, Link::Down { .. } | Link::Over) {
            return;
        }
        words.clone_into(&mut self.last_words);
        self.own.clear();
        for ours in self.callbacks_of_the_dead() {
            out.tell(&messages::cancelled(&ours, "the server that asked has ended"));
        }
        self.settle(now, written, out);
        if self.is_closed {
            self.fail_all("The session has ended.", out);
            return self.over(None, out);
        }
        let is_healthy =
            self.is_useful || (self.has_spoken && now.saturating_sub(self.started_at) >= LONG_LIFE);
        self.failures = if is_healthy { 0 } else { self.failures.saturating_add(1) };
        let delay = match self.failures {
            0 => Duration::ZERO,
            it => FIRST_DELAY.saturating_mul(1 << (it - 1).min(6)).min(MAX_DELAY),
        };
        self.link = Link::Down { start_at: now + delay };
        let when = if delay.is_zero() { "now".to_owned() } else { format!("in {} ms", delay.as_millis()) };
        out.note(format!("the server has ended: {words}; the next is started {when}"));
        self.on_time(now, out);
    }

    fn callbacks_of_the_dead(&mut self) -> Vec<String> {
        if planted!(self, LateAnswers) { Vec::new() } else { self.callbacks.close_all() }
    }

    /// Sees to what was with the server.
    fn settle(&mut self, now: Time, written: u64, out: &mut Output) {
        let mut again = Vec::new();
        for (id, end, mut request) in self.requests.take_sent() {
            let has_left = end <= written || planted!(self, UnsentIsLost);
            let may_go_on = !self.is_closed && (!has_left || self.may_repeat(&request));
            if request.purpose == Purpose::Ping {
                self.fail(&request, "", out);
            } else if may_go_on {
                // A server that never said a word was perhaps none: that counts as waiting.
                let is_call = matches!(request.purpose, Purpose::Call { .. });
                request.is_repeated |=
                    has_left && (self.has_spoken || is_call) && request.purpose != Purpose::Listen;
                request.has_left |= has_left;
                if self.has_spoken {
                    request.since = now;
                }
                request.last_word = None;
                again.push((id, request));
            } else if let Some((line, _)) = &request.last_word {
                out.tell(line);
            } else if has_left {
                self.fail(&request, &self.unknown_outcome(&request), out);
                if planted!(self, AnsweredAndKept) {
                    again.push((id, request));
                }
            } else {
                self.fail(&request, &format!("The session has ended. {}", request.outcome()), out);
            }
        }
        if planted!(self, OrderLost) {
            again.reverse();
        }
        self.requests.wait_first(again);
    }

    /// Whether a request that has reached a server may be sent to the next one, too.
    fn may_repeat(&self, request: &Request) -> bool {
        // What does no harm is asked again of each that never said a word, for as long as a request waits.
        let may_go_on = !self.has_spoken && request.purpose.is_harmless();
        if request.is_repeated && !may_go_on && !planted!(self, RepeatedForEver) {
            return false;
        }
        match &request.purpose {
            Purpose::Call { tool, .. } => self.lists.is_repeatable(tool) || planted!(self, AllRepeated),
            other => other.is_harmless(),
        }
    }

    fn unknown_outcome(&self, request: &Request) -> String {
        let what = if matches!(request.purpose, Purpose::Call { .. }) { "call" } else { "request" };
        let times = if request.is_repeated { ", and so did the one that it was repeated with" } else { "" };
        let goes_on = if self.is_closed { "" } else { " The session goes on." };
        format!(
            "The server ended while this {what} was under way{times} ({}). It is not known whether the {what} took \
             effect: look before you repeat it.{goes_on}",
            self.last_words
        )
    }

    /// Answers everything that is open.
    pub(super) fn fail_all(&mut self, reason: &str, out: &mut Output) {
        for request in self.requests.take_all() {
            self.fail(&request, &format!("{reason} {}", request.outcome()), out);
        }
    }

    pub(super) fn over(&mut self, reason: Option<String>, out: &mut Output) {
        self.link = Link::Over;
        out.actions.push(Action::End(reason));
    }
}
