//! Books on a shelf: a server with settings, resources and a tool that tells how far it is.
//!
//! `OWNER=Ana cargo run -p drydock-kit --example shelf -- stdio`

use std::time::Duration;

use drydock_kit::Progress;
use drydock_kit::prelude::*;
use serde::{Deserialize, Serialize};

/// What a person sets.
#[derive(Deserialize, JsonSchema)]
struct Settings {
    /// Whose shelf it is.
    owner: String,
    /// How many books stand on it.
    #[schemars(range(min = 1, max = 50))]
    #[serde(default = "three")]
    books: u32,
}

fn three() -> u32 {
    3
}

struct Shelf {
    settings: Settings,
}

/// How many there are.
#[derive(Serialize, JsonSchema)]
struct Counted {
    owner: String,
    books: u32,
}

#[server(title = "Shelf")]
impl Shelf {
    /// Counts the books, one by one.
    #[tool(read_only, idempotent, title = "Count books")]
    async fn count(&self, progress: Progress) -> Json<Counted> {
        let Settings { owner, books } = &self.settings;
        for book in 1..=*books {
            progress.report(f64::from(book), Some(f64::from(*books)), "books counted").await;
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
        Json(Counted { owner: owner.clone(), books: *books })
    }
}

#[drydock_kit::resources]
impl Shelf {
    /// All books, one a line.
    #[resource("shelf://books", title = "All books", mime_type = "text/plain")]
    fn books(&self) -> String {
        (1..=self.settings.books).map(|it| format!("book {it}\n")).collect()
    }

    /// One book.
    #[resource("shelf://book/{number}", mime_type = "text/plain")]
    async fn book(&self, number: u32) -> Result<String, String> {
        match number {
            0 => Err("books are counted from 1".to_owned()),
            it if it > self.settings.books => Err(format!("there are {} books", self.settings.books)),
            it => Ok(format!("book {it} of {}", self.settings.owner)),
        }
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main_with(|settings| Shelf { settings })
}
