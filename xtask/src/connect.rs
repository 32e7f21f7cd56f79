//! Our MCP client, `drydock-connect`, as a program that we build and execute: what speaks MCP for us.
//!
//! A command line of a server + what to do -> what the client printed. Invariant: the server's command line is passed
//! on as it stands, behind `--`, and its variables in the environment, where no process list shows them.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use drydock_catalog::{Kind, Server};
use drydock_config::client::{StdioCommand, Transport};
use drydock_engine::{Cli, Engine, docker_args};
use serde::{Deserialize, Serialize};
use xshell::{Shell, cmd};

use crate::hint::with_hint;
use crate::ops::missing_grant;
use crate::ops::sources::{self, Sources};
use crate::ops::up::because;
use crate::workspace::Workspace;
use crate::{
    cargo, interrupt,
    ui::{progress, table},
};

const PACKAGE: &str = "drydock-connect";
/// What the client may print, in bytes: its own limits (clients/connect/src/intake.rs) keep it below.
const MAX_OUTPUT: usize = 256 * 1024 * 1024;
/// A build that takes no longer needs no progress shown.
const UNNOTICED: Duration = Duration::from_millis(800);

/// What the person may say about a session.
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct Options {
    /// Version of the protocol to ask for: auto takes the newest that both sides know
    #[arg(long, value_name = "VERSION", default_value = "auto", value_parser = ["auto", "2025-06-18", "2025-11-25", "2026-07-28"])]
    pub(crate) protocol: String,
    /// Time limit for each step: start, handshake, list, call
    #[arg(long, value_name = "SECS", default_value = "30", value_parser = seconds)]
    pub(crate) timeout: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { protocol: "auto".to_owned(), timeout: 30.0 }
    }
}

/// The client's own rule, before it is compiled and started.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(it) if it > 0.0 && it <= 86_400.0 => Ok(it),
        Ok(_) => Err("must be above 0 and at most a day".into()),
        Err(_) => Err("not a number".into()),
    }
}

