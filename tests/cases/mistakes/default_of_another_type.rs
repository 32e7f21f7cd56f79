//! A default that is none of its field.

use drydock_kit::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct Roll {
    #[serde(default = "six")] //~ E0308 u32 i64
    sides: u32,
}

fn six() -> i64 {
    6
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
        Json(Rolled { points: args.sides })
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice)
}
