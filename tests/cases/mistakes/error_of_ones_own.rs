//! What goes wrong is a type that nobody can be told.

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

struct Lost;

struct Dice;

#[server]
impl Dice {
    /// Rolls a die.
    #[tool(read_only)]
    fn roll(&self, Parameters(args): Parameters<Roll>) -> Result<Json<Rolled>, Lost> { //~ E0277 Lost
        if args.sides > 0 { Ok(Json(Rolled { points: args.sides })) } else { Err(Lost) }
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice)
}
