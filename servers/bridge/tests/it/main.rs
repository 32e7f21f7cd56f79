//! The bridge as real processes, around a real server that misbehaves (the `odd` example).

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests of processes: signals, pipes, exit codes"
)]

mod ends;
mod harness;
mod sessions;
mod starts;
