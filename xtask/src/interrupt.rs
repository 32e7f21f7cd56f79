//! Ctrl-C while something is half made: the command that runs dies of it, we stay, clean up and say so.
//!
//! Signals -> an error at the next `check`, and the exit code at the end. Invariant: a second Ctrl-C ends us at once,
//! whatever we are doing, and so does the first one while a person is asked.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

static ARMED: OnceLock<Armed> = OnceLock::new();

#[derive(Debug, Default)]
struct Armed {
    /// Whether the next signal ends us at once.
    ends: Arc<AtomicBool>,
    /// The signal that came; 0 for none.
    signal: Arc<AtomicUsize>,
}

/// From now on the first signal is a request.
pub(crate) fn arm() -> Result<()> {
    if ARMED.get().is_some() {
        return Ok(());
    }
    let armed = ARMED.get_or_init(Armed::default);
    for signal in [SIGINT, SIGTERM] {
        let number = usize::try_from(signal).unwrap_or_default();
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&armed.ends))
            .and_then(|_| flag::register_usize(signal, Arc::clone(&armed.signal), number))
            .and_then(|_| flag::register(signal, Arc::clone(&armed.ends)))
            .context("cannot listen for signals")?;
    }
    Ok(())
}

/// An error when a signal came since [`arm`].
pub(crate) fn check() -> Result<()> {
    if signal().is_some() {
        bail!("interrupted");
    }
    Ok(())
}

/// The signal that came since [`arm`].
pub(crate) fn signal() -> Option<u8> {
    let signal = ARMED.get()?.signal.load(Ordering::Relaxed);
    u8::try_from(signal).ok().filter(|it| *it > 0)
}

/// Waits for a person: a read would begin again after a signal, and nothing is half made.
pub(crate) fn while_asking<T>(ask: impl FnOnce() -> T) -> T {
    let ends = ARMED.get().map(|it| &it.ends);
    let before = ends.map(|it| it.swap(true, Ordering::Relaxed));
    let answer = ask();
    if let (Some(ends), Some(before)) = (ends, before) {
        ends.store(before, Ordering::Relaxed);
    }
    answer
}
