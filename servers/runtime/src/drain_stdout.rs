//! The last thing a session does in a container: it does not exit before its output is read, if its client lives.
//!
//! Stdin, stdout -> nothing. Invariant: nobody waits for a process that is here, and it holds nothing but itself.
//!
//! An engine takes the exits of what it runs in a container one after the other, and in each waits until its output is
//! read (moby issue 53614; seen with 20.10 as with 29). So a process that exits before a client that does not read would
//! keep every later `docker exec` into its container from ending, a health check too, for as long as that client lives.

use std::io::{self, Read};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionread;
use rustix::process::{getpid, getppid};

use crate::signals::shutdown_signals;
use crate::stall::hung_up;

/// How often it looks whether its output was read: there is no event for that.
const POLL_INTERVAL: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

/// Waits until what was written to `stdout` is read, the client is gone, or a signal says that it is enough.
pub fn until_read(mut stdin: impl Read + AsFd, stdout: impl AsFd) {
    let Ok(signals) = shutdown_signals() else { return };
    let mut chunk = [0; 4096];
    while is_unread(&stdout) && !hung_up(&stdin) {
        let mut fds = [
            PollFd::new(&signals, PollFlags::IN),
            PollFd::new(&stdin, PollFlags::IN),
            PollFd::new(&stdout, PollFlags::empty()),
        ];
        let Ok(_) = poll(&mut fds, Some(&POLL_INTERVAL)) else { return };
        let [signal, input, output] = fds.map(|it| it.revents());
        if !signal.is_empty() || !output.is_empty() {
            return;
        }
        // Not read, it could hide the end of the client: an engine that is stuck in writing our input tells of no end.
        if input.contains(PollFlags::IN) && stdin.read(&mut chunk).is_ok_and(|it| it == 0) {
            return;
        }
    }
}

fn is_unread(stdout: impl AsFd) -> bool {
    ioctl_fionread(stdout).is_ok_and(|it| it > 0)
}

/// Waits like [`until_read`] on our own stdin and stdout, if we were executed in a container.
///
/// The last call of a session's process, after everything that it holds was let go:
///
/// ```
/// drydock_runtime::drain_stdout::before_exit();
/// ```
pub fn before_exit() {
    if is_executed() {
        until_read(io::stdin(), io::stdout());
    }
}

/// Our parent is not in the container, and we are not its first process.
fn is_executed() -> bool {
    getppid().is_none() && !getpid().is_init()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// Waits on a thread; tells when it is over.
    fn start(stdin: io::PipeReader, stdout: io::PipeWriter) -> Receiver<()> {
        let (over, told) = channel();
        thread::spawn(move || {
            until_read(stdin, stdout);
            over.send(())
        });
        told
    }

    #[test]
    fn it_stays_until_its_output_is_read_or_its_client_is_gone() {
        let ends: [fn(&mut io::PipeReader, io::PipeWriter) -> Option<io::PipeWriter>; 2] = [
            |stdout, stdin| {
                stdout.read_exact(&mut [0; 5]).unwrap();
                Some(stdin)
            },
            |_, stdin| {
                drop(stdin);
                None
            },
        ];
        for end in ends {
            let (stdin, mut client_out) = io::pipe().unwrap();
            let (mut client_in, mut stdout) = io::pipe().unwrap();
            stdout.write_all(b"stuck").unwrap();
            let told = start(stdin, stdout);
            client_out.write_all(&[b'x'; 200_000]).unwrap(); // more than a pipe takes: it is read
            assert!(told.recv_timeout(Duration::from_millis(700)).is_err(), "it did not stay");
            let _open = end(&mut client_in, client_out);
            told.recv_timeout(Duration::from_secs(60)).expect("it ends");
        }
    }

    #[test]
    fn with_nothing_left_to_read_it_ends_at_once() {
        let (stdin, _client_out) = io::pipe().unwrap();
        let (_client_in, stdout) = io::pipe().unwrap();
        start(stdin, stdout).recv_timeout(Duration::from_secs(60)).expect("it ends");
    }
}
