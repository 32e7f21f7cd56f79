//! `use drydock_kit::prelude::*` is forgotten.

use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)] //~ - JsonSchema
struct Roll {
    sides: u32,
}

#[derive(Serialize, JsonSchema)] //~ - JsonSchema
struct Rolled {
    points: u32,
}

struct Dice;

#[server] //~ - server
impl Dice {
    /// Rolls a die.
    #[tool(read_only)] //~ - tool
    fn roll(&self, Parameters(args): Parameters<Roll>) -> Json<Rolled> { //~ E0425 Parameters
        Json(Rolled { points: args.sides }) //~ E0425 Json
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice) //~ E0277 Dice ServerHandler
}
