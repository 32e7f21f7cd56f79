//! The data files, and what they make of a command line.

mod homes;
mod remote;
mod table;

use std::path::PathBuf;

use serde_json::{Value, json};

use super::place::System;
use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

fn known(id: &str) -> Client {
    pick(&root(), &[id.to_owned()]).unwrap().remove(0)
}

fn launch() -> Launch {
    Launch { command: "docker".into(), args: vec!["exec".into(), "-i".into()], ..Launch::default() }
}

const OPENCODE: &str = r#"
name = "opencode"
docs = "https://example.org"
evidence = ["run"]
format = "jsonc"
servers-at = ["mcp"]
layout = "map"
started-from = "shell"
path.linux = ["{config}/opencode/opencode.json", "{config}/opencode/opencode.jsonc"]
path.macos = ["{home}/Library/Application Support/x/y.json"]
path.windows = ["{appdata}/x/y.json"]
path.overrides = { OPENCODE_HOME = "z.json" }
names = { letters-digits-and = "_-", max-length = 12, reserved = ["workspace"] }
after-change = { user = "restart it" }
[entry.stdio]
type = "local"
command = ["{command}", "{args}"]
environment = "{env}"
enabled = true
"#;

#[test]
fn after_a_removal_nobody_is_told_to_look_for_the_server() {
    let after = |id: &str| known(id).after_removal(Scope::User);
    assert_eq!(after("kiro"), "nothing: Kiro connects again when the file changes");
    let restart = "restart VS Code, or start a new session: one that runs keeps the server";
    assert_eq!(after("vscode"), restart);
    assert_eq!(after("warp"), restart.replace("VS Code", "Warp"));
    for client in load(&root()).unwrap() {
        let text = client.after_removal(Scope::User);
        assert!(!text.contains("lists") && !text.contains("start the server"), "{}: {text}", client.id);
    }
}

#[test]
fn every_data_file_is_right_and_reads_back_what_it_writes() {
    let machine = Machine::new(System::Linux, Path::new("/home/ana"), &[]);
    for client in load(&root()).unwrap() {
        let env = vec![("A".to_owned(), "b".to_owned())];
        for launch in [launch(), Launch { env, ..launch() }] {
            let entry = Value::Object(client.entry("x", &launch));
            assert_eq!(client.read(&entry).unwrap(), launch, "{}", client.id);
        }
        let windows = Machine::new(System::Windows, Path::new("/home/ana"), &[]);
        assert!(client.has_scope(&windows, Scope::User), "{}", client.id);
        // Visual Studio runs on Windows only.
        assert_eq!(client.has_scope(&machine, Scope::User), client.id != "visual-studio", "{}", client.id);
        client.check_name(&client.entry_name("weather")).unwrap();
    }
}

