//! Counts what a session has taken on: calls that run or wait, answers that are not yet out.
//!
//! Work -> a permit, or none. Invariant: what is counted is counted until it is dropped, so that a failed
//! write cannot leave the session waiting for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

#[derive(Debug)]
pub(crate) struct Permits {
    taken: AtomicUsize,
    limit: usize,
    freed: Notify,
}

/// One piece of work; gives its permit back when dropped.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Permits>);

impl Permits {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { taken: AtomicUsize::new(0), limit, freed: Notify::new() })
    }

    pub(crate) fn acquire(self: &Arc<Self>) -> Permit {
        self.taken.fetch_add(1, Ordering::Relaxed);
        Permit(self.clone())
    }

    /// `None` when the limit is reached.
    pub(crate) fn try_acquire(self: &Arc<Self>) -> Option<Permit> {
        self.are_available(1).then(|| self.acquire())
    }

    pub(crate) fn are_available(&self, more: usize) -> bool {
        self.taken.load(Ordering::Relaxed) + more <= self.limit
    }

    /// Waits until so many are available. May be dropped and called again.
    pub(crate) async fn available(&self, more: usize) {
        loop {
            let freed = self.freed.notified();
            if self.are_available(more) {
                return;
            }
            freed.await;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn there_are_permits_until_the_limit_and_again_after_a_drop() {
        let permits = Permits::new(2);
        let one = permits.acquire();
        permits.available(1).await;
        let two = permits.try_acquire();
        assert!(two.is_some() && permits.try_acquire().is_none());
        assert!(timeout(Duration::from_millis(20), permits.available(1)).await.is_err());
        drop(two);
        permits.available(1).await;
        drop(one);
    }
}
