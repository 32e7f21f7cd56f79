//! Which engine answers, and the only place that runs it.
//!
//! Global options -> `Engine`; arguments (from argv.rs) -> what the engine's command line printed. Invariant: an engine
//! that was named and does not answer is an error, never another engine.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::fixable::fixable;
use crate::progress;
use crate::workspace::Workspace;

/// How long an engine may take to answer a short question: its version, the health of a server.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) enum Engine {
    Cli(Cli),
    /// Rust servers as plain processes, without a sandbox.
    Host,
}

/// Docker's command line, or one that is like it.
#[derive(Debug)]
pub(crate) struct Cli {
    pub(crate) name: &'static str,
    /// Absolute, so that a client's short PATH does not matter.
    pub(crate) program: PathBuf,
    pub(crate) version: String,
    /// As in `linux/amd64`.
    pub(crate) platform: String,
}

/// The engine that was named, or the first that answers.
pub(crate) fn find(ws: &Workspace) -> Result<Engine> {
    match ws.global.engine.as_deref() {
        Some("host") => Ok(Engine::Host),
        Some("docker") => cli("docker").map(Engine::Cli),
        Some("podman") => cli("podman").map(Engine::Cli),
        Some(other) => {
            Err(fixable(format!("there is no engine {other:?}"), "the engines are docker, podman and host"))
        }
        None => cli("docker").or_else(|err| cli("podman").map_err(|_| err)).map(Engine::Cli),
    }
}

fn cli(name: &'static str) -> Result<Cli> {
    let Some(program) = which(name) else {
        return Err(fixable(format!("`{name}` is not installed (not in PATH)"), install_hint()));
    };
    let format = match name {
        "podman" => ["info", "--format", "{{.Version.Version}} {{.Host.OS}}/{{.Host.Arch}}"],
        _ => ["version", "--format", "{{.Server.Version}} {{.Server.Os}}/{{.Server.Arch}}"],
    };
    let output = in_time(command(&program, &format.map(str::to_owned))?)
        .with_context(|| format!("`{name}` did not answer"))
        .map_err(|err| fixable(format!("{err:#}"), start_hint()))?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match text.split_once(' ') {
        Some((version, platform)) if output.status.success() && !version.is_empty() => {
            Ok(Cli { name, program, version: version.to_owned(), platform: platform.to_owned() })
        }
        _ => Err(silent(name, &program, &output)),
    }
}

impl Cli {
    /// What the command printed; an error carries what it complained about.
    pub(crate) fn read(&self, args: &[String]) -> Result<String> {
        let output = self.output(args)?;
        if !output.status.success() {
            let what = args.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(" ");
            bail!("`{} {what}` failed: {}", self.name, complaint(&output));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The command's output, whether it succeeded or not.
    pub(crate) fn output(&self, args: &[String]) -> Result<Output> {
        self.apart(args)?
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {}", self.program.display()))
    }

    /// The same of a question that changes nothing, and has a short answer: it may take `PATIENCE`.
    pub(crate) fn ask(&self, args: &[String]) -> Result<Output> {
        in_time(self.apart(args)?).with_context(|| format!("`{}` did not answer", self.name))
    }

    /// Ctrl-C must not cut it off in the middle: what the engine then does, nobody would know.
    fn apart(&self, args: &[String]) -> Result<Command> {
        let mut command = command(&self.program, args)?;
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Ok(command)
    }

    /// Runs something long, with progress shown.
    pub(crate) fn work(&self, label: &str, args: &[String]) -> Result<String> {
        let mut command = command(&self.program, args)?;
        // Attestations hold the time of the build: with them no two images are the same.
        command.env("BUILDX_NO_DEFAULT_ATTESTATIONS", "1").env("SOURCE_DATE_EPOCH", "0");
        progress::run(label, command)
    }

    /// Hands our own streams over to the command.
    pub(crate) fn pass(&self, args: &[String]) -> Result<ExitStatus> {
        command(&self.program, args)?
            .status()
            .with_context(|| format!("cannot run {}", self.program.display()))
    }
}

fn command(program: &Path, args: &[String]) -> Result<Command> {
    let sh = Shell::new()?;
    Ok(cmd!(sh, "{program} {args...}").into())
}

/// An engine's client can wait for ever on an engine that hangs.
fn in_time(mut command: Command) -> Result<Output> {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run it")?;
    while child.try_wait()?.is_none() {
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            bail!("no answer within {} s", PATIENCE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(child.wait_with_output()?)
}

fn silent(name: &str, program: &Path, output: &Output) -> anyhow::Error {
    let own = complaint(output);
    match endpoint(program) {
        #[cfg(unix)]
        Some(socket) if refused(&socket) => fixable(
            format!("you may not use `{name}`: no permission on {socket}: {own}"),
            "add yourself to the group that may (`sudo usermod -aG docker \"$USER\"`, then log in again; its members \
             are as good as root), or use `podman`, or `--engine host`",
        ),
        _ => fixable(format!("`{name}` is installed but its engine does not answer: {own}"), wake_hint()),
    }
}

/// The socket that docker's client would use.
fn endpoint(program: &Path) -> Option<String> {
    let args = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"].map(str::to_owned);
    let output = in_time(command(program, &args).ok()?).ok()?;
    let host = String::from_utf8(output.stdout).ok()?;
    host.trim().strip_prefix("unix://").map(str::to_owned)
}

#[cfg(unix)]
fn refused(socket: &str) -> bool {
    let answer = std::os::unix::net::UnixStream::connect(socket);
    answer.is_err_and(|err| err.kind() == std::io::ErrorKind::PermissionDenied)
}

/// What a command printed when it failed, errors first, on as many lines as it took.
pub(crate) fn complaint(output: &Output) -> String {
    let (err, out) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    match (err.trim(), out.trim()) {
        ("", "") => format!("no output, {}", output.status),
        ("", out) => out.to_owned(),
        (err, _) => err.to_owned(),
    }
}

/// The absolute path of a program in PATH.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(&file)).find(|it| it.is_absolute() && it.is_file())
}

pub(crate) fn install_hint() -> &'static str {
    match env::consts::OS {
        "macos" => {
            "install Docker Desktop, OrbStack or Colima and start it; or run Rust servers without a sandbox: --engine host"
        }
        "windows" => {
            "install Docker Desktop (with WSL 2) and start it; or run Rust servers without a sandbox: --engine host"
        }
        _ => {
            "install one (Debian and Ubuntu: `sudo apt-get install docker.io`, Fedora: `sudo dnf install moby-engine`); \
             or run Rust servers without a sandbox: --engine host"
        }
    }
}

fn wake_hint() -> String {
    match env::var("DOCKER_HOST").ok().filter(|it| !it.is_empty()) {
        Some(host) => format!("DOCKER_HOST is {host:?}: is an engine there?"),
        None => start_hint().to_owned(),
    }
}

fn start_hint() -> &'static str {
    match env::consts::OS {
        "macos" => "start it: `open -a Docker` (or OrbStack, or `colima start`)",
        "windows" => "start Docker Desktop",
        _ => "start it: `sudo systemctl start docker` (or `sudo service docker start`)",
    }
}
