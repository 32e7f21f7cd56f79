//! Two versions of a file as a unified diff, for `--dry-run`.
//!
//! Old and new text -> lines to print. Invariant: one hunk from the first difference to the last; what is the same in
//! between is shown as such, unless the hunk is very large.

use std::io::IsTerminal;
use std::path::Path;

const CONTEXT: usize = 3;
/// Pairs of lines that are compared: 4 MB of memory.
const MOST: usize = 1 << 20;

pub(crate) fn unified(path: &Path, old: Option<&str>, new: Option<&str>) -> String {
    let (before, after) = (lines(old), lines(new));
    let head = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let rest = before[head..].iter().rev().zip(after[head..].iter().rev());
    let tail = rest.take_while(|(a, b)| a == b).count();
    if head == before.len() && head == after.len() {
        return String::new();
    }
    let start = head.saturating_sub(CONTEXT);
    let behind = tail.min(CONTEXT);
    let (removed, added) = (&before[head..before.len() - tail], &after[head..after.len() - tail]);
    let mut out = format!("--- {}\n+++ {}\n", name(path, old), name(path, new));
    let count = |changed: &[&str]| head - start + changed.len() + behind;
    out += &format!("@@ -{} +{} @@\n", range(start, count(removed)), range(start, count(added)));
    push(&mut out, ' ', &before[start..head]);
    changed(&mut out, removed, added);
    push(&mut out, ' ', &before[before.len() - tail..before.len() - tail + behind]);
    out
}

/// Lines that went, came and stayed, by the longest common subsequence.
fn changed(out: &mut String, old: &[&str], new: &[&str]) {
    if old.len().saturating_mul(new.len()) > MOST {
        push(out, '-', old);
        push(out, '+', new);
        return;
    }
    // The length of the longest one of what is behind line i of the old and line j of the new text.
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            push(out, ' ', &old[i..=i]);
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]
        {
            push(out, '-', &old[i..=i]);
            i += 1;
        } else {
            push(out, '+', &new[j..=j]);
            j += 1;
        }
    }
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
    let mut text = String::new();
    for it in line.chars() {
        match it {
            it if it.is_control() && it != '\t' => text.extend(it.escape_default()),
            it => text.push(it),
        }
    }
    match line.as_bytes().first() {
        Some(b'+') if colours => format!("\u{1b}[32m{text}\u{1b}[0m\n"),
        Some(b'-') if colours => format!("\u{1b}[31m{text}\u{1b}[0m\n"),
        _ => format!("{text}\n"),
    }
}

fn lines(text: Option<&str>) -> Vec<&str> {
    text.unwrap_or_default().split_inclusive('\n').collect()
}

fn name(path: &Path, text: Option<&str>) -> String {
    if text.is_some() { path.display().to_string() } else { "/dev/null".to_owned() }
}

fn range(start: usize, count: usize) -> String {
    format!("{},{count}", if count == 0 { start } else { start + 1 })
}

fn push(out: &mut String, sign: char, lines: &[&str]) {
    for line in lines {
        out.push(sign);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
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
        assert_eq!(unified(Path::new("f"), None, Some("a\n")), "--- /dev/null\n+++ f\n@@ -0,0 +1,1 @@\n+a\n");
        let gone = unified(Path::new("f"), Some("a"), None);
        assert_eq!(gone, "--- f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n\\ No newline at end of file\n");
        assert_eq!(unified(Path::new("f"), Some("a"), Some("a")), "");
    }
}
