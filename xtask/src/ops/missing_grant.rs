//! Which grant a server seems to lack, by what it said.
//!
//! Server + its answer or stderr -> advice. Invariant: it only advises: nothing is decided by it, and what a server says
//! is not shown here.

use drydock_catalog::{Kind, Network, Server};
use drydock_engine::Engine;
use drydock_engine::docker_args::{self, LogLines};

use crate::workspace::Workspace;

/// What programs print when a name cannot be resolved or no network is there: of libc, Node, Python, Go, Rust's resolvers.
const NO_NETWORK: [&str; 16] = [
    "eai_again",
    "enotfound",
    "enetunreach",
    "ehostunreach",
    "getaddrinfo",
    "temporary failure in name resolution",
    "name or service not known",
    "name resolution",
    "could not resolve host",
    "failed to lookup address",
    "dns error",
    "no such host",
    "network is unreachable",
    "nodename nor servname",
    "fetch failed",
    "no route to host",
];
const READ_ONLY: [&str; 4] =
    ["erofs", "read-only file system", "readonly database", "unable to open database file"];
/// A folder that is there and is not its own: `writable` takes its place, too.
const NOT_ITS_OWN: [&str; 2] = ["eacces: permission denied, mkdir", "permission denied: '/"];

/// Where a package's files are in its image.
const APP: &str = "/app";

/// A native module that nothing compiled, and a package that is there as sources only.
const NO_SCRIPTS: [&str; 6] = [
    "could not locate the bindings file",
    "build/release/",
    "no native build was found",
    "no usable wheels",
    "building from source is disabled",
    "building source distributions for",
];

/// What we say of what the kernel has ended, and what V8 and Python say themselves.
const NO_MEMORY: [&str; 4] = ["for want of memory", "heap out of memory", "out of memory", "memoryerror"];

const INSTALL_SCRIPTS: &str =
    "`install-scripts = true` (its packages run their own code while the image is built)";

/// What to do, when what a server said looks like a missing grant.
pub(crate) fn advice(ws: &Workspace, server: &Server, said: &str) -> Option<String> {
    let line = match lacks(server, said)? {
        Lack::Network => "`network = \"internet\"`",
        Lack::Folder => return Some(folder_advice(ws, server, written_folder(said))),
        Lack::InstallScripts => INSTALL_SCRIPTS,
        Lack::Memory => "more than it has, as `memory = \"1g\"`,",
        Lack::Program(name) => {
            return Some(format!("its image has no program `{name}`: the package itself does not bring it"));
        }
    };
    Some(grant_line(ws, server, line))
}

/// The same for a server that did not answer in time: what it waited for stands in its container's log.
pub(crate) fn advice_by_log(ws: &Workspace, server: &Server) -> Option<String> {
    let Engine::Cli(cli) = ws.engine().ok()? else { return None };
    let lines = LogLines { tail: Some(200), since: Some("60s"), ..LogLines::default() };
    let logs = cli.output(&docker_args::logs(&server.container(&ws.global.name_prefix), lines)).ok()?;
    let logs = [logs.stdout, logs.stderr].concat();
    advice(ws, server, &String::from_utf8_lossy(&logs))
}

/// A folder of its own program can be none of its volumes: those would hide it.
fn folder_advice(ws: &Workspace, server: &Server, folder: Option<&str>) -> String {
    if let Some(folder) = folder.filter(|it| *it == APP || it.starts_with(&format!("{APP}/"))) {
        let (file, up) = (server.grants_file(), ws.command(&format!("up {}", server.name)));
        return format!(
            "it wants to write to {folder}, beside its own program. If its documentation names a variable or an argument for \
             another place, set that to /data/.. under [env] or in args of {}, write `volumes = [{{ name = \"data\", path = \
             \"/data\" }}]` there, too, then {up}",
            file.display()
        );
    }
    let folder = folder.unwrap_or("/the/folder");
    let line = format!(
        "`writable = [\"{folder}\"]` (gone with the container), or `volumes = [{{ name = \"data\", path = \"{folder}\" }}]` \
         (kept),"
    );
    grant_line(ws, server, &line)
}

