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
    write(app, "app/own.js", "");
    let script = workspace_root().join("docker/node/app.mjs");
    let out = app.join("out");
    run(command("node").arg(script).arg(app.join("app")).arg(&out).arg(r#"{"package":"it"}"#)).ok();
    let packed = out.join("deps").join(modules);
    for file in kept {
        assert!(packed.join(file).is_file(), "{file} is gone");
    }
    for file in pruned {
        assert!(!packed.join(file).exists(), "{file} is there");
    }
    assert!(!packed.join("typings").exists(), "an empty folder stayed");
    assert!(out.join("own/app/own.js").is_file() && !out.join("own/app/node_modules").exists());
    assert_eq!(plan(&out)["start"], "node_modules/it/dist/main.js");
}

/// What a packing script says of how the server starts.
fn plan(out: &Path) -> serde_json::Value {
    let text = fs::read_to_string(out.join("plan.json")).expect("a plan");
    serde_json::from_str(&text).expect("JSON")
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
    let more = [
        "it/__init__.py",
        "it/__init__.pyi",
        ".lock",
        "it-1.0.dist-info/uv_cache.json",
        "it-1.0.dist-info/direct_url.json",
    ];
    for file in kept.iter().chain(&more) {
        write(lib, &format!("lib/{file}"), "");
    }
    write(lib, "lib/it/lazy/__init__.py", "attach_stub(__name__, __file__)\n");
    let script = workspace_root().join("docker/python/deps.py");
    let out = lib.join("out");
    write(lib, "out/plan.json", "{}");
    let packages = lib.join("lib");
    run(command("python3").arg("-B").arg(script).arg(&packages).arg(&out)).ok();
    let packed = out.join("deps/app/lib");
    for file in kept {
        assert!(packed.join(file).is_file(), "{file} is gone");
    }
    for file in
        ["it/__init__.pyi", "it-1.0.dist-info/uv_cache.json", "it-1.0.dist-info/direct_url.json", ".lock"]
    {
        assert!(!packed.join(file).exists(), "{file} is there");
    }
    assert!(packed.join("it/__pycache__").is_dir(), "it is compiled");
    assert!(!packages.exists(), "it was moved");
}

#[test]
fn the_program_of_python_is_found_and_ours_is_compiled() {
    if !has("python3") {
        skip!("no python3 on this machine");
    }
    let script = workspace_root().join("docker/python/app.py");
    let pack = |files: &[(&str, &str)], launch: &str| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        files.iter().for_each(|(file, text)| write(folder.path(), file, text));
        let out = folder.path().join("out");
        run(command("python3").arg("-B").arg(&script).arg(folder.path()).arg(&out).arg(launch)).ok();
        (folder, out)
    };
    let about = "Metadata-Version: 2.1\nName: It.Server\nVersion: 1.0\n";
    let programs = "[console_scripts]\nother = it:other\nit-server = it.cli:App.main\n";
    let installed =
        [("lib/it-1.0.dist-info/METADATA", about), ("lib/it-1.0.dist-info/entry_points.txt", programs)];
    let (_folder, out) = pack(&installed, r#"{"package":"it_server"}"#);
    let found = plan(&out);
    assert_eq!(
        (&found["module"], &found["attribute"], &found["name"]),
        (&"it.cli".into(), &"App.main".into(), &"it-server".into())
    );
    assert!(out.join("own/app").is_dir(), "an archive that is empty is none");
    let (_folder, out) = pack(&installed, r#"{"package":"it_server","script":"other"}"#);
    assert_eq!(plan(&out)["attribute"], "other");

    let project =
        [("own/it/__init__.py", "x = 1"), ("own/it-1.0.dist-info/METADATA", about), ("source/a.py", "")];
    let (_folder, out) = pack(&project, "{}");
    assert_eq!(plan(&out)["module"], "it_server");
    assert!(out.join("own/app/own/it/__pycache__").is_dir() && !out.join("own/app/source").exists());

    let (_folder, out) = pack(&[("source/server.py", "x = 1")], r#"{"file":"server.py"}"#);
    assert!(plan(&out)["module"].is_null() && out.join("own/app/source/__pycache__").is_dir());
}

/// Which libraries a native module needs is read: `ldd` would load it, and what it names for that runs.
#[test]
fn a_native_module_is_not_loaded_for_the_libraries_that_it_needs() {
    for program in ["cc", "node", "python3"] {
        if !has(program) {
            skip!("no {program} on this machine");
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    let ran = root.join("ran");
    let code = "#include <stdio.h>\nunsigned la_version(unsigned it) { fopen(RAN, \"w\"); return it; }\n";
    write(root, "audit.c", code);
    write(root, "it.c", "");
    let compile = |from: &str, to: &str, more: &[String]| {
        let to = root.join(to);
        fs::create_dir_all(to.parent().expect("a folder")).expect("a new folder");
        run(command("cc").args(["-shared", "-fPIC", "-o"]).arg(to).arg(root.join(from)).args(more)).ok();
    };
    let audit = root.join("audit.so");
    compile("audit.c", "audit.so", &[format!("-DRAN=\"{}\"", ran.display())]);
    let needs = ["-Wl,--no-as-needed".to_owned(), "-l:liblzma.so.5".to_owned()];
    let asks = [&needs[..], &[format!("-Wl,--audit={}", audit.display())]].concat();
    compile("it.c", "app/node_modules/it/it.node", &asks);
    compile("it.c", "lib/it.so", &asks);
    fs::write(root.join("lib/cut-off.so"), &fs::read(root.join("lib/it.so")).expect("a library")[..100])
        .expect("half a library");
    let manifest = r#"{"name":"it","version":"1.0.0","bin":"it.js"}"#;
    write(root, "app/node_modules/it/package.json", manifest);
    write(root, "app/node_modules/it/it.js", "");

    run(command("ldd").arg(root.join("lib/it.so"))).ok();
    assert!(ran.exists(), "this module shows nothing");
    fs::remove_file(&ran).expect("it is there");
    let [app, lib, out] = ["app", "lib", "out"].map(|it| root.join(it));
    let docker = workspace_root().join("docker");
    let launch = r#"{"package":"it"}"#;
    run(command("node").arg(docker.join("node/app.mjs")).arg(app).arg(&out).arg(launch)).ok();
    assert_eq!(libraries(&out), ["liblzma.so.5"]);
    fs::remove_dir_all(&out).expect("what was packed");
    run(command("python3").arg("-B").arg(docker.join("python/deps.py")).arg(lib).arg(&out)).ok();
    assert_eq!(libraries(&out), ["liblzma.so.5"]);
    assert!(!ran.exists(), "the module's own code ran");
}

/// Those of this machine that were packed.
fn libraries(out: &Path) -> Vec<String> {
    let found = run(command("find").arg(out).args(["-name", "lib*.so.*", "-printf", "%f\\n"])).ok();
    found.stdout.lines().map(str::to_owned).collect()
}
