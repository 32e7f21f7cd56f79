//! Finds the servers of a workspace and picks those that were named.
//!
//! Root folder + names -> `Server`s, by name. Invariant: a server that is described wrongly is in no other one's way,
//! unless all of them were asked for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{self, Error};
use crate::grants::{self, Grants, Owner};
use crate::manifest::{self, Manifest};
use crate::program::{self, Chosen};
use crate::server::{Kind, Server};

/// The images to run any package by hand, under `docker/`.
const RUNTIMES: [(&str, Kind); 2] = [("node", Kind::Node), ("python", Kind::Python)];

/// Of a file that describes a server, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A folder's name, and the server that it describes, or what is wrong with it.
pub type Named = (String, Result<Server, Error>);

/// Every server, ordered by name.
///
/// # Errors
/// `servers/` cannot be listed, or one of the servers is described wrongly.
pub fn load(root: &Path) -> Result<Vec<Server>, Error> {
    folders(root)?.iter().map(|it| server(root, it)).collect()
}

/// The servers that are described as they should be, and what is wrong with the others.
///
/// # Errors
/// `servers/` cannot be listed.
pub fn load_partial(root: &Path) -> Result<(Vec<Server>, Vec<Error>), Error> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (_, it) in pick_each(root, &[])? {
        match it {
            Ok(it) => good.push(it),
            Err(problem) => bad.push(problem),
        }
    }
    Ok((good, bad))
}

/// The folders of servers, ordered by name: also such as lack their description, which [`server`] says. A name that begins
/// with a dot is nobody's: what is being made, or taken away, has one.
fn folders(root: &Path) -> Result<Vec<PathBuf>, Error> {
    let folder = root.join("servers");
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).map_err(error::io("list", &folder))? {
        let dir = entry.map_err(error::io("list", &folder))?.path();
        let hidden = dir.file_name().is_some_and(|it| it.as_encoded_bytes().starts_with(b"."));
        if !hidden && (dir.join("server.json").is_file() || is_undescribed(&dir)) {
            found.push(dir);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether somebody meant it to be a server: it has a program or grants. A crate without a `server.json` is a library.
fn is_undescribed(dir: &Path) -> bool {
    let holds = |it: &&str| dir.join(it).is_file();
    let meant = ["package.json", "pyproject.toml", "requirements.txt", grants::FILE];
    !dir.join("Cargo.toml").is_file() && meant.iter().any(holds)
}

/// The runtime images of this workspace.
///
/// # Errors
/// One of them is described wrongly.
pub fn runtime_images(root: &Path) -> Result<Vec<Server>, Error> {
    let known = RUNTIMES.into_iter().map(|(name, kind)| (root.join("docker").join(name), kind));
    known
        .filter(|(dir, _)| dir.join("server.json").is_file())
        .map(|(dir, kind)| runtime(root, &dir, kind))
        .collect()
}

/// The names of the runtime images, however they are described.
pub fn runtime_names() -> impl Iterator<Item = &'static str> {
    RUNTIMES.into_iter().map(|(name, _)| name)
}

/// The names of all servers, however they are described, ordered.
///
/// # Errors
/// `servers/` cannot be listed.
pub fn names(root: &Path) -> Result<Vec<String>, Error> {
    Ok(folders(root)?.iter().map(|it| name_of(it)).collect())
}

/// The server of this name, whatever is wrong with others.
///
/// # Errors
/// The name is not a server's (see [`Error::unknown_name`]), or it is described wrongly.
pub fn pick(root: &Path, name: &str) -> Result<Server, Error> {
    let mut found = pick_each(root, &[name.to_owned()])?;
    found.pop().map_or_else(|| Err(Error::new(format!("there is no server {name:?}"))), |(_, it)| it)
}

/// The servers of these names, or all of them, each with what is wrong with it alone.
///
/// # Errors
/// A name is not a server's (see [`Error::unknown_name`]), or `servers/` cannot be listed.
pub fn pick_each(root: &Path, names: &[String]) -> Result<Vec<Named>, Error> {
    let folders = folders(root)?;
    let runtime =
        |name: &&String| runtime_names().any(|it| it == name.as_str()) && folder(&folders, name).is_none();
    if let Some(name) = names.iter().find(runtime) {
        let hint =
            "it runs any command: cargo xtask install-client ID --container mcp-NAME -- npx -y PACKAGE";
        let problem =
            format!("there is no server {name:?}: that is a runtime image, which has no server of its own");
        return Err(Error::new(problem).with_hint(hint));
    }
    choose(root, &folders, &[], names)
}

/// As [`pick_each`], and runtime images by their names.
///
/// # Errors
/// As [`pick_each`]; or a runtime image is described wrongly.
pub fn pick_each_with_runtimes(root: &Path, names: &[String]) -> Result<Vec<Named>, Error> {
    choose(root, &folders(root)?, &runtime_images(root)?, names)
}

fn choose(
    root: &Path,
    folders: &[PathBuf],
    runtimes: &[Server],
    names: &[String],
) -> Result<Vec<Named>, Error> {
    if names.is_empty() {
        return Ok(folders.iter().map(|it| (name_of(it), server(root, it))).collect());
    }
    let mut picked: Vec<Named> = Vec::new();
    for name in names.iter().enumerate().filter(|(i, it)| !names[..*i].contains(it)).map(|it| it.1) {
        let found = match (folder(folders, name), runtimes.iter().find(|it| it.name == *name)) {
            (Some(dir), _) => server(root, dir),
            (None, Some(runtime)) => Ok(runtime.clone()),
            (None, None) => return Err(unknown(name, folders, runtimes)),
        };
        picked.push((name.clone(), found));
    }
    Ok(picked)
}

/// Lossy: a name that is no text is not a server's, which [`server`] says.
fn name_of(dir: &Path) -> String {
    dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn folder<'a>(folders: &'a [PathBuf], name: &str) -> Option<&'a PathBuf> {
    folders.iter().find(|it| it.file_name().is_some_and(|it| it == name))
}

