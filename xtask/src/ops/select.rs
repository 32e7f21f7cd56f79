//! The servers that a command works on, with what is left out said.
//!
//! Root folder + names -> servers. Invariants: nothing is left out in silence; what is wrong with one is in no other one's way.

use std::path::Path;

use anyhow::{Error, Result};
use drydock_catalog::{Kind, Named, Server, container_name, runtime_names};
use drydock_engine::{Cli, Engine, Owner};

use crate::batch::try_each;
use crate::ui::progress::say;
use crate::workspace::Workspace;

/// The servers that are described as they should be; says which are left out.
pub(crate) fn load_valid(root: &Path) -> Result<Vec<Server>> {
    let (good, bad) = drydock_catalog::load_partial(root)?;
    for problem in bad {
        say(&format!("left out: {:#}", Error::new(problem)));
    }
    Ok(good)
}

/// The engine, whose containers may have names that no folder has any more; without one, a name that nobody has is said
/// first.
pub(crate) fn engine<'a>(ws: &'a Workspace, names: &[String]) -> Result<&'a Engine> {
    ws.engine().or_else(|err| {
        drydock_catalog::pick_each_with_runtimes(&ws.root, names)?;
        Err(err)
    })
}

/// The names of all servers here, and of those whose containers this clone made, whatever became of their folders; not
/// those of runtime images.
pub(crate) fn all_names(ws: &Workspace, cli: &Cli) -> Result<Vec<String>> {
    let id = ws.id()?;
    let mut names = drydock_catalog::names(&ws.root)?;
    for it in drydock_engine::containers(cli, &[])? {
        let Some(name) = it.server() else { continue };
        let ours = it.owner(name, &id) == Owner::ThisWorkspace && !runtime_names().any(|it| it == name);
        if ours && it.name() == container_name(&ws.global.name_prefix, name) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// These names, each of which is a server's or a runtime image's, or that of a container with our label.
pub(crate) fn names(ws: &Workspace, cli: &Cli, names: &[String]) -> Result<Vec<String>> {
    for name in names {
        let container = drydock_engine::container(cli, &container_name(&ws.global.name_prefix, name))?;
        if container.is_none_or(|it| it.server() != Some(name)) {
            drydock_catalog::pick_each_with_runtimes(&ws.root, std::slice::from_ref(name))?;
        }
    }
    let first = |(i, name): &(usize, &String)| !names[..*i].contains(name);
    Ok(names.iter().enumerate().filter(first).map(|(_, it)| it.clone()).collect())
}

/// What engine `host` can run: servers in Rust. Another that was named is an error, one that was not is left out.
pub(crate) fn on_host(servers: Vec<Named>, named: bool) -> Result<Vec<Result<Server>>> {
    let in_container = |it: &Server| it.kind != Kind::Rust;
    let (mut rust, mut others) = (Vec::new(), Vec::new());
    for (_, it) in servers {
        match it {
            Ok(it) if in_container(&it) && named => return Err(it.needs_a_container().into()),
            Ok(it) if in_container(&it) => others.push(it.name),
            it => rust.push(it.map_err(Error::from)),
        }
    }
    if !others.is_empty() {
        say(&format!("left out, as they run in containers only: {}", others.join(", ")));
    }
    Ok(rust)
}

/// The same servers, if one of them can be worked on: what is wrong with all of them is said before anything is begun.
pub(crate) fn if_any_is_valid(servers: Vec<Named>, failed: &str) -> Result<Vec<Named>> {
    if !servers.is_empty() && servers.iter().all(|(_, it)| it.is_err()) {
        try_each(servers, failed, |(_, it)| Ok(it.map(drop)?))?;
        return Ok(Vec::new());
    }
    Ok(servers)
}

/// The servers of these names, which must all be as they should be; without names those that are, and how many are not,
/// which is said.
pub(crate) fn or_left_out(root: &Path, names: &[String]) -> Result<(Vec<Named>, usize)> {
    let mut servers = drydock_catalog::pick_each(root, names)?;
    if !names.is_empty() {
        let wrong = servers.iter().position(|(_, it)| it.is_err());
        return match wrong.map(|it| servers.swap_remove(it).1) {
            Some(Err(problem)) => Err(problem.into()),
            _ => Ok((servers, 0)),
        };
    }
    let (good, bad): (Vec<_>, Vec<_>) = servers.into_iter().partition(|(_, it)| it.is_ok());
    for problem in bad.iter().filter_map(|(_, it)| it.as_ref().err()) {
        say(&format!("left out: {problem:#}"));
    }
    Ok((good, bad.len()))
}
