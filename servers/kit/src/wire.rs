//! The pipes of a session, as rmcp's transport, with an end that is certain.
//!
//! Bytes <-> messages. Invariants: memory is bounded (no request is read while too much work is under way), and
//! whatever the client and the engine do with the pipes, `End` is told in bounded time.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use drydock_contract::stall::{Stall, TICK, Verdict, hung_up};
use rmcp::RoleServer;
use rmcp::model::{ClientJsonRpcMessage, GetExtensions, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::CancellationToken;

use crate::load::Load;

/// Why and whether a session is over.
#[derive(Debug, Clone, Default)]
pub(crate) struct End {
    /// Input has ended: what runs may still answer.
    pub(crate) draining: CancellationToken,
    /// It is over now: what runs is cancelled.
    pub(crate) now: CancellationToken,
    reason: Arc<OnceLock<&'static str>>,
}

impl End {
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

/// A transport that takes no more than its load allows and tells `End` when the client is gone.
pub(crate) struct Wire<R: AsyncRead, W: AsyncWrite + Unpin> {
    inner: AsyncRwTransport<RoleServer, R, Output<W>>,
    load: Arc<Load>,
    end: End,
    /// How long requests that are still queued are served after their client has gone.
    patience: Duration,
    gone_since: Option<Instant>,
}

impl<R, W> Wire<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    pub(crate) fn new(reader: R, writer: W, load: Arc<Load>, end: End, patience: Duration) -> Self {
        let output = Output { inner: writer, stall: Stall::new(patience), tick: None, end: end.clone() };
        Self { inner: AsyncRwTransport::new(reader, output), load, end, patience, gone_since: None }
    }

    /// Waits for room; while there is none, watches for a client that has gone and will never take its answers.
    async fn room(&mut self) {
        loop {
            tokio::select! {
                biased;
                () = self.load.room() => return,
                () = sleep(TICK) => {}
            }
            if hung_up(io::stdin()) {
                let since = *self.gone_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= self.patience {
                    self.end.finish("the client is gone, its queued requests are dropped");
                }
            }
        }
    }
}

impl<R, W> Transport<RoleServer> for Wire<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let slot = self.load.take();
        let sending = self.inner.send(message);
        async move {
            let sent = sending.await;
            drop(slot);
            sent
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        self.room().await;
        let mut message = self.inner.receive().await;
        match &mut message {
            // The place is freed when the request's context goes, however its handler ends.
            Some(ClientJsonRpcMessage::Request(it)) => {
                it.request.extensions_mut().insert(self.load.take());
            }
            Some(_) => {}
            None => self.end.drain("the client closed its end"),
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
    stall: Stall,
    /// Set while output is blocked: when to look again.
    tick: Option<Pin<Box<Sleep>>>,
    end: End,
}

impl<W: Unpin> Output<W> {
    fn done<T>(&mut self, result: io::Result<T>) -> Poll<io::Result<T>> {
        self.tick = None;
        self.stall.moved();
        if result.is_err() {
            self.end.finish("the client takes no more answers");
        }
        Poll::Ready(result)
    }

    /// Output is blocked: waits for the next look, or gives up.
    fn blocked<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        loop {
            let reason = match self.stall.blocked(Instant::now(), io::stdin()) {
                Verdict::Wait => {
                    ready!(self.tick.get_or_insert_with(|| Box::pin(sleep(TICK))).as_mut().poll(cx));
                    self.tick = None;
                    continue;
                }
                Verdict::ClientGone => "the client is gone, its answers are dropped",
                Verdict::Stalled => "output was blocked for too long",
            };
            self.end.finish(reason);
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
