//! What a command about all servers knows of the engine: each kind of question asked once.
//!
//! Servers + engine -> containers, images, health, usage. Invariant: what is not ours is not entered, also not to ask how it
//! is.

use std::collections::BTreeMap;
use std::thread;

use anyhow::Result;
use drydock_catalog::Server;
use drydock_contract::Health;
use drydock_engine::proxies::Proxies;
use drydock_engine::{Cli, Container, Error, Image, Inventory, Owner, Usage};

use crate::workspace::Workspace;

/// What stood on the engine at one moment.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    inventory: Inventory,
    health: BTreeMap<String, Result<Health, Error>>,
    usage: BTreeMap<String, Usage>,
    proxies: Proxies,
}

/// What is asked for besides the containers and their health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Besides {
    /// Which images there are, and which proxies the engine gives to containers.
    Images,
    /// Memory and processor time, which the engine measures for 1 to 2 s.
    Usage,
    Nothing,
}

impl Snapshot {
    /// Of these servers' containers and images, and of every container with our label.
    pub(crate) fn take(ws: &Workspace, cli: &Cli, servers: &[Server], besides: Besides) -> Result<Self> {
        let id = ws.id()?;
        let names: Vec<_> = servers.iter().map(|it| it.container(&ws.global.name_prefix)).collect();
        let tags: Vec<_> = match besides {
            Besides::Images => servers.iter().map(|it| it.own_image(&id)).collect(),
            _ => Vec::new(),
        };
        let inventory = drydock_engine::inventory(cli, &names, &tags)?;
        let asked: Vec<_> = inventory.containers.iter().filter(|it| can_be_asked(it, &id)).collect();
        let names: Vec<_> = asked.iter().map(|it| it.name().to_owned()).collect();
        let ids: Vec<_> = match besides {
            Besides::Usage => asked.iter().map(|it| it.id.clone()).collect(),
            _ => Vec::new(),
        };
        let (health, usage, proxies) = thread::scope(|scope| {
            let proxies = (besides == Besides::Images).then(|| scope.spawn(|| Proxies::here(cli)));
            let usage = scope.spawn(|| drydock_engine::usage(cli, &ids));
            let health = drydock_engine::healths(cli, &names);
            let proxies = proxies.and_then(|it| it.join().ok()).unwrap_or_default();
            (health, usage.join().unwrap_or_default(), proxies)
        });
        Ok(Self { health: names.into_iter().zip(health).collect(), usage, proxies, inventory })
    }

    /// All that have our label, or the name of a server's container.
    pub(crate) fn containers(&self) -> &[Container] {
        &self.inventory.containers
    }

    /// The image with this tag, of those of the servers.
    pub(crate) fn image(&self, tag: &str) -> Option<&Image> {
        self.inventory.images.get(tag)
    }

    /// What the server in a container of ours says about itself; nothing where it was not asked.
    pub(crate) fn health(&self, container: &str) -> Option<&Result<Health, Error>> {
        self.health.get(container)
    }

    /// Those of now.
    pub(crate) fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// Nothing where that is not known.
    pub(crate) fn usage(&self, container: &str) -> Option<Usage> {
        self.usage.get(container).copied()
    }

    /// The container of exactly this name, also one that is not ours.
    pub(crate) fn container(&self, cli: &Cli, name: &str) -> Result<Option<Container>> {
        match self.inventory.container(name) {
            Some(it) => Ok(Some(it.clone())),
            None if self.inventory.has_container(name) => Ok(drydock_engine::container(cli, name)?),
            None => Ok(None),
        }
    }

    /// The image of this name, also one that is not a server's.
    pub(crate) fn find_image(&self, cli: &Cli, name: &str) -> Result<Option<Image>> {
        match self.image(name) {
            Some(it) => Ok(Some(it.clone())),
            None if self.inventory.has_image(name) => Ok(drydock_engine::image(cli, name)?),
            None => Ok(None),
        }
    }
}

fn can_be_asked(it: &Container, id: &str) -> bool {
    let is_ours = |server| it.owner(server, id) == Owner::ThisWorkspace;
    it.state.running && !it.is_session() && it.server().is_some_and(is_ours)
}
