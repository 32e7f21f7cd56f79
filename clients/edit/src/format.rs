//! What every format can do, as one trait.
//!
//! Text without byte order mark + place + entry -> text, or an error with its position. Invariant: an implementation
//! reads its result again, and compares all but the entry with the original, before it returns it.

use serde_json::Value;

use crate::{CreatedParent, Entry, FileFormat, IfExists, Result, ServersPath, json, toml, yaml};

/// A text with an entry in it; see [`Insertion`](crate::Insertion).
#[derive(Debug)]
pub(crate) struct Edited {
    pub(crate) text: String,
    pub(crate) created: Vec<CreatedParent>,
    pub(crate) replaced: Option<String>,
}

/// The functions of the crate, for one format.
pub(crate) trait Format {
    /// The entries whose names are wanted, in the order of the file.
    fn entries(
        &self,
        text: &str,
        place: ServersPath<'_>,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<(String, Value)>>;

    fn put(
        &self,
        old: Option<&str>,
        place: ServersPath<'_>,
        name: &str,
        entry: &Entry,
        if_exists: IfExists<'_>,
    ) -> Result<Edited>;

    /// `None`: no file.
    fn remove(
        &self,
        old: &str,
        place: ServersPath<'_>,
        name: &str,
        created: &[CreatedParent],
        replaced: Option<&str>,
    ) -> Result<Option<String>>;

    fn parse_entry(&self, text: &str, place: ServersPath<'_>) -> Result<Value>;

    fn render_snippet(&self, place: ServersPath<'_>, entries: &[(&str, &Entry)]) -> String;
}

/// The one place that knows which format is read by which code.
pub(crate) fn of(format: FileFormat) -> &'static dyn Format {
    match format {
        FileFormat::Json | FileFormat::Jsonc => &json::Json,
        FileFormat::Toml => &toml::Toml,
        FileFormat::Yaml => &yaml::Yaml,
    }
}
