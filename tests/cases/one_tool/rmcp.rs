use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, ServiceExt, tool, tool_handler, tool_router};
use schemars::JsonSchema;
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

#[tool_router]
impl Dice {
    /// Rolls dice.
    #[tool(annotations(read_only_hint = true))]
    fn roll(&self, Parameters(args): Parameters<Roll>) -> Result<Json<Rolled>, String> {
        if !(2..=100).contains(&args.sides) {
            return Err("`sides` must be 2 to 100".to_owned());
        }
        if !(1..=10).contains(&args.dice) {
            return Err("`dice` must be 1 to 10".to_owned());
        }
        Ok(Json(Rolled { points: (0..args.dice).map(|it| 1 + it % args.sides).collect() }))
    }
}

#[tool_handler]
impl ServerHandler for Dice {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("dice", "0.1.0"))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    Dice.serve(rmcp::transport::stdio_pipes()).await?.waiting().await?;
    Ok(())
}
