//! Which engine answers, and the only place that runs it.
//!
//! A name + arguments (from `docker_args`) -> what the engine's command line printed. Invariant: an engine that was named
//! and does not answer is an error, never another engine.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use xshell::{Shell, cmd};

use crate::error::Error;
use crate::process::{self, LineSink, Sink};

/// What an engine may print that is read as a whole: what `inspect` says of a hundred containers is a megabyte.
const MAX_OUTPUT: usize = 64 * 1024 * 1024;

/// How long an engine may take to answer a short question: its version, the health of a server.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// What runs servers.
#[derive(Debug)]
pub enum Engine {
    /// Containers.
    Cli(Cli),
    /// Rust servers as plain processes, without a sandbox.
    Host,
}

/// Docker's command line, or one that is like it.
#[derive(Debug, Clone)]
pub struct Cli {
    /// `docker` or `podman`.
    pub name: &'static str,
    /// Absolute, so that a client's short PATH does not matter.
    pub program: PathBuf,
    /// The engine's version.
    pub version: String,
    /// As in `linux/amd64`.
    pub platform: String,
}

/// The engine of this name (`docker`, `podman` or `host`), or the first that answers.
///
/// # Errors
/// The name is none of the three, or that engine is not installed or does not answer.
pub fn find(name: Option<&str>) -> Result<Engine, Error> {
    match name {
        Some("host") => Ok(Engine::Host),
        Some("docker") => connect("docker").map(Engine::Cli),
        Some("podman") => connect("podman").map(Engine::Cli),
        Some(other) => Err(Error::new(format!("there is no engine {other:?}"))
            .with_hint("the engines are docker, podman and host")),
        None => connect("docker").or_else(|err| connect("podman").map_err(|_| err)).map(Engine::Cli),
    }
}

/// The command line of the engine of this name, or of the first that is installed, without asking whether it answers:
/// its name and its path. Without one, Docker's name.
///
/// ```
/// assert_eq!(drydock_engine::installed(Some("podman")).0, "podman");
/// ```
#[must_use]
pub fn installed(name: Option<&str>) -> (&'static str, Option<PathBuf>) {
    let names: &[&'static str] = match name {
        Some("podman") => &["podman"],
        Some(_) => &["docker"],
        None => &["docker", "podman"],
    };
    let found = names.iter().find_map(|it| Some((*it, which::which(it).ok()?)));
    found.map_or((if name == Some("podman") { "podman" } else { "docker" }, None), |(name, path)| {
        (name, Some(path))
    })
}

fn connect(name: &'static str) -> Result<Cli, Error> {
    let Ok(program) = which::which(name) else {
        let hint =
            if name == "podman" { "install it, or leave out `--engine podman`" } else { install_hint() };
        return Err(Error::new(format!("`{name}` is not installed (not in PATH)")).with_hint(hint));
    };
    let format = match name {
        "podman" => ["info", "--format", "{{.Version.Version}} {{.Host.OS}}/{{.Host.Arch}}"],
        _ => ["version", "--format", "{{.Server.Version}} {{.Server.Os}}/{{.Server.Arch}}"],
    };
    let output =
        command(&program, &format.map(str::to_owned)).and_then(output_with_timeout).map_err(|err| {
            Error::new(format!("`{name}` did not answer")).with_source(err).with_hint(start_hint(name))
        })?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match text.split_once(' ') {
        Some((version, platform)) if output.status.success() && !version.is_empty() => {
            Ok(Cli { name, program, version: version.to_owned(), platform: platform.to_owned() })
        }
        _ => Err(unreachable_engine(name, &program, &output)),
    }
}

