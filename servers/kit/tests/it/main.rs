//! Sessions of real servers (the examples) as real processes: they answer, and they end for certain.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests of processes: signals, pipes, exit codes"
)]

mod blocked;
mod careless;
mod frames;
mod harness;
mod resource_notifier;
mod schemas;
mod session;
mod shelf;
mod state;
mod testing;
