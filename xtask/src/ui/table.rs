//! Listings on stdout: a table for people, JSON for programs.
//!
//! Rows -> text. Invariant: what would drive a terminal never reaches it from what we list.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use drydock_contract::terminal;
use serde::Serialize;

use crate::ui::colour;

/// Columns as wide as their widest cell.
pub(crate) fn print<const N: usize>(
    head: &[&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<()> {
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows.into_iter().map(|row| row.map(|cell| terminal::escape_line(&cell))));
    let width = |column: usize| lines.iter().map(|it| it[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<_> = (0..N).map(width).collect();
    for line in &lines {
        let cells: Vec<_> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        out(cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Whether there is JSON on stdout: no second document follows it.
static HAS_JSON: AtomicBool = AtomicBool::new(false);

/// The one object that stands for a result that there is not.
#[derive(Serialize)]
struct Failure<'a> {
    error: Problem<'a>,
}

#[derive(Serialize)]
struct Problem<'a> {
    message: &'a str,
    hint: Option<&'a str>,
}

/// Why there is no result, unless there is one already.
pub(crate) fn json_error(message: &str, hint: Option<&str>) {
    if !HAS_JSON.load(Ordering::Relaxed) {
        // What cannot be printed is said on stderr all the same.
        drop(json(&Failure { error: Problem { message, hint } }));
    }
}

/// The same in at most `max` columns, as long as all cells but the first leave room: a first cell that is too long has a
/// line of its own.
pub(crate) fn print_within<const N: usize>(
    max: usize,
    head: &[&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<()> {
    let rows = rows.into_iter().map(|row| row.map(|cell| terminal::escape_line(&cell)));
    lines_within(max, head, rows.collect()).iter().try_for_each(|it| out(it))
}

fn lines_within<const N: usize>(max: usize, head: &[&str; N], rows: Vec<[String; N]>) -> Vec<String> {
    let length = |cell: &String| cell.chars().count();
    let rows = [vec![head.map(str::to_owned)], rows].concat();
    let mut widths = [0; N];
    for row in &rows {
        row.iter().zip(&mut widths).for_each(|(cell, width)| *width = length(cell).max(*width));
    }
    let others: usize = widths.iter().skip(1).map(|it| it + 2).sum();
    widths[0] = widths[0].min(max.saturating_sub(others).max(head[0].len()));
    let mut lines = Vec::new();
    for mut row in rows {
        if length(&row[0]) > widths[0] {
            lines.push(std::mem::take(&mut row[0]));
        }
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        lines.push(cells.join("  ").trim_end().to_owned());
    }
    lines
}

/// Whether stdout takes colours.
pub(crate) fn is_coloured() -> bool {
    colour::is_taken_by(&io::stdout())
}

/// A sign of ours, which may be painted, and a line whose control characters are escaped.
pub(crate) fn signed_line(sign: &str, text: &str) -> Result<()> {
    out(&format!("{sign} {}", terminal::escape_line(text)))
}

pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    HAS_JSON.store(true, Ordering::Relaxed);
    out(&terminal::escape_json(&serde_json::to_string_pretty(value)?))
}

/// One line, its control characters escaped.
pub(crate) fn line(text: &str) -> Result<()> {
    out(&terminal::escape_line(text))
}

fn out(line: &str) -> Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(err) if err.kind() == io::ErrorKind::BrokenPipe => Ok(()), // as in `status | head -1`
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_has_a_line_of_its_own_so_that_the_rest_fits() {
        let row = |name: &str| [name.to_owned(), "ready 2h".to_owned(), "internet".to_owned()];
        let lines =
            lines_within(30, &["NAME", "STATE", "NETWORK"], vec![row("a"), row("a-name-that-is-long")]);
        let expected = [
            "NAME        STATE     NETWORK",
            "a           ready 2h  internet",
            "a-name-that-is-long",
            "            ready 2h  internet",
        ];
        assert_eq!(lines, expected);
        let narrow = lines_within(30, &["NAME", "STATE", "NETWORK"], vec![row("weather")]);
        assert_eq!(narrow[1], "weather  ready 2h  internet", "no wider than it must be");
    }
}
