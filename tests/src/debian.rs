//! Programs that some tests look through: there, or installed where that is a matter of course.
//!
//! A package that holds a program of its name -> it is there, or why not. Invariant: it is only installed on Debian, as root.

use std::path::Path;

use crate::process::{BUILD_TIMEOUT, command, run_with};

/// Installs the package unless its program is there.
pub fn provide(package: &str) -> Result<(), String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|it| it.join(package).exists()) {
        return Ok(());
    }
    let root = || run_with(command("id").arg("-u"), &[], BUILD_TIMEOUT).line() == "0";
    if !Path::new("/etc/debian_version").exists() || !root() {
        return Err(format!("{package} is not installed"));
    }
    let apt = |args: &[&str]| {
        let mut apt = command("apt-get");
        apt.args(["-q", "-o", "DPkg::Lock::Timeout=300"]).args(args).env("DEBIAN_FRONTEND", "noninteractive");
        run_with(&mut apt, &[], BUILD_TIMEOUT)
    };
    let install = ["install", "-y", "--no-install-recommends", package];
    if apt(&install).code != Some(0) {
        apt(&["update"]);
        let second = apt(&install);
        if second.code != Some(0) {
            return Err(format!("{package} cannot be installed: {}", second.stderr.trim()));
        }
    }
    Ok(())
}
