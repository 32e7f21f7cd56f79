//! The client's requests that are not answered, with the server or waiting for one.
//!
//! Requests and answers -> what is under way. Invariant: a request is in here from the moment it came until it is answered
//! or cancelled, and in no other place.

use std::collections::{HashMap, VecDeque};

use crate::Time;
use crate::frame::Id;
use crate::method::Purpose;

/// Cancelled requests that a server may still answer; the oldest is forgotten first.
const MAX_CANCELLED: usize = 1024;

/// One of them.
#[derive(Debug)]
pub(crate) struct Request {
    /// The id's text.
    pub(crate) id: String,
    /// The whole line, as the client wrote it.
    pub(crate) line: String,
    pub(crate) purpose: Purpose,
    /// It is one of revision 2026-07-28.
    pub(crate) is_modern: bool,
    pub(crate) place: Place,
    /// Since when it waits for an answer, or for one of a server that has shown that it works.
    pub(crate) since: Time,
    /// It was under way when a server ended, and was sent to the next one.
    pub(crate) is_repeated: bool,
    /// It was written to something that has ended.
    pub(crate) has_left: bool,
    /// What the client knows of how far it is.
    pub(crate) progress: Option<Progress>,
    /// Of a stream of notifications: what its server agreed to; the text.
    pub(crate) acknowledged: Option<String>,
    /// Of a stream of notifications: its end, and until when it is held back.
    pub(crate) last_word: Option<(String, Time)>,
}

impl Request {
    /// What is known of it, in words, where no server answers it any more.
    pub(crate) fn outcome(&self) -> &'static str {
        if !self.has_left {
            "It was not sent."
        } else if self.purpose.is_harmless() {
            "It does no harm to ask again."
        } else {
            "It was under way when a server ended: it is not known whether it took effect."
        }
    }

    /// Since when it has been waiting for a server. A stream that has begun waits for ever: nobody waits for its answer.
    fn expires_since(&self) -> Option<Time> {
        (self.place == Place::Waiting && self.acknowledged.is_none()).then_some(self.since)
    }
}

/// How far a request has come.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    /// The client's token.
    pub(crate) token: Id,
    pub(crate) last: f64,
}

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It waits for a server.
    Waiting,
    /// Its message ends with this byte of all that the server was given.
    Sent { end: u64 },
}

/// What waits for a server, in its order.
#[derive(Debug)]
pub(crate) enum Waiting {
    Request(Id),
    Notification(String),
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    open: HashMap<Id, Request>,
    /// Bytes of their lines.
    bytes: usize,
    queue: VecDeque<Waiting>,
    cancelled: VecDeque<Id>,
}

impl Requests {
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Bytes that are kept of all requests.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many requests and notifications wait for a server.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Whether any is with the server.
    pub(crate) fn is_any_sent(&self) -> bool {
        self.open.values().any(|it| matches!(it.place, Place::Sent { .. }))
    }

    pub(crate) fn get_mut(&mut self, id: &Id) -> Option<&mut Request> {
        self.open.get_mut(id)
    }

    pub(crate) fn contains(&self, id: &Id) -> bool {
        self.open.contains_key(id)
    }

    /// Keeps it; where it waits, behind all others.
    pub(crate) fn insert(&mut self, id: Id, request: Request) {
        self.bytes += request.line.len();
        if request.place == Place::Waiting {
            self.queue.push_back(Waiting::Request(id.clone()));
        }
        self.open.insert(id, request);
    }

    /// It is answered.
    pub(crate) fn remove(&mut self, id: &Id) -> Option<Request> {
        let request = self.open.remove(id)?;
        self.bytes -= request.line.len();
        if request.place == Place::Waiting {
            self.queue.retain(|it| !matches!(it, Waiting::Request(other) if other == id));
        }
        Some(request)
    }

    /// The client wants no answer any more. One may come all the same, and is then the client's.
    pub(crate) fn cancel(&mut self, id: &Id) -> Option<Request> {
        let request = self.remove(id)?;
        if matches!(request.place, Place::Sent { .. }) {
            self.cancelled.push_back(id.clone());
            if self.cancelled.len() > MAX_CANCELLED {
                self.cancelled.pop_front();
            }
        }
        Some(request)
    }

