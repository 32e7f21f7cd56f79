//! The pipes to a session's client, out of reach of everything else that runs in the process.
//!
//! Our stdin and stdout -> descriptors of our own. Invariant: from then on nothing but their holder reads what the client
//! sends or writes to what it reads: a `println!` of a tool, of a library or of a child process goes to stderr, and what
//! reads stdin finds its end.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::stdio::{dup2_stdin, dup2_stdout};

use crate::drain_stdout;
use crate::output::Output;

/// What was stdin and stdout.
///
/// ```no_run
/// use drydock_runtime::client_pipes::ClientPipes;
///
/// let pipes = ClientPipes::take()?; // before any code runs that is not ours
/// let mut output = pipes.output()?;
/// output.write(b"{}\n")?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ClientPipes {
    stdin: OwnedFd,
    stdout: OwnedFd,
}

impl ClientPipes {
    /// Takes them away: stdin is at its end from now on, and stdout is stderr. No child process inherits the pipes.
    ///
    /// # Errors
    /// No more descriptors are to be had.
    pub fn take() -> io::Result<Self> {
        let stdin = io::stdin().as_fd().try_clone_to_owned()?;
        let stdout = io::stdout().as_fd().try_clone_to_owned()?;
        let (nothing, _) = io::pipe()?;
        dup2_stdin(nothing)?;
        dup2_stdout(io::stderr())?;
        Ok(Self { stdin, stdout })
    }

    /// Those of a client that is in this process, too, and does not use its stdin and stdout.
    ///
    /// ```
    /// use drydock_runtime::client_pipes::ClientPipes;
    ///
    /// let (stdin, _client) = std::io::pipe()?;
    /// let (_client, stdout) = std::io::pipe()?;
    /// ClientPipes::new(stdin.into(), stdout.into()).output()?.write(b"{}\n")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn new(stdin: OwnedFd, stdout: OwnedFd) -> Self {
        Self { stdin, stdout }
    }

    /// What the client sends.
    #[must_use]
    pub fn stdin(&self) -> BorrowedFd<'_> {
        self.stdin.as_fd()
    }

    /// What the client reads.
    ///
    /// # Errors
    /// No more descriptors are to be had.
    pub fn output(&self) -> io::Result<Output> {
        Ok(Output::new(self.stdout.try_clone()?))
    }

    /// The last call of the process: see [`drain_stdout`].
    pub fn drain_before_exit(&self) {
        drain_stdout::before_exit(&self.stdin, &self.stdout);
    }
}
