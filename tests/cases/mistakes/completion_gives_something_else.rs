//! A completion gives something else than strings.

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

    #[complete(plan.city)]
    fn cities(&self, typed: &str) -> Vec<usize> { //~ E0277 Vec<usize> Vec<String>
        vec![typed.len()]
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Trips)
}
