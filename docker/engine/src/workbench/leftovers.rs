//! What builds have on the engine, and what killed ones left there.
//!
//! Labels -> containers and volumes by server, and their removal. Invariant: what lacks a build's labels is never touched.

use std::collections::BTreeMap;

use crate::cli::Cli;
use crate::docker_args::{self, steps};
use crate::error::Error;

/// What builds of a server have on the engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftover {
    /// The server's name.
    pub server: String,
    /// Their ids.
    pub containers: Vec<String>,
    /// Their names.
    pub volumes: Vec<String>,
}

/// What builds of this clone have on the engine at this moment, those under way, too. (Who holds the turn to build a server
/// knows that none of it is.)
///
/// # Errors
/// The engine cannot be asked.
pub fn leftovers(cli: &Cli, workspace: &str) -> Result<Vec<Leftover>, Error> {
    let containers = cli.stdout(&steps::list_containers(workspace))?;
    let volumes = cli.stdout(&steps::list_volumes(workspace))?;
    Ok(by_server(&containers, &volumes))
}

/// `ID<tab>SERVER` and `NAME<tab>SERVER` lines.
fn by_server(containers: &str, volumes: &str) -> Vec<Leftover> {
    let mut all: BTreeMap<&str, Leftover> = BTreeMap::new();
    for (id, server) in containers.lines().filter_map(|it| it.split_once('\t')) {
        all.entry(server).or_default().containers.push(id.to_owned());
    }
    for (name, server) in volumes.lines().filter_map(|it| it.split_once('\t')) {
        all.entry(server).or_default().volumes.push(name.to_owned());
    }
    all.into_iter().map(|(server, it)| Leftover { server: server.to_owned(), ..it }).collect()
}

/// Removes them, containers first.
///
/// # Errors
/// The engine refuses it.
pub fn remove_leftovers(cli: &Cli, leftover: &Leftover) -> Result<(), Error> {
    if !leftover.containers.is_empty() {
        cli.stdout(&steps::remove(&leftover.containers))?;
    }
    if !leftover.volumes.is_empty() {
        cli.stdout(&docker_args::remove_volumes(&leftover.volumes))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_told_by_server() {
        let found = by_server("c1\tb\nc2\ta\nc3\tb\n", "v1\tb\nv2\tc\n");
        let of = |server: &str, containers: &[&str], volumes: &[&str]| Leftover {
            server: server.to_owned(),
            containers: containers.iter().map(ToString::to_string).collect(),
            volumes: volumes.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(found, [of("a", &["c2"], &[]), of("b", &["c1", "c3"], &["v1"]), of("c", &[], &["v2"])]);
    }
}
