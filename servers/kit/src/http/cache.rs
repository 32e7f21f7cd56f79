//! Responses that may be used again.
//!
//! A URL -> text that is not too old. Invariant: it holds at most `MAX_ENTRIES` texts and `MAX_BYTES` of them together.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MAX_ENTRIES: usize = 32;
const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The oldest first.
#[derive(Default)]
pub(super) struct Cache(VecDeque<Entry>);

struct Entry {
    url: String,
    until: Instant,
    body: Arc<str>,
}

impl Cache {
    pub(super) fn get(&mut self, url: &str) -> Option<Arc<str>> {
        self.0.retain(|it| it.until > Instant::now());
        self.0.iter().find(|it| it.url == url).map(|it| it.body.clone())
    }

    pub(super) fn store(&mut self, url: &str, body: Arc<str>, lifetime: Duration) {
        if lifetime.is_zero() || body.len() > MAX_BYTES {
            return;
        }
        self.0.retain(|it| it.url != url);
        let until = Instant::now() + lifetime.min(MAX_LIFETIME);
        self.0.push_back(Entry { url: url.to_owned(), until, body });
        while self.0.len() > MAX_ENTRIES || self.0.iter().map(|it| it.body.len()).sum::<usize>() > MAX_BYTES {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_newest_of_what_is_not_too_old() {
        let mut cache = Cache::default();
        let hour = Duration::from_secs(3600);
        let kept = |cache: &mut Cache, url: &str| cache.get(url).is_some();
        cache.store("zero", "x".into(), Duration::ZERO);
        cache.store("forever", "x".into(), Duration::MAX);
        assert!(!kept(&mut cache, "zero") && kept(&mut cache, "forever"));
        for number in 0..32 {
            cache.store(&number.to_string(), "x".into(), hour);
        }
        assert!(!kept(&mut cache, "forever") && kept(&mut cache, "0"));

        cache.store("large", "x".repeat(MAX_BYTES - 1).into(), hour);
        assert!(!kept(&mut cache, "0") && kept(&mut cache, "31") && kept(&mut cache, "large"));
        cache.store("larger", "x".repeat(MAX_BYTES + 1).into(), hour);
        assert!(!kept(&mut cache, "larger") && kept(&mut cache, "large"));
        cache.store("large", "new".into(), hour);
        assert_eq!((cache.get("large").as_deref(), cache.0.len()), (Some("new"), 2));
    }
}
