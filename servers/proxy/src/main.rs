//! The program `drydock-hold`: the command line of this process -> a session that is held, and its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    drydock_proxy::run()
}
