//! Where a tool runs code that blocks.
//!
//! A closure -> its value. Invariant: it runs on a thread of its own, with the log of the session.

use crate::log;

/// Runs code that blocks (long computations, `std::fs`, a library without `async`) without holding up the session.
///
/// All tools of a session share one thread, as everything that `async` code is made of expects. A tool that blocks it holds up
/// every other call, and after its deadline the session is ended: what its client gets is a reason, and what the log
/// gets is the tool's name. So:
///
/// ```
/// # async fn tool() -> Result<String, String> {
/// let text = drydock_kit::blocking(|| std::fs::read_to_string("/etc/hostname")).await;
/// text.map_err(|e| e.to_string())
/// # }
/// ```
///
/// A call that is cancelled or late is answered at once. The closure itself cannot be stopped, and runs on until it
/// returns or the session ends; so give it an end of its own where it has none.
///
/// # Panics
/// When the closure does.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let work = log::carry(work);
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(e) => match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await, // the session is over
        },
    }
}
