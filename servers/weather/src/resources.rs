//! Resources: what a client can read and show without a tool call.
//!
//! URI -> text. Invariant: what is listed can be read, and nothing else can (kit's part).

use std::fmt::Write;

use crate::places;
use crate::tools::Weather;

#[drydock_kit::resources]
impl Weather {
    /// How many places `find_place` knows in each country.
    #[resource("places://countries", title = "Countries and their places", mime_type = "text/csv")]
    fn countries(&self) -> String {
        let mut text = String::from("country,code,places\n");
        for (name, code, places) in places::countries() {
            let _ = writeln!(text, "\"{name}\",{code},{places}");
        }
        text
    }

    /// Where the data come from, and under which licence.
    #[resource("places://sources", title = "Sources", mime_type = "text/markdown")]
    fn sources(&self) -> &'static str {
        include_str!("../data/SOURCES.md")
    }
}
