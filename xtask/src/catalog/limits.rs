//! What the sandbox lets a server have, where its manifest does not say otherwise.
//!
//! Kind + settings -> `Limits`. Invariant: as many sessions as are let in, and the children that wait for more, fit into
//! memory and pids.

use super::Kind;
use crate::manifest::{Mount, Network, Settings};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Limits {
    pub(crate) network: Network,
    /// In bytes.
    pub(crate) memory: u64,
    pub(crate) cpus: f64,
    pub(crate) pids: u64,
    /// More are refused, so that those that are open keep their share.
    pub(crate) sessions: u64,
    /// Children started and waiting, where sessions are children of the bridge.
    pub(crate) warm: u64,
    pub(crate) mounts: Vec<Mount>,
}

#[cfg(test)]
impl Limits {
    /// Small round figures, no network.
    pub(crate) fn sample() -> Self {
        Self {
            network: Network::None,
            memory: 64 << 20,
            cpus: 0.5,
            pids: 32,
            sessions: 16,
            warm: 0,
            mounts: Vec::new(),
        }
    }
}

impl Kind {
    /// The strict default, with what the manifest sets instead.
    pub(super) fn limits(self, set: &Settings) -> Limits {
        let (memory, pids) = match self {
            Kind::Rust => (256 << 20, 256),
            Kind::Node | Kind::Python => (1 << 30, 512),
        };
        let (memory, pids) = (set.memory.unwrap_or(memory), set.pids.unwrap_or(pids));
        let warm = if self == Kind::Rust { 0 } else { set.warm.unwrap_or(1) };
        // Measured: a session in Rust takes 0.6 MB and 1 thread while it waits; of 20 sessions after some calls each took
        // 31 to 52 MB that it did not share, and 9.5 processes and threads in Node, 5.5 in Python.
        let (share, threads) = match self {
            Kind::Rust => (2 << 20, 2),
            Kind::Node | Kind::Python => (64 << 20, 10),
        };
        let room = (memory / share).min(pids / threads);
        Limits {
            network: set.network.unwrap_or(Network::None),
            memory,
            cpus: set.cpus.unwrap_or(1.0),
            pids,
            sessions: set.sessions.unwrap_or_else(|| room.saturating_sub(warm).max(1)),
            warm,
            mounts: set.mounts.clone(),
        }
    }
}
