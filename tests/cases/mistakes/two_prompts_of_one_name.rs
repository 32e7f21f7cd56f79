//! Two prompts of one name: the second took the first one's place, without a word.

use drydock_kit::prelude::*;
use rmcp::model::{PromptMessage, Role};

struct Trips;

#[server]
impl Trips {}

#[drydock_kit::prompts]
impl Trips {
    /// Plans a trip.
    #[prompt(name = "plan")]
    async fn one(&self) -> Vec<PromptMessage> {
        vec![PromptMessage::new_text(Role::User, "one")]
    }

    /// Plans another one.
    #[prompt(name = "plan")]
    async fn other(&self) -> Vec<PromptMessage> { //~ - prompts plan
        vec![PromptMessage::new_text(Role::User, "other")]
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Trips)
}
