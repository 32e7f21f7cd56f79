//! How much work a session has taken on: requests that run and answers that are not yet out.
//!
//! Requests and answers -> room for more, or not. Invariant: what is counted is counted until it is dropped, so a
//! cancelled request or a failed write cannot leave the session waiting for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

#[derive(Debug)]
pub(crate) struct Load {
    taken: AtomicUsize,
    limit: usize,
    freed: Notify,
}

/// One piece of work; frees its place when dropped.
#[derive(Debug, Clone)]
pub(crate) struct Slot(#[expect(dead_code, reason = "held for its drop")] Arc<Freed>);

#[derive(Debug)]
struct Freed(Arc<Load>);

impl Load {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { taken: AtomicUsize::new(0), limit, freed: Notify::new() })
    }

    pub(crate) fn take(self: &Arc<Self>) -> Slot {
        self.taken.fetch_add(1, Ordering::Relaxed);
        Slot(Arc::new(Freed(self.clone())))
    }

    /// Waits until there is room for another request. May be dropped and called again.
    pub(crate) async fn room(&self) {
        loop {
            let freed = self.freed.notified();
            if self.taken.load(Ordering::Relaxed) < self.limit {
                return;
            }
            freed.await;
        }
    }
}

impl Drop for Freed {
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
    async fn there_is_room_until_the_limit_and_again_after_a_drop() {
        let load = Load::new(2);
        let one = load.take();
        load.room().await;
        let two = load.take();
        assert!(timeout(Duration::from_millis(20), load.room()).await.is_err());
        let copy = two.clone();
        drop(two);
        assert!(timeout(Duration::from_millis(20), load.room()).await.is_err());
        drop(copy);
        load.room().await;
        drop(one);
    }
}
