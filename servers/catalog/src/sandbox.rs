//! The sandbox of a server's container, as data: everything that an engine is told about what it may do.
//!
//! Kind + grants -> `Sandbox`. Invariants: each value stands here and nowhere else (the engine's flags and what is read
//! back from it are both made from this), and what is not granted is not there.

use drydock_contract::image;

use crate::grants::Grants;
use crate::server::Kind;

/// What the home and a folder of `writable` hold each, in bytes; it counts as the server's memory.
const FOLDER: u64 = 64 << 20;

/// Everything that an engine enforces for one container.
///
/// ```
/// use drydock_catalog::{Network, Sandbox};
///
/// let sandbox = Sandbox { network: Network::Internet, ..Sandbox::strict() };
/// assert!(sandbox.read_only_root && sandbox.capabilities.is_empty());
/// assert_eq!(sandbox.user.to_string(), "65532:65532");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sandbox {
    /// Whom its processes run as.
    pub user: User,
    /// Linux capabilities that are left, by their names without `CAP_`; all others are dropped.
    pub capabilities: Vec<String>,
    /// Whether a program may gain more than its parent has (setuid, file capabilities).
    pub new_privileges: bool,
    /// Whether the root file system cannot be written.
    pub read_only_root: bool,
    /// Whether a small init is process 1, which reaps what others leave behind.
    pub init: bool,
    /// What it reaches.
    pub network: Network,
    /// Memory, in bytes.
    pub memory: u64,
    /// Swap besides that memory, in bytes.
    pub swap: u64,
    /// Processors, as in `0.5`.
    pub cpus: f64,
    /// Processes and threads.
    pub pids: u64,
    /// Open files of one process.
    pub open_files: u64,
    /// The size of a core dump, in bytes.
    pub core_dump: u64,
    /// Folders in memory that can be written, and are gone with the container.
    pub tmpfs: Vec<Tmpfs>,
    /// Folders that outlive it.
    pub volumes: Vec<Volume>,
    /// Devices of the host, by their paths.
    pub devices: Vec<String>,
    /// The namespaces that it shares with nobody.
    pub namespaces: Vec<Namespace>,
    /// Which system calls are let through.
    pub seccomp: Seccomp,
    /// What becomes of its log.
    pub log: LogOptions,
}

/// A user and a group, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
}

/// What a server reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Nothing.
    None,
    /// Whatever the engine's default network does.
    Internet,
}

/// A folder in memory. No program in it can be run, and it holds no devices and no setuid files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tmpfs {
    /// Absolute.
    pub path: String,
    /// The most that it holds, in bytes.
    pub size: u64,
    /// Permissions, as in `0o700`.
    pub mode: u32,
    /// Whose it is.
    pub owner: User,
}

/// A folder that outlives the container: a volume of the engine, which this container alone has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// The engine's name for it is the container's, a dash, and this.
    pub name: String,
    /// Where it is in the container. Absolute.
    pub path: String,
}

/// A kind of Linux namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespace {
    /// Processes.
    Pid,
    /// Shared memory and message queues.
    Ipc,
    /// The host's name.
    Uts,
    /// Users: the engine's own choice, but never the host's where the engine maps users.
    User,
}

/// Which system calls are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seccomp {
    /// The engine's own profile.
    EngineDefault,
}

/// What becomes of a container's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// The engine's word for how it keeps it.
    pub driver: String,
    /// A file's size before the next one is begun, in bytes.
    pub max_size: u64,
    /// Files that are kept.
    pub max_files: u32,
}

impl Sandbox {
    /// What every server gets where nothing else is said: no network, no capabilities, nothing to write to but
    /// three small folders in memory.
    #[must_use]
    pub fn strict() -> Self {
        let user = User { uid: image::UID, gid: image::UID };
        let tmpfs = |path: &str, size, mode| Tmpfs { path: path.to_owned(), size, mode, owner: user };
        Self {
            user,
            capabilities: Vec::new(),
            new_privileges: false,
            read_only_root: true,
            init: true,
            network: Network::None,
            memory: 256 << 20,
            swap: 0,
            cpus: 1.0,
            pids: 256,
            open_files: 1024,
            core_dump: 0,
            tmpfs: vec![
                tmpfs("/run", 1 << 20, 0o700),
                tmpfs("/tmp", 16 << 20, 0o1777),
                tmpfs(image::HOME, FOLDER, 0o700),
            ],
            volumes: Vec::new(),
            devices: Vec::new(),
            namespaces: vec![Namespace::Pid, Namespace::Ipc, Namespace::Uts, Namespace::User],
            seccomp: Seccomp::EngineDefault,
            log: LogOptions { driver: "json-file".to_owned(), max_size: 1 << 20, max_files: 3 },
        }
    }
}

impl std::fmt::Display for Network {
    /// As in `drydock.toml`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Internet => "internet",
        })
    }
}

impl std::fmt::Display for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.uid, self.gid)
    }
}

/// How many are let in at the same time, and how many children wait for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capacity {
    pub(crate) sessions: u64,
    pub(crate) warm: u64,
}

impl Kind {
    /// The strict default of this kind, with what the person grants.
    pub(crate) fn sandbox(self, set: &Grants) -> Sandbox {
        let strict = Sandbox::strict();
        let (memory, pids) = match self {
            Kind::Rust => (strict.memory, strict.pids),
            Kind::Node | Kind::Python => (1 << 30, 512),
        };
        let tmpfs =
            |path: &String| Tmpfs { path: path.clone(), size: FOLDER, mode: 0o700, owner: strict.user };
        let mut folders: Vec<_> =
            strict.tmpfs.iter().cloned().chain(set.writable.iter().map(tmpfs)).collect();
        // A home that is kept takes the place of the one in memory.
        folders.retain(|it| !set.volumes.iter().any(|volume| volume.path == it.path));
        Sandbox {
            network: set.network.unwrap_or(strict.network),
            memory: set.memory.unwrap_or(memory),
            cpus: set.cpus.unwrap_or(strict.cpus),
            pids: set.pids.unwrap_or(pids),
            tmpfs: folders,
            volumes: set.volumes.clone(),
            ..strict
        }
    }

    /// As many sessions as, with the children that wait for more, fit into memory and pids.
    pub(crate) fn capacity(self, set: &Grants, sandbox: &Sandbox) -> Capacity {
        let warm = if self == Kind::Rust { 0 } else { set.warm.unwrap_or(1) };
        // Measured: a session in Rust takes 0.6 MB and 1 thread while it waits; of 20 sessions after some calls each took
        // 31 to 52 MB that it did not share, and 9.5 processes and threads in Node, 5.5 in Python.
        let (memory, threads) = match self {
            Kind::Rust => (2 << 20, 2),
            Kind::Node | Kind::Python => (64 << 20, 10),
        };
        let fit = (sandbox.memory / memory).min(sandbox.pids / threads);
        Capacity { sessions: set.sessions.unwrap_or_else(|| fit.saturating_sub(warm).max(1)), warm }
    }
}
