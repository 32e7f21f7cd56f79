//! Long results in parts.
//!
//! A list + the cursor of the last part -> the next part. Invariant: parts follow each other without a gap, as long as the list only
//! grows at its end.

use schemars::JsonSchema;
use serde::Serialize;

/// A part of a list, and what to ask with for the next one.
///
/// ```
/// use drydock_kit::Page;
///
/// let first = Page::of(1..=5, None, 3).unwrap();
/// assert_eq!((first.items, first.next.as_deref()), (vec![1, 2, 3], Some("3")));
/// let last = Page::of(1..=5, Some("3"), 3).unwrap();
/// assert_eq!((last.items, last.next), (vec![4, 5], None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Page<T> {
    /// This part.
    pub items: Vec<T>,
    /// Give this as `cursor` to get the next part; there is none where this is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The part of at most `size` items that the cursor stands for, or the first one.
    ///
    /// # Errors
    /// The cursor is none that a part was given with.
    pub fn of(list: impl IntoIterator<Item = T>, cursor: Option<&str>, size: usize) -> Result<Self, String> {
        let wrong =
            |_| "`cursor` is not the `next` of another part: leave it out to get the first one".to_owned();
        let start = cursor.map_or(Ok(0), str::parse::<usize>).map_err(wrong)?;
        let mut rest = list.into_iter().skip(start);
        let items: Vec<T> = rest.by_ref().take(size.max(1)).collect();
        let next = rest.next().map(|_| (start + items.len()).to_string());
        Ok(Self { items, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_whole() {
        for (length, size) in [(0, 3), (1, 3), (3, 3), (7, 3), (5, 0)] {
            let (mut all, mut cursor) = (Vec::new(), None);
            loop {
                let part = Page::of(0..length, cursor.as_deref(), size).unwrap();
                all.extend(part.items);
                cursor = part.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(all, (0..length).collect::<Vec<_>>());
        }
        assert!(Page::of(0..3, Some("x"), 2).unwrap_err().contains("`cursor` is not"));
        assert_eq!(Page::of(0..3, Some("9"), 2).unwrap(), Page { items: Vec::new(), next: None });
    }
}
