//! Lines of a text: where they begin and end, and which are blank.
//!
//! Text + offset -> offset. Invariant: what is given and returned are borders of characters.

/// Where the line begins that `at` is on.
pub(super) fn start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |it| it + 1)
}

/// Where the line ends that `at` is on: before its line end.
pub(super) fn end(text: &str, at: usize) -> usize {
    let end = text[at..].find('\n').map_or(text.len(), |it| at + it);
    if text[at..end].ends_with('\r') && end < text.len() { end - 1 } else { end }
}

/// Where the next line begins, if `at` is the end of one.
pub(super) fn after(text: &str, at: usize) -> usize {
    at + line_end(&text[at..]).len()
}

/// Where the line before ends, if `at` is the beginning of one.
pub(super) fn before(text: &str, at: usize) -> usize {
    let before = &text[..at];
    before.strip_suffix("\r\n").or_else(|| before.strip_suffix('\n')).unwrap_or(before).len()
}

/// The line end that a text begins with.
fn line_end(text: &str) -> &str {
    [2, 1].iter().filter_map(|it| text.get(..*it)).find(|it| ["\r\n", "\n"].contains(it)).unwrap_or_default()
}

/// The line end to write behind `at`: of that line, or else of the one before it.
pub(super) fn style(text: &str, at: usize) -> &'static str {
    let crlf = match text[at..].find('\n') {
        Some(it) => text[..at + it].ends_with('\r'),
        None => text[..at].rfind('\n').is_some_and(|it| text[..it].ends_with('\r')),
    };
    if crlf { "\r\n" } else { "\n" }
}

/// The blanks that a line begins with.
pub(super) fn indent(text: &str, start: usize) -> &str {
    let line = &text[start..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Whether nothing stands on the line behind the one that ends at `at`, or no line follows.
pub(super) fn blank_follows(text: &str, at: usize) -> bool {
    let next = after(text, at);
    text[next..end(text, next)].trim().is_empty()
}

/// The end of the comment lines that follow the line that ends at `at` without a gap; if they lead on to something
/// else, they belong to that.
pub(super) fn after_comments(text: &str, at: usize) -> usize {
    let mut end_of_last = at;
    loop {
        let next = after(text, end_of_last);
        let line = text[next..end(text, next)].trim();
        match line {
            "" => return end_of_last,
            it if it.starts_with('#') => end_of_last = end(text, next),
            _ => return at,
        }
    }
}
