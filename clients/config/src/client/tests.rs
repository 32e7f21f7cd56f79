//! The data files, and what they make of a command line.

mod caveats;
mod homes;
mod http;
mod table;

use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

fn known(id: &str) -> Client {
    pick(&root(), &[id.to_owned()]).unwrap().remove(0)
}

fn launch() -> StdioCommand {
    StdioCommand {
        command: "docker".into(),
        args: vec!["exec".into(), "-i".into()],
        ..StdioCommand::default()
    }
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
    let host_env = HostEnv::new(System::Linux, Path::new("/home/ana"), &[]);
    for client in load(&root()).unwrap() {
        let env = vec![("A".to_owned(), "b".to_owned())];
        for launch in [launch(), StdioCommand { env, ..launch() }] {
            let entry = Value::Object(client.stdio_entry("x", &launch));
            assert_eq!(client.parse_stdio(&entry).unwrap(), launch, "{}", client.id);
        }
        let windows = HostEnv::new(System::Windows, Path::new("/home/ana"), &[]);
        assert!(client.has_scope(&windows, Scope::User), "{}", client.id);
        // Visual Studio runs on Windows only.
        assert_eq!(client.has_scope(&host_env, Scope::User), client.id != "visual-studio", "{}", client.id);
        client.check_name(&client.entry_name("weather")).unwrap();
    }
}

#[test]
fn a_typing_error_is_near_and_another_word_is_not() {
    let known = ["claude-code", "cursor", "vscode", "weather"];
    let meant = |name| suggest(name, known);
    assert_eq!(
        (meant("cursr"), meant("Cursor"), meant("vs-code")),
        (Some("cursor"), Some("cursor"), Some("vscode"))
    );
    assert_eq!((meant("wheather"), meant("claudecode")), (Some("weather"), Some("claude-code")));
    assert_eq!((meant("notepad"), meant("nobody"), meant("")), (None, None, None));
    let err = pick(&root(), &["cursr".to_owned()]).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::UnknownClient);
    assert!(err.hint().unwrap().starts_with("did you mean `cursor`?"), "{err:?}");
}

