//! A server that keeps what it is told: notes, and how many there are. Also what kit's tests of state run against.
//!
//! `MCP_STATE=/some/folder cargo run -p drydock-kit --example notes -- stdio`

use drydock_kit::prelude::*;
use drydock_kit::state::{Collection, Keys, State};
use serde::{Deserialize, Serialize};

const NOTES: Collection<Note> = Collection::new("notes");
/// Of all notes, under the key `notes`.
const TOTALS: Collection<u64> = Collection::new("totals");

/// A note as it is kept.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Note {
    text: String,
    /// How often it was written.
    edition: u64,
}

/// What to keep.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewNote {
    /// What it is called.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// What it says.
    #[schemars(length(max = 100_000))]
    text: String,
}

/// Which note.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Name {
    /// What it is called.
    #[schemars(length(min = 1, max = 100))]
    name: String,
}

/// Which notes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Names {
    /// How their names begin.
    #[serde(default)]
    prefix: String,
    /// The `next` of the page before.
    #[serde(default)]
    after: Option<String>,
    /// How many at most.
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 1000))]
    limit: u16,
}

fn fifty() -> u16 {
    50
}

/// A part of the list.
#[derive(Serialize, JsonSchema)]
struct Listed {
    notes: Vec<NamedNote>,
    /// The last name of this page: the next one begins behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A note and what it is called.
#[derive(Serialize, JsonSchema)]
struct NamedNote {
    name: String,
    note: Note,
}

/// How many notes there are.
#[derive(Serialize, JsonSchema)]
struct Total {
    notes: u64,
}

struct Notes {
    state: State,
}

#[server(title = "Notes", instructions = "Keeps notes.")]
impl Notes {
    /// Keeps a note, in the place of one of the same name.
    #[tool]
    async fn write(&self, Parameters(it): Parameters<NewNote>) -> Result<Json<Total>, String> {
        let written = self.state.transaction(move |kept| {
            let before = kept.get(NOTES, &it.name)?.map(|note| note.edition);
            let note = Note { text: it.text, edition: before.unwrap_or(0) + 1 };
            kept.put(NOTES, &it.name, &note)?;
            let notes = kept.get(TOTALS, "notes")?.unwrap_or(0) + u64::from(before.is_none());
            kept.put(TOTALS, "notes", &notes)?;
            Ok(Total { notes })
        });
        Ok(Json(written.await?))
    }

    /// Adds to the end of a note.
    #[tool(additive)]
    async fn append(&self, Parameters(it): Parameters<NewNote>) -> Result<String, String> {
        let appended = self.state.update(NOTES, &it.name, move |note| {
            let note = note.as_mut().ok_or("there is no such note: write it first")?;
            note.text += &it.text;
            note.edition += 1;
            Ok(note.text.clone())
        });
        Ok(appended.await?)
    }

    /// Reads a note.
    #[tool(read_only)]
    async fn read(&self, Parameters(it): Parameters<Name>) -> Result<Json<Note>, String> {
        let note = self.state.get(NOTES, &it.name).await?;
        Ok(Json(note.ok_or("there is no such note")?))
    }

    /// Throws a note away.
    #[tool]
    async fn remove(&self, Parameters(it): Parameters<Name>) -> Result<Json<Total>, String> {
        let removed = self.state.transaction(move |kept| {
            if !kept.delete(NOTES, &it.name)? {
                return Err("there is no such note".into());
            }
            let notes = kept.get(TOTALS, "notes")?.unwrap_or(0) - 1;
            kept.put(TOTALS, "notes", &notes)?;
            Ok(Total { notes })
        });
        Ok(Json(removed.await?))
    }

    /// Lists notes by their names.
    #[tool(read_only)]
    async fn list(&self, Parameters(it): Parameters<Names>) -> Result<Json<Listed>, String> {
        let mut keys = Keys::starting_with(it.prefix).limit(it.limit.into());
        if let Some(after) = it.after {
            keys = keys.after(after);
        }
        let page = self.state.list(NOTES, keys).await?;
        let notes = page.entries.into_iter().map(|(name, note)| NamedNote { name, note }).collect();
        Ok(Json(Listed { notes, next: page.next }))
    }

    /// Says how many notes there are.
    #[tool(read_only)]
    async fn count(&self) -> Result<Json<Total>, String> {
        let notes = self.state.get(TOTALS, "notes").await?.unwrap_or(0);
        Ok(Json(Total { notes }))
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Notes { state: State::new() })
}
