//! Books on a shelf: a server with settings, resources, a prompt, completions and a tool that tells how far it is.
//!
//! `OWNER=Ana cargo run -p drydock-kit --example shelf -- stdio`

use std::time::Duration;

use drydock_kit::Progress;
use drydock_kit::prelude::*;
use rmcp::model::{PromptMessage, Role};
use serde::{Deserialize, Serialize};

/// What a person sets.
#[derive(Deserialize, JsonSchema)]
struct Settings {
    /// Whose shelf it is.
    owner: String,
    /// How many books stand on it.
    #[schemars(range(min = 1, max = 500))]
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

    #[complete(book.number)]
    fn numbers(&self, typed: &str) -> Vec<String> {
        let all = (1..=self.settings.books).map(|it| it.to_string());
        all.filter(|it| it.starts_with(typed)).collect()
    }
}

/// What `lend` takes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Lend {
    /// Who gets it.
    to: String,
    /// Which book.
    #[serde(rename = "book")]
    number: String,
}

#[drydock_kit::prompts]
impl Shelf {
    /// Lend a book to somebody.
    #[prompt(title = "Lend a book")]
    async fn lend(&self, Parameters(Lend { to, number }): Parameters<Lend>) -> Vec<PromptMessage> {
        let text = format!("Write {to} a note that comes with shelf://book/{number}.");
        vec![PromptMessage::new_text(Role::User, text)]
    }

    #[complete(lend.number = "book")]
    async fn lent(&self, typed: &str, to: Option<&str>) -> Result<Vec<String>, String> {
        match to {
            Some(to) if to == self.settings.owner => Err(format!("{to} has them all")),
            _ => Ok(self.numbers(typed)),
        }
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main_with(|settings| Shelf { settings })
}
