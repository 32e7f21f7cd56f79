//! What a tool gives cannot be advertised.

use drydock_kit::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct Roll {
    sides: u32,
}

#[derive(Serialize)]
struct Rolled {
    points: u32,
}

struct Dice;

#[server]
impl Dice {
    /// Rolls a die.
    #[tool(read_only)]
    fn roll(&self, Parameters(args): Parameters<Roll>) -> Json<Rolled> { //~ E0277 Rolled JsonSchema
        Json(Rolled { points: args.sides }) //~ E0277 Rolled JsonSchema
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice)
}
