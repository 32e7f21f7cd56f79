//! The clock that ends a session whose client is gone but whose pipes are not.
//!
//! Facts about stdin and blocked output -> `StallStatus`. Invariant: a session is never ended while its bytes move.
//!
//! When a `docker exec` client is killed, nobody reads our stdout any more, but the engine keeps the pipe open: a
//! write blocks for ever. Stdin tells, if the engine could close it: its writers are gone (`POLLHUP`), also while
//! unread input is still queued. Where the engine is itself stuck in writing our stdin, only time can tell.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How long output may be blocked once stdin has hung up: enough for a slow reader of a pipe to take its last answer.
const HANG_UP_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a blocked writer should ask again.
pub const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// What blocked output means for the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StallStatus {
    /// Nothing yet.
    Waiting,
    /// Stdin has hung up and output does not move: the client is gone.
    ClientGone,
    /// Output did not move for the whole time-out.
    Stalled,
}

/// Since when output has been blocked, if it is.
///
/// ```
/// use std::time::{Duration, Instant};
/// use drydock_runtime::stall::{StallClock, StallStatus};
///
/// let (stdin, _client) = std::io::pipe()?;
/// let mut clock = StallClock::new(Duration::from_secs(60));
/// let now = Instant::now();
/// assert_eq!(clock.blocked(now, &stdin), StallStatus::Waiting);
/// assert_eq!(clock.blocked(now + Duration::from_secs(60), &stdin), StallStatus::Stalled);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct StallClock {
    timeout: Duration,
    blocked: Option<Instant>,
    /// Since when stdin is known to have hung up, while output was blocked.
    hung_up: Option<Instant>,
}

impl StallClock {
    /// Ends a session whose output does not move for `timeout`.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, blocked: None, hung_up: None }
    }

    /// Some bytes went out.
    pub fn moved(&mut self) {
        self.blocked = None;
        self.hung_up = None;
    }

    /// A write could not go on; asked again at least every [`POLL_INTERVAL`].
    pub fn blocked(&mut self, now: Instant, stdin: impl AsFd) -> StallStatus {
        let blocked_for = now.duration_since(*self.blocked.get_or_insert(now));
        if self.hung_up.is_none() && hung_up(stdin) {
            self.hung_up = Some(now);
        }
        // A client may close its end before it reads what waited for it: its time begins there, not at the blockage.
        let alone_for = self.hung_up.map(|it| now.duration_since(it));
        if blocked_for >= self.timeout {
            StallStatus::Stalled
        } else if alone_for.is_some_and(|it| it >= HANG_UP_TIMEOUT) {
            StallStatus::ClientGone
        } else {
            StallStatus::Waiting
        }
    }
}

/// What to poll stdin for, to hear that its writers are gone and not of each byte. A pipe tells without being asked; a socket
/// of Linux only so, and other systems' sockets not at all.
#[cfg(target_os = "linux")]
pub const HANG_UP_EVENT: PollFlags = PollFlags::RDHUP;
/// See above.
#[cfg(not(target_os = "linux"))]
pub const HANG_UP_EVENT: PollFlags = PollFlags::empty();

/// Whether all writers of a pipe (or the peer of a socket) are gone, though unread bytes may still be queued.
pub fn hung_up(fd: impl AsFd) -> bool {
    let mut fds = [PollFd::new(&fd, HANG_UP_EVENT)];
    let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL | HANG_UP_EVENT;
    poll(&mut fds, Some(&Timespec::default())).is_ok() && fds[0].revents().intersects(gone)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn hang_up_shows_behind_queued_input() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(b"never read").unwrap();
        assert!(!hung_up(&reader));
        drop(writer);
        assert!(hung_up(&reader));
    }

    #[test]
    fn a_live_client_has_the_whole_time_and_a_dead_one_two_seconds() {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut stall = StallClock::new(Duration::from_secs(60));
        let start = Instant::now();
        let after = |secs| start + Duration::from_secs(secs);
        assert_eq!(stall.blocked(start, &reader), StallStatus::Waiting);
        assert_eq!(stall.blocked(after(59), &reader), StallStatus::Waiting);
        assert_eq!(stall.blocked(after(60), &reader), StallStatus::Stalled);
        stall.moved();
        drop(writer);
        assert_eq!(stall.blocked(after(61), &reader), StallStatus::Waiting);
        assert_eq!(stall.blocked(after(62), &reader), StallStatus::Waiting);
        assert_eq!(stall.blocked(after(63), &reader), StallStatus::ClientGone);
    }

    #[test]
    fn a_client_that_closes_its_end_behind_unread_answers_has_two_seconds_from_then() {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut stall = StallClock::new(Duration::from_secs(60));
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!(stall.blocked(start, &reader), StallStatus::Waiting);
        drop(writer);
        assert_eq!(stall.blocked(after(10_000), &reader), StallStatus::Waiting);
        assert_eq!(stall.blocked(after(11_999), &reader), StallStatus::Waiting);
        stall.moved(); // it takes some
        assert_eq!(stall.blocked(after(12_000), &reader), StallStatus::Waiting);
        assert_eq!(stall.blocked(after(14_000), &reader), StallStatus::ClientGone);
    }
}
