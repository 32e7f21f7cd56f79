//! Runs a command that takes long, and tells what it prints while it runs.
//!
//! Command + sink -> its stdout. Invariant: the command gets no stdin, and what it printed is in the error when it fails.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::error::Error;

/// Takes each line that a running command prints, without its end; from two threads at a time.
pub type Sink<'a> = dyn Fn(&str) + Sync + 'a;

/// Runs the command to its end; `sink` is told each line of its stdout and stderr, without colours.
///
/// ```
/// let shell = xshell::Shell::new()?;
/// let mut command: std::process::Command = xshell::cmd!(shell, "echo hello").into();
/// let printed = drydock_engine::process::run(&mut command, &|line| assert_eq!(line, "hello"))?;
/// assert_eq!(printed, "hello\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// It cannot be started, or its exit code is not 0.
pub fn run(command: &mut Command, sink: &Sink<'_>) -> Result<String, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|err| Error::new(format!("cannot run {program}")).with_source(err))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let both = Mutex::new(String::new());
    let (out, status) = thread::scope(|scope| {
        let out = scope.spawn(|| follow(stdout, sink, &both));
        let err = scope.spawn(|| follow(stderr, sink, &both));
        let status = child.wait();
        drop(err.join());
        (out.join().unwrap_or_default(), status)
    });
    let status = status.map_err(|err| Error::new(format!("cannot wait for {program}")).with_source(err))?;
    if !status.success() {
        let both = both.into_inner().unwrap_or_else(PoisonError::into_inner);
        return Err(Error::new(format!("{program} failed ({status}):\n{}", both.trim_end())));
    }
    Ok(out)
}

/// Reads a stream to its end, line by line; what it said is kept for an error.
fn follow(stream: Option<impl Read>, sink: &Sink<'_>, both: &Mutex<String>) -> String {
    let mut all = String::new();
    let Some(stream) = stream else { return all };
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        let text = without_colours(&String::from_utf8_lossy(&line));
        sink(text.trim());
        all.push_str(&text);
        if let Ok(mut both) = both.lock() {
            both.push_str(&text);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(without_colours("a\u{1b}[0m\u{1b}[91m b\u{1b}[1;31mc\n\u{1b}["), "a bc\n");
        assert_eq!(without_colours("é\u{1b}[é"), "é");
    }

    #[test]
    fn a_failing_command_says_in_the_error_what_it_said() {
        let sh = xshell::Shell::new().unwrap();
        let script = "echo out; echo oops >&2; exit 3";
        let mut command = xshell::cmd!(sh, "sh -c {script}").into();
        let err = run(&mut command, &|_| ()).unwrap_err().to_string();
        assert!(err.contains("oops") && err.contains("out") && err.contains('3'), "{err}");
    }
}
