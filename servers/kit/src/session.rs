//! One MCP session on stdin and stdout: from the first byte to an end that is certain.
//!
//! A server, options and a log -> done, or the reason why it had to be ended. Invariant: once input has ended, a signal has
//! come or output is stuck, the session lives no longer than `SHUTDOWN_TIMEOUT`; its process, empty, until its output is read
//! (`drain_stdout`).

use std::io;
use std::time::{Duration, Instant};

use drydock_runtime::args::Options;
use drydock_runtime::log::Log;
use rmcp::service::ServerInitializeError;
use rmcp::transport::io::stdio_pipes;
use rmcp::{ServerHandler, ServiceExt};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::call_limiter::CallLimiter;
use crate::error::Error;
use crate::stdio_transport::{Shutdown, StdioTransport};

/// Calls that are under way when input ends may still answer: rmcp waits 5 s for them.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(6);

pub(crate) fn run<H: ServerHandler>(server: H, options: &Options, log: &Log) -> Result<(), Error> {
    // One thread: a session is one client's, and its work is waiting.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
    let start = Instant::now();
    let shutdown = Shutdown::default();
    let result = runtime.block_on(session(server, options, log, shutdown.clone()));
    // Not awaited: a thread may be stuck in a read of stdin or a look-up of a host, and must not keep us.
    runtime.shutdown_background();
    let secs = start.elapsed().as_secs_f64();
    match &result {
        Ok(()) => log.info(&format!("session ended after {secs:.1} s: {}", shutdown.reason())),
        Err(problem) => log.warn(&format!("session ended after {secs:.1} s: {problem}")),
    }
    result
}

async fn session<H: ServerHandler>(
    server: H,
    options: &Options,
    log: &Log,
    shutdown: Shutdown,
) -> Result<(), Error> {
    watch_signals(shutdown.clone()).map_err(Error::Signals)?;
    log.info("session started");
    let (reader, writer) = stdio_pipes();
    let limiter = CallLimiter::new(server, options, log.clone());
    let permits = limiter.queue_permits();
    let transport = StdioTransport::new(reader, writer, permits, shutdown.clone(), options.stall_timeout);
    let served = async {
        match limiter.serve_with_ct(transport, shutdown.now.clone()).await {
            Ok(running) => running.waiting().await.map(drop).map_err(Error::Task),
            Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
            Err(e) => Err(Error::Handshake(Box::new(e))),
        }
    };
    let too_late = async {
        shutdown.draining.cancelled().await;
        sleep(SHUTDOWN_TIMEOUT).await;
    };
    tokio::select! {
        result = served => result,
        () = too_late => Ok(()),
    }
}

fn watch_signals(shutdown: Shutdown) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => shutdown.finish("SIGTERM"),
            _ = interrupt.recv() => shutdown.finish("SIGINT"),
        }
    });
    Ok(())
}
