//! The thread that ends a session for certain: no tool can block it.
//!
//! The state of a session -> answers to calls whose time is over, a reason in the log, and in the end `exit`. Invariants:
//! while the session's own thread comes round, it decides nothing but what time alone decides (stalled output, signals);
//! when it does not, calls are answered at their deadlines all the same, and the process ends in bounded time.
//!
//! All tools of a session share one thread, so one that blocks it (an endless loop, `std::thread::sleep`, a file system that
//! hangs) stops everything that runs there. Only a process in uninterruptible sleep is out of reach: no signal ends it.
//!
//! It counts ticks of its own, not time: a process that was stopped for an hour has not been blocked for an hour.

mod status;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use drydock_runtime::args::Options;
use drydock_runtime::ipc::wait_any;
use drydock_runtime::log::Outcome;
use drydock_runtime::signals::named_shutdown_signals;
use drydock_runtime::stall::{HANG_UP_EVENT, StallClock, StallStatus};
use rustix::event::PollFlags;
use tokio::sync::Notify;

use crate::answer::timed_out;
use crate::ending::Ending;
use crate::error::Error;
use crate::in_flight::Request;
use crate::session::Process;
use crate::stdio_transport::Shutdown;
use status::{Status, Verdict};

/// How often it looks while something is under way.
const TICK: Duration = Duration::from_millis(500);

/// How often it looks whether input waits that nobody reads, while nothing is.
const IDLE_TICK: Duration = Duration::from_secs(5);

/// A call is answered from here this long after its deadline: the session's thread comes first.
const GRACE: Duration = Duration::from_millis(500);

/// How long `exit` may take.
const EXIT_TIMEOUT: Duration = Duration::from_secs(3);

/// What the session's thread tells.
#[derive(Debug)]
pub(crate) struct Vitals {
    /// Asks it whether it comes round; the answer.
    ping: Notify,
    asked: AtomicU64,
    answered: AtomicU64,
    /// The request whose code it is in.
    running: Mutex<Option<Arc<Request>>>,
    is_awake: AtomicBool,
    waker: UnixStream,
}

