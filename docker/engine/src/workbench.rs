//! The steps of a build that run code of others: each in a container of its own, with a sandbox that is read back.
//!
//! Files -> a work folder -> steps -> files. Invariants: the steps share one volume and nothing else, see no file of this
//! machine, reach the network only where that is said, and what they leave goes out through [`archive::filter`] alone.
//!
//! ```no_run
//! # fn build(cli: &drydock_engine::Cli, staged: &std::path::Path) -> Result<(), drydock_engine::Error> {
//! use drydock_catalog::Network;
//! use drydock_engine::archive::{ROOT, Rules};
//! use drydock_engine::{Limits, Step, Workbench};
//!
//! let bench = Workbench::new(cli, "00112233aabbccdd", "context7", "node:22-slim")?;
//! bench.put_folder(staged, "app")?;
//! let step = Step {
//!     what: "installing packages",
//!     image: "node:22-slim",
//!     command: &["npm", "ci", "--ignore-scripts"].map(str::to_owned),
//!     folder: "app",
//!     env: &[],
//!     env_names: &[],
//!     network: Network::Internet,
//!     limits: Limits::default(),
//!     is_cancelled: &|| false,
//! };
//! bench.run(&step, &|line| eprintln!("{line}"))?;
//! let rules =
//!     Rules { strip: "", places: &[""], below: "app", owner: ROOT, max_bytes: 1 << 30, max_entries: 100_000 };
//! bench.take("app/node_modules", std::io::sink(), &rules)?;
//! # Ok(())
//! # }
//! ```

use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use drydock_catalog::{Network, Sandbox, User, Volume};
use drydock_contract::image;

use crate::archive::{self, Contents, Rules};
use crate::cli::Cli;
use crate::docker_args::{self, steps};
use crate::error::Error;
use crate::pipe;
use crate::process::Sink;

mod leftovers;
mod run;

pub use self::leftovers::{Leftover, leftovers, remove_leftovers};

/// The work folder, in every step. Its user's home is `/work/home`, and what is temporary and can be run is in `/work/tmp`
/// (`HOME`, `TMPDIR`); `/tmp` is in memory and small.
pub const WORK: &str = "/work";

/// The work folder of one build: a volume, which goes when this is dropped, with all containers of its steps.
///
/// Volume and containers have the labels of the clone and [`label::BUILD`](drydock_contract::label::BUILD) with the server's
/// name. What is left of a build that was killed goes when the server is built again, or by [`remove_leftovers`].
#[derive(Debug)]
pub struct Workbench<'a> {
    cli: &'a Cli,
    workspace: &'a str,
    server: &'a str,
    volume: String,
    /// A container that never runs: files go in and out through it.
    porter: String,
}

/// One step of a build.
#[derive(Clone, Copy)]
pub struct Step<'s> {
    /// As a person reads it: `installing packages`.
    pub what: &'s str,
    /// The image that it runs in, which the engine must have.
    pub image: &'s str,
    /// The program, by its path in the image or a name in its PATH, and its arguments. Of what the image says, only its
    /// variables are used.
    pub command: &'s [String],
    /// The folder that it starts in, below [`WORK`], which must be there; empty for that itself.
    pub folder: &'s str,
    /// Variables and their values, after `HOME` and `TMPDIR`.
    pub env: &'s [(String, String)],
    /// Variables of ours that it gets as they are: their values, which may hold passwords, stand in no argument.
    pub env_names: &'s [String],
    /// What it reaches.
    pub network: Network,
    /// What it may use up.
    pub limits: Limits,
    /// Asked again and again: whether to end it now (Ctrl-C).
    pub is_cancelled: &'s (dyn Fn() -> bool + Sync),
}

/// What a step may use up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// In bytes; there is no swap besides.
    pub memory: u64,
    /// Processes and threads.
    pub pids: u64,
    /// Open files of one process.
    pub open_files: u64,
    /// How long it may take.
    pub time: Duration,
}

