//! What an edit is to do with an entry that is there, what it did, and what a removal needs to know of that.
//!
//! Invariant: the names that `CreatedParent` and `PreviousState` are stored under are in files of users, and stay.

use serde::{Deserialize, Serialize};

use crate::Entry;

/// What [`put`](crate::put) does with an entry that already has the name.
#[derive(Clone, Copy, Debug)]
pub enum IfExists<'a> {
    /// The caller wrote it: bring the fields up to date, keep what else is in it. Holds the entry as it was last
    /// written: of its fields, those that are no longer wanted are taken out, unless somebody has changed them since.
    Update(&'a Entry),
    /// It is unmanaged (somebody else wrote it): replace the whole. [`Insertion::replaced`] is what stood there.
    Replace,
}

/// A text with an entry in it, and what [`remove`](crate::remove) must be told to get the old text back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insertion {
    /// The new text.
    pub text: Vec<u8>,
    /// What was put around the entry. Keep these with those of earlier insertions into the same file; of two with the
    /// same path, the newer one counts.
    pub created: Vec<CreatedParent>,
    /// The text of the entry that gave way to [`IfExists::Replace`].
    pub replaced: Option<String>,
}

/// An object (or list, or file) around an entry that an edit created or filled, and how it was before.
///
/// ```
/// use drydock_edit::{CreatedParent, PreviousState};
///
/// let stored = r#"{"path": ["mcpServers"], "was": {"empty": " "}}"#;
/// let created: CreatedParent = serde_json::from_str(stored)?;
/// assert_eq!(created.previous, PreviousState::Empty(" ".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct CreatedParent {
    /// The keys down to the object in question; none for the file's outermost one.
    pub path: Vec<String>,
    /// How it was before. Stored as `was`.
    #[serde(rename = "was")]
    pub previous: PreviousState,
}

/// How an object, list or file was before the first entry came into it. Stored as `"missing"`, `{"blank": ".."}` and
/// `{"empty": ".."}`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum PreviousState {
    /// It did not exist.
    Missing,
    /// The file existed, and held nothing but this white space (and comments).
    Blank(String),
    /// It was there without members, with this text between its braces (in YAML: in the place of its value).
    Empty(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As ledgers have it since their first version.
    #[test]
    fn what_was_stored_by_earlier_versions_is_read_and_written_the_same() {
        let stored = r#"[{"path":[],"was":"missing"},{"path":[],"was":{"blank":"\n"}},{"path":["a.b","c"],"was":{"empty":" # x\n"}}]"#;
        let read: Vec<CreatedParent> = serde_json::from_str(stored).unwrap();
        let file = |previous| CreatedParent { path: Vec::new(), previous };
        let inner = CreatedParent {
            path: vec!["a.b".into(), "c".into()],
            previous: PreviousState::Empty(" # x\n".into()),
        };
        assert_eq!(read, [file(PreviousState::Missing), file(PreviousState::Blank("\n".into())), inner]);
        assert_eq!(serde_json::to_string(&read).unwrap(), stored);
        assert!(serde_json::from_str::<CreatedParent>(r#"{"path":[],"previous":"missing"}"#).is_err());
    }
}
