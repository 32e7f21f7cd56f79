//! An MCP server about places, weather and the sun; the example to copy for a server of your own.
//!
//! Read it in the order of the modules. Each tool is a function in `tools.rs`; everything that every server needs
//! (transports, validation, limits, logs, an HTTP client, a clean end) comes from `drydock_kit::main`.

mod tools;

mod prompts;
mod resources;
mod results;

mod location;

mod places;

mod spelling;

mod place_list;

mod normalize;

mod sun;

mod open_meteo;

fn main() -> std::process::ExitCode {
    drydock_kit::main(tools::Weather::new)
}
