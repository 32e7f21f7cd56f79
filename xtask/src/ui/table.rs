//! Listings on stdout: a table for people, JSON for programs.
//!
//! Rows -> text. Invariant: what would drive a terminal never reaches it from what we list.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use drydock_contract::terminal;
use serde::Serialize;

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
