//! A range whose ends are no numbers.

use drydock_kit::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct Roll {
    #[schemars(range(min = "two"))] //~ E0425 two
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
    #[tool(read_only)]
    fn roll(&self, Parameters(args): Parameters<Roll>) -> Json<Rolled> {
        Json(Rolled { points: args.sides })
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice)
}