/// The part of the client's `--json` that we use; its fields are promised there (clients/connect/src/report.rs).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    pub(crate) ok: bool,
    pub(crate) protocol: Option<Protocol>,
    /// Why the server was asked a second time, from the start.
    pub(crate) first_try: Option<String>,
    pub(crate) server: Option<ServerInfo>,
    pub(crate) tool_names: Vec<String>,
    pub(crate) ms: std::collections::BTreeMap<String, f64>,
    pub(crate) error: Option<Failure>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Protocol {
    pub(crate) version: String,
    /// `discover` or `initialize`.
    pub(crate) lifecycle: String,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ServerInfo {
    pub(crate) name: String,
    pub(crate) version: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Failure {
    /// What to decide by.
    pub(crate) kind: String,
    pub(crate) step: String,
    pub(crate) reason: String,
    /// The same for people, escaped, with the server's last lines.
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The server's last lines.
    pub(crate) stderr: Vec<String>,
}

/// The client, built and ready to be executed.
#[derive(Debug)]
pub(crate) struct Connect {
    program: PathBuf,
}

impl Connect {
    /// Builds the client when it is not up to date, and says so only when that takes a while.
    pub(crate) fn build(ws: &Workspace) -> Result<Self> {
        interrupt::arm()?;
        let args =
            ["build", "--package", PACKAGE, "--bin", PACKAGE, "--message-format", "json-render-diagnostics"];
        let mut command = cargo::cargo(&ws.root, &args)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().context("cannot run cargo")?;
        let (done, wait) = mpsc::channel();
        thread::spawn(move || done.send(child.wait_with_output()));
        let output = match wait.recv_timeout(UNNOTICED) {
            Ok(output) => output,
            Err(_) => {
                return progress::step("compiling our MCP client", || Self::from_build(wait.recv()?));
            }
        };
        Self::from_build(output)
    }

    fn from_build(output: std::io::Result<Output>) -> Result<Self> {
        interrupt::check()?;
        Ok(Self { program: built(&output.context("cannot wait for cargo")?)? })
    }

    /// Shakes hands and lists the tools. A failure is a report as well.
    pub(crate) fn check(&self, way: &Transport, options: &Options) -> Result<Report> {
        let mut words = vec!["check".to_owned(), "--json".to_owned()];
        let output = match way {
            Transport::Stdio(launch) => self.run(launch, options, &words)?,
            Transport::Http(remote) => {
                words.extend(["--url".to_owned(), remote.url.clone()]);
                let headers = remote.headers.iter();
                words.extend(
                    headers.flat_map(|(name, value)| ["--header".to_owned(), format!("{name}: {value}")]),
                );
                self.output(self.base_command(options, &words)?)?
            }
        };
        serde_json::from_slice(&output.stdout).with_context(|| {
            format!("cannot read what {PACKAGE} says: {}", String::from_utf8_lossy(&output.stderr).trim())
        })
    }

    /// Does what `words` say and captures what the client prints.
    pub(crate) fn run(&self, launch: &StdioCommand, options: &Options, words: &[String]) -> Result<Output> {
        self.output(self.command(launch, options, words)?)
    }

    fn command(&self, launch: &StdioCommand, options: &Options, words: &[String]) -> Result<Command> {
        let mut command = self.base_command(options, words)?;
        command.arg("--").arg(&launch.command).args(&launch.args);
        if launch.clear_env {
            command.env_clear();
        }
        command.envs(launch.env.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &launch.cwd {
            command.current_dir(folder);
        }
        Ok(command)
    }

    fn output(&self, mut command: Command) -> Result<Output> {
        let output = drydock_engine::process::output(&mut command, MAX_OUTPUT);
        interrupt::check()?;
        Ok(output?)
    }

    fn base_command(&self, options: &Options, words: &[String]) -> Result<Command> {
        let sh = Shell::new()?;
        let (program, protocol, timeout) = (&self.program, &options.protocol, options.timeout.to_string());
        let mut command =
            Command::from(cmd!(sh, "{program} --protocol {protocol} --timeout {timeout} {words...}"));
        command.stdin(Stdio::null());
        Ok(command)
    }
}

/// The program that cargo names in its messages.
fn built(output: &Output) -> Result<PathBuf> {
    if !output.status.success() {
        bail!(
            "cannot compile {PACKAGE} ({}):\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|it| serde_json::from_str::<Message>(it).ok());
    messages.filter_map(|it| it.executable).next_back().with_context(|| format!("cargo names no {PACKAGE}"))
}

/// What starts a session with a server, without any client's entry.
pub(crate) fn launch(ws: &Workspace, engine: &Engine, server: &Server) -> Result<StdioCommand> {
    match engine {
        Engine::Cli(cli) => into_container(cli, &server.container(&ws.global.name_prefix)),
        Engine::Host if server.kind != Kind::Rust => Err(server.needs_a_container().into()),
        Engine::Host => {
            let program = cargo::host_binary(ws, server)?;
            if !program.is_file() {
                let problem = format!("`{}` is not compiled for this machine", server.name);
                return Err(with_hint(problem, ws.command(&format!("up {}", server.name))));
            }
            stdio_command(program, vec!["stdio".to_owned()])
        }
    }
}

/// What starts a session in a container.
pub(crate) fn into_container(cli: &Cli, container: &str) -> Result<StdioCommand> {
    stdio_command(cli.program.clone(), docker_args::exec_stdio(container))
}

fn stdio_command(program: PathBuf, args: Vec<String>) -> Result<StdioCommand> {
    let command = program.into_os_string().into_string().ok().context("a path that is not UTF-8")?;
    Ok(StdioCommand { command, args, ..StdioCommand::default() })
}

/// Why there is no session in a server's container, when the engine knows it better than who stood at its door.
pub(crate) fn diagnose(ws: &Workspace, server: &Server) -> Option<(String, String)> {
    let Engine::Cli(cli) = ws.engine().ok()? else { return None };
    let name = server.container(&ws.global.name_prefix);
    let up = ws.command(&format!("up {}", server.name));
    match drydock_engine::container(cli, &name).ok()? {
        None => Some((format!("there is no container {name}"), up)),
        Some(it) if !it.state.running => {
            Some((format!("the container {name} does not run: {}", it.state.status), up))
        }
        Some(_) => {
            let problem = match drydock_engine::health(cli, &name) {
                Ok(health) if health.ready => return None,
                Ok(health) => format!("the server in {name} is not ready{}", because(&health)),
                Err(_) => format!("the server in {name} does not answer"),
            };
            Some((problem, ws.command(&format!("logs {}", server.name))))
        }
    }
}

/// The one server of a command that takes one, and how to reach it.
pub(crate) fn resolve(ws: &Workspace, name: &str) -> Result<(Server, StdioCommand)> {
    let server = drydock_catalog::pick(&ws.root, name)?;
    let engine = ws.engine()?;
    let launch = launch(ws, engine, &server)?;
    Ok((server, launch))
}

/// What a person should know when they ask a server: that it is older than its sources.
pub(crate) fn note_stale(ws: &Workspace, server: &Server) -> Option<String> {
    let built_from = match ws.engine().ok()? {
        Engine::Cli(cli) => {
            let found = drydock_engine::container(cli, &server.container(&ws.global.name_prefix)).ok()??;
            found.sources().map(str::to_owned)
        }
        Engine::Host => sources::of_binary(&cargo::host_binary(ws, server).ok()?),
    };
    let stale = Sources::new(&ws.root).is_stale(server, built_from.as_deref())?;
    stale.then(|| {
        format!("what answers is older than its sources: {}", ws.command(&format!("up {}", server.name)))
    })
}

/// Shows a person what the client printed, which was started after `begun`, or what the engine knows better. Ends with the
/// client's exit code.
pub(crate) fn print_and_exit(ws: &Workspace, server: &Server, begun: Instant, output: &Output) -> Result<()> {
    const NO_CONNECTION: i32 = 3;
    const MAX_EXCUSE_BYTES: usize = 2_000;
    let code = output.status.code().unwrap_or(NO_CONNECTION);
    if let Some(note) = note_stale(ws, server) {
        progress::say(&format!("note: `{}`: {note}", server.name));
    }
    if code == NO_CONNECTION
        && let Some((problem, hint)) = diagnose(ws, server)
    {
        let problem = format!("`{}`: {problem}", server.name);
        print_report(&output.stdout, &problem, &hint);
        progress::say(&format!("error: {problem}\n\nhint: {hint}"));
        std::process::exit(NO_CONNECTION);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let say_it = || {
        if !stderr.is_empty() {
            progress::say(stderr.strip_suffix('\n').unwrap_or(&stderr));
        }
    };
    if code == 0 {
        say_it();
    }
    write(&mut std::io::stdout(), &output.stdout)?;
    if code != 0 {
        say_it();
    }
    // Many servers answer with what went wrong as if it were a result; a long answer is one.
    if code != 0 || output.stdout.len() <= MAX_EXCUSE_BYTES {
        let said = [output.stdout.as_slice(), &output.stderr].concat();
        let advice = missing_grant::advice(ws, server, &String::from_utf8_lossy(&said));
        let by_log =
            || (code == NO_CONNECTION).then(|| missing_grant::advice_by_log(ws, server, begun)).flatten();
        let advice = advice.or_else(by_log);
        advice.iter().for_each(|it| progress::say(&format!("\nhint: {it}")));
    }
    match code {
        0 => Ok(()),
        _ => std::process::exit(code),
    }
}

/// The client's report, if it printed one, with what the engine knows better.
fn print_report(stdout: &[u8], problem: &str, hint: &str) {
    let Ok(mut report) = serde_json::from_slice::<serde_json::Value>(stdout) else { return };
    if let Some(error) = report.get_mut("error").and_then(serde_json::Value::as_object_mut) {
        error.insert("message".to_owned(), problem.into());
        error.insert("hint".to_owned(), hint.into());
        // Who has closed stdout has the exit code.
        drop(table::json(&report));
    }
}

fn write(to: &mut impl std::io::Write, bytes: &[u8]) -> Result<()> {
    match to.write_all(bytes).and_then(|()| to.flush()) {
        Err(err) if err.kind() == std::io::ErrorKind::BrokenPipe => Ok(()), // as in `tools weather | head -1`
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_command_line_is_passed_on_as_it_stands() {
        let launch = StdioCommand {
            command: "/opt/a b/server".to_owned(),
            args: vec!["--json".to_owned(), "$(x)".to_owned()],
            env: vec![("TOKEN".to_owned(), "secret".to_owned())],
            cwd: Some("/srv".to_owned()),
            clear_env: false,
        };
        let connect = Connect { program: "connect".into() };
        let words = ["call", "t", "a=-1"].map(str::to_owned);
        let command = connect.command(&launch, &Options::default(), &words).unwrap();
        let args: Vec<_> = command.get_args().map(|it| it.to_str().unwrap()).collect();
        let options = ["--protocol", "auto", "--timeout", "30"];
        let expected =
            [&options[..], &["call", "t", "a=-1", "--", "/opt/a b/server", "--json", "$(x)"]].concat();
        assert_eq!(args, expected);
        assert!(command.get_envs().any(|it| it == ("TOKEN".as_ref(), Some("secret".as_ref()))));
        assert_eq!(command.get_current_dir(), Some("/srv".as_ref()));
    }

    #[cfg(unix)]
    #[test]
    fn cargo_names_the_program_it_built() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\nwarning: x\n\
                        {\"reason\":\"compiler-artifact\",\"executable\":\"/t/debug/drydock-connect\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\n";
        let output = Output { status: Default::default(), stdout: messages.into(), stderr: Vec::new() };
        assert_eq!(built(&output).unwrap(), PathBuf::from("/t/debug/drydock-connect"));
    }
}
