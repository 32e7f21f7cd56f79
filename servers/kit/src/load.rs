//! Counts what a session has taken on: calls that run or wait, answers that are not yet out.
//!
//! Work -> room for more, or not. Invariant: what is counted is counted until it is dropped, so that a failed
//! write cannot leave the session waiting for ever.

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
#[derive(Debug)]
pub(crate) struct Slot(Arc<Load>);

impl Load {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { taken: AtomicUsize::new(0), limit, freed: Notify::new() })
    }

    pub(crate) fn take(self: &Arc<Self>) -> Slot {
        self.taken.fetch_add(1, Ordering::Relaxed);
        Slot(self.clone())
    }

    /// `None` when the limit is reached.
    pub(crate) fn try_take(self: &Arc<Self>) -> Option<Slot> {
        self.has_room(1).then(|| self.take())
    }

    pub(crate) fn has_room(&self, more: usize) -> bool {
        self.taken.load(Ordering::Relaxed) + more <= self.limit
    }

    /// Waits until there is room for so many more. May be dropped and called again.
    pub(crate) async fn room(&self, more: usize) {
        loop {
            let freed = self.freed.notified();
            if self.has_room(more) {
                return;
            }
            freed.await;
        }
    }
}

impl Drop for Slot {
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
        load.room(1).await;
        let two = load.try_take();
        assert!(two.is_some() && load.try_take().is_none());
        assert!(timeout(Duration::from_millis(20), load.room(1)).await.is_err());
        drop(two);
        load.room(1).await;
        drop(one);
    }
}
