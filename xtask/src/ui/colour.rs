//! Colours, where a person looks at a terminal that takes them.
//!
//! Text of ours + a stream -> the same text, perhaps painted. Invariant: nothing is painted where the stream is no terminal,
//! `NO_COLOR` is set or `TERM` is `dumb`.

use std::ffi::OsStr;
use std::io::IsTerminal;

/// The colours that we use, by their codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Dim = 2,
    Red = 31,
    Green = 32,
    Yellow = 33,
    Cyan = 36,
}

/// What a message of ours begins with.
const LABELS: [(&str, Colour); 4] = [
    ("error:", Colour::Red),
    ("hint:", Colour::Cyan),
    ("note:", Colour::Yellow),
    ("left out:", Colour::Yellow),
];

/// Whether a stream takes colours.
pub(crate) fn is_taken_by(stream: &impl IsTerminal) -> bool {
    let variable = |name: &str| std::env::var_os(name);
    is_wanted(stream.is_terminal(), variable("NO_COLOR").as_deref(), variable("TERM").as_deref())
}

fn is_wanted(is_terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty) && term.is_none_or(|it| it != "dumb")
}

/// `coloured`: what [`is_taken_by`] says of the stream that it is for.
pub(crate) fn paint(text: &str, colour: Colour, coloured: bool) -> String {
    if coloured { format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8) } else { text.to_owned() }
}

/// The label of each line that has one, painted.
pub(crate) fn paint_labels(text: &str, coloured: bool) -> String {
    if !coloured {
        return text.to_owned();
    }
    let painted = text.split('\n').map(|line| {
        let label = LABELS.iter().find(|it| line.starts_with(it.0));
        label.map_or_else(
            || line.to_owned(),
            |(label, colour)| format!("{}{}", paint(label, *colour, true), &line[label.len()..]),
        )
    });
    painted.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_of_people_who_want_them() {
        let set = |text: &'static str| Some(OsStr::new(text));
        assert!(is_wanted(true, None, set("xterm")) && is_wanted(true, set(""), None));
        assert!(!is_wanted(false, None, set("xterm")));
        assert!(!is_wanted(true, set("1"), set("xterm")) && !is_wanted(true, None, set("dumb")));
    }

    #[test]
    fn labels_are_painted_and_nothing_else() {
        let text = "error: no hint: here\n\nhint: none";
        assert_eq!(paint_labels(text, false), text);
        let painted = "\u{1b}[31merror:\u{1b}[0m no hint: here\n\n\u{1b}[36mhint:\u{1b}[0m none";
        assert_eq!(paint_labels(text, true), painted);
    }
}
