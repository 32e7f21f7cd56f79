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

use clap::{Parser, Subcommand};

use crate::task::{
    build_images, call, check, ci, clients, doctor, down, install_client, logs, quickstart, status, test,
    tools, uninstall_client, up,
};
use crate::ui::progress::say;
use crate::workspace::Workspace;

/// Drydock: write MCP servers, build them into slim images, run them in sandboxed containers, and wire them into
/// the AI clients on this machine.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    global: workspace::Global,
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
    Status(status::Args),
    Logs(logs::Args),
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
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            say(&format!("error: {err:#}"));
            for hint in hint::hints(&err) {
                say(&format!("\nhint: {hint}"));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let ws = Workspace::open(cli.global)?;
    match cli.task {
        Task::Quickstart(it) => it.run(&ws),
        Task::Doctor(it) => it.run(&ws),
        Task::BuildImages(it) => it.run(&ws),
        Task::Up(it) => it.run(&ws),
        Task::Down(it) => it.run(&ws),
        Task::Status(it) => it.run(&ws),
        Task::Logs(it) => it.run(&ws),
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
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
