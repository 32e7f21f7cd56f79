//! What is held while a tool waits cannot go to another thread.

use drydock_kit::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct Roll {
    sides: u32,
}

#[derive(Serialize, JsonSchema)]
struct Rolled {
    points: u32,
}

struct Dice;

#[server]
impl Dice {
    /// Rolls a die.
    #[tool(read_only)] //~ - Send
    async fn roll(&self, Parameters(args): Parameters<Roll>) -> Json<Rolled> {
        let kept = std::rc::Rc::new(args.sides);
        std::future::ready(()).await;
        Json(Rolled { points: *kept })
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice)
}
