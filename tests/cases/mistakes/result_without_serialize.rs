//! What a tool gives cannot be written.

use drydock_kit::prelude::*;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Roll {
    sides: u32,
}

#[derive(JsonSchema)]
struct Rolled {
    points: u32,
}

struct Dice;

#[server]
impl Dice {
    /// Rolls a die.
    #[tool(read_only)]
    fn roll(&self, Parameters(args): Parameters<Roll>) -> Json<Rolled> { //~ E0277 Rolled Serialize
        Json(Rolled { points: args.sides }) //~ E0277 Rolled Serialize
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice)
}
