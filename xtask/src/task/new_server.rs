//! `new-server`: a server of one's own, which compiles and has a tool.
//!
//! Name + title -> `servers/NAME`, a member of the workspace. Invariant: whatever fails, nothing is made.

use anyhow::{Context, Result};

use crate::hint::usage;
use crate::ops::new_server::{self, NOTHING_MADE, NewServer, Part};
use crate::ui::ask;
use crate::ui::progress::say;
use crate::workspace::Workspace;

/// Make a Rust server of your own: a crate in servers/NAME, with a tool to begin with
///
/// It compiles, passes its own tests, and is ready for `up` and `install-client`; `servers/NAME/README.md` says what is where.
/// Without a name, or without `--title` on a terminal, it asks. What fails, or is interrupted, leaves nothing. Does the same
/// under every engine.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Of the folder, the crate, the image and the entries: words of a-z and 0-9 with `-` between them
    name: Option<String>,
    /// As people read it in their client; without it the name, in words
    #[arg(long, value_name = "TITLE")]
    title: Option<String>,
    /// What it has beside a tool
    #[arg(long, value_name = "PARTS", value_delimiter = ',', value_enum)]
    with: Vec<Part>,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        let name = match self.name {
            Some(name) => name,
            None if ask::not_a_terminal().is_some() => {
                let hint = "give it one: cargo xtask new-server NAME [--title TITLE]";
                return Err(usage("the new server has no name; nothing was made", hint));
            }
            None => ask::line("name (words of a-z and 0-9, as in `to-do-list`): ")?,
        };
        // Before the title is asked for.
        new_server::check_name(ws, &name).context(NOTHING_MADE)?;
        let usual = new_server::title_of(&name);
        let title = match self.title {
            Some(title) => title,
            None if ask::not_a_terminal().is_some() => usual,
            None => {
                Some(ask::line(&format!("title [{usual}]: "))?).filter(|it| !it.is_empty()).unwrap_or(usual)
            }
        };
        new_server::check_title(&title).context(NOTHING_MADE)?;
        new_server::make(ws, &NewServer { name: name.clone(), title, with: self.with })?;
        print_next_steps(ws, &name);
        Ok(())
    }
}

fn print_next_steps(ws: &Workspace, name: &str) {
    say(&format!(
        "servers/{name}: made, and a member of the workspace; src/tools.rs has what it begins with, and room for the next tool"
    ));
    say("next:");
    say(&format!("  cargo test -p {name}"));
    for command in ["up NAME", "check NAME", "tools NAME", "install-client --server NAME"] {
        say(&format!("  {}", ws.command(&command.replace("NAME", name))));
    }
}
