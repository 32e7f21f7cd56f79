//! strace, which makes a program's system calls fail: there, or installed where that is a matter of course.
//!
//! Nothing -> it works, or why not. Invariant: it is only installed on Debian, as root.

use std::path::Path;
use std::sync::OnceLock;

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
    if !is_installed() {
        install()?;
    }
    let traced = run_with(command("strace").args(["-o", "/dev/null", "true"]), &[], BUILD_TIMEOUT);
    if traced.code == Some(0) {
        Ok(())
    } else {
        Err(format!("strace may not trace here: {}", traced.stderr.trim()))
    }
}

fn is_installed() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|it| it.join("strace").exists())
}

fn install() -> Result<(), String> {
    let root = || run_with(command("id").arg("-u"), &[], BUILD_TIMEOUT).line() == "0";
    if !Path::new("/etc/debian_version").exists() || !root() {
        return Err("strace is not installed".into());
    }
    let apt = |args: &[&str]| {
        let mut apt = command("apt-get");
        apt.args(["-q", "-o", "DPkg::Lock::Timeout=300"]).args(args).env("DEBIAN_FRONTEND", "noninteractive");
        run_with(&mut apt, &[], BUILD_TIMEOUT)
    };
    let install = ["install", "-y", "--no-install-recommends", "strace"];
    if apt(&install).code != Some(0) {
        apt(&["update"]);
        let second = apt(&install);
        if second.code != Some(0) {
            return Err(format!("strace cannot be installed: {}", second.stderr.trim()));
        }
    }
    Ok(())
}
