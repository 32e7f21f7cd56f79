//! The command line of `/mcp`: a verb and a few options, each of which is also an environment variable.
//!
//! Arguments and environment -> `Args`, or a text that says what is wrong. Invariant: a flag wins over its variable,
//! and an unknown flag or an unreadable value is an error, never ignored.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::log::{Format, Level};

/// What `/mcp` is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// The container's long-lived process: health, sessions, log.
    Serve,
    /// One MCP session on stdin and stdout.
    Stdio,
    /// Exit 0 when `serve` is ready; with `json`, also print what it knows.
    Health {
        json: bool,
    },
    Help,
    Version,
}

/// The options that all verbs share. Times are whole seconds on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub log: Level,
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
            socket: "/run/mcp.sock".into(),
            stall_timeout: Duration::from_secs(60),
            call_timeout: Duration::from_secs(60),
            max_calls: 16,
            max_sessions: 0,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Args {
    pub verb: Verb,
    pub options: Options,
    /// Values of [`Kind::options`], later ones win.
    pub own: Vec<(&'static str, String)>,
    /// What stands after `stdio`, if [`Kind::command`].
    pub command: Vec<OsString>,
}

/// An option's flag, its variable, and what `--help` says of it.
pub type Flag = (&'static str, &'static str, &'static str);

/// In what the command line of one kind of `/mcp` differs from the others'.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kind {
    /// Options of its own.
    pub options: &'static [Flag],
    /// Shared options that mean nothing to it; their variables are ignored.
    pub without: &'static [&'static str],
    /// Whether `stdio` takes a command.
    pub command: bool,
}

const OPTIONS: [Flag; 7] = [
    ("log", "MCP_LOG", "LEVEL    error, warn, info or debug [info]"),
    ("log-format", "MCP_LOG_FORMAT", "FORMAT   human or json [human]"),
    ("socket", "MCP_SOCKET", "PATH     where serve listens [/run/mcp.sock]"),
    ("stall-timeout", "MCP_STALL_TIMEOUT", "SECS     end a session whose output is blocked this long [60]"),
    ("call-timeout", "MCP_CALL_TIMEOUT", "SECS     cancel a call after this long [60]"),
    ("max-calls", "MCP_MAX_CALLS", "N        calls of a session at the same time [16]"),
    ("max-sessions", "MCP_MAX_SESSIONS", "N        sessions at the same time, 0 for no limit [0]"),
];

impl Args {
    /// Reads the process's own arguments and environment.
    ///
    /// # Errors
    /// A text for the person at the terminal: the flag or variable, its value, and what it takes.
    pub fn from_env(kind: &Kind) -> Result<Self, String> {
        Self::parse(kind, std::env::args_os().skip(1), |name| std::env::var(name).ok())
    }

    fn parse(
        kind: &Kind,
        args: impl IntoIterator<Item = OsString>,
        var: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let mut this =
            Self { verb: Verb::Help, options: Options::default(), own: Vec::new(), command: Vec::new() };
        for flag in kind.flags() {
            if let Some(value) = var(flag.1).filter(|it| !it.is_empty()) {
                this.set(kind, flag, value).map_err(|e| format!("{}: {e}", flag.1))?;
            }
        }
        let mut verb = None;
        let mut json = false;
        let mut parser = lexopt::Parser::from_args(args);
        while let Some(arg) = parser.next().map_err(|e| e.to_string())? {
            match arg {
                Short('h') | Long("help") => verb = Some(Verb::Help),
                Short('V') | Long("version") => verb = Some(Verb::Version),
                Long("json") => json = true,
                Long(flag) => {
                    let Some(flag) = kind.flags().find(|it| it.0 == flag) else {
                        return Err(format!("unknown option `--{flag}`"));
                    };
                    let value = parser.value().and_then(|it| it.string()).map_err(|e| e.to_string())?;
                    this.set(kind, flag, value).map_err(|e| format!("--{}: {e}", flag.0))?;
                }
                Value(word) if verb.is_none() => verb = Some(Verb::named(&word.to_string_lossy())?),
                Value(program) if kind.command && verb == Some(Verb::Stdio) => {
                    this.command.push(program);
                    this.command.extend(parser.raw_args().map_err(|e| e.to_string())?);
                }
                other => return Err(other.unexpected().to_string()),
            }
        }
        this.verb = match verb {
            None => return Err("no verb".into()),
            Some(Verb::Health { .. }) => Verb::Health { json },
            Some(_) if json => return Err("`--json` goes with `health`".into()),
            Some(verb) => verb,
        };
        Ok(this)
    }

    fn set(&mut self, kind: &Kind, flag: &Flag, value: String) -> Result<(), String> {
        if kind.options.contains(flag) {
            self.own.push((flag.0, value));
            return Ok(());
        }
        self.options.set(flag.0, &value)
    }
}