impl Default for Limits {
    /// 2 GiB, 1024 processes, 16,384 files, 15 minutes, as many processors as there are.
    fn default() -> Self {
        Self { memory: 2 << 30, pids: 1024, open_files: 16_384, time: Duration::from_secs(15 * 60) }
    }
}

/// Whom every step runs as.
const USER: User = User { uid: image::UID, gid: image::UID };

/// What an archive that goes in may hold: everything, as what it holds is looked at when it comes out.
const ANYTHING: Rules<'_> =
    Rules { strip: "", places: &[""], below: "", owner: USER, max_bytes: u64::MAX, max_entries: usize::MAX };

impl<'a> Workbench<'a> {
    /// Makes an empty work folder for a build of this server. What an earlier build of it left is removed: one at a time
    /// builds a server. `image` is one that the engine has; nothing in it is run for this.
    ///
    /// # Errors
    /// The engine refuses it.
    pub fn new(cli: &'a Cli, workspace: &'a str, server: &'a str, image: &str) -> Result<Self, Error> {
        for it in leftovers(cli, workspace)?.iter().filter(|it| it.server == server) {
            remove_leftovers(cli, it)?;
        }
        let mut bench = Self { cli, workspace, server, volume: unique_name(), porter: String::new() };
        cli.stdout(&steps::create_volume(&bench.volume, bench.build()))?;
        let porter = steps::create_bare(image, Some(&bench.volume), bench.build());
        cli.stdout(&porter)?.trim().clone_into(&mut bench.porter);
        // An engine makes the volume root's. It gives what it unpacks to its owner, but not the folder that it unpacks into.
        bench.put(|to| {
            let mut writer = archive::Writer::new(to, USER);
            for folder in ["", steps::HOME, steps::TEMP] {
                let path = format!("{}/{folder}", below_root(WORK));
                writer.folder(path.trim_end_matches('/').as_bytes(), 0o755)?;
            }
            writer.finish().map(drop)
        })?;
        Ok(bench)
    }

    fn build(&self) -> steps::Build<'_> {
        steps::Build { workspace: self.workspace, server: self.server }
    }

    /// Puts a folder of this machine, which holds files and folders alone, into the work folder, as `below` (as in `deps`).
    ///
    /// # Errors
    /// It cannot be read, or the engine refuses it.
    pub fn put_folder(&self, folder: &Path, below: &str) -> Result<(), Error> {
        self.put(|to| archive::pack(folder, &in_work(below), USER, to))
    }

    /// Unpacks an archive that was taken out before (and kept) into the work folder, as `below`; its files become the steps'
    /// user's.
    ///
    /// # Errors
    /// It is not such an archive, or the engine refuses it.
    pub fn put_archive(&self, archive: impl Read, below: &str) -> Result<(), Error> {
        let rules = Rules { below: &in_work(below), ..ANYTHING };
        self.put(|to| archive::filter(archive, to, &rules).map(drop))
    }

    /// Copies one file of an image, which the engine must have, to `to` in the work folder; it stays executable.
    ///
    /// # Errors
    /// The image has no such file, or the engine refuses it.
    pub fn put_from_image(&self, image: &str, file: &str, to: &str) -> Result<(), Error> {
        let container = Container::create(self.cli, &steps::create_bare(image, None, self.build()))?;
        let name = file.rsplit('/').next().unwrap_or_default();
        let rules = Rules { strip: name, below: &in_work(to), ..ANYTHING };
        pipe::read_from(self.cli.detached_command(&steps::pack(&container.id, file))?, |from| {
            self.put(|to| archive::filter(from, to, &rules).map(drop))
        })
    }

    fn put(&self, write: impl FnOnce(&mut dyn Write) -> Result<(), Error>) -> Result<(), Error> {
        pipe::write_to(self.cli.detached_command(&docker_args::unpack(&self.porter))?, write)
    }

    /// Runs a step to its end; `sink` is told each line that it prints.
    ///
    /// # Errors
    /// Its exit code is not 0 (with the last lines that it printed), it took too long, ran out of memory or was cancelled, or
    /// the engine does not enforce its sandbox. Nothing of it runs on.
    pub fn run(&self, step: &Step<'_>, sink: &Sink<'_>) -> Result<(), Error> {
        let sandbox = sandbox(step, &self.volume);
        let args = steps::create_step(step, &sandbox, &self.volume, self.build());
        run::run(&Container::create(self.cli, &args)?, step, &sandbox, sink)
    }

    /// Takes a folder of the work folder out, as an archive that the rules let through; `rules.strip` is set to the folder's
    /// name here.
    ///
    /// # Errors
    /// There is none, or something in it is against the rules. What was written until then is of no use.
    pub fn take(&self, folder: &str, to: impl Write, rules: &Rules<'_>) -> Result<Contents, Error> {
        let rules = Rules { strip: folder.rsplit('/').next().unwrap_or_default(), ..*rules };
        let command = self.cli.detached_command(&steps::pack(&self.porter, &format!("{WORK}/{folder}")))?;
        pipe::read_from(command, |from| archive::filter(from, to, &rules))
    }

    /// One small file of the work folder, as in `plan.json`.
    ///
    /// # Errors
    /// There is none, it is no regular file, or larger than `max` bytes.
    pub fn read(&self, file: &str, max: usize) -> Result<Vec<u8>, Error> {
        let command = self.cli.detached_command(&steps::pack(&self.porter, &format!("{WORK}/{file}")))?;
        pipe::read_from(command, |from| archive::only_file(from, max))
    }
}

