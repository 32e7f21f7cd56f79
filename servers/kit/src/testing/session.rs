//! The server's side: its session, on threads of its own.
//!
//! What makes a server -> a session over two pipes, and how it ended. Invariant: it is the session of a server's own process, but
//! for the process: signals are not its, and it never ends what is not.

use std::any::Any;
use std::io::{self, PipeReader, PipeWriter};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use drydock_contract::env;
use drydock_runtime::args::Options;
use drydock_runtime::client_pipes::ClientPipes;
use drydock_runtime::log::{Format, Log};
use rmcp::ServerHandler;

use crate::error::Error;
use crate::session::Process;

/// A session has ended by then, or its watchdog has given it up: its thread is blocked.
const END_TIMEOUT: Duration = Duration::from_secs(20);

/// The client's ends: what it reads, and where it writes.
pub(super) type ClientEnds = (PipeReader, PipeWriter);

type Ended = Result<Result<(), Error>, Box<dyn Any + Send>>;

#[derive(Debug)]
pub(super) struct Session(Mutex<Receiver<Ended>>);

impl Session {
    #[track_caller]
    pub(super) fn start<H: ServerHandler>(server: impl FnOnce() -> H + Send + 'static) -> (Self, ClientEnds) {
        let (stdin, input) = io::pipe().expect("no more pipes are to be had");
        let (output, stdout) = io::pipe().expect("no more pipes are to be had");
        let pipes = Arc::new(ClientPipes::new(stdin.into(), stdout.into()));
        let (tell, ended) = channel();
        let work = move || {
            let session = Arc::new(drydock_runtime::session::Session::standalone(&log()));
            let options = Options::default();
            crate::serve_client(server, &options, &session, &pipes, Process::Test)
        };
        // What it prints is the test's, as that of any thread that a test starts.
        thread::spawn(move || tell.send(catch_unwind(AssertUnwindSafe(work))));
        (Self(Mutex::new(ended)), (output, input))
    }

    fn wait(&self, timeout: Duration) -> Result<Ended, RecvTimeoutError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(timeout)
    }

    /// Why it has ended, or is about to, if that is not the client's doing.
    pub(super) fn why(&self) -> Option<String> {
        match self.wait(Duration::from_secs(2)).ok()? {
            Err(_) => Some("making it panicked; where and why stands above".to_owned()),
            Ok(Err(problem)) => Some(problem.to_string()),
            Ok(Ok(())) => None,
        }
    }
}

/// Only where somebody wants to read it.
fn log() -> Log {
    let level = std::env::var(env::LOG).ok().and_then(|it| it.parse().ok());
    level.map_or_else(Log::discard, |level| Log::new(level, Format::Human, None))
}

impl Drop for Session {
    fn drop(&mut self) {
        let is_blocked = matches!(self.wait(END_TIMEOUT), Err(RecvTimeoutError::Timeout));
        if is_blocked && !thread::panicking() {
            panic!(
                "the session does not end with its client: a tool blocks its thread; what blocks belongs into \
                 `drydock_kit::blocking`"
            );
        }
    }
}