/// The folder of the file that could not be written: the first path between quotes in the line that says so.
fn written_folder(said: &str) -> Option<&str> {
    let is_sign = |line: &&str| {
        let lower = line.to_lowercase();
        READ_ONLY.iter().chain(&NOT_ITS_OWN).any(|it| lower.contains(it))
    };
    let line = said.lines().find(is_sign)?;
    let path = line.split(['\'', '"']).find(|it| it.starts_with('/'))?;
    let is_plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-@+".contains(&b));
    // What is made is the folder itself.
    let folder = if line.contains("mkdir") { path } else { path.rsplit_once('/')?.0 };
    (is_plain && folder.len() > 1).then_some(folder)
}

fn grant_line(ws: &Workspace, server: &Server, line: &str) -> String {
    let (file, up) = (server.grants_file(), ws.command(&format!("up {}", server.name)));
    format!("if you want to allow that: write {line} into {}, then {up}", file.display())
}

/// The same for a build that failed: of all grants it is asked for one alone. Its steps have a network and limits of their own.
pub(crate) fn build_advice(ws: &Workspace, server: &Server, said: &str) -> Option<String> {
    let looks_like_it = lacks_scripts(server, &said.to_lowercase());
    looks_like_it.then(|| grant_line(ws, server, INSTALL_SCRIPTS))
}

/// A part that is in no image of this server, when what it said at its end names one: in words, as the end of `it lacks ..`.
/// What looks like a missing grant is none.
pub(crate) fn missing_part(server: &Server, said: &str) -> Option<String> {
    match lacks(server, said) {
        None | Some(Lack::Program(_)) => {}
        Some(_) => return None,
    }
    let program = || is_spawning(said).then(|| missing_program(said)).flatten();
    None.or_else(|| missing_module(said).map(|it| format!("the module `{it}`")))
        .or_else(|| missing_library(said).map(|it| format!("the library `{it}`")))
        .or_else(|| program().map(|it| format!("the program `{it}`")))
}

/// Whether it wanted to start a program, and not to open a file: Python says the same of both, but from another place.
fn is_spawning(said: &str) -> bool {
    ["spawn ", "spawnSync ", "_execute_child", "ImportError: Bad "].iter().any(|it| said.contains(it))
}

/// The module in Node's `Cannot find module './x'` and `Cannot find package 'x' imported from ..`, and in Python's
/// `ModuleNotFoundError: No module named 'x'`.
fn missing_module(said: &str) -> Option<&str> {
    let starts = ["Cannot find module '", "Cannot find package '", "ModuleNotFoundError: No module named '"];
    let found = starts.iter().find_map(|it| said.split_once(it)?.1.split_once('\''));
    found.map(|it| it.0).filter(|it| is_short(it))
}

/// The library in the loader's `libx.so.1: cannot open shared object file`.
fn missing_library(said: &str) -> Option<&str> {
    let before = said.split_once(": cannot open shared object file")?.0;
    Some(last_name(before)).filter(|it| is_short(it))
}

/// The name that this ends with, of a file or program: a quote or a bracket before it is none of it.
fn last_name(text: &str) -> &str {
    text.rsplit(|c: char| !(c.is_ascii_alphanumeric() || "._+-/".contains(c))).next().unwrap_or_default()
}

fn is_short(name: &str) -> bool {
    (1..=200).contains(&name.len()) && !name.contains('\n')
}

#[derive(Debug, PartialEq, Eq)]
enum Lack<'a> {
    Network,
    Folder,
    InstallScripts,
    Memory,
    Program(&'a str),
}

fn lacks<'a>(server: &Server, said: &'a str) -> Option<Lack<'a>> {
    // Python's FileNotFoundError and ModuleNotFoundError hold Node's word for a host that is not found.
    let lower = said.to_lowercase().replace("enotfounderror", "");
    let has = |signs: &[&str]| signs.iter().any(|it| lower.contains(it));
    if server.sandbox.network == Network::None && has(&NO_NETWORK) {
        Some(Lack::Network)
    } else if has(&READ_ONLY) || has(&NOT_ITS_OWN) {
        Some(Lack::Folder)
    } else if lacks_scripts(server, &lower) {
        Some(Lack::InstallScripts)
    } else if has(&NO_MEMORY) {
        Some(Lack::Memory)
    } else {
        missing_program(said).map(Lack::Program)
    }
}

fn lacks_scripts(server: &Server, lower: &str) -> bool {
    let has_sign = NO_SCRIPTS.iter().any(|it| lower.contains(it));
    server.kind != Kind::Rust && !server.install_scripts && has_sign
}

