//! The log of the session that runs, for the code of tools.
//!
//! Text -> a line with the session's number, to where the server logs. Invariant: a line belongs to the session whose request
//! (or whose start) wrote it; one from a task or thread that a tool has started belongs to the process. Never log arguments
//! or results.
//!
//! ```
//! drydock_kit::log::warn("the weather service answers slowly"); // in a tool: a line; here: nothing
//! ```

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::OnceLock;

pub use drydock_runtime::log::escape;
use drydock_runtime::log::{Level, Log};

tokio::task_local! {
    static CURRENT: Log;
}

/// For what runs outside of a request. It is the process's, and where that is one session, the session's.
static PROCESS: OnceLock<Log> = OnceLock::new();

/// From now on, what is logged outside of a request goes here.
pub(crate) fn set_process_log(log: Log) {
    let _ = PROCESS.set(log); // a process is either one session or `serve`
}

/// Runs the start of a session, or of `serve`.
pub(crate) fn sync_scope<T>(log: &Log, work: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(log.clone(), work)
}

/// Takes the log along to another thread.
pub(crate) fn carry<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let log = CURRENT.try_with(Clone::clone).ok();
    move || match log {
        Some(log) => sync_scope(&log, work),
        None => work(),
    }
}

/// Runs a request of a session. Pinned, since tokio's own `scope` moves the future: 12,000 instructions a call.
pub(crate) async fn scope<T>(log: &Log, mut work: Pin<&mut (impl Future<Output = T> + ?Sized)>) -> T {
    poll_fn(|cx| sync_scope(log, || work.as_mut().poll(cx))).await
}

/// Logs that something does not work.
pub fn error(text: &str) {
    with(|log| log.error(text));
}

/// Logs that something went wrong, and the rest goes on.
pub fn warn(text: &str) {
    with(|log| log.warn(text));
}

/// Logs what happens.
pub fn info(text: &str) {
    with(|log| log.info(text));
}

/// Logs what happens, in detail.
pub fn debug(text: &str) {
    with(|log| log.debug(text));
}

/// Whether `debug` lines are written; lets a tool skip the work of making one.
#[must_use]
pub fn is_debug_enabled() -> bool {
    let is_enabled = |log: &Log| log.is_enabled(Level::Debug);
    CURRENT.try_with(is_enabled).ok().or_else(|| PROCESS.get().map(is_enabled)).unwrap_or(false)
}

fn with(write: impl Fn(&Log)) {
    if CURRENT.try_with(&write).is_err()
        && let Some(log) = PROCESS.get()
    {
        write(log);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use drydock_runtime::log::Format;

    use super::*;

    #[tokio::test]
    async fn a_request_has_the_log_of_its_session() {
        let log = Log::new(Level::Error, Format::Human, None);
        let session = || CURRENT.try_with(|it| it.session()).ok();
        assert_eq!(session(), None);
        let (one, two) = (log.of_session(1), log.of_session(2));
        let both = pin!(async {
            let outer = session();
            tokio::task::yield_now().await;
            (outer, scope(&two, pin!(async { session() })).await, session())
        });
        assert_eq!(scope(&one, both).await, (Some(Some(1)), Some(Some(2)), Some(Some(1))));
        assert_eq!(sync_scope(&two, session), Some(Some(2)));
        assert!(!sync_scope(&two, is_debug_enabled));
    }

    #[test]
    fn what_runs_outside_of_a_request_has_the_log_of_the_process() {
        set_process_log(Log::new(Level::Debug, Format::Human, None));
        let in_a_thread = std::thread::spawn(is_debug_enabled).join().unwrap();
        assert!(in_a_thread);
        assert!(!sync_scope(&Log::new(Level::Error, Format::Human, None), is_debug_enabled));
    }
}
