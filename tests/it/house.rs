//! The house: which crate may import which, and what only one system has.
//!
//! `cargo metadata` -> the directions of ARCHITECTURE.md; sources -> names that macOS lacks. Invariant: a crate that is neither
//! named here nor a server is an error, so that nobody adds one without saying where it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use drydock_tests::process::{command, run};
use drydock_tests::test_env::workspace_root;
use serde_json::Value;

/// Each crate with the crates of ours that it may import, tests and examples left out.
const MAY_IMPORT: [(&str, &[&str]); 15] = [
    ("drydock-contract", &[]),
    ("drydock-catalog", &["drydock-contract"]),
    ("drydock-runtime", &["drydock-contract"]),
    ("drydock-kit", &["drydock-kit-macros", "drydock-runtime", "drydock-contract"]),
    ("drydock-kit-macros", &[]),
    ("drydock-bridge", &["drydock-runtime", "drydock-contract"]),
    ("drydock-proxy", &["drydock-runtime"]),
    ("weather", &["drydock-kit"]),
    ("drydock-engine", &["drydock-catalog", "drydock-contract"]),
    ("drydock-edit", &[]),
    ("drydock-config", &["drydock-edit"]),
    ("drydock-connect", &["drydock-contract"]),
    ("xtask", &["drydock-engine", "drydock-catalog", "drydock-contract", "drydock-config", "drydock-edit"]),
    // Tests stand on top of everything, and nothing on them.
    ("drydock-tests", &[]),
    ("drydock-edit-fuzz", &["drydock-edit"]),
];

/// What must not be in a crate's whole tree.
const MUST_NOT_PULL_IN: [(&str, &[&str]); 5] = [
    ("xtask", &["rmcp", "tokio", "reqwest", "hyper", "axum", "ureq", "drydock-runtime", "drydock-kit"]),
    ("drydock-runtime", &["rmcp", "tokio"]),
    ("drydock-bridge", &["rmcp", "tokio"]),
    ("drydock-proxy", &["rmcp", "tokio"]),
    ("drydock-contract", &["rmcp", "tokio", "rustix", "anyhow"]),
];

/// What a server of somebody's own may import: as ours.
const SERVER_MAY_IMPORT: &[&str] = &["drydock-kit"];

/// Each crate with the crates of ours that it imports, and whether it is a server.
fn members() -> BTreeMap<String, (BTreeSet<String>, bool)> {
    let args = "metadata --no-deps --format-version 1 --locked --offline";
    let said = run(command("cargo").current_dir(workspace_root()).args(args.split(' '))).ok().stdout;
    let metadata: Value = serde_json::from_str(&said).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |it: &Value| it.as_str().expect("a string").to_owned();
    let ours: BTreeSet<_> = packages.iter().map(|it| text(&it["name"])).collect();
    let imports = |package: &Value| {
        let all = package["dependencies"].as_array().expect("dependencies").iter();
        all.filter(|it| it["kind"].is_null())
            .map(|it| text(&it["name"]))
            .filter(|it| ours.contains(it))
            .collect()
    };
    let is_server =
        |it: &Value| Path::new(&text(&it["manifest_path"])).with_file_name("server.json").is_file();
    packages.iter().map(|it| (text(&it["name"]), (imports(it), is_server(it)))).collect()
}

#[test]
fn crates_import_downwards_only() {
    let may: BTreeMap<_, _> = MAY_IMPORT.into_iter().collect();
    let mut wrong = Vec::new();
    for (name, (imports, is_server)) in members() {
        let of_a_server = is_server.then_some(&SERVER_MAY_IMPORT);
        match may.get(name.as_str()).or(of_a_server) {
            None => wrong.push(format!("{name} stands nowhere: say in tests/it/house.rs what it may import")),
            Some(may) => wrong.extend(
                imports
                    .iter()
                    .filter(|it| !may.contains(&it.as_str()))
                    .map(|it| format!("{name} imports {it}")),
            ),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_crate_pulls_in_what_it_must_do_without() {
    for (package, heavy) in MUST_NOT_PULL_IN {
        let args =
            format!("tree --package {package} --edges normal,build --prefix none --format {{p}} --locked");
        let tree = run(command("cargo").current_dir(workspace_root()).args(args.split(' '))).ok().stdout;
        let names: BTreeSet<_> = tree.lines().filter_map(|it| it.split(' ').next()).collect();
        assert!(names.contains(package), "that is not the tree of {package}: {names:?}");
        for it in heavy {
            assert!(!names.contains(it), "{package} pulls in {it}");
        }
    }
}

/// What rustix and std do not have for macOS.
const LINUX_ONLY: [&str; 22] = [
    "RDHUP",
    "NOSIGNAL",
    "CMSG_CLOEXEC",
    "SocketFlags",
    "accept_with",
    "socket_with",
    "pipe_with",
    "mknodat",
    "mkfifoat",
    "dup3",
    "pidfd",
    "subreaper",
    "prctl",
    "memfd_create",
    "eventfd",
    "epoll",
    "inotify",
    "statx",
    "sendfile",
    "O_TMPFILE",
    "OFlags::PATH",
    "os::linux",
];

/// Crates that run where people develop: all but the bridge, which runs in containers only, and says so.
const PORTABLE: [&str; 9] = [
    "servers/contract",
    "servers/catalog",
    "servers/runtime",
    "servers/kit",
    "servers/proxy",
    "servers/weather",
    "docker/engine",
    "clients",
    "xtask",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && !["target", "fuzz"].iter().any(|it| *it == name) {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

/// The lines that every system compiles: without comments, and without what follows `cfg(target_os = "linux")`, up to its
/// end, which stands as far to the right as its beginning.
fn portable_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut of_linux: Option<usize> = None;
    text.lines().enumerate().filter_map(move |(number, line)| {
        let code = line.split("//").next().unwrap_or_default();
        let indent = code.len() - code.trim_start().len();
        if code.contains("[cfg(target_os = \"linux\")]") {
            of_linux = Some(indent);
            return None;
        }
        let Some(start) = of_linux else { return Some((number + 1, code)) };
        if indent == start && code.trim_end().ends_with(['}', ';', ',']) {
            of_linux = None;
        }
        None
    })
}

#[test]
fn what_only_linux_has_stands_behind_a_cfg() {
    let mut wrong = Vec::new();
    let mut files = Vec::new();
    for folder in PORTABLE {
        sources(&workspace_root().join(folder), &mut files);
    }
    assert!(files.len() > 100, "only {} sources", files.len());
    for file in files {
        let text = fs::read_to_string(&file).expect("a source");
        for (number, line) in portable_lines(&text) {
            for it in LINUX_ONLY.iter().filter(|it| line.contains(**it)) {
                wrong.push(format!("{}:{number}: {it}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "not on macOS:\n{}", wrong.join("\n"));
}

#[test]
fn the_lines_of_one_system_are_told_from_the_others() {
    let text = "a\n#[cfg(target_os = \"linux\")]\nfn b() {\n    c();\n}\nd // e\n    #[cfg(target_os = \"linux\")]\n    \
                const F: u8 = 1;\n    g\n";
    let lines: Vec<_> = portable_lines(text).map(|(number, line)| (number, line.trim())).collect();
    assert_eq!(lines, [(1, "a"), (6, "d"), (9, "g")]);
}
