//! The files of a new server, in `template/`.
//!
//! Name, title and parts -> files with their texts. Invariants: what stands between a line `@if PART ..` and its `@end` is there
//! when one of these parts is wanted (`@unless`: when none is); of the placeholders `__KIT__`, `__NAME__` and `__TITLE__` nothing
//! is left.

use clap::ValueEnum;

use super::{NewServer, Part};

/// A file below the server's folder, its text, and the part that it belongs to, if not all servers have it.
type File = (&'static str, &'static str, Option<Part>);

const FILES: &[File] = &[
    ("Cargo.toml", include_str!("template/Cargo.toml.in"), None),
    ("README.md", include_str!("template/README.md.in"), None),
    ("drydock.toml", include_str!("template/drydock.toml.in"), None),
    ("server.json", include_str!("template/server.json.in"), None),
    ("src/main.rs", include_str!("template/src/main.rs.in"), None),
    ("src/tools.rs", include_str!("template/src/tools.rs.in"), None),
    ("src/resources.rs", include_str!("template/src/resources.rs.in"), Some(Part::Resources)),
    ("src/prompts.rs", include_str!("template/src/prompts.rs.in"), Some(Part::Prompts)),
];

/// Each file of the server, below its folder.
pub(super) fn render(new: &NewServer) -> Vec<(&'static str, String)> {
    let is_wanted = |part: &Option<Part>| part.is_none_or(|it| new.with.contains(&it));
    // The title last: what a person wrote is not looked through.
    let fill = |text: &str| {
        text.replace("__KIT__", &kit(&new.with))
            .replace("__NAME__", &new.name)
            .replace("__TITLE__", &new.title)
    };
    let files = FILES.iter().filter(|(_, _, part)| is_wanted(part));
    files.map(|(file, text, _)| (*file, fill(&of_parts(text, &new.with)))).collect()
}

/// The dependency on kit, with the features that the parts need.
fn kit(with: &[Part]) -> String {
    // In one order, each once, however they were named.
    let wanted = Part::value_variants().iter().filter(|it| it.is_feature() && with.contains(it));
    let features: Vec<_> = wanted.map(|it| format!("\"{}\"", it.name())).collect();
    match features.is_empty() {
        true => "drydock-kit.workspace = true".to_owned(),
        false => format!("drydock-kit = {{ workspace = true, features = [{}] }}", features.join(", ")),
    }
}

/// The lines that belong to a server with these parts.
fn of_parts(text: &str, with: &[Part]) -> String {
    let has_any = |words: &str| words.split(' ').any(|word| with.iter().any(|it| it.name() == word));
    let mut kept = String::new();
    let mut open = Vec::new(); // one mark may stand inside of another
    for line in text.split_inclusive('\n') {
        let mark = line.trim();
        if let Some(words) = mark.strip_prefix("@if ") {
            open.push(has_any(words));
        } else if let Some(words) = mark.strip_prefix("@unless ") {
            open.push(!has_any(words));
        } else if mark == "@end" {
            open.pop();
        } else if open.iter().all(|it| *it) {
            kept.push_str(line);
        }
    }
    kept
}
