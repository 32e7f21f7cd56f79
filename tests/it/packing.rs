//! What is left out of an image: the packing scripts, run on files of this machine.

use std::fs;
use std::path::Path;

use drydock_tests::process::{command, run};
use drydock_tests::skip;
use drydock_tests::test_env::workspace_root;

/// Whether a program is here, and runs: a shim of pyenv is there and does not.
fn has(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|it| std::env::split_paths(&it).any(|it| it.join(program).is_file()));
    found && run(command(program).arg("--version")).code == Some(0)
}

fn write(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
    fs::write(path, text).expect("a new file");
}

#[test]
fn node_packages_lose_documentation_and_typings_and_no_module() {
    if !has("node") {
        skip!("no node on this machine");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = folder.path();
    let modules = "app/node_modules/it";
    write(app, &format!("{modules}/package.json"), r#"{"name":"it","version":"1.0.0","bin":"dist/main.js"}"#);
    let main = "import './security.js'; import './tests/x.js'; import './kept.d.ts';\n/** @type {import('./types.d.ts').It} */\nreadFileSync('HISTORY.md')";
    write(app, &format!("{modules}/dist/main.js"), main);
    let kept = [
        "dist/history-handlers.js",
        "dist/security.js",
        "dist/security",
        "dist/contributing.py",
        "dist/changes.json",
        "dist/tests/x.js",
        "dist/docs/page.html",
        "dist/kept.d.ts",
        "dist/data.map",
        "HISTORY.md",
        "LICENSE.md",
        "src/main.ts",
    ];
    let pruned = [
        "README.md",
        "README.de.md",
        "SECURITY.md",
        "dist/main.js.map",
        "dist/main.d.ts",
        "dist/types.d.ts",
        "dist/index.d.mts.map",
        "typings/only.d.mts",
    ];
    for file in kept.iter().chain(&pruned) {
        write(app, &format!("{modules}/{file}"), "");
    }
    let script = workspace_root().join("docker/node/app.mjs");
    let (at, launch, image) = (app.join("app"), app.join("launch.json"), app.join("image"));
    fs::write(&launch, r#"{"package":"it","runtime":[],"args":[]}"#).expect("a new file");
    run(command("node").arg(script).arg(&at).arg(&launch).arg(&image)).ok();
    for file in kept {
        assert!(app.join(modules).join(file).is_file(), "{file} is gone");
    }
    for file in pruned {
        assert!(!app.join(modules).join(file).exists(), "{file} is there");
    }
    assert!(!app.join(modules).join("typings").exists(), "an empty folder stayed");
}

#[test]
fn python_packages_lose_typings_and_no_module() {
    if !has("python3") {
        skip!("no python3 on this machine");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lib = folder.path();
    let kept =
        ["it/tests/test_tools.py", "it/conftest.py", "it/fast.c", "it/lazy/__init__.pyi", "it/README.md"];
    for file in kept.iter().chain(&["it/__init__.py", "it/__init__.pyi"]) {
        write(lib, file, "");
    }
    write(lib, "it/lazy/__init__.py", "attach_stub(__name__, __file__)\n");
    let script = workspace_root().join("docker/python/deps.py");
    run(command("python3").arg("-B").arg(script).arg(lib).arg(lib.join("image"))).ok();
    for file in kept {
        assert!(lib.join(file).is_file(), "{file} is gone");
    }
    assert!(!lib.join("it/__init__.pyi").exists());
    assert!(lib.join("it/__pycache__").is_dir(), "it is compiled");
}
