//! A completion of a prompt that is not there.

use drydock_kit::prelude::*;
use rmcp::model::{PromptMessage, Role};
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Plan {
    city: String,
}

struct Trips;

#[server]
impl Trips {}

#[drydock_kit::prompts]
impl Trips {
    /// Plans a trip.
    #[prompt]
    async fn plan(&self, Parameters(args): Parameters<Plan>) -> Vec<PromptMessage> {
        vec![PromptMessage::new_text(Role::User, args.city)]
    }

    #[complete(plam.city)] //~ - plam
    fn cities(&self, typed: &str) -> Vec<String> {
        vec![format!("{typed}n")]
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Trips)
}
