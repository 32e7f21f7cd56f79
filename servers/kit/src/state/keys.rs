//! Which entries of a collection, and how many of them.
//!
//! Prefix, bounds and a page's end -> the first key and the one behind the last. Invariant: pages that follow each other by `next`
//! have each key of the range once.

/// The keys that [`list`](super::State::list) gives.
///
/// ```
/// use drydock_kit::state::Keys;
///
/// let of_july = Keys::starting_with("2026-07-").limit(50);
/// let of_two_weeks = Keys::all().from("2026-07-01").until("2026-07-15");
/// let next_page = Keys::all().after("2026-07-31");
/// ```
#[derive(Debug, Clone)]
pub struct Keys {
    /// The first one.
    pub(super) first: String,
    /// None of these any more.
    pub(super) end: Option<String>,
    pub(super) limit: usize,
}

/// What one page has, where nothing else is said.
const DEFAULT_LIMIT: usize = 100;
/// The most that one may have.
const MAX_LIMIT: usize = 1000;

impl Default for Keys {
    fn default() -> Self {
        Self::all()
    }
}

impl Keys {
    /// All keys.
    #[must_use]
    pub fn all() -> Self {
        Self { first: String::new(), end: None, limit: DEFAULT_LIMIT }
    }

    /// Those that begin so.
    #[must_use]
    pub fn starting_with(prefix: impl Into<String>) -> Self {
        let first = prefix.into();
        Self { end: successor(&first), first, limit: DEFAULT_LIMIT }
    }

    /// Of those only from this one on.
    #[must_use]
    pub fn from(mut self, key: impl Into<String>) -> Self {
        self.first = self.first.max(key.into());
        self
    }

    /// Of those only what comes before this one.
    #[must_use]
    pub fn until(mut self, key: impl Into<String>) -> Self {
        let key = key.into();
        self.end = Some(self.end.map_or_else(|| key.clone(), |it| it.min(key.clone())));
        self
    }

    /// Of those only what comes after this one: the next page after [`Page::next`].
    #[must_use]
    pub fn after(self, key: impl Into<String>) -> Self {
        self.from(key.into() + "\0") // no string is between the two
    }

    /// At most so many on a page: 1 to 1000, else 100.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit.clamp(1, MAX_LIMIT);
        self
    }
}

/// The first string behind all that begin with this one. The order of UTF-8's bytes is that of its characters.
fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return Some(text);
        }
    }
    None
}

/// A part of a collection.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// Keys with their values, in the order of the keys' bytes.
    pub entries: Vec<(String, T)>,
    /// The last key of this page, for [`Keys::after`]; none on the last one.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_between_a_prefix_and_its_successor_but_what_begins_with_it() {
        for (prefix, expected) in [
            ("a", Some("b")),
            ("az", Some("a{")),
            ("", None),
            ("\u{d7ff}", Some("\u{e000}")), // no character in between
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
        ] {
            assert_eq!(successor(prefix).as_deref(), expected, "{prefix:?}");
        }
        let behind = successor("ä").unwrap();
        assert!(*"ä" < *behind && "ä\u{10ffff}\u{10ffff}" < behind.as_str() && behind.as_str() < "ö");
    }

    #[test]
    fn bounds_only_narrow() {
        let keys = Keys::starting_with("b").from("a").until("z").after("ba");
        assert_eq!((keys.first.as_str(), keys.end.as_deref()), ("ba\0", Some("c")));
        let keys = Keys::all().until("m").until("c").from("b").limit(0);
        assert_eq!((keys.first.as_str(), keys.end.as_deref(), keys.limit), ("b", Some("c"), 1));
        assert_eq!(Keys::all().limit(9999).limit, MAX_LIMIT);
    }
}