/// The program's name in Node's `spawn git ENOENT`, Python's `No such file or directory: 'git'`, GitPython's
/// `ImportError: Bad git executable` and a shell's `git: command not found`.
fn missing_program(said: &str) -> Option<&str> {
    let between = |start: &str, end: &str| {
        let rest = said.split_once(start)?.1;
        rest.split_once(end).map(|(name, _)| name)
    };
    let before = |end: &str| Some(last_name(said.split_once(end)?.0));
    let found = [
        between("spawn ", " ENOENT"),
        between("spawnSync ", " ENOENT"),
        between("ImportError: Bad ", " executable"),
        between("No such file or directory: '", "'"),
        before(": command not found"),
        before(": not found\n"),
    ];
    found.into_iter().flatten().find(|it| {
        let plain = it.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b));
        plain && (1..=40).contains(&it.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_by_its_own_words() {
        for (said, name) in [
            ("Error: spawn git ENOENT\n    at x", Some("git")),
            ("Failed to get resource: spawnSync kubectl ENOENT", Some("kubectl")),
            ("ImportError: Bad git executable.\nThe git executable must be", Some("git")),
            ("FileNotFoundError: [Errno 2] No such file or directory: 'pandoc'", Some("pandoc")),
            ("sh: 1: ffmpeg: command not found", Some("ffmpeg")),
            ("Error('ffmpeg: command not found')", Some("ffmpeg")),
            ("No such file or directory: '/data/x.db'", None),
            ("spawn $(x) ENOENT", None),
            ("all is well", None),
        ] {
            assert_eq!(missing_program(said), name, "{said}");
        }
    }

    #[test]
    fn the_folder_that_cannot_be_written_is_the_one_that_was_named() {
        for (said, folder) in [
            (
                "EROFS: read-only file system, open '/app/node_modules/it/dist/x.json.tmp'",
                Some("/app/node_modules/it/dist"),
            ),
            ("hi 'you'\nError: EROFS: read-only file system, mkdir '/var/it'", Some("/var/it")),
            ("OSError: [Errno 30] Read-only file system: '/srv/x.db'", Some("/srv")),
            ("PermissionError: [Errno 13] Permission denied: '/data'", None),
            ("EROFS: read-only file system, open '/a b/$(x)/y'", None),
            ("attempt to write a readonly database", None),
        ] {
            assert_eq!(written_folder(said), folder, "{said}");
        }
    }

    #[test]
    fn a_part_that_no_grant_brings_is_named() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("servers/it");
        std::fs::create_dir_all(&dir).unwrap();
        let manifest = r#"{ "name": "io.github.ana/it", "description": "It", "version": "1.0.0", "packages": [{
            "registryType": "npm", "identifier": "it", "version": "1.0.0", "transport": { "type": "stdio" } }] }"#;
        std::fs::write(dir.join("server.json"), manifest).unwrap();
        let server = drydock_catalog::pick(root.path(), "it").unwrap();
        for (said, part) in [
            ("Error: Cannot find module './security.js'\nRequire stack:", Some("the module `./security.js`")),
            ("Cannot find package 'zod' imported from /app/x.js", Some("the module `zod`")),
            ("ModuleNotFoundError: No module named 'yaml'", Some("the module `yaml`")),
            (
                "ImportError: libgomp.so.1: cannot open shared object file: No such",
                Some("the library `libgomp.so.1`"),
            ),
            ("throw new Error('libx.so.1: cannot open shared object file')", Some("the library `libx.so.1`")),
            ("Error: spawn git ENOENT", Some("the program `git`")),
            ("ImportError: Bad git executable.\nThe", Some("the program `git`")),
            (
                "in _execute_child\nFileNotFoundError: [Errno 2] No such file or directory: 'git'",
                Some("the program `git`"),
            ),
            // A file of the person's, perhaps.
            ("open(path)\nFileNotFoundError: [Errno 2] No such file or directory: 'config.json'", None),
            ("Error: API_KEY is not set", None),
            // Grants.
            ("getaddrinfo EAI_AGAIN example.com\nCannot find module 'x'", None),
            ("Cannot find module '../build/Release/better_sqlite3.node'", None),
        ] {
            assert_eq!(missing_part(&server, said).as_deref(), part, "{said}");
        }
    }
}