/// The best that can be done: what then is still there is a leftover.
impl Drop for Workbench<'_> {
    fn drop(&mut self) {
        let containers = Some(self.porter.clone()).filter(|it| !it.is_empty());
        let own = Leftover {
            server: self.server.to_owned(),
            containers: containers.into_iter().collect(),
            volumes: vec![self.volume.clone()],
        };
        drop(remove_leftovers(self.cli, &own));
    }
}

/// A container of ours, which goes when this is dropped.
pub(crate) struct Container<'a> {
    pub(crate) cli: &'a Cli,
    pub(crate) id: String,
}

impl<'a> Container<'a> {
    pub(crate) fn create(cli: &'a Cli, args: &[String]) -> Result<Self, Error> {
        Ok(Self { cli, id: cli.stdout(args)?.trim().to_owned() })
    }

    fn remove(&self) -> Result<(), Error> {
        self.cli.stdout(&steps::remove(std::slice::from_ref(&self.id))).map(drop)
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        drop(self.remove());
    }
}

/// That of every server, but for what a build needs: its work folder in the place of a home in memory, all processors, and
/// the step's own limits.
pub(crate) fn sandbox(step: &Step<'_>, volume: &str) -> Sandbox {
    let strict = Sandbox::strict();
    Sandbox {
        user: USER,
        network: step.network,
        memory: step.limits.memory,
        cpus: 0.0,
        pids: step.limits.pids,
        open_files: step.limits.open_files,
        tmpfs: strict.tmpfs.iter().filter(|it| it.path != image::HOME).cloned().collect(),
        volumes: vec![Volume { name: volume.to_owned(), path: WORK.to_owned() }],
        ..strict
    }
}

/// A path in the work folder, as an archive that is unpacked at the root has it.
fn in_work(path: &str) -> String {
    format!("{}/{path}", below_root(WORK)).trim_end_matches('/').to_owned()
}

fn below_root(path: &str) -> &str {
    path.trim_start_matches('/')
}

/// No other volume has it: of this process by a count, of others by their id and the time.
fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let time = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("drydock-build-{time:x}-{:x}-{count:x}", std::process::id())
}
