//! Images of servers that are not ours, and runtime images: a runtime, packages, and the bridge as `/mcp`.
//!
//! Server -> image. Invariant: a package is installed at the exact version of its server.json, while the image is built
//! and never when it runs.

use std::path::PathBuf;

use anyhow::{Context, Result};
use drydock_catalog::Server;
use drydock_engine::docker_args;

use super::{Bridge, Builder, base_image, stage};
use crate::cargo;
use crate::hint::with_hint;
use crate::ops::missing_grant;
use crate::ui::progress;

impl Builder<'_> {
    /// The bridge is compiled for `target`, or in the engine.
    pub(super) fn bridged(&self, server: &Server, target: Option<&str>) -> Result<()> {
        for note in &server.notes {
            progress::say(&format!("{}: {note}", server.name));
        }
        let bridge = self.bridge(target)?;
        let context = stage::bridged(self.ws, server, &bridge.about, &bridge.binary)?;
        let dockerfile = context.path().join("Dockerfile");
        let mut images = base_image::chosen_in(&dockerfile)?;
        if let Some(version) =
            server.program.python.as_ref().filter(|_| !images.iter().any(|it| it.0 == "PYTHON_IMAGE"))
        {
            images.push(("PYTHON_IMAGE".to_owned(), format!("python:{version}-slim"))); // as `uvx --python` asks for it
        }
        let mut build_args: Vec<_> =
            images.iter().map(|(name, image)| (name.as_str(), image.as_str())).collect();
        build_args.extend(server.install_scripts.then_some(("SCRIPTS", "")));
        let workspace = self.ws.id()?;
        build_args.extend((!server.is_runtime).then_some(("WORKSPACE", workspace.as_str())));
        let args = self.build_args(server, "", &build_args, &context)?;
        self.run(&format!("building {}", server.image()), &args)
            .map_err(|err| base_image::explain(self.cli, &dockerfile, err))
            .map_err(|err| match missing_grant::advice(self.ws, server, &format!("{err:#}")) {
                Some(advice) => with_hint(format!("{err:#}"), advice),
                None => err,
            })
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
