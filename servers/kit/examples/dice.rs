//! The smallest server: one tool, three lines of `main`. Also what kit's own tests run against.
//!
//! `cargo run -p drydock-kit --example dice -- stdio`

use std::time::Duration;

use drydock_kit::{Json, Parameters};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};

/// What to roll.
#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate)]
#[serde(deny_unknown_fields)]
struct Roll {
    /// How many sides each die has.
    #[garde(range(min = 2, max = 100))]
    sides: u32,
    /// How many dice to roll.
    #[serde(default = "one")]
    #[garde(range(min = 1, max = 1_000_000))]
    dice: u32,
    /// How long to shake them first, in milliseconds.
    #[serde(default)]
    #[garde(range(max = 600_000))]
    shake: u64,
}

fn one() -> u32 {
    1
}

/// What came up.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Rolled {
    points: Vec<u32>,
}

impl std::fmt::Display for Rolled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "You rolled {:?}.", self.points)
    }
}

struct Dice;

#[tool_router]
impl Dice {
    /// Rolls dice.
    #[tool(title = "Roll dice", annotations(read_only_hint = true, open_world_hint = false))]
    async fn roll(&self, Parameters(roll): Parameters<Roll>) -> Result<Json<Rolled>, String> {
        if roll.shake > 0 {
            tokio::time::sleep(Duration::from_millis(roll.shake)).await;
        }
        // A linear congruential generator (Knuth): fair enough for a demonstration.
        let mut state = u64::from(std::process::id());
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            1 + (state >> 33) as u32 % roll.sides
        };
        Ok(Json(Rolled { points: (0..roll.dice).map(|_| next()).collect() }))
    }
}

#[tool_handler(name = "dice", version = "1.0.0", instructions = "Rolls dice.")]
impl ServerHandler for Dice {}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Dice)
}
