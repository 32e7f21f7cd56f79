//! The files of a new server. They are real ones, in `template/`; what has a `.in` at its end would mean something there.
//!
//! Name + title -> files with their texts. Invariant: two placeholders, `__NAME__` and `__TITLE__`, and neither is left.

use super::NewServer;

/// Files of a server, each with its text.
type Part = &'static [(&'static str, &'static str)];

/// What every server has.
const BASE: Part = &[
    ("Cargo.toml", include_str!("template/Cargo.toml.in")),
    ("README.md", include_str!("template/README.md.in")),
    ("drydock.toml", include_str!("template/drydock.toml.in")),
    ("server.json", include_str!("template/server.json.in")),
    ("src/main.rs", include_str!("template/src/main.rs")),
    ("src/tools.rs", include_str!("template/src/tools.rs")),
    ("tests/it.rs", include_str!("template/tests/it.rs")),
];

/// Each file of the server, below its folder.
pub(super) fn render(new: &NewServer) -> Vec<(&'static str, String)> {
    // The title last: what a person wrote is not looked through.
    let fill = |text: &str| text.replace("__NAME__", &new.name).replace("__TITLE__", &new.title);
    BASE.iter().map(|(file, text)| (*file, fill(text))).collect()
}
