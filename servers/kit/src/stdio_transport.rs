//! The pipes of a session, as rmcp's transport, with an end that is certain.
//!
//! Bytes <-> messages. Invariant: input is read on and on until its end is seen, except for a moment while too many
//! calls wait, and while answers cannot get out; and then the watchdog's stall clock runs. So whatever a client and an
//! engine do with the pipes, `Shutdown` is told in bounded time.

use std::future::ready;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use drydock_runtime::log::{self, Level, Log, Outcome};
use rmcp::RoleServer;
use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, ClientJsonRpcMessage, ClientNotification,
    ClientRequest, ErrorCode, RequestId, ServerJsonRpcMessage,
};
use rmcp::transport::Transport;
use tokio::io::AsyncRead;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::answer::{answer_line, error_line, line};
use crate::frame::{self, Frame, Id};
use crate::in_flight::{InFlight, Refusal, Request};
use crate::line_reader::{Line, LineReader};
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

/// JSON-RPC leaves -32000 to -32099 to servers.
const SERVER_BUSY: ErrorCode = ErrorCode(-32000);

/// Requests that are read in one go before those that were read get their turn: a task that finds its input ready
/// does not give way by itself.
const YIELD_EVERY: usize = 16;

/// How long a client that sends more calls than may wait is held back, before it is told to come again instead.
const BACKPRESSURE_TIMEOUT: Duration = Duration::from_secs(5);

/// A transport that tells `Shutdown` when the client is gone.
pub(crate) struct StdioTransport<R: AsyncRead> {
    lines: LineReader<R>,
    outbox: Arc<Outbox>,
    in_flight: Arc<InFlight>,
    vitals: Arc<Vitals>,
    unsent: Arc<Permits>,
    /// For calls that run or wait.
    queue_permits: Arc<Permits>,
    /// The client was held back and no permit came free: read on, and let calls be refused, to see the end of input.
    overrun: bool,
    shutdown: Shutdown,
    log: Log,
    reads: usize,
    /// Ids that rmcp cannot hold, so far.
    raw_ids: u64,
}

impl<R: AsyncRead + Send + Unpin> StdioTransport<R> {
    pub(crate) fn new(
        reader: R,
        outbox: Arc<Outbox>,
        in_flight: Arc<InFlight>,
        vitals: Arc<Vitals>,
        queue_permits: Arc<Permits>,
        shutdown: Shutdown,
        log: Log,
    ) -> Self {
        Self {
            lines: LineReader::new(reader),
            outbox,
            in_flight,
            vitals,
            unsent: Permits::new(MAX_UNSENT),
            queue_permits,
            overrun: false,
            shutdown,
            log,
            reads: 0,
            raw_ids: 0,
        }
    }

    /// What rmcp gets of a line, if anything.
    fn on_frame(&mut self, frame: Frame) -> Option<ClientJsonRpcMessage> {
        match frame {
            Frame::Request { id, request } => self.on_request(id, *request),
            Frame::Message(message) => {
                self.on_message(&message);
                Some(*message)
            }
            Frame::Refused { ids, code, reason } => {
                for id in ids {
                    self.refuse(&id, code, reason.clone());
                }
                None
            }
            Frame::Skipped(why) => {
                self.log.warn(why);
                None
            }
            Frame::Nothing => None,
        }
    }

    fn on_request(&mut self, id: Id, request: ClientRequest) -> Option<ClientJsonRpcMessage> {
        let (key, raw) = match id {
            Id::Plain(id) => (id, None),
            Id::Raw(raw) => {
                self.raw_ids += 1;
                (RequestId::String(format!("drydock {}", self.raw_ids).into()), Some(raw))
            }
        };
        let id =
            || raw.as_deref().map_or_else(|| serde_json::to_string(&key).unwrap_or_default(), str::to_owned);
        match self.in_flight.insert(Request::new(key.clone(), raw.clone(), &request)) {
            Ok(()) => {
                if self.log.is_enabled(Level::Debug)
                    && let Some(request) = self.in_flight.get(&key)
                {
                    self.log.debug(&format!("{} begins", request.name()));
                }
                self.vitals.wake();
                return Some(ClientJsonRpcMessage::request(request, key));
            }
            Err(Refusal::Duplicate) => {
                let reason = "a request with this id is still under way".into();
                self.refuse(&id(), ErrorCode::INVALID_REQUEST, reason);
            }
            Err(Refusal::TooMany) => {
                self.refuse(&id(), SERVER_BUSY, "the server is busy: too many requests are open".into());
            }
        }
        None
    }

    fn on_message(&self, message: &ClientJsonRpcMessage) {
        if let ClientJsonRpcMessage::Notification(it) = message
            && let ClientNotification::CancelledNotification(cancelled) = &it.notification
            && let Some(id) = &cancelled.params.request_id
        {
            self.in_flight.cancel(id);
        }
    }

    /// Answers a request that rmcp does not see.
    fn refuse(&self, id: &str, code: ErrorCode, reason: String) {
        self.log.request(log::Request {
            method: "refused",
            tool: None,
            id: id.trim_matches('"'),
            elapsed: Duration::ZERO,
            outcome: &Outcome::ProtocolError(code.0.to_string().into()),
        });
        let _ = self.write(&error_line(id, code, reason));
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        let sent = self.outbox.send(line, Some(self.unsent.acquire()));
        match sent {
            Ok(true) => {}
            Ok(false) => self.vitals.wake(),
            Err(_) => self.shutdown.finish("the client takes no more answers"),
        }
        sent.map(drop)
    }

    /// Reads a line; `None` at the end of input.
    async fn read(&mut self) -> Option<Frame> {
        let line = match self.lines.next().await {
            Ok(Some(Line::Whole(line))) => line,
            Ok(Some(Line::TooLong(salvage))) => return Some(frame::too_long(salvage)),
            Ok(None) | Err(_) => return None,
        };
        if self.raw_ids > 0
            && let Some(raw) = frame::cancelled_raw_id(line)
            && let Some(id) = self.in_flight.id_of_raw(&raw)
        {
            let params = CancelledNotificationParam::new(Some(id), None);
            let cancelled = ClientNotification::CancelledNotification(CancelledNotification::new(params));
            return Some(Frame::Message(Box::new(ClientJsonRpcMessage::notification(cancelled))));
        }
        Some(frame::read(line))
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
        mut message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let line = match answered(&message).map(|id| self.in_flight.take(id)) {
            None => line(&message),
            Some(Some(request)) => answer_line(&request, &mut message),
            Some(None) => return ready(Ok(())), // the watchdog has answered it
        };
        ready(self.write(&line))
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            self.unsent.available(1).await;
            self.apply_backpressure().await;
            self.reads += 1;
            if self.reads.is_multiple_of(YIELD_EVERY) {
                tokio::task::yield_now().await;
            }
            let Some(frame) = self.read().await else {
                self.shutdown.drain("the client closed its end");
                return None;
            };
            if let Some(message) = self.on_frame(frame) {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.outbox.drain().await
    }
}
