//! A session that stays while the server behind it is replaced: what to send where, and nothing of how.
//!
//! Lines, ends and time -> lines and [`Action`]s. There is no clock, no pipe and no process in here: whoever has them calls
//! in, and does what [`Output`] says. So every order of events can be tried, in a test, a million times.
//!
//! Invariants: each request of the client gets one answer with its id, unless it cancelled it or is gone; what may have
//! taken effect is not sent a second time, unless its tool says that this does no harm; and nothing that was meant for one
//! server ever reaches another.
//!
//! What was written to a `docker exec` has not reached a server: there may be no such container. So of requests, a server of which
//! nothing was heard gets only those that are harmless, and everything else waits; but for a client that neither begins with
//! `initialize` nor speaks revision 2026-07-28, since there is nothing that could be asked before.
//!
//! ```
//! use std::time::Duration;
//! use drydock_proxy::{Action, Output, Session, Settings};
//!
//! let (mut session, mut out) = (Session::new(Settings::default()), Output::default());
//! session.begin(&mut out);
//! assert_eq!(out.actions, [Action::Start { generation: 1 }]);
//! session.on_started(Duration::ZERO, 1, &mut out);
//! session.on_client_line(Duration::ZERO, r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#, &mut out);
//! session.on_server_line(Duration::ZERO, 1, r#"{"jsonrpc":"2.0","id":7,"result":{}}"#, &mut out);
//! assert_eq!(out.to_client, b"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n");
//! ```

mod client;
mod end;
mod server;
mod start;

use std::collections::HashMap;
use std::time::Duration;

use crate::Time;
use crate::callbacks::Callbacks;
use crate::frame::Id;
use crate::handshake::Handshake;
use crate::lists::{ListKind, Lists};
use crate::messages;
use crate::method::Purpose;
use crate::requests::{Request, Requests};

/// What a session may take.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a request waits for a server before it is answered with an error.
    pub wait: Duration,
    /// How many requests and notifications wait for a server; one more is answered with an error, or dropped.
    pub max_waiting: usize,
    /// How many requests may be without an answer.
    pub max_requests: usize,
    /// How many bytes of them, and of what waits.
    pub max_bytes: usize,
    /// What ids of ours begin with: not the same where one session holds another.
    pub prefix: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(30),
            max_waiting: 256,
            max_requests: 10_000,
            max_bytes: 64 << 20,
            prefix: "drydock-hold:".to_owned(),
        }
    }
}

/// What is to be done, in this order; the bytes first.
#[derive(Debug, Default)]
pub struct Output {
    /// For the client, after what it was given before.
    pub to_client: Vec<u8>,
    /// For the server that is there. What is left of it when that server ends is for nobody.
    pub to_server: Vec<u8>,
    /// Everything else.
    pub actions: Vec<Action>,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Start a server; then call [`Session::on_started`] or [`Session::on_gone`].
    Start {
        /// Its number, from 1.
        generation: u64,
    },
    /// End the server that is there, for this reason; then call [`Session::on_gone`].
    Stop(String),
    /// Close the server's input, after what is to be written to it.
    CloseInput,
    /// Tell whoever reads the log.
    Note(String),
    /// The session is over; why, if that is not that the client has gone.
    End(Option<String>),
}

/// Where the server is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Link {
    /// There is none; the next is started then.
    Down { start_at: Time },
    /// It was asked for.
    Starting,
    /// It is told what the one before was told.
    Handshaking { until: Time },
    /// Nothing was heard of it, and there was no handshake that it could be told.
    Silent,
    /// It takes requests.
    Up,
    /// It was told to end.
    Stopping,
    /// No other will be started.
    Over,
}

/// What a request of ours is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    Initialize,
    /// Whether it is there at all.
    Probe,
    Restore,
    List(ListKind),
}

/// The session.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    link: Link,
    generation: u64,
    /// Bytes that the server was given.
    given: u64,
    handshake: Handshake,
    requests: Requests,
    callbacks: Callbacks,
    lists: Lists,
    own: HashMap<Id, Own>,
    last_own: u64,
    /// What a request of ours carries in `_meta` for a client of revision 2026-07-28; its text.
    modern_meta: Option<String>,
    /// The client has closed its end.
    is_closed: bool,
    /// The client has sent this server what is no JSON-RPC: there may be answers to what we do not know.
    has_unknown_input: bool,
    /// Servers that ended at once and were of no use, one after the other.
    failures: u32,
    /// When the server was started.
    started_at: Time,
    /// The server has said something.
    has_spoken: bool,
    /// When the server was asked whether it is there.
    probed_at: Option<Time>,
    /// The server has answered a request of the client.
    is_useful: bool,
    /// The server was given the client's `notifications/initialized`.
    is_initialized: bool,
    /// How the last server ended.
    last_words: String,
    #[cfg(test)]
    pub(crate) planted: Option<crate::simulation::Bug>,
}