impl Cli {
    /// What the command printed on stdout.
    ///
    /// # Errors
    /// It failed; the error carries what it complained about.
    pub fn stdout(&self, args: &[String]) -> Result<String, Error> {
        let output = self.output(args)?;
        if !output.status.success() {
            let what = args.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(" ");
            return Err(Error::new(format!("`{} {what}` failed: {}", self.name, error_text(&output))));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The command's output, whether it succeeded or not.
    ///
    /// # Errors
    /// The program cannot be run, or printed more than 64 MiB.
    pub fn output(&self, args: &[String]) -> Result<Output, Error> {
        process::output(&mut self.detached_command(args)?, MAX_OUTPUT)
    }

    /// The same of a question that changes nothing, and has a short answer: it may take 20 s.
    ///
    /// # Errors
    /// The program cannot be run, or did not answer in time.
    pub fn output_with_timeout(&self, args: &[String]) -> Result<Output, Error> {
        output_with_timeout(self.detached_command(args)?)
            .map_err(|err| Error::new(format!("`{}` did not answer", self.name)).with_source(err))
    }

    /// Ctrl-C must not cut it off in the middle: what the engine then does, nobody would know.
    pub(crate) fn detached_command(&self, args: &[String]) -> Result<Command, Error> {
        let mut command = command(&self.program, args)?;
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Ok(command)
    }

    /// Runs something long, such as a build; `sink` is told each line that it prints. Returns its stdout.
    ///
    /// # Errors
    /// It failed; the error carries what it printed.
    pub fn run_with_progress(&self, args: &[String], sink: &Sink<'_>) -> Result<String, Error> {
        let mut command = command(&self.program, args)?;
        // Attestations hold the time of the build: with them no two images are the same.
        command.env("BUILDX_NO_DEFAULT_ATTESTATIONS", "1").env("SOURCE_DATE_EPOCH", "0");
        process::run(&mut command, sink)
    }

    /// Runs commands side by side, whose lines go to the sink as they come. None where it wants no more.
    ///
    /// # Errors
    /// The program cannot be run.
    pub fn pass_on(
        &self,
        commands: &[Vec<String>],
        sink: &LineSink<'_>,
    ) -> Result<Option<Vec<ExitStatus>>, Error> {
        let commands = commands.iter().map(|args| command(&self.program, args));
        process::pass_on(commands.collect::<Result<_, _>>()?, sink)
    }
}

fn command(program: &Path, args: &[String]) -> Result<Command, Error> {
    let sh = Shell::new().map_err(|err| Error::new("cannot tell the current folder").with_source(err))?;
    Ok(cmd!(sh, "{program} {args...}").into())
}

/// An engine's client can wait for ever on an engine that hangs.
fn output_with_timeout(mut command: Command) -> Result<Output, Error> {
    let failed = |err| Error::new("cannot run it").with_source(err);
    let start = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    while child.try_wait().map_err(failed)?.is_none() {
        if start.elapsed() > ANSWER_TIMEOUT {
            child.kill().and_then(|()| child.wait()).map_err(failed)?;
            return Err(Error::new(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().map_err(failed)
}

fn unreachable_engine(name: &str, program: &Path, output: &Output) -> Error {
    let own = error_text(output);
    match (name == "docker").then(|| socket(program)).flatten() {
        #[cfg(unix)]
        Some(socket) if is_refused(&socket) => {
            let problem = format!("you may not use `{name}`: no permission on {socket}: {own}");
            Error::new(problem).with_hint(
                "add yourself to the group that may (`sudo usermod -aG docker \"$USER\"`, then log in again; its \
                 members are as good as root), or use `podman`, or `--engine host`",
            )
        }
        _ => Error::new(format!("`{name}` is installed but its engine does not answer: {own}"))
            .with_hint(wake_hint(name)),
    }
}

/// The socket that docker's client would use.
fn socket(program: &Path) -> Option<String> {
    endpoint(program)?.strip_prefix("unix://").map(str::to_owned)
}

/// The address that docker's client would use, as in `unix:///var/run/docker.sock`.
pub(crate) fn endpoint(program: &Path) -> Option<String> {
    let args = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"].map(str::to_owned);
    let output = output_with_timeout(command(program, &args).ok()?).ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

#[cfg(unix)]
fn is_refused(socket: &str) -> bool {
    let answer = std::os::unix::net::UnixStream::connect(socket);
    answer.is_err_and(|err| err.kind() == std::io::ErrorKind::PermissionDenied)
}

/// What a command printed when it failed, errors first, on as many lines as it took.
#[must_use]
pub fn error_text(output: &Output) -> String {
    let (err, out) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    match (err.trim(), out.trim()) {
        ("", "") => format!("no output, {}", output.status),
        ("", out) => out.to_owned(),
        (err, _) => err.to_owned(),
    }
}

fn install_hint() -> &'static str {
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

fn wake_hint(name: &str) -> String {
    let variable = if name == "podman" { "CONTAINER_HOST" } else { "DOCKER_HOST" };
    match env::var(variable).ok().filter(|it| !it.is_empty()) {
        Some(host) => format!("{variable} is {host:?}: is an engine there?"),
        None => start_hint(name).to_owned(),
    }
}

fn start_hint(name: &str) -> &'static str {
    match env::consts::OS {
        "macos" | "windows" if name == "podman" => "start its machine: `podman machine start`",
        _ if name == "podman" => "it has no daemon: `podman info` says what it lacks",
        "macos" => "start it: `open -a Docker` (or OrbStack, or `colima start`)",
        "windows" => "start Docker Desktop",
        _ => "start it: `sudo systemctl start docker` (or `sudo service docker start`)",
    }
}
