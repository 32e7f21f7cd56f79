//! The house: which crate may import which.
//!
//! `cargo metadata` -> the directions of ARCHITECTURE.md. Invariant: a crate that is not named here is an error, so that
//! nobody adds one without saying where it stands.

use std::collections::{BTreeMap, BTreeSet};

use drydock_tests::process::{command, run};
use drydock_tests::test_env::workspace_root;
use serde_json::Value;

/// Each crate with the crates of ours that it may import, tests and examples left out.
const MAY_IMPORT: [(&str, &[&str]); 13] = [
    ("drydock-contract", &[]),
    ("drydock-catalog", &["drydock-contract"]),
    ("drydock-runtime", &["drydock-contract"]),
    ("drydock-kit", &["drydock-runtime", "drydock-contract"]),
    ("drydock-bridge", &["drydock-runtime", "drydock-contract"]),
    ("weather", &["drydock-kit"]),
    ("drydock-engine", &["drydock-catalog", "drydock-contract"]),
    ("drydock-edit", &[]),
    ("drydock-config", &["drydock-edit"]),
    ("drydock-connect", &[]),
    ("xtask", &["drydock-engine", "drydock-catalog", "drydock-contract", "drydock-config", "drydock-edit"]),
    // Tests stand on top of everything, and nothing on them.
    ("drydock-tests", &[]),
    ("drydock-edit-fuzz", &["drydock-edit"]),
];

/// What must not be in a crate's whole tree.
const MUST_NOT_PULL_IN: [(&str, &[&str]); 4] = [
    ("xtask", &["rmcp", "tokio", "reqwest", "hyper", "axum", "ureq", "drydock-runtime", "drydock-kit"]),
    ("drydock-runtime", &["rmcp", "tokio"]),
    ("drydock-bridge", &["rmcp", "tokio"]),
    ("drydock-contract", &["rmcp", "tokio", "rustix", "anyhow"]),
];

fn members() -> BTreeMap<String, BTreeSet<String>> {
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
    packages.iter().map(|it| (text(&it["name"]), imports(it))).collect()
}

#[test]
fn crates_import_downwards_only() {
    let may: BTreeMap<_, _> = MAY_IMPORT.into_iter().collect();
    let mut wrong = Vec::new();
    for (name, imports) in members() {
        match may.get(name.as_str()) {
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
