//! The pipes of a session, as rmcp's transport, with an end that is certain.
//!
//! Bytes <-> messages. Invariant: input is read on and on until its end is seen, except for a moment while too many
//! calls wait, and while answers cannot get out; and then the stall clock runs. So whatever a client and an engine do
//! with the pipes, `Shutdown` is told in bounded time.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use drydock_runtime::stall::{POLL_INTERVAL, StallClock, StallStatus};
use rmcp::RoleServer;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::permits::Permits;

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
        self.reason.get().copied().unwrap_or("closed")
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
pub(crate) struct StdioTransport<R: AsyncRead, W: AsyncWrite + Unpin> {
    inner: AsyncRwTransport<RoleServer, R, Output<W>>,
    unsent: Arc<Permits>,
    /// For calls that run or wait.
    queue_permits: Arc<Permits>,
    /// The client was held back and no permit came free: read on, and let calls be refused, to see the end of input.
    overrun: bool,
    shutdown: Shutdown,
    reads: usize,
}

impl<R, W> StdioTransport<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    /// `stall_timeout`: how long output may be blocked.
    pub(crate) fn new(
        reader: R,
        writer: W,
        queue_permits: Arc<Permits>,
        shutdown: Shutdown,
        stall_timeout: Duration,
    ) -> Self {
        let output = Output {
            inner: writer,
            stall: StallClock::new(stall_timeout),
            next_look: None,
            shutdown: shutdown.clone(),
        };
        let inner = AsyncRwTransport::new(reader, output);
        Self { inner, unsent: Permits::new(MAX_UNSENT), queue_permits, overrun: false, shutdown, reads: 0 }
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

impl<R, W> Transport<RoleServer> for StdioTransport<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let permit = self.unsent.acquire();
        let sending = self.inner.send(message);
        async move {
            let sent = sending.await;
            drop(permit);
            sent
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        self.unsent.available(1).await;
        self.apply_backpressure().await;
        self.reads += 1;
        if self.reads.is_multiple_of(YIELD_EVERY) {
            tokio::task::yield_now().await;
        }
        let message = self.inner.receive().await;
        if message.is_none() {
            self.shutdown.drain("the client closed its end");
        }
        message
    }

    fn close(&mut self) -> impl Future<Output = io::Result<()>> + Send {
        self.inner.close()
    }
}

/// Output that fails, instead of waiting for ever, once nobody will read it.
struct Output<W> {
    inner: W,
    stall: StallClock,
    /// Set while output is blocked: when to look again.
    next_look: Option<Pin<Box<Sleep>>>,
    shutdown: Shutdown,
}

impl<W: Unpin> Output<W> {
    fn done<T>(&mut self, result: io::Result<T>) -> Poll<io::Result<T>> {
        self.next_look = None;
        self.stall.moved();
        if result.is_err() {
            self.shutdown.finish("the client takes no more answers");
        }
        Poll::Ready(result)
    }

    /// Output is blocked: waits for the next look, or gives up.
    fn blocked<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        loop {
            let reason = match self.stall.blocked(Instant::now(), io::stdin()) {
                StallStatus::Waiting => {
                    ready!(
                        self.next_look
                            .get_or_insert_with(|| Box::pin(sleep(POLL_INTERVAL)))
                            .as_mut()
                            .poll(cx)
                    );
                    self.next_look = None;
                    continue;
                }
                StallStatus::ClientGone => "the client is gone, its answers are dropped",
                StallStatus::Stalled => "output was blocked for too long",
            };
            self.shutdown.finish(reason);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, reason)));
        }
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Output<W> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_write(cx, buf) {
            Poll::Ready(result) => this.done(result),
            Poll::Pending => this.blocked(cx),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_flush(cx) {
            Poll::Ready(result) => this.done(result),
            Poll::Pending => this.blocked(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
