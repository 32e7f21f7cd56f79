//! The log of the session that runs, for the code of tools.
//!
//! Text -> a line with the session's number, to where the server logs. Invariant: a line belongs to the session whose request
//! (or whose start) wrote it; outside of one, as in a task that a tool has spawned, nothing is written. Never log arguments or
//! results.
//!
//! ```
//! drydock_kit::log::warn("the weather service answers slowly"); // in a tool: a line; here: nothing
//! ```

use std::future::poll_fn;
use std::pin::Pin;

pub use drydock_runtime::log::escape;
use drydock_runtime::log::{Level, Log};

tokio::task_local! {
    static CURRENT: Log;
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
    CURRENT.try_with(|log| log.is_enabled(Level::Debug)).unwrap_or(false)
}

fn with(write: impl FnOnce(&Log)) {
    let _ = CURRENT.try_with(write);
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
}
