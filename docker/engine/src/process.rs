//! Runs a command, and tells what it prints while it runs, or hands it over at its end.
//!
//! Command + sink -> its stdout. Invariants: the command gets no stdin of ours, what it printed is in the error when it fails, and of
//! what it prints without end, the memory holds only so much.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use crate::error::Error;

/// Of what a command prints that tells as it goes, so much is kept: the end, in bytes.
const MAX_KEPT: usize = 256 * 1024;
/// A longer line is told in parts.
const MAX_LINE: u64 = 64 * 1024;
/// How often it is asked whether a command has ended, or is to.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Takes each line that a running command prints, without its end; from two threads at a time.
pub type Sink<'a> = dyn Fn(&str) + Sync + 'a;

/// Runs the command to its end; `sink` is told each line of its stdout and stderr, without colours. Of a long stdout,
/// the end is returned.
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
    let ended = run_while(command, sink, &|| Ok(()))?;
    if !ended.status.success() {
        let program = command.get_program().to_string_lossy();
        return Err(Error::new(format!("{program} failed ({}):\n{}", ended.status, ended.both.trim_end())));
    }
    Ok(ended.stdout)
}

/// A command that came to its end.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The end of what it printed there, and of what it printed on either stream.
    pub(crate) stdout: String,
    pub(crate) both: String,
}

/// The same, whatever its exit code, unless `is_fine` fails, which is asked again and again: then it is ended.
pub(crate) fn run_while(
    command: &mut Command,
    sink: &Sink<'_>,
    is_fine: &dyn Fn() -> Result<(), Error>,
) -> Result<Ended, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|err| Error::new(format!("cannot run {program}")).with_source(err))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let both = Mutex::new(String::new());
    let (stdout, status) = thread::scope(|scope| {
        let out = scope.spawn(|| follow(stdout, sink, &both));
        let err = scope.spawn(|| follow(stderr, sink, &both));
        let status = wait_while(&mut child, &program, is_fine);
        drop(err.join());
        (out.join().unwrap_or_default(), status)
    });
    let both = both.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Ended { status: status?, stdout, both })
}

fn wait_while(
    child: &mut Child,
    program: &str,
    is_fine: &dyn Fn() -> Result<(), Error>,
) -> Result<ExitStatus, Error> {
    let failed = |err| Error::new(format!("cannot wait for {program}")).with_source(err);
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok(status);
        }
        if let Err(err) = is_fine() {
            drop(child.kill());
            child.wait().map_err(failed)?;
            return Err(err);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Where a line came from: which of the commands, and whether from its stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The command's place in the list.
    pub command: usize,
    /// Else from its stdout.
    pub is_stderr: bool,
}

/// Takes each line that running commands print, with its end, and fails where nobody wants more; from several threads
/// at a time.
pub type LineSink<'a> = dyn Fn(Origin, &str) -> io::Result<()> + Sync + 'a;

/// Runs the commands side by side to their ends; each line goes to the sink as it comes. Where a line of a stdout is not
/// wanted, all are ended, and None is the answer.
///
/// # Errors
/// One cannot be started; then none runs on.
pub(crate) fn pass_on(commands: Vec<Command>, sink: &LineSink<'_>) -> Result<Option<Vec<ExitStatus>>, Error> {
    let mut children = Vec::new();
    for mut command in commands {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        match child {
            Ok(child) => children.push(child),
            Err(err) => {
                drop(end_all(&mut children));
                let program = command.get_program().to_string_lossy().into_owned();
                return Err(Error::new(format!("cannot run {program}")).with_source(err));
            }
        }
    }
    let streams: Vec<_> = children.iter_mut().map(|it| (it.stdout.take(), it.stderr.take())).collect();
    let (unwanted, ended) = mpsc::channel();
    let is_wanted = thread::scope(|scope| {
        for (command, (out, err)) in streams.into_iter().enumerate() {
            let unwanted = unwanted.clone();
            scope.spawn(move || pass_lines(err, &|line| sink(Origin { command, is_stderr: true }, line)));
            scope.spawn(move || {
                let passed = pass_lines(out, &|line| sink(Origin { command, is_stderr: false }, line));
                unwanted.send(passed.is_ok())
            });
        }
        drop(unwanted);
        let is_wanted = ended.iter().all(|it| it);
        if !is_wanted {
            for child in &mut children {
                drop(child.kill());
            }
        }
        is_wanted
    });
    let statuses = children.iter_mut().map(Child::wait).collect::<io::Result<Vec<_>>>();
    let statuses = statuses.map_err(|err| Error::new("cannot wait for a command").with_source(err))?;
    Ok(is_wanted.then_some(statuses))
}

fn end_all(children: &mut [Child]) -> io::Result<()> {
    children.iter_mut().try_for_each(|it| it.kill().and_then(|()| it.wait()).map(drop))
}

