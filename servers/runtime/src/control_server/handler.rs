//! In what the `serve` of one kind of `/mcp` differs from the others'.
//!
//! Events -> decisions. Invariant: no method waits for anything: all peers wait for it.

use std::convert::Infallible;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use drydock_contract::Health;

use crate::ipc::LineSocket;

/// Why a session is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub String);

/// In what the `serve` of one kind of `/mcp` differs from the others'.
///
/// ```
/// use drydock_runtime::contract::Health;
/// use drydock_runtime::control_server::Handler;
///
/// /// Not ready before its time; counts sessions that have a server of their own.
/// struct Starting;
///
/// impl Handler for Starting {
///     type Source = std::convert::Infallible; // nothing else is polled
///
///     fn health(&self) -> Health {
///         Health { reason: Some("it starts".into()), ..Health::default() }
///     }
/// }
/// ```
pub trait Handler {
    /// A name for a descriptor that the handler wants to hear of.
    type Source: Copy;

    /// The handler's part of the health record; sessions and lines that the server counts itself are added.
    fn health(&self) -> Health;

    /// Sessions that were given away by [`assign`](Self::assign) and are not over.
    fn sessions(&self) -> usize {
        0
    }

    /// How long a session may wait for a slot, counted from its request.
    fn slot_timeout(&self) -> Duration {
        Duration::ZERO
    }

    /// Gives a session its server by handing on its connection, which is closed here afterwards.
    ///
    /// # Errors
    /// Why not; the session is told.
    fn assign(&mut self, session: u64, connection: &LineSocket, now: Instant) -> Result<(), Refusal> {
        let _ = (session, connection, now);
        Err(Refusal("no server is given here".into()))
    }

    /// Descriptors to wait for.
    fn sources(&self) -> Vec<(Self::Source, BorrowedFd<'_>)> {
        Vec::new()
    }

    /// There is something to read.
    fn on_readable(&mut self, source: Self::Source, now: Instant) {
        let _ = (source, now);
    }

    /// When it wants to be woken, if nothing happens before.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Whenever something happened, before sessions that wait are given a server.
    fn before_assign(&mut self, now: Instant) {
        let _ = now;
    }

    /// Whenever something happened, after that, and once at the start.
    fn after_assign(&mut self, now: Instant) {
        let _ = now;
    }
}

/// Sessions are processes with a server of their own: always ready, they are only counted.
#[derive(Debug, Clone, Copy)]
pub struct CountOnly;

impl Handler for CountOnly {
    type Source = Infallible;

    fn health(&self) -> Health {
        Health { ready: true, ..Health::default() }
    }
}
