//! The command line of `/mcp`: a subcommand and a few options, each of which is also an environment variable.
//!
//! Arguments and environment -> `Args`, or a `CliError` that says what is wrong. Invariant: a flag wins over its variable,
//! and an unknown flag or an unreadable value is an error, never ignored.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use drydock_contract::env::{self, MAX_NUMBER};
use drydock_contract::{image, subcommand};
use lexopt::prelude::*;

use crate::log::{Format, Level, ParseError};

/// What `/mcp` is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subcommand {
    /// The container's long-lived process: health, sessions, log.
    Serve,
    /// One MCP session on stdin and stdout.
    Stdio,
    /// Exit 0 when `serve` is ready; with `json`, also print what it knows.
    Health {
        /// On stdout, as one line.
        json: bool,
    },
    /// Print how it is used.
    Help,
    /// Print the server's name and version.
    Version,
}

/// What is wrong with a command line: the flag or variable, its value, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError(String);

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CliError {}

impl From<String> for CliError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for CliError {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<ParseError> for CliError {
    fn from(error: ParseError) -> Self {
        Self(error.to_string())
    }
}

/// The options that all subcommands share. Times are whole seconds on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Events up to this level are logged.
    pub log: Level,
    /// How they are written.
    pub log_format: Format,
    /// The unix socket of `serve`.
    pub socket: PathBuf,
    /// A session ends after its output was blocked this long without a byte moving.
    pub stall_timeout: Duration,
    /// A call is cancelled and answered with an error after this long.
    pub call_timeout: Duration,
    /// Calls of one session that run at the same time; more of them wait.
    pub max_calls: usize,
    /// Sessions at the same time; the next one is refused. 0: no limit.
    pub max_sessions: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            log: Level::Info,
            log_format: Format::Human,
            socket: image::SOCKET.into(),
            stall_timeout: Duration::from_secs(60),
            call_timeout: Duration::from_secs(60),
            max_calls: 16,
            max_sessions: 0,
        }
    }
}

/// A command line that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Args {
    /// What to do.
    pub subcommand: Subcommand,
    /// How.
    pub options: Options,
    /// Values of [`CliSpec::options`] in the order given, variables first; see [`Args::extra`].
    pub extra: Vec<(String, String)>,
    /// What stands after `stdio`, if [`CliSpec::command`].
    pub command: Vec<OsString>,
}

/// An option's flag, its variable, and what `--help` says of it.
pub type Flag<'a> = (&'a str, &'a str, &'a str);

/// In what the command line of one kind of `/mcp` differs from the others'.
///
/// ```
/// use drydock_runtime::args::CliSpec;
///
/// const CLI: CliSpec<'static> =
///     CliSpec { options: &[("warm", "MCP_WARM", "N        children [1]")], without: &["max-calls"], command: true };
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct CliSpec<'a> {
    /// Options of its own.
    pub options: &'a [Flag<'a>],
    /// Shared options that mean nothing to it; their variables are ignored.
    pub without: &'a [&'a str],
    /// Whether `stdio` takes a command.
    pub command: bool,
}

const OPTIONS: [Flag<'static>; 7] = [
    ("log", env::LOG, "LEVEL    error, warn, info or debug [info]"),
    ("log-format", env::LOG_FORMAT, "FORMAT   human or json [human]"),
    ("socket", env::SOCKET, "PATH     where serve listens [/run/mcp.sock]"),
    ("stall-timeout", env::STALL_TIMEOUT, "SECS     end a session whose output is blocked this long [60]"),
    ("call-timeout", env::CALL_TIMEOUT, "SECS     cancel a call after this long [60]"),
    ("max-calls", env::MAX_CALLS, "N        calls of a session at the same time [16]"),
    ("max-sessions", env::MAX_SESSIONS, "N        sessions at the same time, 0 for no limit [0]"),
];

impl Args {
    /// Reads the process's own arguments and environment.
    ///
    /// # Errors
    /// The command line cannot be understood.
    pub fn from_env(spec: &CliSpec<'_>) -> Result<Self, CliError> {
        Self::parse(spec, std::env::args_os().skip(1), |name| std::env::var(name).ok())
    }

