//! `drydock-hold` as its client sees it, around a server of kit's that is killed, replaced and kept from starting.

#![cfg(target_os = "linux")]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests of processes: signals, pipes, exit codes"
)]

mod ends;
mod harness;
mod sessions;
