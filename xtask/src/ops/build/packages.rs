//! What is installed, compiled and packed for a server that is not ours: in sandboxed containers, or kept from before.
//!
//! Server -> two archives and a plan. Invariant: they come out of [`Steps::take`] and [`Plan::read`], or were kept by us
//! after they had.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use drydock_catalog::{Kind, Server};
use drydock_engine::{Cli, Workbench};
use tempfile::TempDir;

use super::kept::{Inputs, Kept};
use super::plan::Plan;
use super::stage::Staged;
use super::steps::Steps;
use super::{lock, node, python};
use crate::ops::sources::Sources;

/// Goes up when the steps make something else of the same inputs.
const FORMAT: &str = "1";

/// How one server is made.
pub(super) struct Making<'a> {
    pub(super) cli: &'a Cli,
    pub(super) workspace: &'a str,
    /// What its steps are known by.
    pub(super) build: &'a str,
    /// The workspace's folder `docker`.
    pub(super) docker: PathBuf,
    pub(super) server: &'a Server,
    pub(super) sources: &'a Sources<'a>,
    pub(super) kept: Kept,
    /// The base images that it needs, by their ids: Node's or Python's, and uv's.
    pub(super) images: Vec<String>,
    pub(super) proxies: &'a [String],
}

/// What is unpacked into an image, and how it starts.
#[derive(Debug)]
pub(super) struct Packed {
    /// What is installed.
    pub(super) deps: PathBuf,
    /// What is made of the folder's own sources.
    pub(super) own: PathBuf,
    pub(super) plan: Plan,
}

impl Packed {
    pub(super) const DEPS: &str = "deps.tar";
    pub(super) const OWN: &str = "own.tar";
    const PLAN: &str = "plan.json";

    pub(super) fn in_folder(folder: &Path) -> Result<Self> {
        Self::in_folders(folder, folder)
    }

    /// What is installed may be kept in a folder of its own.
    pub(super) fn in_folders(installed: &Path, folder: &Path) -> Result<Self> {
        let file = folder.join(Self::PLAN);
        let plan = File::open(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let plan =
            serde_json::from_reader(plan).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Self { deps: installed.join(Self::DEPS), own: folder.join(Self::OWN), plan })
    }

    pub(super) fn write_plan(folder: &TempDir, plan: &Plan) -> Result<()> {
        let file = folder.path().join(Self::PLAN);
        fs::write(&file, serde_json::to_vec(plan)?)
            .with_context(|| format!("cannot write {}", file.display()))
    }
}

impl Making<'_> {
    /// What comes out of the steps, or came out of the same ones before.
    pub(super) fn make(&self, staged: &Staged) -> Result<Packed> {
        match (self.server.kind, staged.is_own) {
            (_, false) => self.package(staged),
            (Kind::Python, true) => python::own(self, staged),
            (_, true) => node::own(self, staged),
        }
    }

    /// A package of the registry: fetched, packed and kept as a whole. Its lock is written once it was installed from.
    fn package(&self, staged: &Staged) -> Result<Packed> {
        let is_python = self.server.kind == Kind::Python;
        let locked = lock::find(self.server)?;
        let mut inputs = self.inputs()?;
        inputs.add(staged.deps_bytes()?);
        if let Some(lock) = &locked {
            if let Some(found) = self.kept.find(&inputs.with(lock)) {
                return Packed::in_folder(&found);
            }
            staged.add_dependency_file(lock::name(self.server.kind), lock)?;
        }
        let steps = if is_python { python::begin(self, staged) } else { node::begin(self, staged) }?;
        let is_there = locked.is_some();
        let lock = match locked {
            Some(lock) => lock,
            None if is_python => python::make_lock(&steps)?,
            None => node::make_lock(&steps)?,
        };
        let installed = if is_python { python::install_locked(&steps) } else { node::install_locked(&steps) };
        installed.map_err(|err| lock::explain(self.server, is_there, err))?;
        if !is_there {
            lock::write(self, &lock);
        }
        let made = self.kept.begin()?;
        if is_python { python::pack(self, &steps, &made) } else { node::pack(self, &steps, &made) }?;
        Packed::in_folder(&self.kept.keep(made, &inputs.with(lock))?)
    }

    /// What decides about every step.
    pub(super) fn inputs(&self) -> Result<Inputs> {
        let server = self.server;
        let mut inputs = Inputs::default();
        inputs.add(FORMAT);
        inputs.add(server.kind.name());
        self.images.iter().for_each(|it| inputs.add(it));
        inputs.add([u8::from(server.install_scripts)]);
        inputs.add(format!(
            "{:?} {:?} {:?}",
            server.program.package, server.program.script, server.program.file
        ));
        let scripts: &[&str] =
            if server.kind == Kind::Python { &["app.py", "deps.py"] } else { &["app.mjs"] };
        for script in scripts {
            inputs.add(self.script(script)?);
        }
        Ok(inputs)
    }

    /// An empty work folder.
    pub(super) fn steps(&self) -> Result<Steps<'_>> {
        let env = if self.server.kind == Kind::Python { python::ENV } else { node::ENV };
        let image = self.images.first().context("there is no base image")?;
        let bench = Workbench::new(self.cli, self.workspace, self.build, image)?;
        Ok(Steps { server: self.server, bench, image, env, proxies: self.proxies })
    }

    pub(super) fn uv_image(&self) -> Result<&str> {
        self.images.get(1).map(String::as_str).context("there is no image of uv")
    }

    /// A script that packs.
    pub(super) fn script(&self, name: &str) -> Result<String> {
        let file = self.docker.join(self.server.kind.name()).join(name);
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
    }
}