/// Checks that there are servers of these names, however they are described.
///
/// # Errors
/// One name is not a server's.
pub fn check_names(root: &Path, names: &[String]) -> Result<(), Error> {
    let folders = folders(root)?;
    match names.iter().find(|name| folder(&folders, name).is_none()) {
        Some(name) => Err(unknown(name, &folders, &[])),
        None => Ok(()),
    }
}

fn unknown(name: &str, folders: &[PathBuf], runtimes: &[Server]) -> Error {
    let servers: Vec<_> = folders.iter().filter_map(|it| it.file_name()?.to_str()).collect();
    let runtimes: Vec<_> = runtimes.iter().map(|it| it.name.as_str()).collect();
    let mut hint = format!("the servers of this workspace: {}", servers.join(", "));
    if !runtimes.is_empty() {
        hint.push_str(&format!("; and the runtime images: {}", runtimes.join(", ")));
    }
    let known = servers.into_iter().chain(runtimes).map(str::to_owned).collect();
    Error::unknown(format!("there is no server {name:?}"), name, known).with_hint(hint).into_usage()
}

/// What every image but those of Rust servers has as `/mcp`, in the shape of a server that can be compiled.
///
/// # Errors
/// The workspace's `Cargo.toml` cannot be read, or has no version.
pub fn bridge(root: &Path) -> Result<Server, Error> {
    let file = root.join("Cargo.toml");
    let text = fs::read_to_string(&file).map_err(error::io("read", &file))?;
    let cargo: toml::Table = text.parse().map_err(|err: toml::de::Error| {
        Error::new(format!("cannot read {}", file.display())).with_source(err)
    })?;
    let version = cargo.get("workspace").and_then(|it| it.get("package")?.get("version")?.as_str());
    let manifest = Manifest {
        id: "dev.drydock/bridge".to_owned(),
        title: Some("Bridge".to_owned()),
        description: "/mcp for servers that are not Drydock's own".to_owned(),
        version: version.ok_or_else(|| Error::new(format!("{} has no version", file.display())))?.to_owned(),
        source: None,
        packages: Vec::new(),
        remotes: 0,
        requests: Vec::new(),
        notes: Vec::new(),
    };
    let dir = root.join("servers/bridge");
    Ok(Server::new(&dir, "bridge".to_owned(), Chosen::bare(Kind::Rust), manifest, Grants::default()))
}

