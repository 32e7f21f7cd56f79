//! Commands that read or print what is too large to be held: archives.
//!
//! Command + closure -> what the closure made of the stream. Invariants: a command whose stream was not taken to its end is
//! ended, never believed; where both sides fail, the one that failed first is told.

use std::io::{self, ErrorKind, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, ScopedJoinHandle};

use crate::error::Error;

/// Of what a command complains, so much is kept: the beginning, in bytes.
const MAX_STDERR: u64 = 64 * 1024;

/// Runs the command; `write` gives it its stdin. What it prints on stdout is thrown away.
///
/// # Errors
/// It cannot be started, or fails, or `write` does; then it is ended.
pub(crate) fn write_to<T>(
    mut command: Command,
    write: impl FnOnce(&mut dyn Write) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut child = spawn(command.stdin(Stdio::piped()).stdout(Stdio::null()))?;
    let stdin = child.stdin.take();
    thread::scope(|scope| {
        let stderr = child.stderr.take();
        let stderr = scope.spawn(|| read_start(stderr));
        let mut pipe = Pipe { inner: stdin, is_closed: false };
        let written = write(&mut pipe);
        let is_closed = pipe.is_closed;
        // Else it would take half an archive for a whole one.
        if written.is_err() && !is_closed {
            drop(child.kill());
        }
        drop(pipe);
        end(&command, &mut child, stderr, written, is_closed)
    })
}

/// Runs the command; `read` is given its stdout, of which it may leave out the end.
///
/// # Errors
/// It cannot be started, or fails, or `read` does; then it is ended.
pub(crate) fn read_from<T>(
    mut command: Command,
    read: impl FnOnce(&mut dyn Read) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut child = spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let stdout = child.stdout.take();
    thread::scope(|scope| {
        let stderr = child.stderr.take();
        let stderr = scope.spawn(|| read_start(stderr));
        let mut pipe = Pipe { inner: stdout, is_closed: false };
        let made = read(&mut pipe);
        let is_closed = pipe.is_closed;
        let drained = made.is_ok() && io::copy(&mut pipe, &mut io::sink()).is_ok();
        if !drained && !is_closed {
            drop(child.kill());
        }
        drop(pipe);
        end(&command, &mut child, stderr, made, is_closed)
    })
}

/// One end of a child's pipe; whether its other end is closed, the child shows.
struct Pipe<S> {
    inner: Option<S>,
    is_closed: bool,
}

impl<S: Write> Write for Pipe<S> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.inner.as_mut().map_or(Ok(0), |it| it.write(data));
        self.is_closed |= written.as_ref().is_err_and(|it| it.kind() == ErrorKind::BrokenPipe);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl<S: Read> Read for Pipe<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.as_mut().map_or(Ok(0), |it| it.read(buffer));
        self.is_closed |= !buffer.is_empty() && matches!(read, Ok(0));
        read
    }
}

fn spawn(command: &mut Command) -> Result<Child, Error> {
    command.stderr(Stdio::piped()).spawn().map_err(|err| {
        let program = command.get_program().to_string_lossy();
        Error::new(format!("cannot run {program}")).with_source(err)
    })
}

fn read_start(stderr: Option<impl Read>) -> String {
    let mut start = Vec::new();
    if let Some(mut stderr) = stderr {
        drop((&mut stderr).take(MAX_STDERR).read_to_end(&mut start));
        drop(io::copy(&mut stderr, &mut io::sink()));
    }
    String::from_utf8_lossy(&start).trim().to_owned()
}

/// `is_closed`: the child closed its end first, so its failure is the cause of ours.
fn end<T>(
    command: &Command,
    child: &mut Child,
    stderr: ScopedJoinHandle<'_, String>,
    made: Result<T, Error>,
    is_closed: bool,
) -> Result<T, Error> {
    let status = child.wait();
    let stderr = stderr.join().unwrap_or_default();
    let program = command.get_program().to_string_lossy();
    let status = status.map_err(|err| Error::new(format!("cannot wait for {program}")).with_source(err))?;
    match made {
        Err(err) if status.success() || !is_closed => Err(err),
        Ok(made) if status.success() => Ok(made),
        _ => Err(failed(command, status, &stderr)),
    }
}

fn failed(command: &Command, status: ExitStatus, stderr: &str) -> Error {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let words: Vec<_> = words.map(|it| it.to_string_lossy()).collect();
    let why = if stderr.is_empty() { format!("no output, {status}") } else { stderr.to_owned() };
    Error::new(format!("`{}` failed: {why}", words.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let shell = xshell::Shell::new().unwrap();
        xshell::cmd!(shell, "sh -c {script}").into()
    }

    fn ours() -> Error {
        Error::new("ours")
    }

    #[test]
    fn a_stream_is_read_to_its_end() {
        let all = |it: &mut dyn Read| io::copy(it, &mut io::sink()).map_err(|_| ours());
        assert_eq!(read_from(sh("head -c 1000000 /dev/zero"), all).unwrap(), 1_000_000);
        assert_eq!(
            read_from(sh("head -c 1000000 /dev/zero"), |_| Ok(7)).unwrap(),
            7,
            "or what is left is drained"
        );
    }

    #[test]
    fn who_fails_first_is_told() {
        let all = |it: &mut dyn Read| {
            drop(io::copy(it, &mut io::sink()));
            Err::<(), _>(ours())
        };
        let err = read_from(sh("echo theirs >&2; exit 3"), all).unwrap_err().to_string();
        assert!(err.contains("theirs"), "{err}");
        let err = read_from(sh("exit 3"), |_| Ok(())).unwrap_err().to_string();
        assert!(err.contains("no output"), "{err}");
        assert_eq!(read_from(sh("true"), all).unwrap_err().to_string(), "ours");
        let start = std::time::Instant::now();
        let err = read_from(sh("yes; sleep 100"), |_| Err::<(), _>(ours())).unwrap_err();
        assert_eq!(err.to_string(), "ours");
        let endless = |it: &mut dyn Write| match io::copy(&mut io::repeat(0), it) {
            Err(_) => Err::<(), _>(ours()),
            Ok(_) => Ok(()),
        };
        let err = write_to(sh("echo theirs >&2; exit 3"), endless).unwrap_err().to_string();
        assert!(err.contains("theirs"), "{err}");
        let err = write_to(sh("exec sleep 100"), |_| Err::<(), _>(ours())).unwrap_err();
        assert_eq!(err.to_string(), "ours");
        assert!(start.elapsed().as_secs() < 50, "and the commands were ended");
    }

    #[test]
    fn what_is_written_arrives() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("it");
        let script = format!("cat > '{}'; yes | head -c 100000; yes | head -c 100000 >&2", file.display());
        write_to(sh(&script), |it| it.write_all(&[7; 200_000]).map_err(|_| ours())).unwrap();
        assert_eq!(std::fs::read(file).unwrap(), [7; 200_000]);
    }
}
