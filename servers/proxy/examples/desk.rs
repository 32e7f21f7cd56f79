//! Two versions of a server, of which the second has one tool more: what the tests of the proxy hold sessions with.
//!
//! `DESK=new cargo run -p drydock-proxy --example desk -- stdio`

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use drydock_kit::prelude::*;
use serde::Deserialize;

/// What to do with a sheet of paper.
#[derive(Deserialize, JsonSchema)]
struct Sheet {
    /// The file.
    path: PathBuf,
    /// How long it takes, in milliseconds.
    #[serde(default)]
    ms: u64,
}

/// Adds a line to the sheet; on an empty one, then rests.
async fn add(sheet: Sheet) -> Result<String, String> {
    let is_empty = std::fs::metadata(&sheet.path).map_or(true, |it| it.len() == 0);
    let mut file = File::options().append(true).create(true).open(sheet.path).map_err(|e| e.to_string())?;
    writeln!(file, "{}", std::process::id()).map_err(|e| e.to_string())?;
    if is_empty {
        tokio::time::sleep(Duration::from_millis(sheet.ms)).await;
    }
    Ok(std::process::id().to_string())
}

struct Desk;

#[server(title = "Desk", instructions = "Writes on sheets of paper.")]
impl Desk {
    /// Says which process answers.
    #[tool(read_only)]
    async fn who(&self) -> String {
        std::process::id().to_string()
    }

    /// Notes that it was called, as a tool that only reads.
    #[tool(read_only)]
    async fn look(&self, Parameters(sheet): Parameters<Sheet>) -> Result<String, String> {
        add(sheet).await
    }

    /// Notes that it was called.
    #[tool]
    async fn write(&self, Parameters(sheet): Parameters<Sheet>) -> Result<String, String> {
        add(sheet).await
    }
}

struct NewDesk;

#[server(title = "Desk", instructions = "Writes on sheets of paper.")]
impl NewDesk {
    /// Says which process answers.
    #[tool(read_only)]
    async fn who(&self) -> String {
        std::process::id().to_string()
    }

    /// Throws nothing away.
    #[tool(read_only)]
    async fn sort(&self) -> String {
        "sorted".into()
    }
}

fn main() -> std::process::ExitCode {
    if std::env::var_os("DESK").is_some_and(|it| it == "new") {
        drydock_kit::main(|| NewDesk)
    } else {
        drydock_kit::main(|| Desk)
    }
}