fn server(root: &Path, dir: &Path) -> Result<Server, Error> {
    let shown = dir.strip_prefix(root).unwrap_or(dir).display();
    let name = dir.file_name().and_then(|it| it.to_str()).unwrap_or_default().to_owned();
    let is_plain = !name.is_empty()
        && name.len() <= 32
        && !name.starts_with('-')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_plain {
        return Err(Error::new(format!(
            "{shown}: a server's folder is named with at most 32 of a-z, 0-9 and `-`, not beginning with `-`"
        )));
    }
    if RUNTIMES.iter().any(|(runtime, _)| *runtime == name) {
        let problem = format!("{shown}: `{name}` is the name of a runtime image");
        return Err(Error::new(problem).with_hint("call the server's folder otherwise"));
    }
    if !dir.join("server.json").is_file() {
        return Err(not_described(&shown.to_string()));
    }
    let mut manifest = manifest(root, dir)?;
    let unclear = |err| Error::new(format!("{shown}: cannot tell what to run")).with_source(err);
    let chosen = program::of(dir, &mut manifest).map_err(unclear)?;
    let grants = grants(root, dir, Owner::Server(chosen.kind))?;
    chosen
        .check_wanted(&grants.args)
        .map_err(|err| Error::new(format!("{shown}: cannot tell how to start it")).with_source(err))?;
    Ok(Server::new(dir, name, chosen, manifest, grants))
}

fn not_described(shown: &str) -> Error {
    Error::new(format!("{shown}: has no server.json"))
        .with_hint("every server has one, in the format of the MCP registry: see CONTRIBUTING.md")
}

fn runtime(root: &Path, dir: &Path, kind: Kind) -> Result<Server, Error> {
    let name = dir.file_name().and_then(|it| it.to_str()).unwrap_or_default().to_owned();
    let grants = grants(root, dir, Owner::RuntimeImage)?;
    let server = Server::new(dir, name, Chosen::bare(kind), manifest(root, dir)?, grants);
    Ok(Server { is_runtime: true, ..server })
}

fn manifest(root: &Path, dir: &Path) -> Result<Manifest, Error> {
    let file = dir.join("server.json");
    let text = read(&file)?;
    manifest::parse(file.strip_prefix(root).unwrap_or(&file), &text)
}

/// The person's own file; the strict default where there is none.
fn grants(root: &Path, dir: &Path, owner: Owner) -> Result<Grants, Error> {
    let file = dir.join(grants::FILE);
    if fs::symlink_metadata(&file).is_err_and(|err| err.kind() == io::ErrorKind::NotFound) {
        return Ok(Grants::default());
    }
    let text = read(&file)?;
    grants::parse(file.strip_prefix(root).unwrap_or(&file), &text, owner)
}

/// A file of the folder's own: a link could lead to any file of the person's, which an error would then show.
fn read(file: &Path) -> Result<String, Error> {
    let about = fs::symlink_metadata(file).map_err(error::io("read", file))?;
    if !about.is_file() {
        return Err(Error::new(format!("{} is not a file of its own (a link, say)", file.display())));
    }
    if about.len() > MAX_FILE_BYTES {
        return Err(Error::new(format!("{} is larger than {} KiB", file.display(), MAX_FILE_BYTES >> 10)));
    }
    fs::read_to_string(file).map_err(error::io("read", file))
}
