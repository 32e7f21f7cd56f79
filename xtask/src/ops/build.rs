//! Makes a server's image.
//!
//! Server -> image on the engine. Invariant: an image is made from a staged context that holds what it needs and
//! nothing else; two builds of the same sources have the same layers.

mod base_image;
mod bridged;
pub(crate) mod kept;
mod lock;
mod node;
mod packages;
mod plan;
mod python;
mod requirements;
mod stage;
mod steps;
mod trial;

use std::cell::{OnceCell, RefCell};
use std::hash::Hasher;
use std::path::{Path, PathBuf};

use anyhow::{Error, Result};
use drydock_catalog::{Kind, Server};
use drydock_engine::proxies::Proxies;
use drydock_engine::{Cli, Image, docker_args};
use rustc_hash::FxHasher;
use tempfile::TempDir;

use crate::cargo::{self, Crate, Profile};
use crate::hint::with_hint;
use crate::ops::sources::Sources;
use crate::ops::turn;
use crate::ui::progress;
use crate::workspace::Workspace;

#[derive(clap::Args, Debug, Clone, Copy)]
pub(crate) struct BuildOptions {
    /// Where to compile: with the local cargo, in the engine, or whichever can
    #[arg(long, value_enum, default_value_t = CompileWhere::Auto)]
    builder: CompileWhere,
    /// Which profile of Cargo.toml
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    profile: Profile,
    /// Let the engine build every layer anew, and fetch all packages again
    #[arg(long)]
    no_cache: bool,
}

impl BuildOptions {
    /// As `build-images` does it without options, but for the profile.
    pub(crate) fn with(profile: Profile) -> Self {
        Self { builder: CompileWhere::Auto, profile, no_cache: false }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum CompileWhere {
    /// `host` where this machine can make a static Linux binary for the engine, else `docker`
    Auto,
    /// The local cargo compiles, and the binary alone goes into the image
    Host,
    /// A multi-stage build in the engine; needs the image in RUST_IMAGE (rust:1-slim-bookworm)
    Docker,
}

/// Builds images one after the other, and the bridge once for all of them.
pub(crate) struct Builder<'a> {
    ws: &'a Workspace,
    cli: &'a Cli,
    options: BuildOptions,
    pub(super) sources: Sources<'a>,
    bridge: OnceCell<Bridge>,
    /// Names of variables, not values.
    proxies: OnceCell<Vec<String>>,
    /// What was seen of new images without their grants.
    notes: RefCell<Vec<String>>,
}

/// The compiled bridge.
#[derive(Debug)]
struct Bridge {
    binary: PathBuf,
    about: Crate,
    /// Holds the binary where it came out of an image.
    _folder: Option<TempDir>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(ws: &'a Workspace, cli: &'a Cli, options: BuildOptions) -> Self {
        let sources = Sources::new(&ws.root);
        let (bridge, proxies, notes) = (OnceCell::new(), OnceCell::new(), RefCell::default());
        Self { ws, cli, options, sources, bridge, proxies, notes }
    }

    pub(crate) fn cli(&self) -> &Cli {
        self.cli
    }

    /// Builds one server's image, and says its size, and what was seen when it was started without its grants. Where another command is at it, its image is taken, if it is the same one.
    pub(crate) fn build(&self, server: &Server) -> Result<Image> {
        let profile = self.options.profile.name();
        let image = self.build_in_turn(server, |it| !self.options.no_cache && it.profile() == Some(profile));
        self.notes.take().iter().for_each(|it| progress::say(it));
        image
    }

    /// The same for whoever starts the server at once, with its grants: then it is seen whether it gets ready. Of whatever
    /// profile the image of the other command is.
    pub(crate) fn build_stale(&self, server: &Server) -> Result<Image> {
        self.build_in_turn(server, |_| true)
    }

    /// `is_enough`: of an image that another command built from the same sources, while this one waited for it.
    fn build_in_turn(&self, server: &Server, is_enough: impl Fn(&Image) -> bool) -> Result<Image> {
        let turn = turn::take(self.ws.state_dir()?, "build", &server.name)?;
        if turn.has_waited
            && let Some(image) = self.current(server)?.filter(is_enough)
        {
            progress::say(&format!("{}: built by the other command", server.image()));
            return Ok(image);
        }
        self.build_now(server)
    }

    /// The image that this workspace built from the sources as they are.
    fn current(&self, server: &Server) -> Result<Option<Image>> {
        let id = self.ws.id()?;
        let image = drydock_engine::image(self.cli, &server.own_image(&id))?;
        // Not the sources as they were before the other command's build.
        let sources = Sources::new(&self.ws.root).fingerprint(server)?;
        Ok(image.filter(|it| it.is_ours(&server.name, &id) && it.sources() == Some(&sources)))
    }

    fn build_now(&self, server: &Server) -> Result<Image> {
        // As they are now: what changes while they are built makes the image an old one.
        self.sources.fingerprint(server)?;
        match (server.kind, self.target()?) {
            (Kind::Rust, target) => {
                let about = self.ws.metadata()?.describe(server)?;
                match target {
                    Some(target) => self.pack(server, &about, &target)?,
                    None => self.compile_inside(server, &about)?,
                }
            }
            (Kind::Node | Kind::Python, target) => self.bridged(server, target.as_deref())?,
        }
        // With the lock that this build has written.
        let sources = self.sources.fingerprint(server)?;
        let image = drydock_engine::image(self.cli, &server.own_image(&self.ws.id()?))?
            .filter(|it| it.sources() == Some(&sources))
            .ok_or_else(|| not_loaded(self.cli, server))?;
        progress::say(&format!("{}: {}", server.image(), mebibytes(image.size)));
        Ok(image)
    }

