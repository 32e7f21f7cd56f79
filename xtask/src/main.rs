//! `cargo xtask`: every chore of this workspace, one module per command.
//!
//! Command line -> exit code. Invariant: nothing here speaks MCP; what does is `clients/connect`, which we execute.

mod batch;
mod cargo;
mod connect;
mod hint;
mod interrupt;
mod ops;
mod scope;
mod task;
mod ui;
mod workspace;

use std::process::ExitCode;

use anyhow::Error;
use clap::{CommandFactory, Parser, Subcommand};

use crate::task::{
    build_images, call, check, ci, clients, doctor, down, install_client, logs, new_server, prune,
    quickstart, remove, restart, status, test, tools, uninstall_client, up,
};
use crate::ui::progress::say;
use crate::ui::table;
use crate::workspace::Workspace;

/// Drydock: write MCP servers, build them into slim images, run them in sandboxed containers, and wire them into
/// the AI clients on this machine.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
#[command(
    after_help = "Exit codes: 0 done, 1 something failed, 2 wrong usage, 130 Ctrl-C. `call` and `tools` end with 3
where there is no answer, and `call` with 1 where the tool answers with an error.
With --json a command that fails before it has a result prints
  {\"error\": {\"message\": \"..\", \"hint\": \"..\"}}
with null for a hint that is not known."
)]
struct Cli {
    #[command(flatten)]
    global: workspace::GlobalArgs,
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Quickstart(quickstart::Args),
    Doctor(doctor::Args),
    BuildImages(build_images::Args),
    Up(up::Args),
    Down(down::Args),
    Restart(restart::Args),
    Status(status::Args),
    Logs(logs::Args),
    Prune(prune::Args),
    NewServer(new_server::Args),
    Remove(remove::Args),
    Check(check::Args),
    Tools(tools::Args),
    Call(call::Args),
    InstallClient(install_client::Args),
    UninstallClient(uninstall_client::Args),
    Clients(clients::Args),
    Test(test::Args),
    Ci(ci::Args),
}

fn main() -> ExitCode {
    if std::env::args_os().len() <= 1 {
        return match Cli::command().print_help() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(err) => return not_understood(&err),
    };
    let failure = cli.task.failure_code();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => failed(&err, failure),
    }
}

impl Task {
    /// What it ends with where it fails in another way than by wrong usage.
    fn failure_code(&self) -> u8 {
        const FAILURE: u8 = 1;
        const NO_ANSWER: u8 = 3;
        match self {
            Task::Call(_) | Task::Tools(_) => NO_ANSWER,
            _ => FAILURE,
        }
    }
}

/// Help and the version come this way, too.
fn not_understood(err: &clap::Error) -> ExitCode {
    let said = err.render().to_string();
    if err.use_stderr() && wants_json() {
        table::json_error(said.trim().trim_start_matches("error: "), None);
    }
    // Who does not read what is said does not want to know.
    drop(err.print());
    u8::try_from(err.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn failed(err: &Error, failure: u8) -> ExitCode {
    let (problem, hints) = (format!("{err:#}"), hint::hints(err));
    if wants_json() {
        table::json_error(&problem, (!hints.is_empty()).then(|| hints.join("\n")).as_deref());
    }
    say(&format!("error: {problem}"));
    for hint in &hints {
        say(&format!("\nhint: {hint}"));
    }
    ExitCode::from(exit_code(err, failure))
}

fn exit_code(err: &Error, failure: u8) -> u8 {
    const WRONG_USAGE: u8 = 2;
    match interrupt::signal() {
        Some(signal) => 128 + signal,
        None if hint::is_usage(err) => WRONG_USAGE,
        None => failure,
    }
}

/// As the words stand there: a command line that is not understood has no other form.
fn wants_json() -> bool {
    std::env::args_os().skip(1).take_while(|it| it != "--").any(|it| it == "--json")
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let ws = Workspace::open(cli.global)?;
    match cli.task {
        Task::Quickstart(it) => it.run(&ws),
        Task::Doctor(it) => it.run(&ws),
        Task::BuildImages(it) => it.run(&ws),
        Task::Up(it) => it.run(&ws),
        Task::Down(it) => it.run(&ws),
        Task::Restart(it) => it.run(&ws),
        Task::Status(it) => it.run(&ws),
        Task::Logs(it) => it.run(&ws),
        Task::Prune(it) => it.run(&ws),
        Task::NewServer(it) => it.run(&ws),
        Task::Remove(it) => it.run(&ws),
        Task::Check(it) => it.run(&ws),
        Task::Tools(it) => it.run(&ws),
        Task::Call(it) => it.run(&ws),
        Task::InstallClient(it) => it.run(&ws),
        Task::UninstallClient(it) => it.run(&ws),
        Task::Clients(it) => it.run(&ws),
        Task::Test(it) => it.run(&ws),
        Task::Ci(it) => it.run(&ws),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_argument_says_what_it_is() {
        let command = Cli::command();
        let arguments = command.get_subcommands().flat_map(|it| it.get_arguments().map(move |arg| (it, arg)));
        let without: Vec<_> = arguments
            .filter(|(_, arg)| arg.get_help().is_none_or(|it| it.to_string().is_empty()))
            .map(|(command, arg)| format!("{} {}", command.get_name(), arg.get_id()))
            .collect();
        assert!(without.is_empty(), "{without:?}");
    }

    #[test]
    fn a_name_that_nobody_has_is_wrong_usage() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let server = Error::from(drydock_catalog::pick(root, "nobody").unwrap_err());
        let client = drydock_config::client::pick(root, &["notepad".to_owned()]).unwrap_err();
        assert_eq!(exit_code(&server.context("in the middle of something"), 3), 2);
        assert_eq!(exit_code(&client.into(), 1), 2);
        assert_eq!(exit_code(&hint::usage("there is no engine", "the engines are"), 1), 2);
        assert_eq!(exit_code(&Error::msg("the disk is full"), 1), 1);
    }
}
