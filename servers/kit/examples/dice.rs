//! The smallest server: one tool, three lines of `main`. Also what kit's own tests run against.
//!
//! `cargo run -p drydock-kit --example dice -- stdio`

use std::time::Duration;

use drydock_kit::prelude::*;
use serde::{Deserialize, Serialize};

/// What to roll.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Roll {
    /// How many sides each die has.
    #[schemars(range(min = 2, max = 100))]
    sides: u32,
    /// How many dice to roll.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000_000))]
    dice: u32,
    /// How long to shake them first, in milliseconds.
    #[serde(default)]
    #[schemars(range(max = 600_000))]
    shake: u64,
}

fn one() -> u32 {
    1
}

/// What came up.
#[derive(Serialize, JsonSchema)]
struct Rolled {
    points: Vec<u32>,
}

struct Dice;

#[server(title = "Dice", instructions = "Rolls dice.")]
impl Dice {
    /// Rolls dice.
    #[tool(read_only, title = "Roll dice")]
    async fn roll(&self, Parameters(roll): Parameters<Roll>) -> Json<Rolled> {
        if roll.shake > 0 {
            tokio::time::sleep(Duration::from_millis(roll.shake)).await;
        }
        // A linear congruential generator (Knuth): fair enough for a demonstration.
        let mut state = u64::from(std::process::id());
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            1 + (state >> 33) as u32 % roll.sides
        };
        let points: Vec<u32> = (0..roll.dice).map(|_| next()).collect();
        let text = format!("You rolled {points:?}.");
        Json(Rolled { points }).with_text(text)
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice)
}