    /// Reads these arguments and variables.
    ///
    /// # Errors
    /// They cannot be understood, or an option of the kind's own has the name of a shared one.
    pub fn parse(
        spec: &CliSpec<'_>,
        args: impl IntoIterator<Item = OsString>,
        var: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, CliError> {
        let mut this = Self {
            subcommand: Subcommand::Help,
            options: Options::default(),
            extra: Vec::new(),
            command: Vec::new(),
        };
        if let Some(twice) = spec.options.iter().find(|own| OPTIONS.iter().any(|it| it.0 == own.0)) {
            return Err(
                format!("`--{}` is an option of every server: call this one otherwise", twice.0).into()
            );
        }
        for flag in spec.flags() {
            if let Some(value) = var(flag.1).filter(|it| !it.is_empty()) {
                this.set(spec, flag, value).map_err(|e| CliError(format!("{}: {e}", flag.1)))?;
            }
        }
        let mut subcommand = None;
        let mut json = false;
        let mut parser = lexopt::Parser::from_args(args);
        while let Some(arg) = parser.next().map_err(|e| e.to_string())? {
            match arg {
                Short('h') | Long("help") => subcommand = Some(Subcommand::Help),
                Short('V') | Long("version") => subcommand = Some(Subcommand::Version),
                Long("json") => json = true,
                Long(flag) => {
                    let Some(flag) = spec.flags().find(|it| it.0 == flag) else {
                        return Err(format!("unknown option `--{flag}`").into());
                    };
                    let value = parser.value().and_then(|it| it.string()).map_err(|e| e.to_string())?;
                    this.set(spec, flag, value).map_err(|e| CliError(format!("--{}: {e}", flag.0)))?;
                }
                Value(word) if subcommand.is_none() => {
                    subcommand = Some(Subcommand::named(&word.to_string_lossy())?)
                }
                Value(program) if spec.command && subcommand == Some(Subcommand::Stdio) => {
                    this.command.push(program);
                    this.command.extend(parser.raw_args().map_err(|e| e.to_string())?);
                }
                other => return Err(other.unexpected().to_string().into()),
            }
        }
        this.subcommand = match subcommand {
            None => return Err("no subcommand".into()),
            Some(Subcommand::Health { .. }) => Subcommand::Health { json },
            Some(_) if json => return Err("`--json` goes with `health`".into()),
            Some(other) => other,
        };
        Ok(this)
    }

    fn set(&mut self, spec: &CliSpec<'_>, flag: &Flag<'_>, value: String) -> Result<(), CliError> {
        if spec.options.contains(flag) {
            self.extra.push((flag.0.to_owned(), value));
            return Ok(());
        }
        self.options.set(flag.0, &value)
    }

    /// The value of an option of its own: the last one that was given.
    #[must_use]
    pub fn extra(&self, name: &str) -> Option<&str> {
        self.extra.iter().rfind(|it| it.0 == name).map(|it| it.1.as_str())
    }
}

impl<'a> CliSpec<'a> {
    fn flags(&self) -> impl Iterator<Item = &Flag<'a>> {
        OPTIONS.iter().filter(|it| !self.without.contains(&it.0)).chain(self.options)
    }
}

impl Subcommand {
    fn named(word: &str) -> Result<Self, CliError> {
        match word {
            subcommand::SERVE => Ok(Self::Serve),
            subcommand::STDIO => Ok(Self::Stdio),
            subcommand::HEALTH => Ok(Self::Health { json: false }),
            "help" => Ok(Self::Help),
            _ => Err(format!("unknown subcommand `{}`", crate::log::escape(word)).into()),
        }
    }
}

impl Options {
    fn set(&mut self, flag: &str, value: &str) -> Result<(), CliError> {
        match flag {
            "log" => self.log = value.parse()?,
            "log-format" => self.log_format = value.parse()?,
            "socket" => self.socket = value.into(),
            "stall-timeout" => self.stall_timeout = seconds(value)?,
            "call-timeout" => self.call_timeout = seconds(value)?,
            "max-calls" => self.max_calls = number(value, 1)?,
            "max-sessions" => self.max_sessions = number(value, 0)?,
            _ => return Err("no such option".into()),
        }
        Ok(())
    }
}

fn seconds(value: &str) -> Result<Duration, CliError> {
    number(value, 1).map(|secs| Duration::from_secs(secs as u64))
}