    /// Builds what is stale again with the profile of the image that it replaces.
    pub(crate) fn rebuild(&self, server: &Server, old: &Image) -> Result<Image> {
        let quick = old.profile() == Some(Profile::Quick.name());
        match quick && self.options.profile != Profile::Quick {
            true => Builder::new(self.ws, self.cli, BuildOptions::with(Profile::Quick)).build_stale(server),
            false => self.build_stale(server),
        }
    }

    /// What the local cargo compiles for; nothing where the engine compiles.
    fn target(&self) -> Result<Option<String>> {
        let platform = &self.cli.platform;
        match self.options.builder {
            CompileWhere::Docker => Ok(None),
            CompileWhere::Auto => cargo::static_target(platform),
            CompileWhere::Host => match cargo::static_target(platform)? {
                Some(target) => Ok(Some(target)),
                None => Err(with_hint(
                    format!("this machine cannot make a static binary for {platform}"),
                    "install glibc's static library (Debian: libc6-dev, Fedora: glibc-static), or use --builder docker",
                )),
            },
        }
    }

    /// The local cargo compiles; the engine only packs.
    fn pack(&self, server: &Server, about: &Crate, target: &str) -> Result<()> {
        let binary = cargo::build_static(self.ws, server, about, self.options.profile, target)?;
        let context = stage::binary(self.ws, about, &binary)?;
        let args = self.build_args(server, &about.license, None, &[], &context)?;
        self.run(&format!("packing {}", server.image()), &args)
    }

    /// The engine compiles, from the sources that the server is made of.
    fn compile_inside(&self, server: &Server, about: &Crate) -> Result<()> {
        let context = stage::sources(self.ws, about)?;
        let profile = self.options.profile.name();
        let (rust, workspace) = (base_image::chosen("RUST_IMAGE"), self.ws.id()?);
        let mut build_args =
            vec![("PACKAGE", &*about.package), ("BINARY", &about.binary), ("PROFILE", profile)];
        build_args.push(("WORKSPACE", &workspace));
        build_args.extend(rust.as_deref().map(|it| ("RUST_IMAGE", it)));
        let args = self.build_args(server, &about.license, None, &build_args, &context)?;
        let label = format!("compiling {} in {} (profile {profile})", server.image(), self.cli.name);
        let dockerfile = self.ws.root.join("docker/rust.Dockerfile");
        self.run(&label, &args).map_err(|err| base_image::explain(self.cli, &dockerfile, err))
    }

    fn build_args(
        &self,
        server: &Server,
        license: &str,
        id_file: Option<&Path>,
        build_args: &[(&str, &str)],
        context: &TempDir,
    ) -> Result<Vec<String>> {
        let workspace = self.ws.id()?;
        let sources = self.sources.fingerprint(server)?;
        let origin = docker_args::Origin {
            workspace: &workspace,
            license,
            profile: self.options.profile.name(),
            sources: &sources,
            cached: !self.options.no_cache,
            proxies: self.proxies(),
            id_file,
        };
        Ok(docker_args::build(server, &origin, build_args, context.path()))
    }

    fn proxies(&self) -> &[String] {
        self.proxies.get_or_init(|| Proxies::here(self.cli).for_builds())
    }

    fn run(&self, label: &str, args: &[String]) -> Result<()> {
        progress::with_sink(label, |sink| Ok(self.cli.run_with_progress(args, sink)?)).map(drop)
    }
}

/// By what the steps of a server's build are known on the engine: who has its turn, which is this state folder's, knows that
/// what has this name is nobody else's.
fn build_name(ws: &Workspace, server: &str) -> Result<String> {
    let mut hasher = FxHasher::default();
    hasher.write(ws.state_label()?.as_bytes());
    Ok(format!("{server}.{:016x}", hasher.finish()))
}

/// The server whose build of this clone is known by that.
pub(crate) fn server_of_build<'a>(ws: &Workspace, name: &'a str) -> Result<Option<&'a str>> {
    let Some((server, _)) = name.split_once('.') else { return Ok(None) };
    let is_name = server.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    Ok((is_name && build_name(ws, server)? == name).then_some(server))
}

/// The build succeeded, and the tag leads to no image or to an older one.
fn not_loaded(cli: &Cli, server: &Server) -> Error {
    let problem = format!("{} built {} and does not have it", cli.name, server.image());
    let hint = match cli.name {
        "docker" => {
            "a builder of buildx that runs in a container keeps what it builds to itself: `docker buildx use default` \
             (or BUILDX_BUILDER=default in the environment), and build again"
        }
        _ => {
            "look whether builds and images of this engine are kept in one place (its `info`), and build again"
        }
    };
    with_hint(problem, hint)
}

/// As in `4.31 MiB`.
pub(crate) fn mebibytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "it is shown with two digits")]
    let size = bytes as f64 / f64::from(1 << 20);
    format!("{size:.2} MiB")
}