impl Vitals {
    /// Something is under way: from now on there are ticks.
    pub(crate) fn wake(&self) {
        if !self.is_awake.load(Ordering::Relaxed) && !self.is_awake.swap(true, Ordering::AcqRel) {
            let _ = io::Write::write(&mut &self.waker, &[0]);
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Arc<Request>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the code of a request.
    pub(crate) fn run<T>(&self, request: Option<&Arc<Request>>, work: impl FnOnce() -> T) -> T {
        *self.running() = request.cloned();
        let done = work();
        *self.running() = None;
        done
    }

    /// Answers the watchdog, as long as the session lives.
    pub(crate) async fn respond(&self) {
        loop {
            self.ping.notified().await;
            self.answered.store(self.asked.load(Ordering::Acquire), Ordering::Release);
        }
    }
}

/// What the thread works with.
#[derive(Debug)]
struct Watch {
    vitals: Arc<Vitals>,
    shutdown: Shutdown,
    ending: Arc<Ending>,
    call_timeout: Duration,
    process: Process,
    wakes: UnixStream,
    signals: Vec<(&'static str, UnixStream)>,
    stall: StallClock,
    /// Bytes that had gone out when it last looked.
    written: u64,
    status: Status,
}

/// A watchdog that runs.
#[derive(Debug)]
pub(crate) struct Watchdog {
    pub(crate) vitals: Arc<Vitals>,
    is_stopped: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Watchdog {
    pub(crate) fn start(
        shutdown: &Shutdown,
        ending: &Arc<Ending>,
        options: &Options,
        process: Process,
    ) -> Result<Self, Error> {
        let (wakes, waker) = UnixStream::pair().map_err(Error::Start)?;
        for it in [&wakes, &waker] {
            it.set_nonblocking(true).map_err(Error::Start)?;
        }
        let vitals = Arc::new(Vitals {
            ping: Notify::new(),
            asked: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            running: Mutex::default(),
            is_awake: AtomicBool::new(false),
            waker,
        });
        let watch = Watch {
            vitals: vitals.clone(),
            shutdown: shutdown.clone(),
            ending: ending.clone(),
            call_timeout: options.call_timeout,
            process,
            wakes,
            signals: if process == Process::Own { named_shutdown_signals()? } else { Vec::new() },
            stall: StallClock::new(options.stall_timeout),
            written: 0,
            status: Status::new(TICK, options.call_timeout),
        };
        let is_stopped = Arc::new(AtomicBool::new(false));
        let stopped = is_stopped.clone();
        let thread = thread::Builder::new()
            .name("watchdog".into())
            .spawn(move || watch.run(&stopped))
            .map_err(Error::Start)?;
        Ok(Self { vitals, is_stopped, thread })
    }

    /// The session is over, and its thread free: nothing is left to watch.
    pub(crate) fn stop(self) {
        self.is_stopped.store(true, Ordering::Release);
        self.vitals.is_awake.store(false, Ordering::Release);
        self.vitals.wake();
        let _ = self.thread.join(); // it may just be ending the process
    }
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Wake,
    Signal(&'static str),
    Stdin,
}

impl Watch {
    fn run(mut self, is_stopped: &AtomicBool) {
        let mut tick_at = Instant::now() + IDLE_TICK;
        while !is_stopped.load(Ordering::Acquire) && !self.ending.is_taken() {
            let ready = wait_any(&self.sources(), Some(tick_at)).unwrap_or_default();
            for source in ready {
                match source {
                    Source::Wake => {
                        let _ = io::Read::read(&mut &self.wakes, &mut [0; 16]);
                    }
                    Source::Signal(name) => self.on_signal(name),
                    Source::Stdin => self.status.is_hung_up = true,
                }
            }
            if is_stopped.load(Ordering::Acquire) {
                return;
            }
            let now = Instant::now();
            if now >= tick_at {
                self.tick(now);
                tick_at = now + IDLE_TICK;
            }
            if self.is_active() {
                tick_at = tick_at.min(now + TICK);
            }
        }
    }

    fn sources(&self) -> Vec<(Source, BorrowedFd<'_>, PollFlags)> {
        let mut sources = vec![(Source::Wake, self.wakes.as_fd(), PollFlags::IN)];
        sources
            .extend(self.signals.iter().map(|(name, it)| (Source::Signal(name), it.as_fd(), PollFlags::IN)));
        if !self.status.is_hung_up {
            sources.push((Source::Stdin, self.ending.pipes.stdin(), HANG_UP_EVENT));
        }
        sources
    }

    /// Something is under way, so that there is something to miss.
    fn is_active(&self) -> bool {
        let is_awake = self.status.is_ending()
            || self.status.is_unanswered
            || self.shutdown.draining.is_cancelled()
            || self.ending.outbox.progress().1
            || !self.ending.in_flight.is_empty();
        if !is_awake {
            self.vitals.is_awake.store(false, Ordering::Release);
        }
        // What came in between has not woken us.
        is_awake || !self.ending.in_flight.is_empty() || self.ending.outbox.progress().1
    }

    fn on_signal(&mut self, name: &'static str) {
        self.signals.retain(|(it, _)| *it != name);
        self.status.has_signal = true;
        self.shutdown.finish(name);
    }

    fn tick(&mut self, now: Instant) {
        self.status.is_draining = self.shutdown.draining.is_cancelled();
        self.ping();
        self.report_blocked();
        self.answer_late();
        self.check_output(now);
        if let Some(verdict) = self.status.verdict() {
            let reason = match verdict {
                Verdict::Blocked => "its thread was blocked for too long",
                Verdict::NotEnding => self.shutdown.reason_or("the client closed its end"),
            };
            self.end(reason);
        }
    }

    /// Asks the session's thread, if something waits for it.
    fn ping(&mut self) {
        let asked = self.vitals.asked.load(Ordering::Relaxed);
        let has_answered = self.vitals.answered.load(Ordering::Acquire) == asked;
        let was_blocked = self.status.is_blocked();
        self.status.on_tick(has_answered);
        if !has_answered {
            return;
        }
        if was_blocked {
            self.ending.session.log().info("the session's thread is free again");
        }
        self.status.is_unanswered = self.is_busy();
        if self.status.is_unanswered {
            self.vitals.asked.store(asked + 1, Ordering::Release);
            self.vitals.ping.notify_one();
        }
    }

    fn is_busy(&self) -> bool {
        !self.ending.in_flight.is_empty() || self.status.is_ending() || self.has_input()
    }

    /// Whether input waits that the session's thread has not read.
    fn has_input(&self) -> bool {
        wait_any(&[((), self.ending.pipes.stdin(), PollFlags::IN)], Some(Instant::now()))
            .is_ok_and(|it| !it.is_empty())
    }

    fn report_blocked(&mut self) {
        if self.status.take_news() {
            let who = self.vitals.running().as_ref().map_or_else(|| "a task".into(), |it| it.name());
            self.ending.session.log().warn(&format!(
                "the session's thread is blocked by {who}: nothing else of the session can run; blocking code belongs \
                 into `drydock_kit::blocking`"
            ));
        }
    }

    /// Answers what the session's thread should have answered.
    fn answer_late(&self) {
        let only_calls = !self.status.is_blocked();
        for request in self.ending.in_flight.take_late(self.call_timeout + GRACE, only_calls) {
            request.log_to(self.ending.session.log(), &Outcome::TimedOut);
            let _ = self.ending.outbox.send(&timed_out(&request, self.call_timeout), None);
        }
    }

    fn check_output(&mut self, now: Instant) {
        if self.status.is_blocked() {
            let _ = self.ending.outbox.flush(); // nobody else does
        }
        let (written, is_waiting) = self.ending.outbox.progress();
        if !is_waiting || written != self.written {
            self.stall.moved();
        }
        if written != self.written {
            self.written = written;
            self.status.output_moved();
        }
        if !is_waiting {
            return;
        }
        let reason = match self.stall.blocked(now, self.ending.pipes.stdin()) {
            StallStatus::Waiting => return,
            StallStatus::ClientGone => "the client is gone, its answers are dropped",
            StallStatus::Stalled => "output was blocked for too long",
        };
        self.ending.outbox.close();
        self.status.has_signal = true;
        self.shutdown.finish(reason);
    }

    /// Ends the process, if nobody does.
    fn end(&self, reason: &str) {
        if !self.ending.take() {
            return;
        }
        self.ending.end(reason);
        if self.process != Process::Own {
            return;
        }
        thread::spawn(|| {
            thread::sleep(EXIT_TIMEOUT);
            std::process::abort(); // the blocked thread holds what `exit` wants
        });
        std::process::exit(1)
    }
}