    /// Whether it was cancelled while it was with the server that is there.
    pub(crate) fn was_cancelled(&mut self, id: &Id) -> bool {
        let at = self.cancelled.iter().position(|it| it == id);
        at.is_some_and(|it| self.cancelled.remove(it).is_some())
    }

    /// A notification, behind what waits.
    pub(crate) fn wait_notification(&mut self, line: String) {
        self.bytes += line.len();
        self.queue.push_back(Waiting::Notification(line));
    }

    /// What waits first.
    pub(crate) fn first_waiting(&self) -> Option<&Purpose> {
        match self.queue.front()? {
            Waiting::Request(id) => self.open.get(id).map(|it| &it.purpose),
            Waiting::Notification(_) => None,
        }
    }

    /// Takes what waits first out of the queue.
    pub(crate) fn next_waiting(&mut self) -> Option<Waiting> {
        let first = self.queue.pop_front()?;
        if let Waiting::Notification(line) = &first {
            self.bytes -= line.len();
        }
        Some(first)
    }

    /// Takes out what was with the server, in the order in which it was sent, each with its last byte.
    pub(crate) fn take_sent(&mut self) -> Vec<(Id, u64, Request)> {
        self.cancelled.clear();
        let mut sent: Vec<_> = self
            .open
            .extract_if(|_, it| it.place != Place::Waiting)
            .map(|(id, request)| match request.place {
                Place::Sent { end } => (id, end, request),
                Place::Waiting => (id, 0, request),
            })
            .collect();
        sent.sort_by_key(|it| it.1);
        self.bytes -= sent.iter().map(|it| it.2.line.len()).sum::<usize>();
        sent
    }

    /// Takes out everything, in the order of the ids.
    pub(crate) fn take_all(&mut self) -> Vec<Request> {
        self.queue.clear();
        self.bytes = 0;
        let mut all: Vec<_> = self.open.drain().map(|it| it.1).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// Puts these before what waits, in their order.
    pub(crate) fn wait_first(&mut self, requests: Vec<(Id, Request)>) {
        for (id, request) in requests.into_iter().rev() {
            self.bytes += request.line.len();
            self.queue.push_front(Waiting::Request(id.clone()));
            self.open.insert(id, Request { place: Place::Waiting, ..request });
        }
    }

    /// What has waited since then or longer, in its order.
    pub(crate) fn waiting_since(&self, time: Time) -> Vec<Id> {
        let is_late = |it: &Request| it.expires_since().is_some_and(|since| since <= time);
        self.queue
            .iter()
            .filter_map(|it| match it {
                Waiting::Request(id) => Some(id),
                Waiting::Notification(_) => None,
            })
            .filter(|id| self.open.get(id).is_some_and(is_late))
            .cloned()
            .collect()
    }

    /// Since when the one that has waited longest does.
    pub(crate) fn oldest_waiting(&self) -> Option<Time> {
        self.open.values().filter_map(Request::expires_since).min()
    }

    /// The one whose progress is told with this token.
    pub(crate) fn by_token(&mut self, token: &Id) -> Option<&mut Request> {
        self.open.values_mut().find(|it| it.progress.as_ref().is_some_and(|it| it.token == *token))
    }

    /// The streams of notifications that a server has agreed to, in the order of their ids.
    pub(crate) fn streams(&self) -> Vec<&Request> {
        let mut streams: Vec<_> = self.open.values().filter(|it| it.acknowledged.is_some()).collect();
        streams.sort_by(|a, b| a.id.cmp(&b.id));
        streams
    }

    /// Until when the first of the ends that are held back is.
    pub(crate) fn next_last_word(&self) -> Option<Time> {
        self.open.values().filter_map(|it| Some(it.last_word.as_ref()?.1)).min()
    }

    /// The streams whose end was held back long enough.
    pub(crate) fn ended_streams(&self, now: Time) -> Vec<Id> {
        let is_due = |it: &Request| it.last_word.as_ref().is_some_and(|it| it.1 <= now);
        self.open.iter().filter(|it| is_due(it.1)).map(|it| it.0.clone()).collect()
    }
}
