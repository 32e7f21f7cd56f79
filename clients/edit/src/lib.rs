//! Lossless edits of one entry in a configuration file: JSON, JSON with comments, TOML and YAML.
//!
//! Put an entry into a file that somebody wrote by hand, and take it out again: every other byte stays as it is, the
//! comments, the blank lines and the order of keys included.
//!
//! ```
//! use drydock_edit::{Entry, FileFormat, IfExists, ServersPath, put, remove};
//! use serde_json::json;
//!
//! let old = br#"{
//!   // What I think with.
//!   "model": "opus", /* for now */
//!   "mcpServers": {
//!     "files": {"command": "npx"}, // mine
//!   },
//! }
//! "#;
//! let at = ["mcpServers".to_owned()];
//! let servers = ServersPath { trailing_commas: true, ..ServersPath::new(FileFormat::Jsonc, &at) };
//! let entry: Entry = serde_json::from_value(json!({"command": "docker", "args": ["run", "weather"]}))?;
//!
//! let new = put(Some(old), servers, "weather", &entry, IfExists::Replace)?;
//! assert_eq!(
//!     String::from_utf8(new.text.clone())?,
//!     r#"{
//!   // What I think with.
//!   "model": "opus", /* for now */
//!   "mcpServers": {
//!     "files": {"command": "npx"}, // mine
//!     "weather": {
//!       "command": "docker",
//!       "args": ["run", "weather"]
//!     },
//!   },
//! }
//! "#
//! );
//!
//! let left = remove(&new.text, servers, "weather", &new.created, new.replaced.as_deref())?;
//! assert_eq!(left.as_deref(), Some(&old[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Text in, text out: nothing here reads or writes a file. JSON, JSON with comments, TOML and YAML are edited by the
//! same five functions: [`entries`], [`put`], [`remove`], [`parse_entry`] and [`render_snippet`]. A list of strings in TOML, such
//! as the `members` of a workspace, has [`add_string`] and [`remove_string`].
//!
//! # What is guaranteed
//!
//! - **A byte outside of the entry never changes**, nor does one outside of what was created around it. (White space
//!   in which nothing stood may give way to the first entry, and so may a `{}` or `null` in its place; [`remove`]
//!   puts it back.)
//! - **[`put`] and [`remove`] give the original back**, byte for byte, if [`remove`] is told what [`put`] said:
//!   [`Insertion::created`] and [`Insertion::replaced`]. Both can be kept between, as JSON.
//! - **Twice is once**: what is there already is not written again.
//! - **What others add to an entry stays** when it is brought up to date ([`IfExists::Update`]).
//! - **New text looks like what is around it**: line ends, indentation, spaces, tables or inline tables, trailing
//!   commas.
//! - **Nothing is returned unchecked**: the new text is read again from the beginning, and all but the entry is
//!   compared with the old one. A difference is [`ErrorKind::Internal`], and no text.
//! - No panic, no endless loop and no stack that overflows, whatever the bytes are.
//!
//! Generated documents hold it to that, compared with what parsers read that share no code with this crate (20,000 in
//! every run of the tests, a million on request), and so does a fuzzer (`fuzz/`).
//!
//! # What is refused
//!
//! If it is not certain that an edit means the same to every reader, there is none, but an [`Error`] with line and
//! column:
//!
//! - a text that is not valid in its format, not UTF-8, or larger than [`ServersPath::max_size`];
//! - a name that stands twice where it matters: readers disagree on which one counts;
//! - something else than an object (or a list, for [`Layout::List`]) on the way to the entries;
//! - JSON: comments in [`FileFormat::Json`], trailing commas unless [`ServersPath::trailing_commas`] says so, and a
//!   line comment with a line end in it that only some parsers see;
//! - TOML: an entry in several places that is to be replaced as a whole, and null in an entry;
//! - YAML: several documents, directives, explicit (`?`) and compound keys, tabs where columns count, and anchors,
//!   tags, aliases and merge keys on the way to the entry or out of it.
//!
//! # Why the formats are read as they are
//!
//! An edit needs the byte range of every node, and of the colons, commas and comments between them; and a reader that
//! is at least as strict as every program that may read the file.
//!
//! - **JSON** is made strict in place (comments and trailing commas become blanks), checked by `serde_json`, and
//!   spliced by the ranges of `jsonc-parser`'s syntax tree: its editable tree gave the original back in 45 of 56
//!   round trips.
//! - **TOML** is cut into tables by the lexer of the `toml` crate, which then reads one table at a time: `toml_edit`
//!   gave the original back in 11 of 13 round trips, at three times the memory.
//! - **YAML** has a reader of its own (900 lines). Measured with 100,000 generated documents, as they are and broken
//!   at random, against libyaml, and with one of 10 MB (`saphyr-parser` 0.3.4, `yaml-edit` 0.3.6):
//!
//! | | this reader | `saphyr-parser` | `yaml-edit` |
//! |---|---|---|---|
//! | of 98,814 broken documents: read, though libyaml refuses them | 0 | 2,687 | 29,006 |
//! | read, but not as libyaml reads them | 0 | 15 | |
//! | refused, though libyaml reads them | 5,058 | 1,422 | 6 |
//! | of 96,880 valid documents with a value: some range is not where its node is | 0 | 86,326 | |
//! | the same, with trailing blanks, anchors and ends of collections mended from outside | | 38,791 | |
//! | of 18,206 round trips: put and remove is another text | 0 | | 2,886 |
//! | 10 MB: seconds, MiB | 0.5, 33 | 2.3, 110 | 5, 300 |
//!
//! `saphyr-parser`'s events have no ranges for colons, dashes, anchors, tags and what is empty; those of quoted
//! strings and of collections include what follows, comments too. To find these is to read the text a second time,
//! and what libyaml would refuse had to be found as well. So a library would save the easy half.

