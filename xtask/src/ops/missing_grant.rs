//! Which grant a server seems to lack, by what it said.
//!
//! Server + its answer or stderr -> advice. Invariant: it only advises: nothing is decided by it, and what a server says
//! is not shown here.

use std::time::Instant;

use drydock_catalog::{Kind, Network, Server};
use drydock_engine::Engine;
use drydock_engine::docker_args::{self, LogLines};

use crate::workspace::Workspace;

/// What programs print when a name cannot be resolved or no network is there: of libc, Node, Python, Go, Rust's resolvers.
const NO_NETWORK: [&str; 23] = [
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
    "connection issue",
    "connection error",
    "connecterror",
    "connection attempts failed",
    "cannot connect to host",
    "urlopen error",
    "network error",
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
        Lack::Memory => &twice(server.sandbox.memory)?,
        Lack::Variable(name) => return Some(variable_advice(ws, server, name)),
        Lack::Program(name) => {
            return Some(format!("its image has no program `{name}`: the package itself does not bring it"));
        }
    };
    Some(grant_line(ws, server, line))
}

/// More memory than it has; nothing above what may be granted.
fn twice(memory: u64) -> Option<String> {
    let twice = (memory >> 20) * 2;
    let words = if twice.is_multiple_of(1024) { format!("{}g", twice / 1024) } else { format!("{twice}m") };
    (twice <= 64 << 10).then(|| format!("`memory = \"{words}\"` (twice what it has)"))
}

/// The same for a server that did not answer in time: what it waited for stands in its container's log, from `begun` on.
pub(crate) fn advice_by_log(ws: &Workspace, server: &Server, begun: Instant) -> Option<String> {
    let Engine::Cli(cli) = ws.engine().ok()? else { return None };
    let since = format!("{}s", begun.elapsed().as_secs() + 1);
    let lines = LogLines { tail: Some(200), since: Some(&since), ..LogLines::default() };
    let logs = cli.output(&docker_args::logs(&server.container(&ws.global.name_prefix), lines)).ok()?;
    let logs = [logs.stdout, logs.stderr].concat();
    advice(ws, server, &String::from_utf8_lossy(&logs))
}

fn variable_advice(ws: &Workspace, server: &Server, name: &str) -> String {
    let (file, up) = (server.grants_file(), ws.command(&format!("up {}", server.name)));
    format!(
        "if it is {name} that it lacks, and no secret: write `{name} = \"..\"` under [env] in {}, then {up}. Secrets cannot be delivered \
         yet: what stands there is read by everybody who has the folder",
        file.display()
    )
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

/// Whether what it said looks like a grant that it lacks.
pub(crate) fn is_likely(server: &Server, said: &str) -> bool {
    !matches!(lacks(server, said), None | Some(Lack::Program(_) | Lack::Variable(_)))
}

/// The name that this ends with, of a file or program: a quote or a bracket before it is none of it.
pub(super) fn last_name(text: &str) -> &str {
    text.rsplit(|c: char| !(c.is_ascii_alphanumeric() || "._+-/".contains(c))).next().unwrap_or_default()
}

#[derive(Debug, PartialEq, Eq)]
enum Lack<'a> {
    Network,
    Folder,
    InstallScripts,
    Memory,
    Program(&'a str),
    Variable(&'a str),
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
        let program = missing_program(said).map(Lack::Program);
        program.or_else(|| missing_variable(said).map(Lack::Variable))
    }
}

fn lacks_scripts(server: &Server, lower: &str) -> bool {
    let has_sign = NO_SCRIPTS.iter().any(|it| lower.contains(it));
    server.kind != Kind::Rust && !server.install_scripts && has_sign
}

/// The program's name in Node's `spawn git ENOENT`, Python's `No such file or directory: 'git'`, GitPython's
/// `ImportError: Bad git executable` and a shell's `git: command not found`.
pub(super) fn missing_program(said: &str) -> Option<&str> {
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

/// The variable in `API_KEY is not set`, `Missing required environment variable: API_KEY` and their like: a name in capitals, in a line
/// that says that something is missing.
fn missing_variable(said: &str) -> Option<&str> {
    const SIGNS: [&str; 7] =
        ["not set", "required", "missing", "must be set", "not provided", "undefined", "please set"];
    let is_name = |it: &&str| {
        let plain = it.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        plain
            && it.contains('_')
            && it.starts_with(|c: char| c.is_ascii_uppercase())
            && (4..=64).contains(&it.len())
    };
    said.lines().find_map(|line| {
        let lower = line.to_lowercase();
        let is_sign = SIGNS.iter().any(|it| lower.contains(it)) && !line.contains("ERR_");
        let mut words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        is_sign.then(|| words.find(is_name)).flatten()
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
    fn twice_the_memory_is_said_as_the_file_has_it() {
        assert_eq!(twice(256 << 20).unwrap(), "`memory = \"512m\"` (twice what it has)");
        assert_eq!(twice(1 << 30).unwrap(), "`memory = \"2g\"` (twice what it has)");
        assert_eq!(twice(40 << 30), None);
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
    fn a_variable_that_is_missing_is_named() {
        for (said, name) in [
            ("Error: API_KEY is not set", Some("API_KEY")),
            ("x\nMissing required environment variable: BRAVE_API_KEY\n", Some("BRAVE_API_KEY")),
            ("please set $OPENAI_BASE_URL.", Some("OPENAI_BASE_URL")),
            ("'NOTION_TOKEN' must be set", Some("NOTION_TOKEN")),
            ("code: 'ERR_MODULE_NOT_FOUND' is required", None),
            ("API_KEY was read", None),
            ("the argument FILE is required", None),
        ] {
            assert_eq!(missing_variable(said), name, "{said}");
        }
    }
}