#[test]
fn an_entry_has_the_clients_shape() {
    let cursor = Value::Object(known("cursor").stdio_entry("x", &launch()));
    assert_eq!(cursor.to_string(), r#"{"command":"docker","args":["exec","-i"]}"#);
    let client = parse("opencode", OPENCODE).unwrap();
    let entry = Value::Object(client.stdio_entry("x", &launch()));
    assert_eq!(entry.to_string(), r#"{"type":"local","command":["docker","exec","-i"],"enabled":true}"#);
    assert_eq!(client.parse_stdio(&entry).unwrap(), launch());
}

#[test]
fn paths_depend_on_system_and_environment() {
    let client = parse("opencode", OPENCODE).unwrap();
    let file = |system, variables: &[(&str, &str)]| {
        let host_env = HostEnv::new(system, Path::new("/home/ana"), variables);
        client.file(&host_env, Path::new("/p"), Scope::User).unwrap()
    };
    assert_eq!(file(System::Linux, &[]), Path::new("/home/ana/.config/opencode/opencode.json"));
    let xdg = [("XDG_CONFIG_HOME", "/x")];
    assert_eq!(file(System::Linux, &xdg), Path::new("/x/opencode/opencode.json"));
    assert_eq!(file(System::Macos, &[]), Path::new("/home/ana/Library/Application Support/x/y.json"));
    assert_eq!(file(System::Windows, &[("APPDATA", "/a")]), Path::new("/a/x/y.json"));
    assert_eq!(file(System::Linux, &[("OPENCODE_HOME", "/o")]), Path::new("/o/z.json"));
    let host_env = HostEnv::new(System::Linux, Path::new("/home/ana"), &[]);
    assert!(client.file(&host_env, Path::new("/p"), Scope::Project).is_err());
}

#[test]
fn of_several_files_the_one_with_entries_is_taken() {
    let home = tempfile::tempdir().unwrap();
    let host_env = HostEnv::new(System::Linux, home.path(), &[]);
    let client = parse("opencode", OPENCODE).unwrap();
    let folder = home.path().join(".config/opencode");
    fs::create_dir_all(&folder).unwrap();
    let chosen = || client.file(&host_env, home.path(), Scope::User).unwrap().file_name().unwrap().to_owned();
    assert!(client.is_here(&host_env) == folder.join("opencode.json").exists());
    fs::write(folder.join("opencode.jsonc"), "{} // none yet").unwrap();
    assert_eq!(chosen(), "opencode.jsonc");
    assert!(client.is_here(&host_env));
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
    let host_env = HostEnv::new(System::Linux, home.path(), &[("TOKEN", "t"), ("EMPTY", "")]);
    let write = |file: &str, entry: Value| {
        fs::write(project.join(file), json!({"mcpServers": {"x": entry}}).to_string()).unwrap();
    };
    write(
        ".cursor/mcp.json",
        json!({"command": "${workspaceFolder}/run", "args": ["${env:TOKEN}", "${env:NONE}", "${TOKEN}"],
               "env": {"HERE": "${userHome}:${workspaceFolderBasename}"}}),
    );
    let cursor = known("cursor").stdio_command(&host_env, &project, Scope::Project, "x").unwrap();
    let here = project.display().to_string();
    assert_eq!(cursor.command, format!("{here}/run"));
    assert_eq!(cursor.args, ["t", "${env:NONE}", "${TOKEN}"]);
    assert_eq!(cursor.env, [("HERE".to_owned(), format!("{}:proj", home.path().display()))]);
    assert_eq!(cursor.cwd, Some(here));

    write(
        ".mcp.json",
        json!({"command": "x", "args": ["${TOKEN}", "${EMPTY:-d}", "${A:-}", "${NONE}", "$TOKEN", "${"]}),
    );
    let claude = known("claude-code").stdio_command(&host_env, &project, Scope::Project, "x").unwrap();
    assert_eq!(claude.args, ["t", "d", "", "${NONE}", "$TOKEN", "${"]);

    for (entry, complaint) in [
        (json!({"url": "http://x"}), "it starts no command"),
        (json!({"command": "x", "env": {"PORT": 1}}), "`PORT` must be a string, and is 1"),
        (json!({"command": "x", "args": "y"}), "`args` must be a list"),
        (json!("x"), "it is not an object"),
    ] {
        write(".mcp.json", entry);
        let err = known("claude-code").stdio_command(&host_env, &project, Scope::Project, "x").unwrap_err();
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

/// A data file comes with a repository: it must not lead anywhere else than it says.
#[test]
fn a_path_of_a_data_file_is_absolute_and_one_of_a_project_stays_in_it() {
    let with = |line: &str| {
        let key: String = line.chars().take_while(|it| *it != ' ').collect();
        let family = key.split('.').take(2).collect::<Vec<_>>().join(".");
        let others = OPENCODE.lines().filter(|it| !it.starts_with(&family)).collect::<Vec<_>>().join("\n");
        let others = others.replacen("{ user = ", "{ project = \"x\", user = ", 1);
        parse("x", &others.replacen("path.linux", &format!("{line}\npath.linux"), 1))
    };
    for fine in [
        "path.project = [\".x/y.json\"]",
        "path.macos = [\"/Library/x.json\", \"{home}/x\"]",
        "path.windows = [\"C:/x.json\"]",
        "path.overrides.X = \"\"",
        "path.overrides.X = \"a/b.json\"",
        "found.paths = [\"/Applications/X.app\"]",
    ] {
        with(fine).unwrap_or_else(|err| panic!("{fine}: {err:#}"));
    }
    for wrong in [
        "path.macos = [\"x.json\"]",
        "path.macos = [\"\"]",
        "path.macos = [\"{home}/../x.json\"]",
        "path.macos = [\"{home}x.json\"]",
        "path.macos = [\"/a/{home}/x.json\"]",
        "path.windows = [\"{appdata}\\\\..\\\\x.json\"]",
        "path.project = [\"../x.json\"]",
        "path.project = [\"a/../../x.json\"]",
        "path.project = [\"/etc/x.json\"]",
        "path.project = [\"C:/x.json\"]",
        "path.project = [\"\\\\\\\\host\\\\x.json\"]",
        "path.project = [\"\"]",
        "path.project = [\"{home}/x.json\"]",
        "path.overrides.X = \"../x.json\"",
        "path.overrides.X = \"/x.json\"",
        "found.paths = [\"x\"]",
        "found.paths = [\"{home}/..\"]",
        "found.commands = [\"../x\"]",
        "found.commands = [\"\"]",
    ] {
        let err = with(wrong).expect_err(wrong);
        assert_eq!(err.kind(), crate::ErrorKind::InvalidDefinition, "{wrong}: {err:#}");
        assert!(!err.to_string().contains("TOML"), "{wrong}: {err:#}");
    }
}
