//! The pipes of a session, as rmcp's transport, with an end that is certain.
//!
//! Bytes <-> messages. Invariant: input is read on and on until its end is seen, except for a moment while too many
//! calls wait, and while answers cannot get out; and then the watchdog's stall clock runs. So whatever a client and an
//! engine do with the pipes, `Shutdown` is told in bounded time.

use std::future::ready;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{ClientJsonRpcMessage, ClientNotification, RequestId, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncRead, Sink, sink};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::answer::line;
use crate::in_flight::{InFlight, Request};
use crate::outbox::Outbox;
use crate::permits::Permits;
use crate::watchdog::Vitals;

/// Why and whether a session is over.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown {
    /// Input has ended: what runs may still answer.
    pub(crate) draining: CancellationToken,
    /// It is over now: what runs is cancelled.
    pub(crate) now: CancellationToken,
    reason: Arc<OnceLock<&'static str>>,
}

impl Shutdown {
    pub(crate) fn drain(&self, reason: &'static str) {
        let _ = self.reason.set(reason);
        self.draining.cancel();
    }

    pub(crate) fn finish(&self, reason: &'static str) {
        self.drain(reason);
        self.now.cancel();
    }

    pub(crate) fn reason(&self) -> &'static str {
        self.reason_or("closed")
    }

    pub(crate) fn reason_or(&self, other: &'static str) -> &'static str {
        self.reason.get().copied().unwrap_or(other)
    }
}

/// Answers that may be on their way out before no more requests are read.
const MAX_UNSENT: usize = 64;

/// Requests that are read in one go before those that were read get their turn: a task that finds its input ready
/// does not give way by itself.
const YIELD_EVERY: usize = 16;

/// How long a client that sends more calls than may wait is held back, before it is told to come again instead.
const BACKPRESSURE_TIMEOUT: Duration = Duration::from_secs(5);

/// A transport that tells `Shutdown` when the client is gone.
pub(crate) struct StdioTransport<R: AsyncRead> {
    inner: AsyncRwTransport<RoleServer, R, Sink>,
    outbox: Arc<Outbox>,
    in_flight: Arc<InFlight>,
    vitals: Arc<Vitals>,
    unsent: Arc<Permits>,
    /// For calls that run or wait.
    queue_permits: Arc<Permits>,
    /// The client was held back and no permit came free: read on, and let calls be refused, to see the end of input.
    overrun: bool,
    shutdown: Shutdown,
    reads: usize,
}

impl<R: AsyncRead + Send + Unpin> StdioTransport<R> {
    pub(crate) fn new(
        reader: R,
        outbox: Arc<Outbox>,
        in_flight: Arc<InFlight>,
        vitals: Arc<Vitals>,
        queue_permits: Arc<Permits>,
        shutdown: Shutdown,
    ) -> Self {
        Self {
            inner: AsyncRwTransport::new(reader, sink()),
            outbox,
            in_flight,
            vitals,
            unsent: Permits::new(MAX_UNSENT),
            queue_permits,
            overrun: false,
            shutdown,
            reads: 0,
        }
    }

    /// Notes what was read.
    fn on_message(&self, message: &ClientJsonRpcMessage) {
        match message {
            ClientJsonRpcMessage::Request(it) => {
                self.in_flight.insert(Request::new(it.id.clone(), &it.request));
                self.vitals.wake();
            }
            ClientJsonRpcMessage::Notification(it) => {
                if let ClientNotification::CancelledNotification(cancelled) = &it.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.in_flight.cancel(id);
                }
            }
            _ => {}
        }
    }

    /// Waits until the requests of another turn find permits, but not for ever. May be dropped and called again.
    async fn apply_backpressure(&mut self) {
        self.overrun = if self.overrun {
            !self.queue_permits.are_available(YIELD_EVERY)
        } else {
            timeout(BACKPRESSURE_TIMEOUT, self.queue_permits.available(YIELD_EVERY)).await.is_err()
        };
    }
}

/// The request that a message answers.
fn answered(message: &ServerJsonRpcMessage) -> Option<&RequestId> {
    match message {
        ServerJsonRpcMessage::Response(it) => Some(&it.id),
        ServerJsonRpcMessage::Error(it) => it.id.as_ref(),
        _ => None,
    }
}

impl<R: AsyncRead + Send + Unpin> Transport<RoleServer> for StdioTransport<R> {
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        if answered(&message).is_some_and(|id| self.in_flight.take(id).is_none()) {
            return ready(Ok(())); // the watchdog has answered it
        }
        let sent = self.outbox.send(&line(&message), Some(self.unsent.acquire()));
        match sent {
            Ok(true) => {}
            Ok(false) => self.vitals.wake(),
            Err(_) => self.shutdown.finish("the client takes no more answers"),
        }
        ready(sent.map(drop))
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        self.unsent.available(1).await;
        self.apply_backpressure().await;
        self.reads += 1;
        if self.reads.is_multiple_of(YIELD_EVERY) {
            tokio::task::yield_now().await;
        }
        let message = self.inner.receive().await;
        match &message {
            Some(message) => self.on_message(message),
            None => self.shutdown.drain("the client closed its end"),
        }
        message
    }

    async fn close(&mut self) -> io::Result<()> {
        self.outbox.drain().await
    }
}
