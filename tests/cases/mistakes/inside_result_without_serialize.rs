//! A struct inside of what a tool gives cannot be written.

use drydock_kit::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct Roll {
    sides: u32,
}

#[derive(JsonSchema)]
struct Points {
    points: u32,
}

#[derive(Serialize, JsonSchema)] //~ E0277 Points Serialize
struct Rolled {
    all: Vec<Points>,
}

struct Dice;

#[server]
impl Dice {
    /// Rolls a die.
    #[tool(read_only)]
    fn roll(&self, Parameters(args): Parameters<Roll>) -> Json<Rolled> {
        Json(Rolled { all: vec![Points { points: args.sides }] })
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice)
}
