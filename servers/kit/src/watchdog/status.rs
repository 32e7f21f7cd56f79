//! How long the session's thread has not come round, and what follows from that.
//!
//! Ticks -> a verdict. Invariant: a thread that comes round is never the reason for an end from outside, except when it
//! has had its whole time to end by itself.

use std::time::Duration;

/// From then on a thread is called blocked.
const BLOCKED_AFTER: Duration = Duration::from_secs(2);

/// How long a blocked thread has once the client is gone or a call's deadline is over: what it does may be about to end.
const BLOCKED_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the session has for its end, if its thread comes round: a little more than it gives itself.
const END_TIMEOUT: Duration = Duration::from_secs(8);

/// Why the process has to be ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its thread is blocked, and has had its time.
    Blocked,
    /// It is over for another reason, and does not end.
    NotEnding,
}

#[derive(Debug)]
pub(super) struct Status {
    tick: Duration,
    /// In which calls are answered, and for how long more a blocked thread is let be.
    call_timeout: Duration,
    /// Input has hung up: the client is gone, though what it sent may still be queued.
    pub(super) is_hung_up: bool,
    pub(super) is_draining: bool,
    /// It is to end at once.
    pub(super) has_signal: bool,
    /// The thread was asked, and has not answered yet.
    pub(super) is_unanswered: bool,
    /// Ticks in which it did not answer, and of those the ones since the client is gone.
    blocked: u32,
    blocked_alone: u32,
    ending: u32,
    is_reported: bool,
}

impl Status {
    pub(super) fn new(tick: Duration, call_timeout: Duration) -> Self {
        Self {
            tick,
            call_timeout,
            is_hung_up: false,
            is_draining: false,
            has_signal: false,
            is_unanswered: false,
            blocked: 0,
            blocked_alone: 0,
            ending: 0,
            is_reported: false,
        }
    }

    /// The session is to end, or will soon.
    pub(super) fn is_ending(&self) -> bool {
        self.is_hung_up || self.is_draining || self.has_signal
    }

    pub(super) fn on_tick(&mut self, has_answered: bool) {
        self.ending += u32::from(self.is_draining);
        if has_answered {
            (self.blocked, self.blocked_alone, self.is_reported) = (0, 0, false);
        } else {
            self.blocked += 1;
            self.blocked_alone += u32::from(self.is_ending());
        }
    }

    /// Somebody takes the answers: there is no end to wait for yet, unless a signal asks for it.
    pub(super) fn output_moved(&mut self) {
        if !self.has_signal {
            self.ending = 0;
        }
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.tick * self.blocked >= BLOCKED_AFTER
    }

    /// Whether it is blocked, and that was not said yet.
    pub(super) fn take_news(&mut self) -> bool {
        let is_news = self.is_blocked() && !self.is_reported;
        self.is_reported |= is_news;
        is_news
    }

    pub(super) fn verdict(&self) -> Option<Verdict> {
        if self.is_blocked() {
            let is_over = self.has_signal
                || self.tick * self.blocked_alone >= BLOCKED_TIMEOUT
                || self.tick * self.blocked >= self.call_timeout + BLOCKED_TIMEOUT;
            let verdict = if self.is_ending() { Verdict::NotEnding } else { Verdict::Blocked };
            return is_over.then_some(verdict);
        }
        (self.tick * self.ending >= END_TIMEOUT).then_some(Verdict::NotEnding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Status {
        Status::new(Duration::from_millis(500), Duration::from_secs(60))
    }

    /// In how many ticks without an answer there is a verdict.
    fn ticks(mut status: Status, has_answered: bool) -> Option<(u32, Verdict)> {
        (1..1000).find_map(|tick| {
            status.on_tick(has_answered);
            status.verdict().map(|it| (tick, it))
        })
    }

    #[test]
    fn a_blocked_thread_has_the_time_of_a_call_while_its_client_is_there() {
        assert_eq!(ticks(status(), false), Some((130, Verdict::Blocked)));
        assert_eq!(ticks(status(), true), None);
    }

    #[test]
    fn it_has_little_once_the_client_is_gone_and_none_after_a_signal() {
        assert_eq!(ticks(Status { is_hung_up: true, ..status() }, false), Some((10, Verdict::NotEnding)));
        assert_eq!(ticks(Status { has_signal: true, ..status() }, false), Some((4, Verdict::NotEnding)));
    }

    #[test]
    fn a_thread_that_comes_round_has_its_own_time_to_end() {
        assert_eq!(ticks(Status { is_hung_up: true, ..status() }, true), None, "it reads what is queued");
        assert_eq!(ticks(Status { is_draining: true, ..status() }, true), Some((16, Verdict::NotEnding)));
    }

    #[test]
    fn a_slow_reader_puts_the_end_off_and_a_signal_does_not_wait_for_it() {
        for (has_signal, verdict) in [(false, None), (true, Some(Verdict::NotEnding))] {
            let mut status = Status { is_draining: true, has_signal, ..status() };
            for _ in 0..20 {
                status.on_tick(true);
                status.output_moved();
            }
            assert_eq!(status.verdict(), verdict);
        }
    }

    #[test]
    fn it_is_reported_once_until_it_comes_free() {
        let mut status = status();
        let mut news = |has_answered| {
            status.on_tick(has_answered);
            status.take_news()
        };
        let told: Vec<bool> =
            [false, false, false, false, false, true, false, false, false, false].map(&mut news).into();
        assert_eq!(told.iter().filter(|it| **it).count(), 2);
        assert!(told[3] && told[9]);
    }
}
