//! Two resources of one URI. What a tool calls in their block is there all the same, and told to be missing by nobody.

use drydock_kit::prelude::*;

struct Notes;

#[server]
impl Notes {
    /// Reads all notes.
    #[tool(read_only)]
    fn read(&self) -> String {
        self.all()
    }
}

#[drydock_kit::resources]
impl Notes {
    /// All notes.
    #[resource("notes://all")]
    fn all(&self) -> String {
        String::new()
    }

    /// All notes once more.
    #[resource("notes://all")] //~ - resources notes://all
    fn again(&self) -> String {
        String::new()
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Notes)
}
