use drydock_kit::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Roll {
    /// How many sides each die has.
    #[schemars(range(min = 2, max = 100))]
    sides: u32,
    /// How many dice to roll.
    #[schemars(range(min = 1, max = 10))]
    dice: u32,
}

#[derive(Serialize, JsonSchema)]
struct Rolled {
    points: Vec<u32>,
}

struct Dice;

#[server]
impl Dice {
    /// Rolls dice.
    #[tool(read_only)]
    fn roll(&self, Parameters(args): Parameters<Roll>) -> Json<Rolled> {
        Json(Rolled { points: (0..args.dice).map(|it| 1 + it % args.sides).collect() })
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice)
}
