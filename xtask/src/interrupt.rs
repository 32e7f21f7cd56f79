//! Ctrl-C while something is half made: the command that runs dies of it, we stay, clean up and say so.
//!
//! Signals -> an error at the next `check`. Invariant: a second Ctrl-C ends us at once, whatever we are doing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on the first signal is a request. Only for commands that ask nothing on the terminal.
pub(crate) fn arm() -> Result<()> {
    let asked = ASKED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(asked))
            .and_then(|_| flag::register(signal, Arc::clone(asked)))
            .context("cannot listen for signals")?;
    }
    Ok(())
}

/// An error when a signal came since [`arm`].
pub(crate) fn check() -> Result<()> {
    if ASKED.get().is_some_and(|it| it.load(Ordering::Relaxed)) {
        bail!("interrupted");
    }
    Ok(())
}
