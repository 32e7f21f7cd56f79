//! The AI clients: one `clients/ID.toml` each, no code of their own.
//!
//! Data file -> `Client`: where its servers stand, what an entry looks like, which names it takes. Invariant: a
//! `Client` that was loaded can write an entry and read the same entry back; what the file says and we do not
//! understand is an error, never ignored.

mod caveats;
mod data;
mod host_env;
mod http;
mod paths;
mod scope;
mod stdio;
mod templates;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::Path;

use drydock_edit::{FileFormat, ServersPath};

pub(crate) use self::caveats::Surroundings;
pub use self::caveats::{Caveat, CaveatKind};
pub use self::data::{Evidence, StartedFrom};
pub use self::host_env::{HostEnv, System};
pub use self::http::{HeaderSupport, HttpEndpoint, sounds_secret};
pub use self::scope::Scope;
pub use self::stdio::{StdioCommand, Transport};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::file;

/// An AI program with a configuration file that lists MCP servers.
#[derive(Debug)]
pub struct Client {
    /// The data file's name: what the command line calls it.
    pub id: String,
    data: data::Client,
}

/// Every client that `root/clients/*.toml` describe, ordered by id.
///
/// # Errors
/// [`ErrorKind::InvalidDefinition`] for a data file that is not right, [`ErrorKind::Io`].
pub fn load(root: &Path) -> Result<Vec<Client>> {
    let folder = root.join("clients");
    let cannot_list = || format!("cannot list {}", folder.display());
    let mut clients = Vec::new();
    for entry in fs::read_dir(&folder).with_context(cannot_list)? {
        let path = entry.with_context(cannot_list)?.path();
        if path.extension().is_some_and(|it| it == "toml") {
            let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = file::read_regular(&path)
                .and_then(|it| String::from_utf8(it).map_err(|_| io::ErrorKind::InvalidData.into()))
                .with_context(|| format!("cannot read {}", path.display()))?;
            let client = parse(&id, &text).map_err(|err| err.with_path(&path));
            clients.push(client.with_context(|| format!("{} is not right", path.display()))?);
        }
    }
    clients.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(clients)
}

/// The clients of these ids, each once.
///
/// # Errors
/// [`ErrorKind::UnknownClient`] for an id that no client has, and those of [`load`].
pub fn pick(root: &Path, ids: &[String]) -> Result<Vec<Client>> {
    let all = load(root)?;
    if let Some(unknown) = ids.iter().find(|id| !all.iter().any(|it| it.id == **id)) {
        let known: Vec<_> = all.iter().map(|it| it.id.as_str()).collect();
        let hint = match suggest(unknown, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? All: cargo xtask clients"),
            None => format!("the clients that we know: {}", known.join(", ")),
        };
        let problem = format!("there is no client {unknown:?}");
        return Err(Error::new(ErrorKind::UnknownClient, problem).with_hint(hint));
    }
    Ok(all.into_iter().filter(|it| ids.contains(&it.id)).collect())
}

fn parse(id: &str, text: &str) -> Result<Client> {
    let data: data::Client =
        toml::from_str(text).map_err(|err| Error::new(ErrorKind::InvalidDefinition, err.to_string()))?;
    data.check()?;
    Ok(Client { id: id.to_owned(), data })
}

/// The known name that was probably meant by one that is not known.
///
/// ```
/// use drydock_config::client::suggest;
///
/// assert_eq!(suggest("cursr", ["codex", "cursor"]), Some("cursor"));
/// assert_eq!(suggest("notepad", ["codex", "cursor"]), None);
/// ```
#[must_use]
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let alike = known.into_iter().map(|it| (strsim::normalized_damerau_levenshtein(&name, it), it));
    alike.filter(|it| it.0 >= 0.6).max_by(|a, b| a.0.total_cmp(&b.0)).map(|it| it.1)
}

impl Client {
    /// As people call it.
    pub fn name(&self) -> &str {
        &self.data.name
    }

    /// The address at which its vendor documents the file.
    pub fn docs(&self) -> &str {
        &self.data.docs
    }

    /// Whose environment its servers inherit.
    pub fn started_from(&self) -> StartedFrom {
        self.data.started_from
    }

    /// The only variables of its own that it gives to a server; empty: all.
    pub fn inherits(&self) -> &[String] {
        &self.data.inherits
    }

    /// How we know what its data file says.
    pub fn evidence(&self) -> &[Evidence] {
        &self.data.evidence
    }

    /// What its data file says and nobody has confirmed.
    pub fn unconfirmed(&self) -> &[String] {
        &self.data.unconfirmed
    }

    /// What the client needs before it sees a change.
    pub fn after_change(&self, scope: Scope) -> &str {
        match scope {
            Scope::User => &self.data.after_change.user,
            Scope::Project => &self.data.after_change.project,
        }
    }

    /// What the client needs before a server is gone: it may have started it, and keeps it then.
    pub fn after_removal(&self, scope: Scope) -> String {
        let sees = self.after_change(scope).split(';').next().unwrap_or_default();
        if sees.starts_with("nothing") && !sees.contains("server") {
            return sees.to_owned();
        }
        format!("restart {}, or start a new session: one that runs keeps the server", self.name())
    }

    /// Where its servers stand in its file of that scope.
    pub fn servers_path(&self, scope: Scope) -> ServersPath<'_> {
        let it = &self.data;
        let (mut format, mut commas) = (it.format, it.trailing_commas);
        if scope == Scope::Project
            && let Some(own) = it.in_project.format
        {
            (format, commas) = (own, None);
        }
        if scope == Scope::Project {
            commas = it.in_project.trailing_commas.or(commas);
        }
        let trailing_commas = commas.unwrap_or(format == FileFormat::Jsonc);
        let new_file = (!it.new_file.is_empty()).then_some(&it.new_file);
        ServersPath {
            trailing_commas,
            layout: it.layout,
            new_file,
            max_size: file::MAX_FILE_SIZE,
            ..ServersPath::new(format, &it.servers_at)
        }
    }

    /// A server's name, made into one that this client takes.
    pub fn entry_name(&self, server: &str) -> String {
        let rule = &self.data.names;
        let name: String = server.chars().map(|it| if rule.takes(it) { it } else { '-' }).collect();
        let name: String = name.chars().take(rule.longest()).collect();
        if rule.reserved.contains(&name) { format!("{name}-mcp") } else { name }
    }

    /// Whether the client takes this name for an entry.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`], with a name that would be taken as the hint.
    pub fn check_name(&self, name: &str) -> Result<()> {
        let rule = &self.data.names;
        if name.is_empty() || name.chars().any(char::is_control) {
            let problem = "an entry's name must not be empty or hold control characters";
            return Err(Error::new(ErrorKind::InvalidInput, problem));
        }
        let refuse = |problem: String| {
            let hint = format!("this one would be taken: --name {:?}", self.entry_name(name));
            Err(Error::new(ErrorKind::InvalidInput, problem).with_hint(hint))
        };
        if let Some(bad) = name.chars().find(|it| !rule.takes(*it)) {
            let only = rule.letters_digits_and.as_ref();
            let only = only.map_or(String::new(), |more| format!(", only letters, digits and {more:?}"));
            let problem = format!("{} does not take {bad:?} in a name{only}: {name:?}", self.name());
            return refuse(problem);
        }
        if name.chars().count() > rule.longest() {
            let problem =
                format!("{} takes names of at most {} characters: {name:?}", self.name(), rule.longest());
            return refuse(problem);
        }
        if rule.reserved.iter().any(|it| it == name) {
            return refuse(format!("{} keeps the name {name:?} for itself", self.name()));
        }
        Ok(())
    }
}
