//! The way back to what was there before the first entry.
//!
//! Text + `CreatedParent`s -> text, or no file. Invariant: what was created is taken away only while nothing of
//! anybody else's is in it.

use super::nodes::{root, strict, walk};
use super::without;
use crate::text::{Splice, apply};
use crate::{CreatedParent, PreviousState, Result, ServersPath};

/// Undoes, from the inside out, what we made around entries, as long as nothing of anybody else's is in it.
pub(super) fn prune_created_parents(
    mut text: String,
    place: ServersPath<'_>,
    created: &[CreatedParent],
) -> Result<Option<String>> {
    for depth in (0..=place.at.len()).rev() {
        let path = &place.at[..depth];
        let Some(it) = created.iter().find(|it| it.path == path) else { break };
        let clean = strict(&text, place)?;
        let Some(root) = root(&clean)? else { break };
        let Some(object) = walk(&text, &root, path)?.1.filter(|it| it.properties.is_empty()) else { break };
        let inside = object.range.start + 1..object.range.end - 1;
        let inner = text[inside.clone()].trim();
        match &it.previous {
            PreviousState::Empty(previous) if previous.trim() == inner => {
                text = apply(&text, &[Splice { range: inside, with: previous.clone() }]);
                break;
            }
            PreviousState::Missing if depth > 0 && inner.is_empty() => {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                text = without(&text, place, &path)?;
            }
            PreviousState::Missing | PreviousState::Blank(_) if depth == 0 && inner.is_empty() => {
                let around = format!("{}{}", &text[..object.range.start], &text[object.range.end..]);
                match &it.previous {
                    PreviousState::Missing if around.trim().is_empty() => return Ok(None),
                    PreviousState::Blank(previous) if around.trim() == previous.trim() => {
                        return Ok(Some(previous.clone()));
                    }
                    _ => break,
                }
            }
            _ => break,
        }
    }
    Ok(Some(text))
}
