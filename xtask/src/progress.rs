//! Long work, shown while it lasts: a spinner on a terminal, plain lines elsewhere, and how long it took.
//!
//! A label and work -> the work's result. Invariant: only stderr is written to; a command that fails has its own output
//! in the error.

use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::interrupt;

/// Does `work` and says what it is and how long it took.
pub(crate) fn step<T>(label: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let shown = Shown::start(label);
    let result = work();
    shown.end(result.is_ok());
    result
}

/// Runs a command that takes long; its last line is shown beside the label. Returns its stdout.
pub(crate) fn run(label: &str, mut command: Command) -> Result<String> {
    let shown = Shown::start(label);
    let result = finish(&mut command, &shown);
    shown.end(result.is_ok());
    interrupt::check()?;
    result
}

/// A sentence on stderr.
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

/// Whether stderr takes colours.
pub(crate) fn colour() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|it| !it.is_empty());
    std::io::stderr().is_terminal()
        && !set("NO_COLOR")
        && std::env::var_os("TERM").is_none_or(|it| it != "dumb")
}

/// As in `0.3 s` or `2 min 5 s`.
pub(crate) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        all => format!("{} min {} s", all / 60, all % 60),
    }
}

fn finish(command: &mut Command, shown: &Shown) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("cannot run {program}"))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let said = Arc::new(Mutex::new(String::new()));
    let (out, status) = thread::scope(|scope| {
        let out = scope.spawn(|| follow(stdout, shown, &said));
        let err = scope.spawn(|| follow(stderr, shown, &said));
        let status = child.wait();
        drop(err.join());
        (out.join().unwrap_or_default(), status)
    });
    let status = status.with_context(|| format!("cannot wait for {program}"))?;
    if !status.success() {
        let said = said.lock().map(|it| it.clone()).unwrap_or_default();
        bail!("{program} failed ({status}):\n{}", said.trim_end());
    }
    Ok(out)
}

/// Reads a stream to its end, line by line; what it said is kept for an error.
fn follow(stream: Option<impl Read>, shown: &Shown, said: &Mutex<String>) -> String {
    let mut all = String::new();
    let Some(stream) = stream else { return all };
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        let text = without_colours(&String::from_utf8_lossy(&line));
        shown.detail(text.trim());
        all.push_str(&text);
        if let Ok(mut said) = said.lock() {
            said.push_str(&text);
        }
        line.clear();
    }
    all
}

/// Without the escape sequences that some programs write also where nobody sees colours.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(
            part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').get(1..).unwrap_or_default(),
        );
    }
    plain
}

/// One piece of work on the screen.
struct Shown {
    label: String,
    start: Instant,
    spinner: Option<ProgressBar>,
    last: Mutex<Instant>,
}

impl Shown {
    fn start(label: &str) -> Self {
        let spinner = std::io::stderr().is_terminal().then(|| spinner(label));
        if spinner.is_none() {
            eprintln!("{label} ..");
        }
        let now = Instant::now();
        Self { label: label.to_owned(), start: now, spinner, last: Mutex::new(now) }
    }

    /// What the work is at: beside the spinner, or, in a log, a line now and then so that nobody thinks it hangs.
    fn detail(&self, text: &str) {
        let text: String = text.chars().filter(|it| !it.is_control()).take(60).collect();
        if let Some(spinner) = &self.spinner {
            spinner.set_message(text);
        } else if let Ok(mut last) = self.last.lock()
            && last.elapsed() > Duration::from_secs(30)
        {
            *last = Instant::now();
            eprintln!("{} .. {} ({text})", self.label, seconds(self.start.elapsed()));
        }
    }

    fn end(self, good: bool) {
        let took = seconds(self.start.elapsed());
        match (&self.spinner, good) {
            (Some(spinner), _) => {
                spinner.finish_and_clear();
                eprintln!("{} {} {}", mark(good), self.label, dim(&took));
            }
            (None, true) => eprintln!("{}: {took}", self.label),
            (None, false) => eprintln!("{}: failed after {took}", self.label),
        }
    }
}

fn spinner(label: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {msg}");
    let bar = ProgressBar::new_spinner().with_prefix(label.to_owned());
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A sign for good or bad, in colour where stderr takes it.
pub(crate) fn mark(good: bool) -> String {
    let (sign, code) = if good { ("✓", 32) } else { ("✗", 31) };
    paint(sign, code)
}

pub(crate) fn dim(text: &str) -> String {
    paint(text, 2)
}

fn paint(text: &str, code: u8) -> String {
    if colour() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(without_colours("a\u{1b}[0m\u{1b}[91m b\u{1b}[1;31mc\n\u{1b}["), "a bc\n");
        assert_eq!(without_colours("é\u{1b}[é"), "é");
    }

    #[test]
    fn times_are_short() {
        assert_eq!(seconds(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 5 s");
    }

    #[test]
    fn a_failing_command_says_in_the_error_what_it_said() {
        let sh = xshell::Shell::new().unwrap();
        let script = "echo out; echo oops >&2; exit 3";
        let err = run("failing", xshell::cmd!(sh, "sh -c {script}").into()).unwrap_err().to_string();
        assert!(err.contains("oops") && err.contains("out") && err.contains('3'), "{err}");
    }
}
