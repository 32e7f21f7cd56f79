//! `build-images`: a server's sources become a slim image.
//!
//! Servers -> images on the engine. Invariant: an image is made from a staged context that holds what it needs and
//! nothing else; two builds of the same sources have the same layers.

mod bridged;
mod stage;

use anyhow::Result;

use crate::argv::{self, Origin};
use crate::cargo::{self, Crate, Profile};
use crate::catalog::{self, Kind, Server};
use crate::container::{self, Image};
use crate::each::each;
use crate::engine::{self, Cli, Engine};
use crate::fixable::fixable;
use crate::interrupt;
use crate::progress;
use crate::workspace::Workspace;

/// Build the images of servers (all of them without names) and of bases
///
/// Servers from npm and PyPI are installed while the image is built, at the versions of their server.json. The base images
/// are node:22-slim, python:3.12-slim and uv's, or those in NODE_IMAGE, PYTHON_IMAGE and UV_IMAGE. Under `--engine host`
/// there are no images: Rust servers are compiled for this machine, which is what clients start.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Servers and bases (node, python); without any, all servers of the workspace
    names: Vec<String>,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Args, Debug, Clone, Copy)]
pub(crate) struct How {
    /// Where to compile: with the local cargo, in the engine, or whichever can
    #[arg(long, value_enum, default_value_t = Builder::Auto)]
    builder: Builder,
    /// Which profile of Cargo.toml
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    profile: Profile,
    /// Let the engine build every layer anew
    #[arg(long)]
    no_cache: bool,
}

impl How {
    /// As `build-images` does it without options, but for the profile.
    pub(crate) fn with(profile: Profile) -> Self {
        Self { builder: Builder::Auto, profile, no_cache: false }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Builder {
    /// `host` where this machine can make a static Linux binary for the engine, else `docker`
    Auto,
    /// The local cargo compiles, and the binary alone goes into the image
    Host,
    /// A multi-stage build in the engine; needs the image in RUST_IMAGE (rust:1-slim-bookworm)
    Docker,
}

impl Args {
    pub(crate) fn run(self, ws: &Workspace) -> Result<()> {
        interrupt::arm()?;
        let engine = engine::find(ws)?;
        let servers = catalog::pick_with_bases(&ws.root, &self.names)?;
        let Engine::Cli(cli) = &engine else {
            let servers = catalog::on_host(servers, !self.names.is_empty())?;
            return servers.iter().try_for_each(|it| on_host(ws, it));
        };
        each(&servers, "images were not built", |it| build(ws, cli, it, self.how).map(drop))
    }
}

fn on_host(ws: &Workspace, server: &Server) -> Result<()> {
    let path = cargo::build_host(ws, server)?;
    progress::say(&format!("{}: {} (engine host has no images)", server.name, path.display()));
    Ok(())
}

/// Builds one server's image, and says its size.
pub(crate) fn build(ws: &Workspace, cli: &Cli, server: &Server, how: How) -> Result<Image> {
    match (server.kind, target(cli, how)?) {
        (Kind::Rust, Some(target)) => pack(ws, cli, server, how, &target)?,
        (Kind::Rust, None) => compile_inside(ws, cli, server, how)?,
        (Kind::Node | Kind::Python, target) => bridged::build(ws, cli, server, how, target.as_deref())?,
    }
    let image = container::image(cli, &server.image())?
        .ok_or_else(|| anyhow::anyhow!("{} built {} and does not have it", cli.name, server.image()))?;
    progress::say(&format!("{}: {}", server.image(), mebibytes(image.size)));
    Ok(image)
}

/// What the local cargo compiles for; nothing where the engine compiles.
fn target(cli: &Cli, how: How) -> Result<Option<String>> {
    match how.builder {
        Builder::Docker => Ok(None),
        Builder::Auto => cargo::static_target(&cli.platform),
        Builder::Host => host_target(cli).map(Some),
    }
}

/// As in `4.31 MiB`.
pub(crate) fn mebibytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "it is shown with two digits")]
    let size = bytes as f64 / f64::from(1 << 20);
    format!("{size:.2} MiB")
}

fn host_target(cli: &Cli) -> Result<String> {
    cargo::static_target(&cli.platform)?.ok_or_else(|| {
        let problem = format!("this machine cannot make a static binary for {}", cli.platform);
        let hint = "install glibc's static library (Debian: libc6-dev, Fedora: glibc-static), or use --builder docker";
        fixable(problem, hint)
    })
}

/// The local cargo compiles; the engine only packs.
fn pack(ws: &Workspace, cli: &Cli, server: &Server, how: How, target: &str) -> Result<()> {
    let about = cargo::describe(ws, server)?;
    let binary = cargo::build_static(ws, server, how.profile, target)?;
    let context = stage::binary(ws, &about, &binary)?;
    let args = argv::build(server, &origin(&ws.id()?, &about, how), &[], context.path());
    cli.work(&format!("packing {}", server.image()), &args).map(drop)
}

/// The engine compiles, from the sources that the server is made of.
fn compile_inside(ws: &Workspace, cli: &Cli, server: &Server, how: How) -> Result<()> {
    let about = cargo::describe(ws, server)?;
    let context = stage::sources(ws, &about)?;
    let rust = from_environment("RUST_IMAGE");
    let mut build_args =
        vec![("PACKAGE", &*about.package), ("BINARY", &about.binary), ("PROFILE", how.profile.name())];
    build_args.extend(rust.as_deref().map(|it| ("RUST_IMAGE", it)));
    let args = argv::build(server, &origin(&ws.id()?, &about, how), &build_args, context.path());
    let label = format!("compiling {} in {} (profile {})", server.image(), cli.name, how.profile.name());
    cli.work(&label, &args).map(drop)
}

/// The base image that the person wants instead of the Dockerfile's own.
fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|it| !it.is_empty())
}

fn origin<'a>(workspace: &'a str, about: &'a Crate, how: How) -> Origin<'a> {
    Origin { workspace, license: &about.license, profile: how.profile.name(), cached: !how.no_cache }
}
