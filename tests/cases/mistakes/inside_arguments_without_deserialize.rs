//! A struct inside of what a tool takes cannot be read.

use drydock_kit::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(JsonSchema)]
struct Die {
    sides: u32,
}

#[derive(Deserialize, JsonSchema)] //~ E0277 Die Deserialize
struct Roll {
    dice: Vec<Die>, //~ E0277 Die Deserialize
}

#[derive(Serialize, JsonSchema)]
struct Rolled {
    points: u32,
}

struct Dice;

#[server]
impl Dice {
    /// Rolls a die.
    #[tool(read_only)]
    fn roll(&self, Parameters(args): Parameters<Roll>) -> Json<Rolled> {
        Json(Rolled { points: args.dice[0].sides })
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice)
}
