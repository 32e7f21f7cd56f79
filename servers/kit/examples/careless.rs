//! A server whose tools print, crash and eat memory, as no tool should: what kit's tests of that run against.
//!
//! `cargo run -p drydock-kit --example careless -- stdio`

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "what a careless tool does"
)]

use std::process::{Command, Stdio};

use drydock_kit::Parameters;
use rmcp::{ServerHandler, tool, tool_handler, tool_router};

/// What to say.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Say {
    text: String,
}

struct Careless;

#[tool_router]
impl Careless {
    /// Writes to what it takes for its terminal.
    #[tool]
    async fn print(&self, Parameters(say): Parameters<Say>) -> String {
        println!("{}", say.text);
        print!("{} without a line break", say.text);
        "printed".into()
    }

    /// Starts a program that writes there.
    #[tool]
    async fn child(&self, Parameters(say): Parameters<Say>) -> String {
        let child = Command::new("echo").arg(say.text).status().unwrap();
        format!("it ended with {child}")
    }

    /// Starts a program that reads all that it finds.
    #[tool]
    async fn read(&self) -> String {
        let read = Command::new("cat").stdin(Stdio::inherit()).output().unwrap();
        format!("it read {} bytes", read.stdout.len())
    }

    /// Panics with the argument in its text.
    #[tool]
    async fn panic(&self, Parameters(say): Parameters<Say>) -> String {
        tokio::task::yield_now().await;
        panic!("cannot say {}", say.text)
    }

    /// The same in code that blocks.
    #[tool]
    async fn panic_elsewhere(&self, Parameters(say): Parameters<Say>) -> String {
        drydock_kit::blocking(move || panic!("cannot say {}", say.text)).await
    }

    /// Ends the process in the middle of the call.
    #[tool]
    async fn abort(&self) -> String {
        std::process::abort()
    }

    /// Takes all the memory that it can get.
    #[tool]
    async fn eat(&self) -> String {
        let mut eaten = Vec::new();
        loop {
            eaten.push(vec![1_u8; 1 << 20]);
        }
    }

    /// Never comes back.
    #[tool]
    async fn wait(&self) -> String {
        std::future::pending().await
    }
}

#[tool_handler(name = "careless", version = "1.0.0")]
impl ServerHandler for Careless {}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Careless)
}