impl Kind {
    fn flags(&self) -> impl Iterator<Item = &Flag> {
        OPTIONS.iter().filter(|it| !self.without.contains(&it.0)).chain(self.options)
    }
}

impl Verb {
    fn named(word: &str) -> Result<Self, String> {
        match word {
            "serve" => Ok(Self::Serve),
            "stdio" => Ok(Self::Stdio),
            "health" => Ok(Self::Health { json: false }),
            "help" => Ok(Self::Help),
            _ => Err(format!("unknown verb `{}`", crate::log::escape(word))),
        }
    }
}

impl Options {
    fn set(&mut self, flag: &str, value: &str) -> Result<(), String> {
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

fn seconds(value: &str) -> Result<Duration, String> {
    number(value, 1).map(|secs| Duration::from_secs(secs as u64))
}

/// Reads a number of things.
///
/// # Errors
/// `value` is no whole number, or less than `least`.
pub fn number(value: &str, least: usize) -> Result<usize, String> {
    const MOST: usize = 1_000_000;
    match value.parse() {
        Ok(it) if (least..=MOST).contains(&it) => Ok(it),
        _ => Err(format!("`{}` is not a whole number from {least} to {MOST}", crate::log::escape(value))),
    }
}

/// The text of `--help`.
#[must_use]
pub fn help(program: &str, kind: &Kind) -> String {
    let mut text = format!(
        "Usage: {program} [OPTIONS] VERB\n\n\
         Verbs:\n  \
         serve            the container's long-lived process: health, sessions, log\n  \
         stdio            one MCP session on stdin and stdout\n"
    );
    if kind.command {
        text.push_str("  stdio -- CMD..   the same, with this command as the server\n");
    }
    text.push_str("  health [--json]  exit 0 when `serve` is ready\n\nOptions (or environment):\n");
    for (flag, name, what) in kind.flags() {
        text.push_str(&format!("  --{flag:<14} {what}  ({name})\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::parse(&Kind::default(), line.split_whitespace().map(OsString::from), |_| None)
    }

    #[test]
    fn verbs_and_options() {
        let args = parse("--log debug stdio --stall-timeout 3").unwrap();
        assert_eq!(args.verb, Verb::Stdio);
        assert_eq!(args.options.log, Level::Debug);
        assert_eq!(args.options.stall_timeout, Duration::from_secs(3));
        assert_eq!(parse("health --json").unwrap().verb, Verb::Health { json: true });
    }

    #[test]
    fn a_flag_wins_over_its_variable() {
        let var = |name: &str| (name == "MCP_MAX_CALLS").then(|| "2".to_owned());
        let args = |line: &str| {
            Args::parse(&Kind::default(), line.split_whitespace().map(OsString::from), var).unwrap()
        };
        assert_eq!(args("stdio").options.max_calls, 2);
        assert_eq!(args("stdio --max-calls 5").options.max_calls, 5);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(parse("").unwrap_err(), "no verb");
        assert_eq!(parse("sdtio").unwrap_err(), "unknown verb `sdtio`");
        assert_eq!(parse("stdio --loud").unwrap_err(), "unknown option `--loud`");
        assert!(parse("stdio --json").unwrap_err().contains("health"));
        assert!(parse("stdio --call-timeout 0").unwrap_err().starts_with("--call-timeout: `0` is not"));
        let var = |name: &str| (name == "MCP_LOG").then(|| "lots".to_owned());
        assert!(
            Args::parse(&Kind::default(), ["stdio".into()], var).unwrap_err().starts_with("MCP_LOG: `lots`")
        );
    }

    #[test]
    fn help_names_every_option() {
        let help = help("/mcp", &Kind::default());
        for (flag, name, _) in OPTIONS {
            assert!(help.contains(&format!("--{flag}")) && help.contains(name));
        }
    }

    #[test]
    fn a_kind_has_options_of_its_own_and_a_command() {
        let kind = Kind { options: &[("warm", "MCP_WARM", "N")], without: &["max-calls"], command: true };
        let var = |name: &str| ["MCP_WARM", "MCP_MAX_CALLS"].contains(&name).then(|| "2".to_owned());
        let parse = |line: &str| Args::parse(&kind, line.split_whitespace().map(OsString::from), var);
        let args = parse("--warm 3 stdio -- npx -y --log x").unwrap();
        assert_eq!(args.own, [("warm", "2".to_owned()), ("warm", "3".to_owned())]);
        assert_eq!(args.command, ["npx", "-y", "--log", "x"]);
        assert_eq!(args.options, Options::default());
        assert_eq!(parse("stdio --max-calls 3").unwrap_err(), "unknown option `--max-calls`");
        assert!(parse("serve npx").is_err());
        let help = help("/mcp", &kind);
        assert!(help.contains("--warm") && !help.contains("--max-calls") && help.contains("CMD"));
    }
}
