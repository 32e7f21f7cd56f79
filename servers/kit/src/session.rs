//! One MCP session on stdin and stdout: from the first byte to an end that is certain.
//!
//! A server, options and a log -> done, or the reason why it had to be ended. Invariant: once input has ended, a signal has
//! come or output is stuck, the session lives no longer than `SHUTDOWN_TIMEOUT`, or the watchdog ends it; where input has
//! ended and its client goes on taking answers, as long as it does. Its process stays, empty, until its output is read
//! (`drain_stdout`).

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use drydock_runtime::args::Options;
use drydock_runtime::client_pipes::ClientPipes;
use drydock_runtime::panic_hook;
use drydock_runtime::session::Session;
use rmcp::service::ServerInitializeError;
use rmcp::{ServerHandler, ServiceExt};
use tokio::time::sleep;

use crate::call_limiter::CallLimiter;
use crate::draining;
use crate::ending::Ending;
use crate::error::Error;
use crate::in_flight::InFlight;
use crate::input;
use crate::outbox::Outbox;
use crate::stdio_transport::{Shutdown, StdioTransport};
use crate::watchdog::{Vitals, Watchdog};

/// Whose process a session runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    /// Its own: it takes the signals, and ends the process where it cannot end otherwise.
    Own,
    /// A test's, which goes on.
    #[cfg(feature = "testing")]
    Test,
}

/// Calls that are under way when input ends may still answer: rmcp waits 5 s for them.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(6);

/// What the session's thread and its watchdog share.
#[derive(Clone)]
struct Shared {
    in_flight: Arc<InFlight>,
    outbox: Arc<Outbox>,
    shutdown: Shutdown,
}

pub(crate) fn run<H: ServerHandler>(
    server: H,
    options: &Options,
    session: &Arc<Session>,
    pipes: &Arc<ClientPipes>,
    process: Process,
) -> Result<(), Error> {
    // One thread: a session is one client's, and its work is waiting. Another watches over it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
    let outbox = Outbox::new(pipes.output().map_err(Error::Start)?);
    let shared =
        Shared { in_flight: Arc::default(), outbox: Arc::new(outbox), shutdown: Shutdown::default() };
    let Shared { in_flight, outbox, shutdown } = &shared;
    let ending = Ending::new(in_flight.clone(), outbox.clone(), session.clone(), pipes.clone());
    let ending = Arc::new(ending);
    let watchdog = Watchdog::start(shutdown, &ending, options, process)?;
    if cfg!(panic = "abort") {
        let ending = ending.clone();
        panic_hook::install(session.log().clone(), move |place| ending.panicked(place));
    }
    session.log().info("session started");
    let result = runtime.block_on(serve(server, options, session, &shared, watchdog.vitals.clone(), pipes));
    // Not awaited: a thread may be stuck in a read of stdin or a look-up of a host, and must not keep us.
    runtime.shutdown_background();
    watchdog.stop();
    let secs = ending.start.elapsed().as_secs_f64();
    match &result {
        _ if !ending.take() => {} // it is told already
        Ok(()) => session.log().info(&format!("session ended after {secs:.1} s: {}", shutdown.reason())),
        Err(problem) => session.log().warn(&format!("session ended after {secs:.1} s: {problem}")),
    }
    result
}

async fn serve<H: ServerHandler>(
    server: H,
    options: &Options,
    session: &Session,
    shared: &Shared,
    vitals: Arc<Vitals>,
    pipes: &ClientPipes,
) -> Result<(), Error> {
    let Shared { in_flight, outbox, shutdown } = shared.clone();
    draining::begin(&shutdown.draining);
    let limiter = CallLimiter::new(server, options, session.log().clone(), in_flight.clone(), vitals.clone());
    let permits = limiter.queue_permits();
    let reader = input::open(pipes.stdin()).map_err(Error::Start)?;
    let log = session.log().clone();
    let transport = StdioTransport::new(
        reader,
        outbox.clone(),
        in_flight,
        vitals.clone(),
        permits,
        shutdown.clone(),
        log,
    );
    let served = async {
        match limiter.serve_with_ct(transport, shutdown.now.clone()).await {
            Ok(running) => running.waiting().await.map(drop).map_err(Error::Task),
            Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
            Err(e) => Err(Error::Handshake(Box::new(e))),
        }
    };
    let too_late = async {
        shutdown.draining.cancelled().await;
        // A slow reader has its answers, as long as it takes some and no signal asks for the end.
        loop {
            let (before, _) = outbox.progress();
            sleep(SHUTDOWN_TIMEOUT).await;
            let (written, is_waiting) = outbox.progress();
            if !is_waiting || written == before || shutdown.now.is_cancelled() {
                return;
            }
        }
    };
    let writing = async {
        if outbox.run().await.is_err() {
            shutdown.finish("the client takes no more answers");
        }
        pending::<()>().await;
    };
    tokio::select! {
        result = served => result,
        () = too_late => Ok(()),
        () = writing => Ok(()),
        () = vitals.respond() => Ok(()),
    }
}
