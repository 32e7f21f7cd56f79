//! The steps of one build that run code of others, one container each.
//!
//! A server + commands -> a work folder that they have worked in. Invariant: what runs here runs in the sandbox of
//! `drydock_engine::workbench`; a step has the network only by [`Steps::fetch`].

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use drydock_catalog::{Network, Server};
use drydock_engine::archive::{Contents, ROOT, Rules};
use drydock_engine::workbench::WORK;
use drydock_engine::{Limits, Step, Workbench};
use tempfile::TempDir;

use crate::interrupt;
use crate::ui::progress;

/// What may come out of a build: files of the server, and libraries that its modules load. The links between them, too.
pub(super) const DEPS: &[&str] = &["app", "lib", "lib64", "usr/lib", "usr/lib64"];
pub(super) const OWN: &[&str] = &["app"];
const ANYWHERE: &[&str] = &[""];
/// All files of one archive, in bytes, and how many: more than any server that is known has.
const MAX_BYTES: u64 = 8 << 30;
const MAX_ENTRIES: usize = 1_000_000;

/// A variable and its value.
pub(super) type Variable = (&'static str, &'static str);

pub(super) struct Steps<'a> {
    pub(super) server: &'a Server,
    pub(super) bench: Workbench<'a>,
    /// Its id, or its name.
    pub(super) image: &'a str,
    /// What every step of this kind of server is told.
    pub(super) env: &'a [Variable],
    /// Names of variables: what fetches is told their values.
    pub(super) proxies: &'a [String],
}

impl<'a> Steps<'a> {
    /// A step with the network: nothing of a package may run in it that was not granted.
    pub(super) fn fetch(&self, what: &str, folder: &str, command: &[&str], env: &[Variable]) -> Result<()> {
        self.step(what, folder, command, Network::Internet, env)
    }

    /// A step without the network.
    pub(super) fn run(&self, what: &str, folder: &str, command: &[&str], env: &[Variable]) -> Result<()> {
        self.step(what, folder, command, Network::None, env)
    }

    fn step(
        &self,
        what: &str,
        folder: &str,
        command: &[&str],
        network: Network,
        env: &[Variable],
    ) -> Result<()> {
        let command: Vec<_> = command.iter().map(|it| (*it).to_owned()).collect();
        let env: Vec<_> = self.env.iter().chain(env).map(|it| (it.0.to_owned(), it.1.to_owned())).collect();
        let what = format!("{what} of {}", self.server.name);
        let step = Step {
            what: &what,
            image: self.image,
            command: &command,
            folder,
            env: &env,
            env_names: if network == Network::Internet { self.proxies } else { &[] },
            network,
            limits: Limits::default(),
            is_cancelled: &|| interrupt::signal().is_some(),
        };
        progress::with_sink(&what, |sink| Ok(self.bench.run(&step, sink)?))
    }

    /// Puts a staged folder into the work folder, over what is there.
    pub(super) fn put(&self, from: &Path, below: &str) -> Result<()> {
        Ok(self.bench.put_folder(from, below)?)
    }

    /// Puts back what [`Steps::take_all`] took out.
    pub(super) fn restore(&self, archive: &Path, below: &str) -> Result<()> {
        let file = File::open(archive).with_context(|| format!("cannot read {}", archive.display()))?;
        Ok(self.bench.put_archive(file, below)?)
    }

    /// Takes out a folder of what is to be unpacked into the image, as a file of this name.
    pub(super) fn take(&self, folder: &str, to: &TempDir, name: &str, places: &[&str]) -> Result<Contents> {
        let rules = Rules {
            strip: "",
            places,
            below: "",
            owner: ROOT,
            max_bytes: MAX_BYTES,
            max_entries: MAX_ENTRIES,
        };
        let path = to.path().join(name);
        let file = File::create_new(&path).with_context(|| format!("cannot make {}", path.display()))?;
        let taken = self.bench.take(folder, UntilInterrupted(BufWriter::new(file)), &rules);
        interrupt::check()?;
        taken.with_context(|| {
            format!("what came out of the build of {} is not as it may be", self.server.name)
        })
    }

    /// Takes out what later steps work with.
    pub(super) fn take_all(&self, folder: &str, to: &TempDir, name: &str) -> Result<()> {
        self.take(folder, to, name, ANYWHERE).map(drop)
    }
}

/// Takes nothing more after Ctrl-C: what comes out may be gigabytes.
struct UntilInterrupted<W>(W);

impl<W: Write> Write for UntilInterrupted<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        interrupt::check().map_err(io::Error::other)?;
        self.0.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A path in the work folder.
pub(super) fn at(path: &str) -> String {
    format!("{WORK}/{path}")
}
