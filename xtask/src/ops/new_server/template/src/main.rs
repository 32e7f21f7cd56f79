//! __TITLE__: an MCP server. What a model can ask it for is in `tools.rs`; all the rest is `drydock_kit`'s.

mod tools;

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| tools::Tools)
}
