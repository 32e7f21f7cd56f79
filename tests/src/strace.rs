//! strace, which makes a program's system calls fail.
//!
//! Nothing -> it works, or why not. Invariant: whether it works is found out once.

use std::sync::OnceLock;

use crate::debian;
use crate::process::{BUILD_TIMEOUT, command, run_with};

/// Goes on only where strace works.
#[macro_export]
macro_rules! strace_or_skip {
    () => {
        if let Err(why) = $crate::strace::ready() {
            $crate::skip!("{why}");
        }
    };
}

/// Whether strace works here, or why not; found out once.
pub fn ready() -> Result<(), String> {
    static READY: OnceLock<Result<(), String>> = OnceLock::new();
    READY.get_or_init(find).clone()
}

fn find() -> Result<(), String> {
    debian::provide("strace")?;
    let traced = run_with(command("strace").args(["-o", "/dev/null", "true"]), &[], BUILD_TIMEOUT);
    if traced.code == Some(0) {
        Ok(())
    } else {
        Err(format!("strace may not trace here: {}", traced.stderr.trim()))
    }
}
