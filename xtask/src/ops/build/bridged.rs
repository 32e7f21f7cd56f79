//! Images of servers that are not ours, and runtime images: a runtime, packages, and the bridge as `/mcp`.
//!
//! Server -> image. Invariants: a package is installed at the exact version of its server.json, while the image is built and
//! never when it runs; no code of a package runs in an engine's build, and an image has its names only after it was looked at and
//! tried.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use drydock_catalog::{Kind, Server};
use drydock_engine::{Expected, Image, docker_args};
use tempfile::TempDir;

use super::kept::Kept;
use super::packages::{Making, Packed};
use super::{Bridge, Builder, base_image, not_loaded, stage, trial};
use crate::cargo;
use crate::hint::or_hint;
use crate::ops::missing_grant;
use crate::ui::progress;

impl Builder<'_> {
    /// The bridge is compiled for `target`, or in the engine.
    pub(super) fn bridged(&self, server: &Server, target: Option<&str>) -> Result<()> {
        for note in &server.notes {
            progress::say(&format!("{}: {note}", server.name));
        }
        let bridge = self.bridge(target)?;
        if server.is_runtime {
            return self.runtime(server, bridge);
        }
        let packed = self.packed(server).map_err(|err| self.with_advice(server, err))?;
        let config = packed.plan.bridge_config(server);
        let context = stage::image(self.ws, server, bridge, &packed, &config)?;
        // In the context: an engine from a snap can write nowhere else.
        let id_file = context.path().join("id");
        self.assemble(server, &context, Some(&id_file))?;
        let id =
            fs::read_to_string(&id_file).with_context(|| format!("cannot read {}", id_file.display()))?;
        let image = drydock_engine::find_image(self.cli, id.trim())?;
        let image = image.ok_or_else(|| not_loaded(self.cli, server))?;
        // The copy: another command may compile the bridge anew meanwhile.
        let expected =
            Expected { entry_point: &context.path().join(stage::ENTRY_POINT), bridge_config: &config };
        let proven = self.prove(server, &image, &expected);
        if proven.is_err() && !image.has_name() {
            drop(self.cli.output(&docker_args::remove_image(&image.id)));
        }
        proven
    }

    /// A base with a shell, out of its Dockerfile alone.
    fn runtime(&self, server: &Server, bridge: &Bridge) -> Result<()> {
        let context = stage::runtime(self.ws, server, &bridge.about, &bridge.binary)?;
        self.assemble(server, &context, None)
    }

    /// What is unpacked into the image; code of others runs in it, in sandboxed containers.
    fn packed(&self, server: &Server) -> Result<Packed> {
        let (workspace, build) = (self.ws.id()?, super::build_name(self.ws, &server.name)?);
        let making = Making {
            cli: self.cli,
            workspace: &workspace,
            build: &build,
            docker: self.ws.root.join("docker"),
            server,
            sources: &self.sources,
            kept: Kept::of(self.ws.state_dir()?, self.options.no_cache),
            images: self.base_images(server)?,
            proxies: self.proxies(),
        };
        making.make(&stage::inputs(server)?)
    }

    /// The base images that the steps need, by their ids.
    fn base_images(&self, server: &Server) -> Result<Vec<String>> {
        let docker = self.ws.root.join("docker");
        let dockerfile = docker.join(format!("{}.Dockerfile", server.kind.name()));
        let own = self.chosen_images(server, &dockerfile)?;
        let mut images = base_image::named_in(&dockerfile)?;
        if server.kind == Kind::Python {
            // Of its images, the runtime image has uv's.
            images.extend(base_image::named_in(&docker.join("python/Dockerfile"))?);
        }
        let mut ids: Vec<(String, String)> = Vec::new();
        for (name, default) in images {
            if ids.iter().all(|it| it.0 != name) {
                let image = own.iter().find(|it| it.0 == name).map(|it| it.1.clone());
                let image = image.or_else(|| base_image::chosen(&name)).unwrap_or(default);
                ids.push((name.clone(), base_image::id(self.cli, &name, &image)?));
            }
        }
        Ok(ids.into_iter().map(|it| it.1).collect())
    }

    /// The base images that are not the Dockerfile's own: the person's, or the version that a package asks for.
    fn chosen_images(&self, server: &Server, dockerfile: &Path) -> Result<Vec<(String, String)>> {
        let mut images = base_image::chosen_in(dockerfile)?;
        let is_chosen = images.iter().any(|it| it.0 == "PYTHON_IMAGE");
        if let Some(version) = server.program.python.as_ref().filter(|_| !is_chosen) {
            images.push(("PYTHON_IMAGE".to_owned(), format!("python:{version}-slim"))); // as `uvx --python` asks for it
        }
        Ok(images)
    }

    /// The engine puts an image together. With a file for its id it gets no name.
    fn assemble(&self, server: &Server, context: &TempDir, id_file: Option<&Path>) -> Result<()> {
        let dockerfile = context.path().join("Dockerfile");
        let (images, workspace) = (self.chosen_images(server, &dockerfile)?, self.ws.id()?);
        let mut build_args: Vec<_> =
            images.iter().map(|(name, image)| (name.as_str(), image.as_str())).collect();
        build_args.extend((!server.is_runtime).then_some(("WORKSPACE", workspace.as_str())));
        let args = self.build_args(server, "", id_file, &build_args, context)?;
        self.run(&format!("building {}", server.image()), &args)
            .map_err(|err| base_image::explain(self.cli, &dockerfile, err))
    }

    /// Looks at a new image, tries it, and gives it its names.
    fn prove(&self, server: &Server, image: &Image, expected: &Expected<'_>) -> Result<()> {
        let (workspace, build) = (self.ws.id()?, super::build_name(self.ws, &server.name)?);
        let own = server.own_image(&workspace);
        // The same one was looked at before.
        if drydock_engine::image(self.cli, &own)?.is_none_or(|it| it.id != image.id) {
            progress::step(&format!("looking at {}", server.image()), || {
                Ok(drydock_engine::examine(self.cli, &workspace, &build, &image.id, expected)?)
            })?;
            self.notes.borrow_mut().extend(trial::start(self.ws, self.cli, server, &image.id)?);
        }
        for tag in [own, server.image()] {
            self.cli.stdout(&docker_args::tag(&image.id, &tag))?;
        }
        Ok(())
    }

    fn with_advice(&self, server: &Server, err: anyhow::Error) -> anyhow::Error {
        match missing_grant::build_advice(self.ws, server, &format!("{err:#}")) {
            Some(advice) => or_hint(err, advice),
            None => err,
        }
    }

    /// Compiled once for all images of one command.
    fn bridge(&self, target: Option<&str>) -> Result<&Bridge> {
        if let Some(bridge) = self.bridge.get() {
            return Ok(bridge);
        }
        let server = drydock_catalog::bridge(&self.ws.root)?;
        let about = self.ws.metadata()?.describe(&server)?;
        let bridge = match target {
            Some(target) => {
                let binary = cargo::build_static(self.ws, &server, &about, self.options.profile, target)?;
                Bridge { binary, about, _folder: None }
            }
            None => {
                self.compile_inside(&server, &about)?;
                let folder = stage::folder(&about)?;
                let binary = self.copy_out(&server, folder.path().join("mcp"))?;
                Bridge { binary, about, _folder: Some(folder) }
            }
        };
        Ok(self.bridge.get_or_init(|| bridge))
    }

    /// `/mcp` out of an image that the engine compiled.
    fn copy_out(&self, server: &Server, to: PathBuf) -> Result<PathBuf> {
        let container = self.cli.stdout(&docker_args::create_bare(&server.own_image(&self.ws.id()?)))?;
        let copied = self.cli.stdout(&docker_args::copy_out(container.trim(), &to));
        let removed = self.cli.stdout(&docker_args::remove(container.trim()));
        removed.context("a container of the bridge's image stays behind")?;
        copied?;
        Ok(to)
    }
}
