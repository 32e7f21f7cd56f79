//! Prompts: what a person picks from a menu of the client, for the model to carry out.
//!
//! Arguments -> messages. Invariant: a prompt names only tools that exist (a test holds it to that).

use drydock_kit::prelude::*;
use rmcp::model::{PromptMessage, Role};
use serde::Deserialize;

use crate::tools::Weather;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DayOut {
    /// Where to go: a city, or `latitude, longitude`.
    #[schemars(length(min = 1, max = 80))]
    place: String,
    /// `YYYY-MM-DD`; the best day of the coming week if left out.
    #[schemars(length(min = 10, max = 10))]
    date: Option<String>,
}

#[drydock_kit::prompts]
impl Weather {
    /// Plan a day outdoors around weather and daylight.
    #[prompt(title = "Plan a day out")]
    async fn plan_day_out(&self, Parameters(args): Parameters<DayOut>) -> Vec<PromptMessage> {
        let DayOut { place, date } = args;
        let day = date.as_deref().unwrap_or("the best day of the coming week");
        let text = format!(
            "Plan a day outdoors in {place} for {day}. Look the place up with `find_place` if its name could mean \
             several, take the weather from `get_forecast` and the daylight from `sun_times`. Propose morning, \
             midday and evening with a reason from the data for each, say what to wear and bring, and what to do \
             instead if it rains."
        );
        vec![PromptMessage::new_text(Role::User, text)]
    }
}
