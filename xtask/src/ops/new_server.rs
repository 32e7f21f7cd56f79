//! Makes a server of one's own: a folder below `servers/`, and its line in the workspace.
//!
//! Name + title -> a crate that compiles and a workspace that knows it. Invariant: whatever fails, and at a signal, the folder is
//! not there and the workspace's files are as they were; a process that is killed outright leaves at most a whole folder
//! that cargo does not know of, or one whose name begins with a dot, which the next command removes.

mod name;
mod template;

use std::fs;
use std::path::Path;

use anyhow::{Context, Error, Result};
use clap::ValueEnum;
use drydock_catalog::container_name;

pub(crate) use self::name::{check_title, title_of};
use crate::hint::with_hint;
use crate::interrupt;
use crate::ops::members::{self, Change, Direction};
use crate::workspace::Workspace;

/// In which state things are after a failure.
pub(crate) const NOTHING_MADE: &str = "nothing was made";

/// What is made.
#[derive(Debug)]
pub(crate) struct NewServer {
    /// The folder's, the crate's, the image's.
    pub(crate) name: String,
    /// As people call it.
    pub(crate) title: String,
    /// What it has beside a tool.
    pub(crate) with: Vec<Part>,
}

/// What a server can begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// A client for web services
    HttpClient,
    /// What stays from one session to the next
    State,
    /// What a client can read by its URI
    Resources,
    /// What a person picks from a menu
    Prompts,
}

impl Part {
    /// As it is written on the command line, and in the templates.
    fn name(self) -> String {
        self.to_possible_value().map(|it| it.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether it is a feature of kit, for its size.
    fn is_feature(self) -> bool {
        matches!(self, Self::HttpClient | Self::State)
    }
}

/// Whether a server can have this name here; nothing is written.
pub(crate) fn check_name(ws: &Workspace, name: &str) -> Result<()> {
    name::check_words(name)?;
    let folder = Path::new("servers").join(name);
    if fs::symlink_metadata(ws.root.join(&folder)).is_ok() {
        let is_server = drydock_catalog::names(&ws.root)?.iter().any(|it| it == name);
        return Err(name::taken(name, &format!("{} is there already", folder.display()), is_server));
    }
    let container = container_name("", name);
    if drydock_catalog::runtime_names().any(|it| it == name) {
        let what = format!("`{container}` is the container of the runtime image `{name}`");
        return Err(name::taken(name, &what, false));
    }
    name::check_crates(name, &fs::read_to_string(ws.root.join("Cargo.lock")).unwrap_or_default())?;
    if let Some(package) = ws.metadata()?.with_target(name) {
        return Err(name::taken(name, &format!("the crate `{package}` makes a program of that name"), false));
    }
    for client in drydock_config::client::load(&ws.root)? {
        let refused = |_| name::taken(name, &format!("{} keeps that name for itself", client.name()), false);
        client.check_name(name).map_err(refused)?;
    }
    Ok(())
}

/// Makes it.
pub(crate) fn make(ws: &Workspace, new: &NewServer) -> Result<()> {
    interrupt::arm()?;
    let _turn = members::take_turn(ws)?;
    check_name(ws, &new.name).context(NOTHING_MADE)?;
    let mut change = Change::new(ws, &new.name, Direction::Add).context(NOTHING_MADE)?;
    let hidden = change.new_folder();
    template::render(new)
        .iter()
        .try_for_each(|(file, text)| members::write(&hidden.join(file), text.as_bytes()))?;
    change.resolve().context(NOTHING_MADE)?;
    // From here on nothing takes long, and no signal ends it in the middle.
    let folder = ws.root.join("servers").join(&new.name);
    fs::rename(&hidden, &folder)
        .with_context(|| format!("cannot make {}; {NOTHING_MADE}", folder.display()))?;
    change.write().map_err(|err| undo(&folder, &hidden, err))
}

/// Out of sight again, in one step; what is hidden goes at the end.
fn undo(folder: &Path, hidden: &Path, err: Error) -> Error {
    match fs::rename(folder, hidden) {
        Ok(()) => err.context(NOTHING_MADE),
        Err(left) => {
            let problem = format!("{err:#}; and {} cannot be taken away: {left}", folder.display());
            with_hint(problem, "remove that folder; cargo does not know of it")
        }
    }
}

#[cfg(test)]
mod tests;
