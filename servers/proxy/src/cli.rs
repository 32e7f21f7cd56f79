//! The command line of `drydock-hold`.
//!
//! Arguments -> [`Options`], or what is wrong with them. Invariant: everything behind `--` is the server's command, as it is.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::Duration;

use drydock_runtime::args::number;
use drydock_runtime::log::{Format, Level, Log};
use drydock_runtime::panic_hook;
use lexopt::prelude::*;

use crate::hold::{End, Options, hold};
use crate::session::Settings;

const HELP: &str = "\
Usage: drydock-hold [OPTIONS] -- COMMAND..

Holds an MCP session on stdin and stdout while the server behind it, which COMMAND starts, is replaced, restarted or killed.

Options:
  --wait SECS           how long a request waits for a server before it is answered with an error [30]
  --stall-timeout SECS  end the session when its client does not read for so long [60]
  --log LEVEL           error, warn, info or debug [info]
  --help, --version
";

enum Asked {
    Hold(Options, Level),
    Print(String),
}

/// The whole program.
///
/// Exit code 0 when the client has closed its end, 1 when the session ended in another way, 2 when the command line is wrong.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     drydock_proxy::run()
/// }
/// ```
#[must_use]
pub fn run() -> ExitCode {
    match parse(lexopt::Parser::from_env()) {
        Ok(Asked::Hold(options, level)) => run_hold(&options, level),
        Ok(Asked::Print(text)) => match io::stdout().write_all(text.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(problem) => {
            let _ = write!(io::stderr(), "error: {problem}\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}

fn run_hold(options: &Options, level: Level) -> ExitCode {
    let log = Log::new(level, Format::Human, None);
    panic_hook::install(log.clone(), |_| {});
    let pipes = io::stdin().as_fd().try_clone_to_owned().and_then(|stdin| {
        let stdout = io::stdout().as_fd().try_clone_to_owned()?;
        Ok((stdin, stdout))
    });
    match pipes.and_then(|(stdin, stdout)| hold(options, stdin, stdout, &log)) {
        Ok(End::Closed) => ExitCode::SUCCESS,
        Ok(End::Aborted(reason)) => {
            log.warn(&format!("the session has ended: {reason}"));
            ExitCode::FAILURE
        }
        Err(e) => {
            log.error(&format!("the session cannot be held: {e}"));
            ExitCode::FAILURE
        }
    }
}

fn parse(mut parser: lexopt::Parser) -> Result<Asked, String> {
    let mut settings = Settings::default();
    let mut stall_timeout = Duration::from_secs(60);
    let mut level = Level::Info;
    let mut command: Vec<OsString> = Vec::new();
    while let Some(argument) = parser.next().map_err(|e| e.to_string())? {
        match argument {
            Long("wait") => settings.wait = seconds(&mut parser, "--wait")?,
            Long("stall-timeout") => stall_timeout = seconds(&mut parser, "--stall-timeout")?,
            Long("log") => level = text(&mut parser)?.parse().map_err(|e| format!("--log: {e}"))?,
            Long("help") | Short('h') => return Ok(Asked::Print(HELP.to_owned())),
            Long("version") | Short('V') => {
                return Ok(Asked::Print(format!("drydock-hold {}\n", env!("CARGO_PKG_VERSION"))));
            }
            Value(program) => {
                command.push(program);
                command.extend(parser.raw_args().map_err(|e| e.to_string())?);
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    if command.is_empty() {
        return Err("there is no command that starts a server".into());
    }
    Ok(Asked::Hold(Options { command, settings, stall_timeout }, level))
}

fn text(parser: &mut lexopt::Parser) -> Result<String, String> {
    parser.value().and_then(|it| it.string()).map_err(|e| e.to_string())
}

fn seconds(parser: &mut lexopt::Parser, flag: &str) -> Result<Duration, String> {
    let seconds = number(&text(parser)?, 1).map_err(|e| format!("{flag}: {e}"))?;
    Ok(Duration::from_secs(seconds as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Options, String> {
        match parse(lexopt::Parser::from_args(words))? {
            Asked::Hold(options, _) => Ok(options),
            Asked::Print(text) => Err(text),
        }
    }

    #[test]
    fn what_stands_behind_the_dashes_is_the_servers() {
        let options = parsed(&["--wait", "5", "--", "docker", "exec", "-i", "--wait", "--"]).unwrap();
        assert_eq!(options.command, ["docker", "exec", "-i", "--wait", "--"]);
        assert_eq!(options.settings.wait, Duration::from_secs(5));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (words, problem) in [
            (&["--wait", "0", "--", "x"][..], "--wait"),
            (&["--wait"], "--wait"),
            (&["--log", "loud", "--", "x"], "`loud`"),
            (&["--hold", "x"], "--hold"),
            (&[], "no command"),
        ] {
            assert!(parsed(words).unwrap_err().contains(problem), "{words:?}");
        }
    }
}
