//! The keepers of `serve`: which wait, which serve, and when the next one is started.
//!
//! Lines of keepers -> children for sessions. Invariants: a keeper is given away once; children that die before anybody
//! had them are started again ever more slowly, and what they died of is logged once.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use drydock_contract::args::Options;
use drydock_contract::log;

use crate::config::Config;
use crate::job::Job;
use crate::tree::{self, Process};
use crate::wire::Lines;

/// A child's start takes processor time that the session that has just begun needs more.
const AFTER_A_SESSION: Duration = Duration::from_millis(500);

/// A child that lived that long did not die at its start.
const SETTLED: Duration = Duration::from_secs(10);

const SLOWEST: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Warm,
    Serving,
    /// Its client is gone, it is not yet.
    Ending,
}

#[derive(Debug)]
struct Keeper {
    pid: i32,
    lines: Lines,
    state: State,
    started: Instant,
    /// The last words of its child.
    words: Vec<String>,
    /// Nothing more will be heard; its own end is still to come.
    is_silent: bool,
}

#[derive(Debug)]
pub(super) struct Pool {
    config: Option<Config>,
    options: Options,
    keepers: Vec<Keeper>,
    /// Children that died at their start since one did not, and when the last one did.
    failures: u32,
    failed_at: Option<Instant>,
    reason: Option<String>,
    /// A child has once come through its start.
    proven: bool,
    not_before: Option<Instant>,
}

impl Pool {
    pub(super) fn new(config: Option<Config>, options: &Options) -> Self {
        Self {
            config,
            options: options.clone(),
            keepers: Vec::new(),
            failures: 0,
            failed_at: None,
            reason: None,
            proven: false,
            not_before: None,
        }
    }

    /// Starts the children that are missing, when it is time for it.
    pub(super) fn fill(&mut self, now: Instant) {
        self.settle(now);
        while self.missing() > 0 && self.not_before.is_none_or(|it| it <= now) {
            self.not_before = None;
            match self.start(true, now) {
                Ok(keeper) => self.keepers.push(keeper),
                Err(problem) => self.failed(problem, &[], now),
            }
        }
    }

