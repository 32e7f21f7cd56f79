//! Books on a shelf: a server with settings, resources, a prompt, completions, and tools that tell how far they are and what
//! they change.
//!
//! `OWNER=Ana cargo run -p drydock-kit --example shelf -- stdio`

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use drydock_kit::prelude::*;
use drydock_kit::{Progress, ResourceNotifier};
use rmcp::model::{ListResourcesResult, PaginatedRequestParams, PromptMessage, Resource, Role};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
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
    owner: String,
    books: AtomicU32,
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
        let books = self.len();
        for book in 1..=books {
            progress.report(f64::from(book), Some(f64::from(books)), "books counted").await;
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
        Json(Counted { owner: self.owner.clone(), books })
    }

    /// Puts one more book on the shelf.
    #[tool(additive, title = "Add a book")]
    async fn add(&self, resources: ResourceNotifier) -> Json<Counted> {
        tokio::time::sleep(Duration::from_millis(120)).await;
        let books = self.books.fetch_add(1, Ordering::Relaxed) + 1;
        resources.list_changed().await;
        resources.updated("shelf://books").await;
        Json(Counted { owner: self.owner.clone(), books })
    }

    #[handler]
    async fn list_resources(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let all =
            Resource::new("shelf://books", "books").with_title("All books").with_mime_type("text/plain");
        let book = |it| Resource::new(format!("shelf://book/{it}"), format!("book {it}"));
        let resources = [all].into_iter().chain((1..=self.len()).map(book)).collect();
        Ok(ListResourcesResult::with_all_items(resources))
    }
}

impl Shelf {
    fn len(&self) -> u32 {
        self.books.load(Ordering::Relaxed)
    }
}

#[drydock_kit::resources]
impl Shelf {
    /// All books, one a line.
    #[resource("shelf://books", title = "All books", mime_type = "text/plain")]
    fn books(&self) -> String {
        (1..=self.len()).map(|it| format!("book {it}\n")).collect()
    }

    /// One book.
    #[resource("shelf://book/{number}", mime_type = "text/plain")]
    async fn book(&self, number: u32) -> Result<String, String> {
        match number {
            0 => Err("books are counted from 1".to_owned()),
            it if it > self.len() => Err(format!("there are {} books", self.len())),
            it => Ok(format!("book {it} of {}", self.owner)),
        }
    }

    #[complete(book.number)]
    fn numbers(&self, typed: &str) -> Vec<String> {
        let all = (1..=self.len()).map(|it| it.to_string());
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
            Some(to) if to == self.owner => Err(format!("{to} has them all")),
            _ => Ok(self.numbers(typed)),
        }
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main_with(|Settings { owner, books }| Shelf { owner, books: books.into() })
}
