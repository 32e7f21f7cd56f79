//! The attribute stands at the struct.

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

#[server]
struct Dice; //~ - impl

impl Dice {
    /// Rolls a die.
    fn roll(&self, Parameters(args): Parameters<Roll>) -> Json<Rolled> {
        Json(Rolled { points: args.sides })
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice)
}