#![warn(missing_docs)]

mod change;
mod error;
mod format;
mod json;
#[cfg(test)]
mod property;
mod servers;
#[cfg(test)]
mod test_support;
mod text;
mod toml;
mod verify;
mod yaml;

use serde_json::Value;

pub use self::change::{CreatedParent, IfExists, Insertion, PreviousState};
pub(crate) use self::error::Result;
pub use self::error::{Error, ErrorKind, Position};
pub use self::servers::{Entry, FileFormat, Layout, ServersPath};
use self::text::{join_bom, split_bom};

/// Of a text whose list of strings is edited, in bytes.
const MAX_SIZE: usize = 64 << 20;

/// Every entry, in the order of the file.
///
/// A value that JSON does not have (a TOML date, a number of more than 64 bits) is given as its text.
///
/// # Errors
///
/// If the text is not valid, or cannot be edited in safety: see [`ErrorKind`].
pub fn entries(old: &[u8], place: ServersPath<'_>) -> Result<Vec<(String, Value)>, Error> {
    entries_named(old, place, |_| true)
}

/// The entries whose names are wanted, in the order of the file: cheaper than [`entries`] in files with very many.
///
/// # Errors
///
/// As [`entries`].
pub fn entries_named(
    old: &[u8],
    place: ServersPath<'_>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Value)>, Error> {
    let text = text::decode(old, place.max_size)?;
    format::of(place.format).entries(split_bom(text).1, place, &wanted)
}

