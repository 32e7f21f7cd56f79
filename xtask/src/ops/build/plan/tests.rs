use std::path::PathBuf;

use drydock_catalog::{Pinned, Program, Sandbox};
use drydock_engine::archive::Rules;

use super::*;

fn server(kind: Kind, program: Program) -> Server {
    Server {
        name: "it".into(),
        dir: PathBuf::from("/clone/servers/it"),
        kind,
        is_runtime: false,
        id: "io.github.ana/it".into(),
        title: "It".into(),
        description: "It".into(),
        version: "1.0.0".into(),
        source: None,
        variables: Vec::new(),
        program,
        sandbox: Sandbox::strict(),
        sessions: 1,
        warm: 1,
        install_scripts: false,
        args: Vec::new(),
        env: Vec::new(),
        requests: Vec::new(),
        notes: Vec::new(),
    }
}

fn package(kind: Kind) -> Server {
    let package = Some(Pinned { name: "it".into(), version: "1.0.0".into() });
    server(kind, Program { package, args: vec!["--a".into()], ..Program::default() })
}

/// What came out: these files, by way of a real archive.
fn contents(files: &[&str]) -> Contents {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    let mut tar = Vec::new();
    archive::pack(folder.path(), "", archive::ROOT, &mut tar).unwrap();
    let rules = Rules {
        strip: "",
        places: &["app"],
        below: "",
        owner: archive::ROOT,
        max_bytes: 1 << 20,
        max_entries: 100,
    };
    archive::filter(tar.as_slice(), std::io::sink(), &rules).unwrap()
}

fn read(server: &Server, text: &str) -> Result<Plan, String> {
    let (own, deps) = (contents(&["app/dist/own.js"]), contents(&["app/node_modules/it/main.js"]));
    Plan::read(text.as_bytes(), server, &own, &deps).map_err(|err| format!("{err:#}"))
}

fn bridge(server: &Server, text: &str) -> Value {
    serde_json::from_slice(&read(server, text).unwrap().bridge_config(server)).unwrap()
}

#[test]
fn a_node_server_starts_with_a_file_that_came_out() {
    let it = bridge(&package(Kind::Node), r#"{"certificates": true, "start": "node_modules/it/main.js"}"#);
    let expected = json!({
        "command": NODE, "args": ["/app/node_modules/it/main.js", "--a"], "cwd": "/home/mcp",
        "env": { "NODE_EXTRA_CA_CERTS": CERTIFICATES },
    });
    assert_eq!(it, expected);
    let own = server(Kind::Node, Program { runtime: vec!["--x".into()], ..Program::default() });
    let it = bridge(&own, r#"{"certificates": false, "start": "dist/own.js"}"#);
    let expected = json!({ "command": NODE, "args": ["--x", "/app/dist/own.js"], "cwd": "/app", "env": {} });
    assert_eq!(it, expected);
}

#[test]
fn what_leads_elsewhere_starts_nothing() {
    for start in [
        "../../bin/sh",
        "/bin/sh",
        "node_modules/it/../../../bin/sh",
        "./dist/own.js",
        "dist//own.js",
        "dist",
        "gone.js",
        "",
        "dist/own.js\n",
    ] {
        let text = json!({ "certificates": false, "start": start }).to_string();
        let said = read(&package(Kind::Node), &text).expect_err(start);
        assert!(said.contains("no regular file among what was packed"), "{start:?}: {said}");
    }
    for text in [
        "",
        "[]",
        "{}",
        r#"{"certificates": true}"#,
        r#"{"certificates": true, "start": "dist/own.js", "command": "/bin/sh"}"#,
    ] {
        read(&package(Kind::Node), text).expect_err(text);
    }
}

#[test]
fn a_python_server_starts_with_a_function_by_its_name() {
    let call = r#"{"certificates": true, "module": "it.cli", "attribute": "App.main", "name": "it-server"}"#;
    let it = bridge(&package(Kind::Python), call);
    let line = "import sys; from it.cli import App; sys.argv[0] = 'it-server'; sys.exit(App.main())";
    let expected = json!({
        "command": PYTHON, "args": ["-c", line, "--a"], "cwd": "/home/mcp",
        "env": { "PYTHONPATH": "/app/lib", "SSL_CERT_FILE": CERTIFICATES },
    });
    assert_eq!(it, expected);
    let project = server(Kind::Python, Program::default());
    let it = bridge(&project, r#"{"certificates": false, "module": "it"}"#);
    assert_eq!(
        (&it["args"], &it["env"]),
        (&json!(["-m", "it"]), &json!({ "PYTHONPATH": "/app/own:/app/lib" }))
    );
    let said = Program { runtime: vec!["-m".into(), "it.server".into()], ..Program::default() };
    let it = bridge(&server(Kind::Python, said), r#"{"certificates": false, "module": "it"}"#);
    assert_eq!(it["args"], json!(["-m", "it.server"]));
    let file = Program { file: Some("server.py".into()), ..Program::default() };
    let it = bridge(&server(Kind::Python, file), r#"{"certificates": false}"#);
    assert_eq!(
        (&it["args"], &it["env"]["PYTHONPATH"]),
        (&json!(["/app/source/server.py"]), &json!("/app/lib"))
    );
}

#[test]
fn what_is_no_name_reaches_no_line_of_python() {
    for (module, attribute, name) in [
        ("it; import os", "main", "it"),
        ("it", "main()", "it"),
        ("it", "main", "it'; import os; '"),
        ("it", "main", ""),
        ("it.", "main", "it"),
        ("", "main", "it"),
        ("it", "1main", "it"),
        ("it\n", "main", "it"),
    ] {
        let text = json!({ "certificates": false, "module": module, "attribute": attribute, "name": name });
        let said = read(&package(Kind::Python), &text.to_string()).expect_err(module);
        assert!(said.contains("which is no name"), "{said}");
    }
}
