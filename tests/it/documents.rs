//! What the documents say leads somewhere: lengths, links, and the commands that they name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use drydock_tests::test_env::{TestEnv, workspace_root};

/// Each Markdown file below the root, with its text.
fn documents() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(&workspace_root(), &mut found);
    assert!(found.iter().any(|it| it.0.ends_with("docs/clients.md")), "{found:?}");
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let kind = entry.file_type().expect("a kind of file");
        if kind.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            collect(&path, found);
        } else if kind.is_file() && name.ends_with(".md") {
            let text = fs::read_to_string(&path).expect("a document in UTF-8");
            found.push((path, text));
        }
    }
}

#[test]
fn the_readme_is_short() {
    let text = fs::read_to_string(workspace_root().join("README.md")).expect("README.md");
    let lines = text.lines().count();
    assert!(lines <= 250, "README.md has {lines} lines: 250 are allowed");
    for (number, line) in (1..).zip(text.lines()) {
        let length = line.chars().count();
        assert!(length <= 120, "README.md:{number} has {length} characters: 120 are allowed");
    }
}

#[test]
fn relative_links_lead_to_files_and_their_headings() {
    let mut broken = Vec::new();
    for (path, text) in documents() {
        for target in links(&text).filter(|it| !it.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { path.with_file_name(file) };
            let there = fs::read_to_string(&file).is_ok_and(|it| heading.is_empty() || has(&it, heading));
            if !there {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// What stands in the parentheses of `[text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|it| it.split_once(')')).map(|it| it.0)
}

/// Whether a document has a heading with this anchor, as GitHub makes it.
fn has(text: &str, anchor: &str) -> bool {
    let headings = text.lines().filter(|it| it.starts_with('#'));
    headings.map(|it| it.trim_start_matches('#').trim()).any(|it| {
        let kept = it.to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
        kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>() == anchor
    })
}

#[test]
fn every_command_of_xtask_exists() {
    let help = TestEnv::without_engine("documents").ok(&["--help"]).stdout;
    let commands = help.split("Commands:").nth(1).and_then(|it| it.split("Options:").next());
    let commands: BTreeSet<_> =
        commands.expect("a list of commands").lines().filter_map(|it| it.split_whitespace().next()).collect();
    assert!(commands.contains("quickstart"), "{help}");
    let mut unknown = Vec::new();
    for (path, text) in documents() {
        let named = words_after(&text, "cargo xtask ");
        unknown.extend(named.filter(|it| !commands.contains(it.as_str())).map(|it| (path.clone(), it)));
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn every_benchmark_and_package_exists() {
    let root = workspace_root();
    let workspace = fs::read_to_string(root.join("Cargo.toml")).expect("the workspace's Cargo.toml");
    let mut unknown = Vec::new();
    for (path, text) in documents() {
        for program in words_after(&text, "-p drydock-tests --bin ") {
            let place = root.join("tests/src/bin").join(&program);
            if !place.with_extension("rs").is_file() && !place.join("main.rs").is_file() {
                unknown.push((path.clone(), program));
            }
        }
        let packages = words_after(&text, "-p drydock-").filter(|it| it != "tests");
        let packages = packages.filter(|it| !workspace.contains(&format!("\ndrydock-{it} = ")));
        unknown.extend(packages.map(|it| (path.clone(), it)));
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

/// The words behind each occurrence, if they begin with a small letter; a line break counts as a blank.
fn words_after(text: &str, before: &str) -> impl Iterator<Item = String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let before = before.to_owned();
    let pieces: Vec<String> = text.split(&before).skip(1).map(str::to_owned).collect();
    pieces.into_iter().filter_map(|it| {
        let word: String = it.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
        (!word.is_empty() && !word.starts_with('-')).then_some(word)
    })
}