impl Session {
    /// A session of which nothing has happened.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            callbacks: Callbacks::new(&settings.prefix),
            settings,
            link: Link::Down { start_at: Time::ZERO },
            generation: 0,
            given: 0,
            handshake: Handshake::default(),
            requests: Requests::default(),
            lists: Lists::default(),
            own: HashMap::new(),
            last_own: 0,
            modern_meta: None,
            is_closed: false,
            has_unknown_input: false,
            failures: 0,
            started_at: Time::ZERO,
            has_spoken: false,
            probed_at: None,
            is_useful: false,
            is_initialized: false,
            last_words: String::new(),
            #[cfg(test)]
            planted: None,
        }
    }

    /// Asks for the first server.
    pub fn begin(&mut self, out: &mut Output) {
        self.start(Time::ZERO, out);
    }

    /// Whether no request waits for an answer.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.requests.len() == 0
    }

    /// When [`on_time`](Self::on_time) is to be called, if nothing happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let link = match self.link {
            Link::Down { start_at } => Some(start_at),
            Link::Handshaking { until } => Some(until),
            Link::Silent => self.probed_at.map(|it| it + self.settings.wait),
            Link::Starting | Link::Up | Link::Stopping | Link::Over => None,
        };
        let waiting = self.requests.oldest_waiting().map(|it| it + self.settings.wait);
        link.into_iter().chain(waiting).chain(self.requests.next_last_word()).min()
    }

    /// Does what time alone decides.
    pub fn on_time(&mut self, now: Time, out: &mut Output) {
        match self.link {
            Link::Down { start_at } if start_at <= now => self.start(now, out),
            Link::Handshaking { until } if until <= now => self.stop("it does not answer `initialize`", out),
            Link::Silent if self.probed_at.is_some_and(|it| it + self.settings.wait <= now) => {
                self.stop("it does not answer", out);
            }
            _ => {}
        }
        self.expire(now, out);
        for id in self.requests.ended_streams(now) {
            if let Some((line, _)) = self.requests.remove(&id).and_then(|it| it.last_word) {
                out.tell(&line);
            }
        }
    }

    /// Answers what has waited long enough.
    fn expire(&mut self, now: Time, out: &mut Output) {
        let Some(since) = now.checked_sub(self.settings.wait) else { return };
        if planted!(self, NeverExpires) {
            return;
        }
        for id in self.requests.waiting_since(since) {
            if let Some(request) = self.requests.remove(&id) {
                let secs = self.settings.wait.as_secs();
                let words =
                    if self.last_words.is_empty() { "nothing was heard of it" } else { &self.last_words };
                let reason = format!("No server has answered for {secs} s ({words}). {}", request.outcome());
                self.fail(&request, &reason, out);
            }
        }
    }

    /// Gives the server a line. Where its message ends: whoever reads it may take it for whole without the line break.
    fn give(&mut self, line: &str, out: &mut Output) -> u64 {
        let line = line.trim_ascii_end();
        out.to_server.extend_from_slice(line.as_bytes());
        out.to_server.push(b'\n');
        let end = self.given + line.len() as u64;
        self.given = end + 1;
        if planted!(self, LineBreakCounts) { self.given } else { end }
    }

    /// Answers a request of the client with an error.
    fn fail(&self, request: &Request, reason: &str, out: &mut Output) {
        out.tell(&match request.purpose {
            Purpose::Ping => messages::pong(&request.id), // who asks wants to know whether the session lives
            Purpose::Call { is_task: false, .. } => {
                messages::tool_error(&request.id, reason, request.is_modern)
            }
            _ => messages::error(&request.id, messages::INTERNAL_ERROR, reason),
        });
    }

    /// Ends the server that is there.
    fn stop(&mut self, reason: &str, out: &mut Output) {
        self.link = Link::Stopping;
        out.actions.push(Action::Stop(reason.to_owned()));
    }
}

impl Output {
    /// Gives the client a line.
    fn tell(&mut self, line: &str) {
        self.to_client.extend_from_slice(line.as_bytes());
        self.to_client.push(b'\n');
    }

    fn note(&mut self, text: impl Into<String>) {
        self.actions.push(Action::Note(text.into()));
    }
}

#[cfg(test)]
mod tests;