#[test]
fn an_entry_has_the_clients_shape() {
    let cursor = Value::Object(known("cursor").entry("x", &launch()));
    assert_eq!(cursor.to_string(), r#"{"command":"docker","args":["exec","-i"]}"#);
    let client = parse("opencode", OPENCODE).unwrap();
    let entry = Value::Object(client.entry("x", &launch()));
    assert_eq!(entry.to_string(), r#"{"type":"local","command":["docker","exec","-i"],"enabled":true}"#);
    assert_eq!(client.read(&entry).unwrap(), launch());
}

#[test]
fn paths_depend_on_system_and_environment() {
    let client = parse("opencode", OPENCODE).unwrap();
    let file = |system, variables: &[(&str, &str)]| {
        let machine = Machine::new(system, Path::new("/home/ana"), variables);
        client.file(&machine, Path::new("/p"), Scope::User).unwrap()
    };
    assert_eq!(file(System::Linux, &[]), Path::new("/home/ana/.config/opencode/opencode.json"));
    let xdg = [("XDG_CONFIG_HOME", "/x")];
    assert_eq!(file(System::Linux, &xdg), Path::new("/x/opencode/opencode.json"));
    assert_eq!(file(System::Macos, &[]), Path::new("/home/ana/Library/Application Support/x/y.json"));
    assert_eq!(file(System::Windows, &[("APPDATA", "/a")]), Path::new("/a/x/y.json"));
    assert_eq!(file(System::Linux, &[("OPENCODE_HOME", "/o")]), Path::new("/o/z.json"));
    let machine = Machine::new(System::Linux, Path::new("/home/ana"), &[]);
    assert!(client.file(&machine, Path::new("/p"), Scope::Project).is_err());
}

#[test]
fn of_several_files_the_one_with_entries_is_taken() {
    let home = tempfile::tempdir().unwrap();
    let machine = Machine::new(System::Linux, home.path(), &[]);
    let client = parse("opencode", OPENCODE).unwrap();
    let folder = home.path().join(".config/opencode");
    fs::create_dir_all(&folder).unwrap();
    let chosen = || client.file(&machine, home.path(), Scope::User).unwrap().file_name().unwrap().to_owned();
    assert!(client.is_here(&machine) == folder.join("opencode.json").exists());
    fs::write(folder.join("opencode.jsonc"), "{} // none yet").unwrap();
    assert_eq!(chosen(), "opencode.jsonc");
    assert!(client.is_here(&machine));
    fs::write(folder.join("opencode.json"), "{}").unwrap();
    assert_eq!(chosen(), "opencode.json");
    fs::write(folder.join("opencode.jsonc"), r#"{"mcp": {"a": {}}}"#).unwrap();
    assert_eq!(chosen(), "opencode.jsonc");
}

#[test]
fn names_follow_the_clients_rule() {
    let strict = parse("opencode", OPENCODE).unwrap();
    assert_eq!(strict.entry_name("Context7 MCP (Docker exec)"), "Context7-MCP");
    for bad in ["", "a b", "waytoolongname", "workspace", "a\n"] {
        assert!(strict.check_name(bad).is_err(), "{bad:?}");
    }
    let claude = known("claude-code");
    claude.check_name("Context7 MCP (Docker exec)").unwrap();
    assert!(claude.check_name("workspace").is_err());
    assert_eq!(claude.entry_name("workspace"), "workspace-mcp");
}

#[test]
fn an_entry_is_read_as_the_client_would_start_it() {
    let home = tempfile::tempdir().unwrap();
    let project = home.path().join("proj");
    fs::create_dir_all(project.join(".cursor")).unwrap();
    let machine = Machine::new(System::Linux, home.path(), &[("TOKEN", "t"), ("EMPTY", "")]);
    let write = |file: &str, entry: Value| {
        fs::write(project.join(file), json!({"mcpServers": {"x": entry}}).to_string()).unwrap();
    };
    write(
        ".cursor/mcp.json",
        json!({"command": "${workspaceFolder}/run", "args": ["${env:TOKEN}", "${env:NONE}", "${TOKEN}"],
               "env": {"HERE": "${userHome}:${workspaceFolderBasename}"}}),
    );
    let cursor = known("cursor").read_entry(&machine, &project, Scope::Project, "x").unwrap();
    let here = project.display().to_string();
    assert_eq!(cursor.command, format!("{here}/run"));
    assert_eq!(cursor.args, ["t", "${env:NONE}", "${TOKEN}"]);
    assert_eq!(cursor.env, [("HERE".to_owned(), format!("{}:proj", home.path().display()))]);
    assert_eq!(cursor.cwd, Some(here));

    write(
        ".mcp.json",
        json!({"command": "x", "args": ["${TOKEN}", "${EMPTY:-d}", "${A:-}", "${NONE}", "$TOKEN", "${"]}),
    );
    let claude = known("claude-code").read_entry(&machine, &project, Scope::Project, "x").unwrap();
    assert_eq!(claude.args, ["t", "d", "", "${NONE}", "$TOKEN", "${"]);

    for (entry, complaint) in [
        (json!({"url": "http://x"}), "it starts no command"),
        (json!({"command": "x", "env": {"PORT": 1}}), "`PORT` must be a text, and is 1"),
        (json!({"command": "x", "args": "y"}), "`args` must be a list"),
        (json!("x"), "it is not an object"),
    ] {
        write(".mcp.json", entry);
        let err = known("claude-code").read_entry(&machine, &project, Scope::Project, "x").unwrap_err();
        assert!(format!("{err:#}").contains(complaint), "{err:#}");
    }
}

#[test]
fn what_a_data_file_says_wrongly_is_refused() {
    for (right, wrong, complaint) in [
        ("layout = ", "layuot = ", "unknown field `layuot`"),
        ("\"{args}\"", "\"{arg}\"", "\"{arg}\" is no placeholder"),
        ("{config}/opencode", "{cfg}/opencode", "the placeholders of a path are"),
        ("[\"mcp\"]", "[]", "`servers-at` is empty"),
        ("[\"{command}\", \"{args}\"]", "[\"{args}\"]", "no \"{command}\""),
        ("path.linux", "path.project = [\".x\"]\npath.linux", "`after-change.project` is missing"),
    ] {
        assert!(OPENCODE.contains(right));
        let err = format!("{:#}", parse("x", &OPENCODE.replacen(right, wrong, 1)).unwrap_err());
        assert!(err.contains(complaint), "{err}");
    }
}