/// The text with `entry` under `name`; `old` is `None` if there is no file.
///
/// What is there already is not written again: putting the same entry twice is putting it once.
///
/// ```
/// use drydock_edit::{Entry, FileFormat, IfExists, ServersPath, put};
/// use serde_json::json;
///
/// let at = ["mcp_servers".to_owned()];
/// let codex = ServersPath::new(FileFormat::Toml, &at);
/// let entry: Entry = serde_json::from_value(json!({"command": "docker", "args": ["run"]}))?;
/// let new = put(Some(b"model = \"o3\" # mine\n"), codex, "weather", &entry, IfExists::Replace)?;
/// assert_eq!(
///     String::from_utf8(new.text)?,
///     "model = \"o3\" # mine\n\n[mcp_servers.weather]\ncommand = \"docker\"\nargs = [\"run\"]\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`entries`]; [`ErrorKind::InvalidEntry`] if the format cannot say what the entry holds; and
/// [`ErrorKind::Internal`] if the result, read again, is not what it should be.
pub fn put(
    old: Option<&[u8]>,
    place: ServersPath<'_>,
    name: &str,
    entry: &Entry,
    if_exists: IfExists<'_>,
) -> Result<Insertion, Error> {
    let old = old.map(|it| text::decode(it, place.max_size)).transpose()?;
    let bom = old.map_or("", |it| split_bom(it).0);
    let text = old.map(|it| split_bom(it).1);
    let new = format::of(place.format).put(text, place, name, entry, if_exists)?;
    Ok(Insertion { text: join_bom(bom, new.text), created: new.created, replaced: new.replaced })
}

/// The text without the entry `name`, and without what was created around it, once nothing else is in that. `None`:
/// there was no file before, and nothing of anybody else's is in it now.
///
/// `created` and `replaced` are what [`put`] said: `replaced` goes back into the entry's place. A text without an
/// entry of that name stays as it is.
///
/// # Errors
///
/// As [`put`].
pub fn remove(
    old: &[u8],
    place: ServersPath<'_>,
    name: &str,
    created: &[CreatedParent],
    replaced: Option<&str>,
) -> Result<Option<Vec<u8>>, Error> {
    let (bom, text) = split_bom(text::decode(old, place.max_size)?);
    let new = format::of(place.format).remove(text, place, name, created, replaced)?;
    Ok(new.map(|it| join_bom(bom, it)))
}

/// The value of an entry's text, as [`Insertion::replaced`] holds it.
///
/// # Errors
///
/// If it is not the text of an entry in that format.
pub fn parse_entry(text: &str, place: ServersPath<'_>) -> Result<Value, Error> {
    format::of(place.format).parse_entry(text, place)
}

/// The TOML text with `value` in the list of strings that `keys` lead to, as in the `members` of a Cargo.toml: in its place
/// if the list is in order, else behind the last one. What is there already is not written again.
///
/// ```
/// use drydock_edit::{add_string, remove_string};
///
/// let old = b"[workspace]\nmembers = [\n    \"kit\", # ours\n    \"weather\",\n]\n";
/// let new = add_string(old, &["workspace", "members"], "notes")?;
/// assert_eq!(
///     String::from_utf8(new.clone())?,
///     "[workspace]\nmembers = [\n    \"kit\", # ours\n    \"notes\",\n    \"weather\",\n]\n"
/// );
/// assert_eq!(remove_string(&new, &["workspace", "members"], "notes")?, old);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`put`]; and [`ErrorKind::WrongType`] or [`ErrorKind::Unsupported`] if no list of strings is there.
pub fn add_string(old: &[u8], keys: &[&str], value: &str) -> Result<Vec<u8>, Error> {
    let (bom, text) = split_bom(text::decode(old, MAX_SIZE)?);
    Ok(join_bom(bom, toml::strings::add(text, keys, value)?))
}

/// The same text without it; see [`add_string`]. A text whose list does not hold it stays as it is.
///
/// # Errors
///
/// As [`add_string`].
pub fn remove_string(old: &[u8], keys: &[&str], value: &str) -> Result<Vec<u8>, Error> {
    let (bom, text) = split_bom(text::decode(old, MAX_SIZE)?);
    Ok(join_bom(bom, toml::strings::remove(text, keys, value)?))
}

/// Entries with their names, as they would stand in a new file, for somebody to paste.
///
/// ```
/// use drydock_edit::{Entry, FileFormat, ServersPath, render_snippet};
///
/// let at = ["mcpServers".to_owned()];
/// let snippet = render_snippet(ServersPath::new(FileFormat::Json, &at), &[("weather", &Entry::new())]);
/// assert_eq!(snippet, "\"weather\": {}\n");
/// ```
pub fn render_snippet(place: ServersPath<'_>, entries: &[(&str, &Entry)]) -> String {
    format::of(place.format).render_snippet(place, entries)
}
