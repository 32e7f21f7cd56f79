//! One MCP session on stdin and stdout: from the first byte to an end that is certain.
//!
//! A server and options -> done, or the reason why it had to be ended. Invariant: once input has ended, a signal has
//! come or output is stuck, the session lives no longer than `GRACE`; its process, empty, until its output is read (`linger`).

use std::io;
use std::time::{Duration, Instant};

use drydock_runtime::args::Options;
use drydock_runtime::log;
use rmcp::service::ServerInitializeError;
use rmcp::transport::io::stdio_pipes;
use rmcp::{ServerHandler, ServiceExt};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::guard::Guard;
use crate::wire::{End, Wire};

/// Calls that are under way when input ends may still answer: rmcp waits 5 s for them.
const GRACE: Duration = Duration::from_secs(6);

pub(crate) fn run<H: ServerHandler>(server: H, options: &Options) -> Result<(), String> {
    // One thread: a session is one client's, and its work is waiting.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("cannot start a session: {e}"))?;
    let start = Instant::now();
    let end = End::default();
    let result = runtime.block_on(session(server, options, end.clone()));
    // Not awaited: a thread may be stuck in a read of stdin or a look-up of a host, and must not keep us.
    runtime.shutdown_background();
    let secs = start.elapsed().as_secs_f64();
    match &result {
        Ok(()) => log::info(&format!("session ended after {secs:.1} s: {}", end.reason())),
        Err(problem) => log::warn(&format!("session ended after {secs:.1} s: {problem}")),
    }
    result
}

async fn session<H: ServerHandler>(server: H, options: &Options, end: End) -> Result<(), String> {
    watch_signals(end.clone()).map_err(|e| format!("cannot catch signals: {e}"))?;
    log::info("session started");
    let (reader, writer) = stdio_pipes();
    let guard = Guard::new(server, options);
    let wire = Wire::new(reader, writer, guard.places(), end.clone(), options.stall_timeout);
    let served = async {
        match guard.serve_with_ct(wire, end.now.clone()).await {
            Ok(running) => running.waiting().await.map(drop).map_err(|e| e.to_string()),
            Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
            Err(e) => Err(format!("no handshake: {e}")),
        }
    };
    let too_late = async {
        end.draining.cancelled().await;
        sleep(GRACE).await;
    };
    tokio::select! {
        result = served => result,
        () = too_late => Ok(()),
    }
}

fn watch_signals(end: End) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => end.finish("SIGTERM"),
            _ = interrupt.recv() => end.finish("SIGINT"),
        }
    });
    Ok(())
}
