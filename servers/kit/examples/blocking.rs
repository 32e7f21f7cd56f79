//! A server whose tools block the thread of their session, as no tool should: what kit's tests of its ends run against.
//!
//! `cargo run -p drydock-kit --example blocking -- stdio`

use std::time::Duration;

use drydock_kit::Parameters;
use rmcp::{ServerHandler, tool, tool_handler, tool_router};

/// How to block.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Block {
    /// `loop`, `sleep`, or the path of a FIFO that nobody writes to.
    how: String,
    /// How long to sleep, in milliseconds.
    #[serde(default = "an_hour")]
    ms: u64,
}

fn an_hour() -> u64 {
    3_600_000
}

/// How much to say.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Talk {
    /// In bytes.
    bytes: usize,
}

struct Blocking;

#[tool_router]
impl Blocking {
    /// Blocks the thread.
    #[tool]
    async fn block(&self, Parameters(block): Parameters<Block>) -> Result<String, String> {
        match block.how.as_str() {
            "loop" => loop {
                std::hint::spin_loop();
            },
            "sleep" => std::thread::sleep(Duration::from_millis(block.ms)),
            fifo => drop(std::fs::read(fifo).map_err(|e| e.to_string())?),
        }
        Ok("done".into())
    }

    /// Blocks the thread behind the back of the call.
    #[tool]
    async fn block_later(&self) -> String {
        tokio::spawn(async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            std::thread::sleep(Duration::from_secs(3600));
        });
        "soon".into()
    }

    /// Answers at length.
    #[tool]
    async fn talk(&self, Parameters(talk): Parameters<Talk>) -> String {
        "x".repeat(talk.bytes)
    }
}

#[tool_handler(name = "blocking", version = "1.0.0")]
impl ServerHandler for Blocking {}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Blocking)
}
