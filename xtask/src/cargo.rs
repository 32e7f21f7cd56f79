//! What cargo knows about a server's crate, and the two ways to compile it here: for this machine, or static for an image.
//!
//! `Server` -> the path of a binary. Invariant: a static build depends on the sources alone: it names no path of this
//! machine and takes no flags from the environment, so that two builds with profile release give the same bytes.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Error, Result, bail};
use drydock_catalog::Server;
use xshell::{Cmd, Shell, cmd};

pub(crate) use self::metadata::{Crate, Metadata};
use crate::hint::with_hint;
use crate::ops::sources::{self, Sources};
use crate::ui::progress;
use crate::workspace::Workspace;

mod metadata;

/// Which `[profile]` of Cargo.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Profile {
    /// Small and fast, slow to build
    Release,
    /// The same code in a fraction of the time
    Quick,
}

impl Profile {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Profile::Release => "release",
            Profile::Quick => "quick",
        }
    }
}

/// Asks cargo about the workspace's crates; once a command, by `Workspace::metadata`.
pub(crate) fn metadata(root: &Path) -> Result<Metadata> {
    Metadata::parse(&read(cargo(root, &["metadata", "--no-deps", "--format-version", "1"])?)?)
}

/// Where [`build_host`] puts a server's binary. Absolute.
pub(crate) fn host_binary(ws: &Workspace, server: &Server) -> Result<PathBuf> {
    Ok(quick_binary(&ws.metadata()?.describe(server)?))
}

fn quick_binary(it: &Crate) -> PathBuf {
    it.target_dir.join("quick").join(format!("{}{}", it.binary, env::consts::EXE_SUFFIX))
}

/// Builds a server for this machine, as engine `host` runs it.
pub(crate) fn build_host(ws: &Workspace, server: &Server) -> Result<PathBuf> {
    let it = ws.metadata()?.describe(server)?;
    let args = ["build", "--profile", "quick", "--package", &it.package, "--bin", &it.binary];
    let label = format!("compiling {} for this machine (profile quick)", server.name);
    let fingerprint = Sources::new(&ws.root).fingerprint(server)?;
    progress::run(&label, cargo(&ws.root, &args)?)?;
    let binary = quick_binary(&it);
    sources::note_binary(&binary, &fingerprint)?;
    Ok(binary)
}

/// Builds a static binary for an image.
pub(crate) fn build_static(
    ws: &Workspace,
    server: &Server,
    it: &Crate,
    profile: Profile,
    target: &str,
) -> Result<PathBuf> {
    let args = [
        "build",
        "--profile",
        profile.name(),
        "--target",
        target,
        "--package",
        &it.package,
        "--bin",
        &it.binary,
    ];
    let mut command = cargo(&ws.root, &args)?;
    command.env("CARGO_ENCODED_RUSTFLAGS", static_flags(ws, target)?.join("\u{1f}"));
    command.env_remove("RUSTFLAGS");
    // What a build from before left could be seen in the bytes; a quick one is to be quick.
    command.env("CARGO_INCREMENTAL", if profile == Profile::Release { "0" } else { "1" });
    progress::run(&format!("compiling {} for {target} (profile {})", server.name, profile.name()), command)?;
    Ok(it.target_dir.join(target).join(profile.name()).join(&it.binary))
}

fn static_flags(ws: &Workspace, target: &str) -> Result<Vec<String>> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|it| it.join(".cargo")));
    let script = ws.root.join("docker/no-unwind.ld");
    let mut flags = vec![
        "-Ctarget-feature=+crt-static".to_owned(),
        format!("-Clink-arg=-Wl,-T,{}", script.display()),
        "-Clink-arg=-Wl,--no-eh-frame-hdr".to_owned(),
        // The profile says so, too, but cargo 1.95 forgets it for a package that has an `opt-level` of its own.
        "-Cstrip=symbols".to_owned(),
    ];
    if target.ends_with("-gnu") && glibc_takes_packed_relocations()? {
        flags.push("-Clink-arg=-Wl,-z,pack-relative-relocs".to_owned());
    }
    for (from, to) in [(Some(ws.root.clone()), "/drydock"), (home, "/cargo"), (Some(sysroot()?), "/rust")] {
        if let Some(from) = from {
            flags.push(format!("--remap-path-prefix={}={to}", from.display()));
        }
    }
    Ok(flags)
}

