//! What time alone decides for a held session.
//!
//! How long nothing has moved -> its end, or its server's. Invariant: nothing is ended while its bytes move, but for a server that
//! goes on for the whole stall time-out after its client has closed its end, or for 30 s after it has closed its own input.

use std::time::{Duration, Instant};

use drydock_runtime::stall::{POLL_INTERVAL, StallStatus, hung_up};

use super::{CLIENT_GONE, Hold, MAX_BACKLOG};
use crate::server_process::{Ending, ServerProcess};

/// After the client has closed its end: for requests under way, and for a server that has none. Counted from the last byte.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

impl Hold<'_> {
    /// When `on_time` has to be called again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let is_blocked = !self.to_client.is_empty() || !self.to_server.is_empty();
        let tick = is_blocked.then(|| Instant::now() + POLL_INTERVAL);
        let session = self.session.deadline().map(|it| self.began + it);
        let server = self.server.as_ref().and_then(ServerProcess::deadline);
        let endings = self.endings.iter().map(Ending::deadline);
        tick.into_iter().chain(session).chain(server).chain(self.drained_at()).chain(endings).min()
    }

    /// When the server has had its time after the client has closed its end. What waits for the client keeps us from reading:
    /// that time is the server's only up to the stall time-out.
    fn drained_at(&self) -> Option<Instant> {
        let closed_at =
            self.closed_at.filter(|_| self.server.as_ref().is_some_and(|it| it.output.is_some()))?;
        let timeout = if self.session.is_idle() { IDLE_TIMEOUT } else { DRAIN_TIMEOUT };
        let quiet = self.to_client.is_empty().then(|| self.last_progress + timeout);
        quiet.into_iter().chain([closed_at + self.options.stall_timeout]).min()
    }

    /// What time decides; why the session is over, if it is.
    pub(super) fn on_time(&mut self, now: Instant) -> Option<&'static str> {
        if let Some(reason) = self.blocked_too_long(now) {
            return Some(reason);
        }
        self.endings.retain_mut(|it| !it.is_over(now));
        if self.drained_at().is_some_and(|it| it <= now) {
            self.stop("its client has closed its end", now);
        }
        let is_read = self.to_client.len() < MAX_BACKLOG;
        if let Some(server) = &mut self.server {
            if !is_read {
                server.postpone(now);
            }
            if server.is_gone(now) {
                self.on_server_gone(now);
            }
        }
        self.session.on_time(now - self.began, &mut self.out);
        self.act();
        None
    }

    fn blocked_too_long(&mut self, now: Instant) -> Option<&'static str> {
        if !self.to_client.is_empty() {
            self.server_moved_at = now; // perhaps it waits for us to read
            return match self.stall.blocked(now, &self.stdin) {
                StallStatus::Waiting => None,
                StallStatus::ClientGone => Some(CLIENT_GONE),
                StallStatus::Stalled => Some("the client did not read for too long"),
            };
        }
        if self.to_server.is_empty() {
            return None;
        }
        let blocked_for = now.saturating_duration_since(self.server_moved_at);
        if blocked_for >= DRAIN_TIMEOUT && self.closed_at.is_some() {
            self.stop("it does not read what its client sent before it closed its end", now);
        } else if blocked_for >= DRAIN_TIMEOUT && hung_up(&self.stdin) {
            return Some("the client closed its end, and the server does not read what it sent");
        }
        if blocked_for >= self.options.stall_timeout {
            self.stop("it did not take its input for too long", now);
        }
        None
    }
}
