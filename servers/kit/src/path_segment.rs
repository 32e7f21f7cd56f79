//! What may stand between two slashes of a URL's path, whoever wrote it.
//!
//! A value -> whether it is one step down. Invariant: what passes neither goes up or stays, nor is read as something else: URLs are
//! read without the control characters in them, so that `.\t.` would go up.

/// Neither empty, nor `.` or `..`, nor with a control character. `/` and `\` are the caller's to encode, or to refuse.
pub(crate) fn is_one_step(value: &str) -> bool {
    !value.is_empty() && value != "." && value != ".." && !value.contains(char::is_control)
}
