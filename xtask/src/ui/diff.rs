//! Two versions of a file as a unified diff, for `--dry-run`.
//!
//! Old and new text -> lines to print. Invariant: what goes to a terminal does not drive it, whatever the file holds.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use drydock_contract::terminal;
use similar::TextDiff;

/// After this long the diff need not be the shortest one any more.
const DIFF_TIMEOUT: Duration = Duration::from_secs(1);

/// The diff of a file; `None`: there is no file. Empty where nothing differs.
pub(crate) fn unified(path: &Path, old: Option<&str>, new: Option<&str>) -> String {
    let name = |text: Option<&str>| text.map_or_else(|| "/dev/null".into(), |_| path.display().to_string());
    TextDiff::configure()
        .timeout(DIFF_TIMEOUT)
        .diff_lines(old.unwrap_or_default(), new.unwrap_or_default())
        .unified_diff()
        .header(&name(old), &name(new))
        .to_string()
}

/// The diff for where stdout goes: a terminal gets colours, and whatever the file holds does not drive it.
pub(crate) fn shown(diff: &str) -> String {
    if !std::io::stdout().is_terminal() {
        return diff.to_owned();
    }
    let colours = std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    diff.lines().map(|line| for_terminal(line, colours)).collect()
}

fn for_terminal(line: &str, colours: bool) -> String {
    let text = terminal::escape(line);
    match line.as_bytes().first() {
        Some(b'+') if colours => format!("\u{1b}[32m{text}\u{1b}[0m\n"),
        Some(b'-') if colours => format!("\u{1b}[31m{text}\u{1b}[0m\n"),
        _ => format!("{text}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_in_the_middle() {
        let diff =
            unified(Path::new("f"), Some("1\n2\n3\n4\n5\n6\n7\n8\n9"), Some("1\n2\n3\n4\nx\ny\n6\n7\n8\n9"));
        assert_eq!(diff, "--- f\n+++ f\n@@ -2,7 +2,8 @@\n 2\n 3\n 4\n-5\n+x\n+y\n 6\n 7\n 8\n");
    }

    #[test]
    fn what_is_the_same_between_two_changes_is_shown_as_such() {
        let diff = unified(Path::new("f"), Some("a\n1\n2\nb\nz\n"), Some("A\n1\n2\nB\nc\nz\n"));
        assert_eq!(diff, "--- f\n+++ f\n@@ -1,5 +1,6 @@\n-a\n+A\n 1\n 2\n-b\n+B\n+c\n z\n");
    }

    #[test]
    fn a_terminal_gets_colours_and_no_orders() {
        assert_eq!(for_terminal("+a\t\u{1b}[2J", true), "\u{1b}[32m+a\t\\u{1b}[2J\u{1b}[0m\n");
        assert_eq!(for_terminal("-b\u{7}", false), "-b\\u{7}\n");
        assert_eq!(for_terminal(" c", true), " c\n");
    }

    #[test]
    fn a_new_file_a_removed_one_and_no_change() {
        assert_eq!(unified(Path::new("f"), None, Some("a\n")), "--- /dev/null\n+++ f\n@@ -0,0 +1 @@\n+a\n");
        let gone = unified(Path::new("f"), Some("a"), None);
        assert_eq!(gone, "--- f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n\\ No newline at end of file\n");
        assert_eq!(unified(Path::new("f"), Some("a"), Some("a")), "");
    }
}