    /// When `fill` has to be called again, if nothing happens before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let next = self.not_before.filter(|_| self.missing() > 0);
        let settled = self.young().map(|it| it.started + SETTLED).filter(|_| self.failures > 0).min();
        next.into_iter().chain(settled).min()
    }

    fn missing(&self) -> usize {
        let target = self.config.as_ref().map_or(0, |it| it.warm);
        target.saturating_sub(self.waiting().count())
    }

    fn waiting(&self) -> impl Iterator<Item = &Keeper> {
        self.keepers.iter().filter(|it| matches!(it.state, State::Starting | State::Warm) && !it.is_silent)
    }

    /// Those that were started since: if one of them lives on, others do too.
    fn young(&self) -> impl Iterator<Item = &Keeper> {
        let is_young = |it: &&Keeper| self.failed_at.is_none_or(|at| it.started > at);
        self.keepers.iter().filter(|it| it.state != State::Ending && !it.is_silent).filter(is_young)
    }

    fn settle(&mut self, now: Instant) {
        if self.failures > 0 && self.young().any(|it| now >= it.started + SETTLED) {
            log::info("the server starts again");
            self.failures = 0;
            self.reason = None;
            self.proven = true;
        }
    }

    fn start(&self, warm: bool, now: Instant) -> Result<Keeper, String> {
        let config =
            self.config.clone().ok_or("no server is wrapped here: give a command, `stdio -- CMD`")?;
        let job = Job {
            config,
            log: self.options.log,
            log_format: self.options.log_format,
            serve_pid: Some(std::process::id()),
            warm,
            hushed: warm && self.failures > 0,
        };
        let (lines, pid) = job.start().map_err(|e| format!("cannot start a keeper: {e}"))?;
        log::debug(&format!("started a child, its keeper has pid {pid}"));
        Ok(Keeper { pid, lines, state: State::Starting, started: now, words: Vec::new(), is_silent: false })
    }

    /// Gives a session the child that has waited longest, or a fresh one.
    pub(super) fn give(&mut self, number: u64, session: &Lines, now: Instant) -> Result<(), String> {
        let line = format!("session {number}");
        let next = |state| move |it: &&mut Keeper| it.state == state && !it.is_silent;
        for state in [State::Warm, State::Starting] {
            for keeper in self.keepers.iter_mut().filter(|it| next(state)(it)) {
                if keeper.lines.send_with(&line, &[session.as_fd()]).is_ok() {
                    keeper.state = State::Serving;
                    self.rest(now);
                    return Ok(());
                }
            }
        }
        let mut keeper = self.start(false, now)?;
        keeper.state = State::Serving;
        let sent = keeper.lines.send_with(&line, &[session.as_fd()]);
        self.keepers.push(keeper);
        self.rest(now);
        sent.map_err(|e| format!("a keeper does not answer: {e}"))
    }

    fn rest(&mut self, now: Instant) {
        let rested = now + AFTER_A_SESSION;
        self.not_before = Some(self.not_before.map_or(rested, |it| it.max(rested)));
    }

    /// Reads what a keeper has to say; tells how many log lines were lost.
    pub(super) fn hear(&mut self, pid: i32, now: Instant) -> u64 {
        let Some(index) = self.keepers.iter().position(|it| it.pid == pid) else { return 0 };
        let is_there = self.keepers[index].lines.read();
        let mut dropped = 0;
        while let Some(line) = self.keepers[index].lines.next() {
            let keeper = &mut self.keepers[index];
            match line.split_once(' ').unwrap_or((&line, "")) {
                ("warm", _) => {
                    self.proven = true;
                    if keeper.state == State::Starting {
                        keeper.state = State::Warm;
                    }
                }
                ("ending", _) => keeper.state = State::Ending,
                ("dropped", count) => dropped += count.parse().unwrap_or(0),
                ("last", word) => keeper.words.push(word.to_owned()),
                ("died", problem) => {
                    let words = std::mem::take(&mut keeper.words);
                    let was_waiting = matches!(keeper.state, State::Starting | State::Warm);
                    keeper.is_silent = true;
                    keeper.lines.hang_up(); // it need not stay for a session that may be on its way
                    if was_waiting {
                        self.failed(
                            format!("the server died before it had a session: {problem}"),
                            &words,
                            now,
                        );
                    }
                }
                _ => {}
            }
        }
        if !is_there {
            self.keepers[index].is_silent = true;
        }
        dropped
    }

    /// A child died before anybody had it.
    fn failed(&mut self, problem: String, words: &[String], now: Instant) {
        let wait = Duration::from_secs(1 << self.failures.min(6)).min(SLOWEST);
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(now);
        self.not_before = Some(now + wait);
        if self.reason.as_ref() == Some(&problem) {
            log::debug(&format!("{problem}; the next start is in {} s", wait.as_secs()));
            return;
        }
        log::error(&problem);
        for word in words {
            log::error(&format!("  {word}"));
        }
        log::info(
            "it is started again, at first after 1 s, then ever more slowly; the same end is not logged again",
        );
        self.reason = Some(problem);
    }

    pub(super) fn sockets(&self) -> impl Iterator<Item = (i32, BorrowedFd<'_>)> {
        self.keepers.iter().filter(|it| !it.is_silent).map(|it| (it.pid, it.lines.as_fd()))
    }

    pub(super) fn sessions(&self) -> usize {
        self.keepers.iter().filter(|it| matches!(it.state, State::Serving | State::Ending)).count()
    }

    pub(super) fn is_one_ending(&self) -> bool {
        self.keepers.iter().any(|it| it.state == State::Ending)
    }

    /// Children that wait and have come through their start.
    pub(super) fn warm(&self) -> usize {
        self.waiting().filter(|it| it.state == State::Warm).count()
    }

    pub(super) fn is_ready(&self) -> bool {
        let keeps_none = self.config.as_ref().is_none_or(|it| it.warm == 0);
        self.failures == 0 && (self.proven || keeps_none)
    }

    pub(super) fn reason(&self) -> Option<String> {
        let starting = || (!self.is_ready()).then(|| "the server is starting".to_owned());
        self.reason.clone().or_else(starting)
    }

    pub(super) fn is_keeper(&self, pid: i32) -> bool {
        self.keepers.iter().any(|it| it.pid == pid)
    }

    /// Forgets a keeper that has ended; tells whether there was one.
    pub(super) fn bury(&mut self, pid: i32) -> bool {
        let before = self.keepers.len();
        self.keepers.retain(|it| it.pid != pid);
        self.keepers.len() < before
    }

    /// Our children that are no keepers.
    pub(super) fn strays(&self) -> Vec<Process> {
        let ours = tree::children(std::process::id().cast_signed());
        ours.into_iter().filter(|it| !self.is_keeper(it.pid)).collect()
    }

    /// Lets every keeper go: each ends its child, then itself.
    pub(super) fn dismiss(&mut self) {
        self.keepers.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::wire::SHORT;

    fn keeper(started: Instant) -> Keeper {
        let lines = Lines::new(UnixStream::pair().unwrap().0, SHORT).unwrap();
        Keeper { pid: 1, lines, state: State::Serving, started, words: Vec::new(), is_silent: false }
    }

    #[test]
    fn only_what_was_started_since_a_failure_proves_that_it_is_over() {
        let mut pool = Pool::new(None, &Options::default());
        let start = Instant::now();
        let after = |secs| start + Duration::from_secs(secs);
        pool.keepers.push(keeper(start));
        pool.failed("exit code 3".into(), &[], after(100));
        pool.settle(after(200));
        assert_eq!((pool.is_ready(), pool.reason().as_deref()), (false, Some("exit code 3")));
        pool.keepers.push(keeper(after(101)));
        pool.settle(after(110));
        assert!(!pool.is_ready());
        pool.settle(after(111));
        assert_eq!((pool.is_ready(), pool.reason()), (true, None));
    }

    #[test]
    fn starts_are_ever_slower_but_never_slower_than_once_a_minute() {
        let mut pool = Pool::new(None, &Options::default());
        let now = Instant::now();
        let waits: Vec<u64> = (0..9)
            .map(|_| {
                pool.failed("x".into(), &[], now);
                pool.not_before.unwrap().duration_since(now).as_secs()
            })
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
