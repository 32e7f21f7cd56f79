//! A tool that only reads adds nothing.

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
    #[tool(read_only, additive)] //~ - read_only additive
    fn roll(&self, Parameters(args): Parameters<Roll>) -> Json<Rolled> {
        Json(Rolled { points: args.sides })
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice)
}
