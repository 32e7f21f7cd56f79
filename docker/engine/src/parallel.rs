//! One question to many, a few at a time.
//!
//! Things + a question -> an answer for each, in their order. Invariant: no more than `MAX_AT_ONCE` are under way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Each is a program of the engine's, and something that it does in a container.
const MAX_AT_ONCE: usize = 8;

/// The answers, in the order of `all`.
pub(crate) fn map<T: Sync, R: Send>(all: &[T], ask: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, answers) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(all.len())));
    let work = || {
        while let Some((at, it)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            all.get(at).map(|it| (at, it))
        } {
            let answer = ask(it);
            answers.lock().unwrap_or_else(PoisonError::into_inner).push((at, answer));
        }
    };
    thread::scope(|scope| {
        for _ in 0..all.len().min(MAX_AT_ONCE) {
            scope.spawn(work);
        }
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_by_key(|it| it.0);
    answers.into_iter().map(|it| it.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_asked_in_order_and_only_a_few_at_a_time() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let all: Vec<usize> = (0..100).collect();
        let answers = map(&all, |it| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
            it * 2
        });
        assert_eq!(answers, all.iter().map(|it| it * 2).collect::<Vec<_>>());
        assert!(most.into_inner() <= MAX_AT_ONCE);
        assert!(map(&[0_u8; 0], |_| ()).is_empty());
    }

    #[test]
    fn they_are_asked_at_the_same_time() {
        // Each waits for the other, which one after the other is in vain.
        let (arrived, changed) = (Mutex::new(0), std::sync::Condvar::new());
        let met = map(&[(), ()], |()| {
            let mut arrived = arrived.lock().unwrap();
            *arrived += 1;
            changed.notify_all();
            let limit = std::time::Duration::from_secs(30);
            *changed.wait_timeout_while(arrived, limit, |it| *it < 2).unwrap().0
        });
        assert_eq!(met, [2, 2]);
    }
}
