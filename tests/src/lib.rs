//! What the end-to-end tests share: environments of their own, real sessions, the stand-in for the weather service.
//!
//! Tests run the real binaries against a real engine; nothing of ours is replaced. Invariant: what a test makes on the
//! engine carries this run's prefix and is gone after it, also when the test run is killed.

#![warn(missing_docs)]

pub mod buildkit;
pub mod callgrind;
pub mod debian;
pub mod engine;
pub mod large;
pub mod process;
pub mod recording;
pub mod scratch_crate;
pub mod service;
pub mod session;
pub mod strace;
pub mod test_env;
pub mod time_limit;
pub mod weather;
pub mod wrapped;

use std::io::Write;

/// Ends the test early and has it counted as skipped: `skip!("why it cannot run here")`.
#[macro_export]
macro_rules! skip {
    ($($why:tt)*) => {{
        fn here() {}
        $crate::skipped(std::any::type_name_of_val(&here), &format!($($why)*));
        return;
    }};
}

/// The engine's command line, or the test is skipped.
#[macro_export]
macro_rules! engine_or_skip {
    () => {
        match $crate::engine::Engine::find() {
            Ok(engine) => engine,
            Err(why) => $crate::skip!("{why}"),
        }
    };
}

/// Goes on only in a full run.
#[macro_export]
macro_rules! full_or_skip {
    () => {
        if !$crate::is_full() {
            $crate::skip!("takes minutes: `cargo xtask test --full` runs it")
        }
    };
}

/// Whether tests take their time, as in `cargo xtask test --full`.
pub fn is_full() -> bool {
    std::env::var("DRYDOCK_FULL").is_ok_and(|it| !it.is_empty())
}

/// How often a test that looks for what happens once in a while does its work: `DRYDOCK_ROUNDS`, by default once.
pub fn rounds() -> usize {
    std::env::var("DRYDOCK_ROUNDS").map_or(1, |it| it.parse().expect("DRYDOCK_ROUNDS is a number"))
}

/// Notes a skip for `cargo xtask test`, which counts it; without it, the reason is all there is.
pub fn skipped(here: &str, why: &str) {
    let name = here.trim_end_matches("::here").trim_end_matches("::{{closure}}");
    eprintln!("skipped: {name}: {why}");
    let Some(file) = std::env::var_os("DRYDOCK_SKIPS") else { return };
    let mut file = std::fs::File::options().create(true).append(true).open(file).expect("the file of skips");
    // One write, so that tests in parallel do not mix their lines.
    file.write_all(format!("{name}\t{}\n", why.replace('\n', " ")).as_bytes())
        .expect("a line in the file of skips");
}
