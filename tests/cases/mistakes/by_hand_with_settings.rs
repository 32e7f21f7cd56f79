//! A server without `#[server]`, with settings.

use drydock_kit::prelude::*;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Settings {
    /// Whose it is.
    owner: String,
}

struct Shelf {
    owner: String,
}

impl rmcp::ServerHandler for Shelf {}

fn main() -> std::process::ExitCode {
    drydock_kit::main_with(|Settings { owner }| Shelf { owner }) //~ E0277 `Shelf` is no server `#[server]`
}
