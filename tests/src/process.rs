//! Runs programs to their end and keeps what they said.
//!
//! Command + input -> exit code, stdout, stderr. Invariant: nothing waits for ever; a program that does not end is
//! killed, and the test fails with what it said until then, also where something that it started holds its pipes.

use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::time_limit;

/// Far beyond what anything takes, also on a busy machine: only a hang gets there.
pub const TIMEOUT: Duration = Duration::from_secs(120);
/// For commands that compile.
pub const BUILD_TIMEOUT: Duration = Duration::from_secs(1800);

/// How long its output may take once a program has ended.
const PIPE_TIMEOUT: Duration = Duration::from_secs(30);

/// What a program left behind that has ended.
#[derive(Debug, Clone)]
pub struct CommandOutput {
    /// The command line, for messages.
    pub what: String,
    /// None after a signal.
    pub code: Option<i32>,
    /// All of it; what is not UTF-8 is replaced.
    pub stdout: String,
    /// All of it; what is not UTF-8 is replaced.
    pub stderr: String,
}

impl CommandOutput {
    /// The test goes on only after success.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// The test goes on only after a failure with an ordinary exit code: no signal, no panic.
    #[track_caller]
    pub fn fails(self) -> Self {
        assert!(self.code.is_some_and(|it| it != 0 && it != 101), "expected an orderly failure: {self}");
        self
    }

    /// Stdout as JSON; a test fails whose program printed anything else.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("stdout is not JSON ({e}): {self}"))
    }

    /// Stdout without the final newline.
    pub fn line(&self) -> &str {
        self.stdout.trim_end()
    }
}

impl std::fmt::Display for CommandOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, code, stdout, stderr } = self;
        write!(f, "{what}\nexit code: {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// A program, not started yet; the one place that makes a `Command`.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place of the tests; a failure shows the whole command"
)]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    time_limit::doing(|| program.as_ref().display().to_string());
    Command::new(program)
}

/// Runs it to its end, without input, for [`TIMEOUT`] at most.
pub fn run(command: &mut Command) -> CommandOutput {
    run_with(command, &[], TIMEOUT)
}

/// Runs it to its end, with `input` on stdin; fails the test after `timeout`.
pub fn run_with(command: &mut Command, input: &[u8], timeout: Duration) -> CommandOutput {
    run_observed(command, input, timeout, |_| {})
}

/// Also the most memory that it had, in bytes, as the kernel counts it.
pub fn run_with_peak_memory(command: &mut Command) -> (CommandOutput, u64) {
    let mut peak = 0;
    let output = run_observed(command, &[], BUILD_TIMEOUT, |pid| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let kilobytes = status.lines().find_map(|it| it.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        // Only grows; a process that has ended has none.
        peak = kilobytes.and_then(|it| it.parse().ok()).map_or(peak, |it: u64| it << 10);
    });
    (output, peak)
}

/// `look` is called again and again with the process id.
fn run_observed(
    command: &mut Command,
    input: &[u8],
    timeout: Duration,
    mut look: impl FnMut(u32),
) -> CommandOutput {
    let what = format!("{command:?}");
    time_limit::doing(|| what.clone());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("cannot start {what}: {e}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // A program may end without reading all of its input.
    thread::spawn(move || drop(stdin.write_all(&input)));
    let stdout = collect(child.stdout.take().expect("a pipe"));
    let stderr = collect(child.stderr.take().expect("a pipe"));
    let mut status = None;
    wait_until(timeout, || {
        look(child.id());
        status = child.try_wait().expect("a child to wait for");
        status.is_some()
    });
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let output = CommandOutput {
        what,
        code: status.and_then(|it| it.code()),
        stdout: stdout.take(),
        stderr: stderr.take(),
    };
    assert!(status.is_some(), "did not end within {timeout:?}: {output}");
    output
}

/// A figure that a test has found: shown also when it passes, unlike what `eprintln!` says.
pub fn print_note(figure: &str) {
    std::io::stderr().write_all(format!("{figure}\n").as_bytes()).expect("stderr");
}

/// The status of a child that ends in time.
pub fn wait(child: &mut Child, timeout: Duration) -> Option<ExitStatus> {
    let mut status = None;
    wait_until(timeout, || {
        status = child.try_wait().expect("a child to wait for");
        status.is_some()
    });
    status
}

/// Polls until `done` or the end of timeout; says which.
pub fn wait_until(timeout: Duration, mut done: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    while !done() {
        if began.elapsed() > timeout {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
    true
}

/// What comes out of a pipe, on a thread of its own.
#[derive(Debug)]
pub(crate) struct Collected {
    all: Arc<Mutex<Vec<u8>>>,
    reader: thread::JoinHandle<()>,
}

impl Collected {
    /// All of it; after [`PIPE_TIMEOUT`] what has come so far: another process may hold the other end.
    pub(crate) fn take(self) -> String {
        wait_until(PIPE_TIMEOUT, || self.reader.is_finished());
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&all).into_owned()
    }
}

pub(crate) fn collect(mut from: impl Read + Send + 'static) -> Collected {
    let all = Arc::new(Mutex::new(Vec::new()));
    let into = all.clone();
    let reader = thread::spawn(move || {
        let mut block = [0; 64 * 1024];
        loop {
            match from.read(&mut block) {
                Ok(0) => return,
                Ok(n) => into.lock().unwrap_or_else(PoisonError::into_inner).extend(&block[..n]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    });
    Collected { all, reader }
}
