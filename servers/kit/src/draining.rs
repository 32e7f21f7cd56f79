//! The end of a session's input, for what wants to tell the client something.
//!
//! Work that waits for the client -> done, or left undone. Invariant: it never waits for a client that is not there any more: from the end
//! of input on, rmcp sends answers and nothing else, and never comes back to what it was told to send beside them.

use std::cell::OnceCell;

use tokio_util::sync::CancellationToken;

thread_local! {
    /// A session has a thread of its own, where all its requests begin.
    static DRAINING: OnceCell<CancellationToken> = const { OnceCell::new() };
}

/// This thread is a session's.
pub(crate) fn begin(draining: &CancellationToken) {
    DRAINING.with(|it| {
        let _ = it.set(draining.clone()); // a thread has one session
    });
}

/// Of this thread's session.
pub(crate) fn token() -> CancellationToken {
    DRAINING.with(|it| it.get().cloned()).unwrap_or_default()
}

/// Sends something, as long as there is somebody to read it.
pub(crate) async fn until(draining: &CancellationToken, sending: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        () = draining.cancelled() => {}
        () = sending => {}
    }
}
