//! The steps of a build that run code of others: each in a container of its own, with a sandbox that is read back.
//!
//! Files -> a work folder -> steps -> files. Invariants: the steps share one volume and nothing else, see no file of this
//! machine, reach the network only where that is said, and what they leave goes out through [`archive::filter`] alone.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use drydock_catalog::Network;

use crate::archive::{Contents, Rules};
use crate::cli::Cli;
use crate::error::Error;
use crate::process::Sink;

/// The work folder, in every step. Its user's home is `/work/home`, and what is temporary and can be run is in `/work/tmp`
/// (`HOME`, `TMPDIR`); `/tmp` is in memory and small.
pub const WORK: &str = "/work";

/// The work folder of one build: a volume, which goes when this is dropped, with all containers of its steps.
///
/// Volume and containers have the labels of the clone and [`label::BUILD`](drydock_contract::label::BUILD) with the server's
/// name. What is left of a build that was killed goes when the server is built again, or by [`remove_leftovers`].
pub struct Workbench<'a> {
    cli: &'a Cli,
}

/// One step of a build.
#[derive(Clone, Copy)]
pub struct Step<'s> {
    /// As a person reads it: `installing packages`.
    pub what: &'s str,
    /// The image that it runs in, which the engine must have.
    pub image: &'s str,
    /// The program, by its path in the image or a name in its PATH, and its arguments. Nothing of the image's own is used.
    pub command: &'s [String],
    /// The folder that it starts in, below [`WORK`]; empty for that itself.
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

impl<'a> Workbench<'a> {
    /// Makes an empty work folder for a build of this server. What an earlier build of it left is removed: one at a time
    /// builds a server. `image` is one that the engine has; nothing in it is run for this.
    ///
    /// # Errors
    /// The engine refuses it.
    pub fn new(_cli: &'a Cli, _workspace: &str, _server: &str, _image: &str) -> Result<Self, Error> {
        todo!()
    }

    /// Puts a folder of this machine, which holds files and folders alone, into the work folder, as `below` (as in `deps`).
    ///
    /// # Errors
    /// It cannot be read, or the engine refuses it.
    pub fn put_folder(&self, _folder: &Path, _below: &str) -> Result<(), Error> {
        let _ = self.cli;
        todo!()
    }

    /// Unpacks an archive that was taken out before (and kept) into the work folder, as `below`; its files become the steps'
    /// user's.
    ///
    /// # Errors
    /// It is not such an archive, or the engine refuses it.
    pub fn put_archive(&self, _archive: impl Read, _below: &str) -> Result<(), Error> {
        todo!()
    }

    /// Copies one file of an image, which the engine must have, to `to` in the work folder; it stays executable.
    ///
    /// # Errors
    /// The image has no such file, or the engine refuses it.
    pub fn put_from_image(&self, _image: &str, _file: &str, _to: &str) -> Result<(), Error> {
        todo!()
    }

    /// Runs a step to its end; `sink` is told each line that it prints.
    ///
    /// # Errors
    /// Its exit code is not 0 (with the last lines that it printed), it took too long, ran out of memory or was cancelled, or
    /// the engine does not enforce its sandbox. Nothing of it runs on.
    pub fn run(&self, _step: &Step<'_>, _sink: &Sink<'_>) -> Result<(), Error> {
        todo!()
    }

    /// Takes a folder of the work folder out, as an archive that the rules let through; `rules.strip` is set to the folder's
    /// name here.
    ///
    /// # Errors
    /// There is none, or something in it is against the rules. What was written until then is of no use.
    pub fn take(&self, _folder: &str, _to: impl Write, _rules: &Rules<'_>) -> Result<Contents, Error> {
        todo!()
    }

    /// One small file of the work folder, as in `plan.json`; none where there is nothing.
    ///
    /// # Errors
    /// It is no regular file, or larger than `max` bytes.
    pub fn read(&self, _file: &str, _max: usize) -> Result<Option<Vec<u8>>, Error> {
        todo!()
    }
}

/// What builds left behind that were killed: of which server, and how many containers and volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The server's name.
    pub server: String,
    /// Their ids.
    pub containers: Vec<String>,
    /// Their names.
    pub volumes: Vec<String>,
}

/// What builds of this clone have on the engine at this moment, those under way, too. (Who holds the turn to build a server
/// knows that it is none.)
///
/// # Errors
/// The engine cannot be asked.
pub fn leftovers(_cli: &Cli, _workspace: &str) -> Result<Vec<Leftover>, Error> {
    todo!()
}

/// Removes them.
///
/// # Errors
/// The engine refuses it.
pub fn remove_leftovers(_cli: &Cli, _leftover: &Leftover) -> Result<(), Error> {
    todo!()
}