/// The target for a static binary that an engine of this platform runs, where this machine can build one.
pub(crate) fn static_target(platform: &str) -> Result<Option<String>> {
    let arch = match platform {
        "linux/amd64" | "linux/x86_64" => "x86_64",
        "linux/arm64" | "linux/aarch64" => "aarch64",
        _ => return Ok(None),
    };
    if env::consts::OS != "linux" || env::consts::ARCH != arch {
        return Ok(None); // a linker for another platform is a thing of its own: the docker builder has one
    }
    let libraries = sysroot()?.join("lib/rustlib");
    let (musl, gnu) = (format!("{arch}-unknown-linux-musl"), format!("{arch}-unknown-linux-gnu"));
    let installed = |target: &str| libraries.join(target).join("lib").is_dir();
    let musl_cc = has_program("musl-gcc") || has_program(&format!("{arch}-linux-musl-gcc"));
    if installed(&musl) && musl_cc {
        Ok(Some(musl))
    } else if installed(&gnu) && has_static_glibc()? {
        Ok(Some(gnu))
    } else {
        Ok(None)
    }
}

/// Debian's libc6-dev has glibc as a static library, some other systems keep it apart.
fn has_static_glibc() -> Result<bool> {
    if !has_program("cc") {
        return Ok(false);
    }
    let sh = Shell::new()?;
    Ok(read(cmd!(sh, "cc -print-file-name=libc.a").into())?.contains('/'))
}

/// Packed, the list of what to relocate is 0.2 MB smaller, in the image and in every session's memory. A static binary
/// relocates itself with glibc's code, which can do that from 2.36 on.
fn glibc_takes_packed_relocations() -> Result<bool> {
    if !has_program("getconf") {
        return Ok(false);
    }
    let sh = Shell::new()?;
    let said = read(cmd!(sh, "getconf GNU_LIBC_VERSION").into())?;
    let version =
        said.trim().strip_prefix("glibc 2.").and_then(|it| it.split('.').next()?.parse::<u32>().ok());
    Ok(version.is_some_and(|it| it >= 36))
}

pub(crate) fn has_program(name: &str) -> bool {
    which::which(name).is_ok()
}

/// What a tool says that it is, as in `cargo 1.95.0`.
pub(crate) fn version(tool: &str) -> Result<String> {
    let sh = Shell::new()?;
    let program = env::var_os(tool.to_uppercase()).unwrap_or_else(|| tool.into());
    let text = read(cmd!(sh, "{program} --version").into())?;
    Ok(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

fn sysroot() -> Result<PathBuf> {
    let sh = Shell::new()?;
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Ok(PathBuf::from(read(cmd!(sh, "{rustc} --print sysroot").into())?.trim()))
}

/// The cargo that runs us, or the one in PATH.
pub(crate) fn program() -> Result<OsString> {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    match which::which(&program) {
        Ok(_) => Ok(program),
        Err(_) => Err(no_tool(&program.to_string_lossy())),
    }
}

fn no_tool(program: &str) -> Error {
    with_hint(
        format!("`{program}` is not installed (not in PATH)"),
        "add the `bin` folder of `.cargo` in your home to PATH, or install Rust (with rustup)",
    )
}

/// Cargo in the workspace at `root`.
pub(crate) fn cargo(root: &Path, args: &[&str]) -> Result<Command> {
    let sh = Shell::new()?;
    sh.change_dir(root);
    let cargo = program()?;
    Ok(unaware(cmd!(sh, "{cargo} {args...}")).into())
}

/// A cargo command that does not see what the cargo around us says about xtask: ring's build script looks at such
/// variables, and would compile itself and all that stands on it anew whenever they come or go.
pub(crate) fn unaware(command: Cmd<'_>) -> Cmd<'_> {
    let said = |name: &OsString| {
        let name = name.to_string_lossy();
        ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|it| name.starts_with(it))
    };
    env::vars_os().map(|(name, _)| name).filter(said).fold(command, Cmd::env_remove)
}

fn read(mut command: Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = match command.output() {
        Err(err) if err.kind() == ErrorKind::NotFound => return Err(no_tool(&program)),
        output => output.with_context(|| format!("cannot run {program}"))?,
    };
    if !output.status.success() {
        bail!(
            "{program} failed ({}):\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
