//! What the code looks like, in figures: `cargo run --package drydock-tests --bin code-metrics [CHECKOUT]`.
//!
//! The sources of a checkout (default: this workspace) -> tables on stdout: sizes, public items without docs, commands
//! that import commands, places that hold a sandbox value, words of the old vocabulary. Invariant: nothing is compiled,
//! so that any commit can be measured; tests and generated code count for the words only.

mod commands;
mod crates;
mod docs;
mod sandbox;
mod source;
mod terms;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crates::Crate;
use drydock_tests::test_env::workspace_root;

const MAX_FUNCTION: usize = 60;
const MAX_FILE: usize = 400;

fn main() -> ExitCode {
    let root = std::env::args_os().nth(1).map_or_else(workspace_root, PathBuf::from);
    match report(&root) {
        Ok(text) => {
            let _reader_gone = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn report(root: &Path) -> Result<String, String> {
    let crates = crates::load(root)?;
    let mut text = sizes(&crates);
    section(&mut text, "public items without docs", &docs::undocumented(&crates), 10);
    section(&mut text, "commands that import commands", &commands::imports(root)?, usize::MAX);
    text.push_str("\n## Places that hold a sandbox value\n");
    for (value, files) in sandbox::places(&crates) {
        let _ = writeln!(text, "{value}: {} ({})", files.len(), files.join(", "));
    }
    text.push_str(&terms::left(root)?);
    Ok(text)
}

fn sizes(crates: &[Crate]) -> String {
    let mut text = format!(
        "{:<20} {:>5} {:>6} {:>9} {:>4} {:>4} {:>4} {:>9}\n",
        "crate", "files", "lines", "functions", "p50", "p90", ">60", "files>400"
    );
    let mut all = Row::default();
    for it in crates {
        let row = Row::of(it);
        text.push_str(&row.line(&it.name));
        all.add(&row);
    }
    text.push_str(&all.line("all"));
    section(&mut text, "functions over 60 lines", &all.long_functions, usize::MAX);
    section(&mut text, "files over 400 lines", &all.long_files, usize::MAX);
    text
}

/// The figures of one crate, without its tests.
#[derive(Default)]
struct Row {
    files: usize,
    lines: usize,
    functions: Vec<usize>,
    long_functions: Vec<String>,
    long_files: Vec<String>,
}

impl Row {
    fn of(of: &Crate) -> Self {
        let mut row = Self::default();
        for file in &of.files {
            row.files += 1;
            row.lines += file.lines;
            if file.lines > MAX_FILE {
                row.long_files.push(format!("{}: {}", file.path, file.lines));
            }
            for function in &file.functions {
                row.functions.push(function.lines);
                if function.lines > MAX_FUNCTION {
                    let place = format!("{}:{}", file.path, function.line);
                    row.long_functions.push(format!("{place} {}: {}", function.name, function.lines));
                }
            }
        }
        row
    }

    fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.lines += other.lines;
        self.functions.extend(&other.functions);
        self.long_functions.extend_from_slice(&other.long_functions);
        self.long_files.extend_from_slice(&other.long_files);
    }

    fn line(&self, name: &str) -> String {
        let mut lengths = self.functions.clone();
        lengths.sort_unstable();
        let percentile = |percent: usize| lengths.get(lengths.len() * percent / 100).copied().unwrap_or(0);
        format!(
            "{name:<20} {:>5} {:>6} {:>9} {:>4} {:>4} {:>4} {:>9}\n",
            self.files,
            self.lines,
            lengths.len(),
            percentile(50),
            percentile(90),
            self.long_functions.len(),
            self.long_files.len()
        )
    }
}

fn section(text: &mut String, title: &str, entries: &[String], shown: usize) {
    let _ = write!(text, "\n## {title}: {}\n", entries.len());
    for entry in entries.iter().take(shown) {
        let _ = writeln!(text, "{entry}");
    }
    if entries.len() > shown {
        let _ = writeln!(text, "and {} more", entries.len() - shown);
    }
}
