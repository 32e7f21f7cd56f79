//! Ends a test that takes longer than any does, and says what it was doing.
//!
//! The threads of tests, and the last command of each -> nothing, or a line on stderr and the end of this process.
//! Invariant: no test waits without a limit, whatever it waits in (a pipe that nobody reads, a lock, a child).

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// Seconds that a test may take, for the test of this.
pub const VARIABLE: &str = "DRYDOCK_TEST_LIMIT";

/// What a whole run without `--full` is to take is 45 minutes.
const LIMIT: Duration = Duration::from_secs(20 * 60);
/// A sample of mutants, each of which is compiled, or an image that is compiled in the engine.
const FULL_LIMIT: Duration = Duration::from_secs(90 * 60);

#[derive(Debug)]
struct Running {
    test: String,
    since: Instant,
    doing: String,
}

/// Takes a test off the list when its thread ends.
struct Registered;

impl Drop for Registered {
    fn drop(&mut self) {
        running().remove(&thread::current().id());
    }
}

thread_local! {
    static REGISTERED: Option<Registered> = register();
}

/// Notes what the test of this thread does now. What is no test's thread is not watched.
pub fn doing(what: impl FnOnce() -> String) {
    let is_watched = REGISTERED.try_with(Option::is_some).unwrap_or(false);
    if is_watched && let Some(it) = running().get_mut(&thread::current().id()) {
        it.doing = what();
    }
}

/// A test's thread has its name.
fn register() -> Option<Registered> {
    static WATCH: Once = Once::new();
    let thread = thread::current();
    let test = thread.name().filter(|it| *it != "main")?.to_owned();
    running().insert(thread.id(), Running { test, since: Instant::now(), doing: String::new() });
    WATCH.call_once(|| drop(thread::spawn(watch)));
    Some(Registered)
}

fn running() -> MutexGuard<'static, HashMap<ThreadId, Running>> {
    static RUNNING: OnceLock<Mutex<HashMap<ThreadId, Running>>> = OnceLock::new();
    RUNNING.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

fn limit() -> Duration {
    let chosen = std::env::var(VARIABLE).ok().and_then(|it| it.parse().ok());
    let rounds = u32::try_from(crate::rounds()).unwrap_or(u32::MAX);
    let usual = if crate::is_full() { FULL_LIMIT } else { LIMIT };
    chosen.map_or(usual.saturating_mul(rounds), Duration::from_secs)
}

fn watch() {
    let limit = limit();
    loop {
        thread::sleep(Duration::from_secs(1));
        if let Some(late) = running().values().find(|it| it.since.elapsed() > limit) {
            let Running { test, doing, .. } = late;
            let minutes = limit.as_secs_f64() / 60.0;
            let text =
                format!("\ntest {test} did not end within {minutes:.1} minutes; its last step: {doing}\n");
            let _ = std::io::stderr().write_all(text.as_bytes()); // past what captures a test's output
            std::process::exit(101);
        }
    }
}