fn pass_lines(from: Option<impl Read>, to: &dyn Fn(&str) -> io::Result<()>) -> io::Result<()> {
    let Some(from) = from else { return Ok(()) };
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line)? > 0 {
        to(&String::from_utf8_lossy(&line))?;
        line.clear();
    }
    Ok(())
}

/// Runs the command to its end and returns all that it printed, if that is not more than `max` bytes on either stream.
///
/// ```
/// let shell = xshell::Shell::new()?;
/// let mut command: std::process::Command = xshell::cmd!(shell, "echo hello").into();
/// assert_eq!(drydock_engine::process::output(&mut command, 6)?.stdout, b"hello\n");
/// assert!(drydock_engine::process::output(&mut command, 5).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// It cannot be started, or it printed more; then it was ended.
pub fn output(command: &mut Command, max: usize) -> Result<Output, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |err| Error::new(format!("cannot run {program}")).with_source(err);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = thread::scope(|scope| {
        let err = scope.spawn(|| read(stderr, max));
        let out = read(stdout, max);
        if out.len() > max {
            drop(child.kill());
        }
        (out, err.join().unwrap_or_default())
    });
    let status = child.wait().map_err(failed)?;
    if stdout.len() > max || stderr.len() > max {
        return Err(Error::new(format!("{program} printed more than {max} bytes")));
    }
    Ok(Output { status, stdout, stderr })
}

/// Reads a stream to its end, or until it is too long; then its other end is closed, too.
fn read(stream: Option<impl Read>, max: usize) -> Vec<u8> {
    let mut all = Vec::new();
    if let Some(stream) = stream {
        drop(stream.take(max as u64 + 1).read_to_end(&mut all));
    }
    all
}

/// Reads a stream to its end, line by line; the end of what it said is kept for an error.
fn follow(stream: Option<impl Read>, sink: &Sink<'_>, both: &Mutex<String>) -> String {
    let mut end = String::new();
    let Some(stream) = stream else { return end };
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        let text = without_colours(&String::from_utf8_lossy(&line));
        sink(text.trim());
        keep(&mut end, &text);
        if let Ok(mut both) = both.lock() {
            keep(&mut both, &text);
        }
        line.clear();
    }
    end
}

fn keep(end: &mut String, text: &str) {
    end.push_str(text);
    if end.len() > 2 * MAX_KEPT {
        let from = (end.len() - MAX_KEPT..).find(|it| end.is_char_boundary(*it));
        end.drain(..from.unwrap_or_default());
    }
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
    fn a_command_that_prints_without_end_is_ended() {
        let sh = xshell::Shell::new().unwrap();
        for script in ["yes", "yes >&2"] {
            let mut command = xshell::cmd!(sh, "sh -c {script}").into();
            let err = output(&mut command, 100_000).unwrap_err().to_string();
            assert!(err.contains("more than 100000 bytes"), "{err}");
        }
    }

    #[test]
    fn of_a_long_output_the_end_is_kept() {
        let sh = xshell::Shell::new().unwrap();
        let script =
            "yes äöü | head -c 5000000; yes | tr -d '\\n' | head -c 5000000; echo; echo the end; exit 1";
        let longest = std::sync::atomic::AtomicUsize::new(0);
        let mut command = xshell::cmd!(sh, "sh -c {script}").into();
        let sink = |line: &str| {
            longest.fetch_max(line.len(), std::sync::atomic::Ordering::Relaxed);
        };
        let err = run(&mut command, &sink).unwrap_err().to_string();
        assert!(err.len() < 600_000 && err.ends_with("the end"), "{}", err.len());
        assert!(longest.into_inner() <= 200_000);
    }

    fn sh(script: &str) -> Command {
        let shell = xshell::Shell::new().unwrap();
        xshell::cmd!(shell, "sh -c {script}").into()
    }

    #[test]
    fn lines_are_passed_on_until_nobody_wants_more() {
        let all = Mutex::new(Vec::new());
        let keep = |from: Origin, line: &str| {
            all.lock().unwrap().push((from.command, from.is_stderr, line.to_owned()));
            Ok(())
        };
        let commands = vec![sh("echo a; echo b; echo c >&2; exit 3"), sh("printf d")];
        let statuses = pass_on(commands, &keep).unwrap().unwrap();
        assert_eq!(statuses.iter().map(ExitStatus::code).collect::<Vec<_>>(), [Some(3), Some(0)]);
        let mut all = all.into_inner().unwrap();
        all.sort();
        let line = |command, is_stderr, text: &str| (command, is_stderr, text.to_owned());
        assert_eq!(
            all,
            [line(0, false, "a\n"), line(0, false, "b\n"), line(0, true, "c\n"), line(1, false, "d")]
        );
        // The other one prints nothing: it would run on.
        let commands = vec![sh("exec sleep 1000"), sh("while :; do echo more; done")];
        let gone = |_: Origin, _: &str| Err(io::ErrorKind::BrokenPipe.into());
        assert!(pass_on(commands, &gone).unwrap().is_none(), "and both were ended");
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