/// Reads a number of things, `least` or more of them.
///
/// ```
/// assert_eq!(drydock_runtime::args::number("3", 1), Ok(3));
/// assert!(drydock_runtime::args::number("0", 1).is_err());
/// ```
///
/// # Errors
/// `value` is no whole number, or less than `least`.
pub fn number(value: &str, least: usize) -> Result<usize, CliError> {
    match value.parse() {
        Ok(it) if (least..=MAX_NUMBER).contains(&it) => Ok(it),
        _ => {
            Err(format!("`{}` is not a whole number from {least} to {MAX_NUMBER}", crate::log::escape(value))
                .into())
        }
    }
}

/// The text of `--help`.
#[must_use]
pub fn help(program: &str, spec: &CliSpec<'_>) -> String {
    let mut text = format!(
        "Usage: {program} [OPTIONS] SUBCOMMAND\n\n\
         Subcommands:\n  \
         serve            the container's long-lived process: health, sessions, log\n  \
         stdio            one MCP session on stdin and stdout\n"
    );
    if spec.command {
        text.push_str("  stdio -- CMD..   the same, with this command as the server\n");
    }
    text.push_str("  health [--json]  exit 0 when `serve` is ready\n\nOptions (or environment):\n");
    for (flag, name, what) in spec.flags() {
        text.push_str(&format!("  --{flag:<14} {what}  ({name})\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, CliError> {
        Args::parse(&CliSpec::default(), line.split_whitespace().map(OsString::from), |_| None)
    }

    #[test]
    fn subcommands_and_options() {
        let args = parse("--log debug stdio --stall-timeout 3").unwrap();
        assert_eq!(args.subcommand, Subcommand::Stdio);
        assert_eq!(args.options.log, Level::Debug);
        assert_eq!(args.options.stall_timeout, Duration::from_secs(3));
        assert_eq!(parse("health --json").unwrap().subcommand, Subcommand::Health { json: true });
    }

    #[test]
    fn a_flag_wins_over_its_variable() {
        let var = |name: &str| (name == "MCP_MAX_CALLS").then(|| "2".to_owned());
        let args = |line: &str| {
            Args::parse(&CliSpec::default(), line.split_whitespace().map(OsString::from), var).unwrap()
        };
        assert_eq!(args("stdio").options.max_calls, 2);
        assert_eq!(args("stdio --max-calls 5").options.max_calls, 5);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(parse("").unwrap_err().0, "no subcommand");
        assert_eq!(parse("sdtio").unwrap_err().0, "unknown subcommand `sdtio`");
        assert_eq!(parse("stdio --loud").unwrap_err().0, "unknown option `--loud`");
        assert!(parse("stdio --json").unwrap_err().0.contains("health"));
        assert!(parse("stdio --call-timeout 0").unwrap_err().0.starts_with("--call-timeout: `0` is not"));
        let var = |name: &str| (name == "MCP_LOG").then(|| "lots".to_owned());
        assert!(
            Args::parse(&CliSpec::default(), ["stdio".into()], var)
                .unwrap_err()
                .0
                .starts_with("MCP_LOG: `lots`")
        );
    }

    #[test]
    fn help_names_every_option() {
        let help = help("/mcp", &CliSpec::default());
        for (flag, name, _) in OPTIONS {
            assert!(help.contains(&format!("--{flag}")) && help.contains(name));
        }
    }

    #[test]
    fn a_spec_has_options_of_its_own_and_a_command() {
        let spec = CliSpec { options: &[("warm", "MCP_WARM", "N")], without: &["max-calls"], command: true };
        let var = |name: &str| ["MCP_WARM", "MCP_MAX_CALLS"].contains(&name).then(|| "2".to_owned());
        let parse = |line: &str| Args::parse(&spec, line.split_whitespace().map(OsString::from), var);
        let args = parse("--warm 3 stdio -- npx -y --log x").unwrap();
        assert_eq!(args.extra("warm"), Some("3"));
        assert_eq!(args.extra, ["2", "3"].map(|it| ("warm".to_owned(), it.to_owned())));
        assert_eq!(args.command, ["npx", "-y", "--log", "x"]);
        assert_eq!(args.options, Options::default());
        assert_eq!(parse("stdio --max-calls 3").unwrap_err().0, "unknown option `--max-calls`");
        assert!(parse("serve npx").is_err());
        let twice = CliSpec { options: &[("log", "LOG", "x")], ..CliSpec::default() };
        assert!(
            Args::parse(&twice, [], |_| None).unwrap_err().0.starts_with("`--log` is an option of every")
        );
        let help = help("/mcp", &spec);
        assert!(help.contains("--warm") && !help.contains("--max-calls") && help.contains("CMD"));
    }
}
