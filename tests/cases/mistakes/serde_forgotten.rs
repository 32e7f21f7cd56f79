//! `use serde::Deserialize` is forgotten.

use drydock_kit::prelude::*;
use serde::Serialize;

#[derive(Deserialize, JsonSchema)] //~ - Deserialize
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
    #[tool(read_only)]
    fn roll(&self, Parameters(args): Parameters<Roll>) -> Json<Rolled> { //~ E0277 Roll Deserialize
        Json(Rolled { points: args.sides })
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice)
}
