//! Which part of its own image a server cannot start without, by what it said at its end.
//!
//! Server + stderr -> the part, and who brings it. Invariant: what looks like a missing grant is no missing part.

use drydock_catalog::{Kind, Server};

use crate::ops::missing_grant;

/// What no grant mends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BrokenPart<'a> {
    Module(&'a str),
    Library(&'a str),
    Program(&'a str),
    /// Its code cannot be read.
    Syntax,
}

impl<'a> BrokenPart<'a> {
    /// In what it said at its end, if that names one.
    pub(crate) fn find(server: &Server, said: &'a str) -> Option<Self> {
        if missing_grant::is_likely(server, said) {
            return None;
        }
        let program = || is_spawning(said).then(|| missing_grant::missing_program(said)).flatten();
        None.or_else(|| missing_module(said).map(Self::Module))
            .or_else(|| missing_library(said).map(Self::Library))
            .or_else(|| program().map(Self::Program))
            .or_else(|| is_syntax_error(said).then_some(Self::Syntax))
    }

    /// As the end of `it cannot start: ..`.
    pub(crate) fn problem(self) -> String {
        match self {
            Self::Module(name) => format!("it lacks the module `{name}`"),
            Self::Library(name) => format!("it lacks the library `{name}`"),
            Self::Program(name) => format!("it lacks the program `{name}`"),
            Self::Syntax => "its code has a syntax error".to_owned(),
        }
    }

    /// Who brings it.
    pub(crate) fn hint(self, server: &Server) -> String {
        const PAGE: &str = "(CONTRIBUTING.md, \"Add a server from npm or PyPI, or one of your own\")";
        let image = if server.kind == Kind::Python { "PYTHON_IMAGE" } else { "NODE_IMAGE" };
        match (self, server.program.package.is_some()) {
            (Self::Library(_), _) => format!(
                "no package brings it: it is taken from the base image. Make one that has it, and build with {image}=NAME (docs/networks.md \
                 shows how)"
            ),
            (Self::Program(_), _) => "an image holds a server and its packages, and no programs of the system: where no package brings it, \
                 the server cannot be used yet, but for what it does without"
                .to_owned(),
            (Self::Syntax, true) => format!(
                "that is its publisher's, or for another version of the runtime: {image} names another base image"
            ),
            (Self::Syntax, false) => "mend it, then build again".to_owned(),
            (Self::Module(name), false) if name.starts_with(['.', '/']) => {
                "there is no such file in its folder, and none comes out of its build".to_owned()
            }
            (Self::Module(_), false) => format!("if it is a package: name it in {}, then build again", dependencies(server)),
            // Most often it has no upper bound for what it imports.
            (Self::Module(_), true) if server.kind == Kind::Python => format!(
                "its package does not bring that: ask its publisher. Where a newer version of what it needs has it no longer: \
                 `--with NAME<2` among its `runtimeArguments` in server.json takes an older one, then build it again {PAGE}"
            ),
            (Self::Module(_), true) => {
                format!("its package does not bring that: ask its publisher, or make it a server of your own that does {PAGE}")
            }
        }
    }
}

/// Where a server of one's own says which packages it needs.
fn dependencies(server: &Server) -> String {
    let list = server.dir.join("requirements.txt");
    let (key, file) = match server.kind {
        Kind::Python if server.program.file.is_some() || list.exists() => return list.display().to_string(),
        Kind::Python => ("`dependencies` of ", "pyproject.toml"),
        _ => ("`dependencies` (not `devDependencies`) of ", "package.json"),
    };
    format!("{key}{}", server.dir.join(file).display())
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
    Some(missing_grant::last_name(before)).filter(|it| is_short(it))
}

/// Of code, and not of JSON that was read: a line of its own, as Node and Python end with it.
fn is_syntax_error(said: &str) -> bool {
    let starts = ["SyntaxError: ", "IndentationError: ", "TabError: "];
    let is_code =
        !said.contains("JSON.parse") && !said.contains(" JSON at position") && !said.contains("JSON input");
    is_code && said.lines().any(|it| starts.iter().any(|start| it.starts_with(start)))
}

fn is_short(name: &str) -> bool {
    (1..=200).contains(&name.len()) && !name.contains('\n')
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn server(root: &std::path::Path, kind: &str) -> Server {
        let dir = root.join("servers/it");
        fs::create_dir_all(&dir).unwrap();
        let manifest = format!(
            r#"{{ "name": "io.github.ana/it", "description": "It", "version": "1.0.0", "packages": [{{
            "registryType": "{kind}", "identifier": "it", "version": "1.0.0", "transport": {{ "type": "stdio" }} }}] }}"#
        );
        fs::write(dir.join("server.json"), manifest).unwrap();
        drydock_catalog::pick(root, "it").unwrap()
    }

    #[test]
    fn a_part_that_no_grant_brings_is_named() {
        let root = tempfile::tempdir().unwrap();
        let server = server(root.path(), "npm");
        for (said, part) in [
            (
                "Error: Cannot find module './security.js'\nRequire stack:",
                Some(BrokenPart::Module("./security.js")),
            ),
            ("Cannot find package 'zod' imported from /app/x.js", Some(BrokenPart::Module("zod"))),
            ("ModuleNotFoundError: No module named 'yaml'", Some(BrokenPart::Module("yaml"))),
            (
                "ImportError: libgomp.so.1: cannot open shared object file: No such",
                Some(BrokenPart::Library("libgomp.so.1")),
            ),
            (
                "throw new Error('libx.so.1: cannot open shared object file')",
                Some(BrokenPart::Library("libx.so.1")),
            ),
            ("Error: spawn git ENOENT", Some(BrokenPart::Program("git"))),
            ("ImportError: Bad git executable.\nThe", Some(BrokenPart::Program("git"))),
            (
                "in _execute_child\nFileNotFoundError: [Errno 2] No such file or directory: 'git'",
                Some(BrokenPart::Program("git")),
            ),
            ("const a = ;\nSyntaxError: Unexpected token ';'\n    at x", Some(BrokenPart::Syntax)),
            ("IndentationError: unexpected indent", Some(BrokenPart::Syntax)),
            // What it read.
            ("SyntaxError: Unexpected end of JSON input\n    at JSON.parse (<anonymous>)", None),
            // A file of the person's, perhaps.
            ("open(path)\nFileNotFoundError: [Errno 2] No such file or directory: 'config.json'", None),
            ("Error: API_KEY is not set", None),
            // Grants.
            ("getaddrinfo EAI_AGAIN example.com\nCannot find module 'x'", None),
            ("Cannot find module '../build/Release/better_sqlite3.node'", None),
        ] {
            assert_eq!(BrokenPart::find(&server, said), part, "{said}");
        }
    }

    #[test]
    fn who_brings_a_module_depends_on_whose_the_server_is() {
        let root = tempfile::tempdir().unwrap();
        let mut server = server(root.path(), "pypi");
        assert!(BrokenPart::Module("yaml").hint(&server).contains("ask its publisher"));
        server.program.package = None;
        assert!(BrokenPart::Module("yaml").hint(&server).contains("pyproject.toml"));
        server.program.file = Some("server.py".to_owned());
        assert!(BrokenPart::Module("yaml").hint(&server).contains("requirements.txt"));
        assert!(BrokenPart::Library("libgomp.so.1").hint(&server).contains("PYTHON_IMAGE"));
    }
}
