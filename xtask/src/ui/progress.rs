//! Long work, shown while it lasts: a spinner on a terminal, plain lines elsewhere, and how long it took.
//!
//! A label and work -> the work's result. Invariant: only stderr is written to; a command that fails has its own output
//! in the error.

use std::io::IsTerminal;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;
use drydock_contract::terminal;
use drydock_engine::process::{self, Sink};
use indicatif::{ProgressBar, ProgressStyle};

use crate::interrupt;
use crate::ui::colour::{self, Colour, paint, paint_labels};

/// Does `work` and says what it is and how long it took.
pub(crate) fn step<T>(label: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let shown = Shown::start(label);
    let result = work();
    shown.end(result.is_ok());
    result
}

/// Runs a command that takes long; its last line is shown beside the label. Returns its stdout.
pub(crate) fn run(label: &str, mut command: Command) -> Result<String> {
    with_sink(label, |sink| Ok(process::run(&mut command, sink)?))
}

/// Does work that tells a sink what it is at, line by line; the last line is shown beside the label.
pub(crate) fn with_sink<T>(label: &str, work: impl FnOnce(&Sink<'_>) -> Result<T>) -> Result<T> {
    // The signal that would end its command has been and gone.
    interrupt::check()?;
    let shown = Shown::start(label);
    let result = work(&|line| shown.detail(line));
    shown.end(result.is_ok());
    interrupt::check()?;
    result
}

/// Text on stderr. It may hold what others wrote: whatever would drive the terminal is escaped. Labels (`error:`, `hint:`)
/// are in colour where stderr takes it.
pub(crate) fn say(text: &str) {
    eprintln!("{}", paint_labels(&terminal::escape(text), colour()));
}

/// Whether stderr takes colours.
pub(crate) fn colour() -> bool {
    colour::is_taken_by(&std::io::stderr())
}

/// As in `0.3 s` or `2 min 5 s`.
pub(crate) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        all => format!("{} min {} s", all / 60, all % 60),
    }
}

/// The time that a person has waited: with what cargo compiled before it became this very process, where the system says
/// that (Linux), else since `start`.
pub(crate) fn whole_time(start: Instant) -> Duration {
    process_age().unwrap_or_default().max(start.elapsed())
}

/// Since the start of this process, which was cargo's (`cargo run` replaces itself): proc(5), `stat` and `uptime`.
#[cfg(target_os = "linux")]
fn process_age() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    // Behind the program's name, which may hold anything, the start is the 20th field.
    let ticks: u64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let started = Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second());
    let uptime = Duration::try_from_secs_f64(uptime.split_whitespace().next()?.parse().ok()?).ok()?;
    uptime.checked_sub(started)
}

#[cfg(not(target_os = "linux"))]
fn process_age() -> Option<Duration> {
    None
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
            say(&format!("{label} .."));
        }
        let now = Instant::now();
        Self { label: label.to_owned(), start: now, spinner, last: Mutex::new(now) }
    }

    /// What the work is at: beside the spinner, or, in a log, a line now and then so that nobody thinks it hangs.
    fn detail(&self, text: &str) {
        let text: String = terminal::escape_line(text).chars().take(60).collect();
        if let Some(spinner) = &self.spinner {
            spinner.set_message(text);
        } else if let Ok(mut last) = self.last.lock()
            && last.elapsed() > Duration::from_secs(30)
        {
            *last = Instant::now();
            let at = if text.is_empty() { String::new() } else { format!(" ({text})") };
            say(&format!("{} .. {}{at}", self.label, seconds(self.start.elapsed())));
        }
    }

    fn end(self, good: bool) {
        let took = seconds(self.start.elapsed());
        match (&self.spinner, good) {
            (Some(spinner), _) => {
                spinner.finish_and_clear();
                eprintln!("{} {} {}", mark(good), self.label, dim(&took));
            }
            (None, true) => say(&format!("{}: {took}", self.label)),
            (None, false) if interrupt::signal().is_some() => {
                say(&format!("{}: interrupted after {took}", self.label));
            }
            (None, false) => say(&format!("{}: failed after {took}", self.label)),
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
    let (sign, code) = if good { ("✓", Colour::Green) } else { ("✗", Colour::Red) };
    paint(sign, code, colour())
}

pub(crate) fn dim(text: &str) -> String {
    paint(text, Colour::Dim, colour())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_whole_time_begins_with_the_process() {
        let age = process_age().unwrap();
        assert!(age < Duration::from_secs(3_600), "{age:?}");
        let long_ago = Instant::now().checked_sub(age + Duration::from_secs(10)).unwrap();
        assert!(whole_time(long_ago) > whole_time(Instant::now()));
    }

    #[test]
    fn times_are_short() {
        assert_eq!(seconds(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 5 s");
    }
}
