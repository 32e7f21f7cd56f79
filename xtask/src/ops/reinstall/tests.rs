//! Every way of writing an entry, and the command that comes out.

use std::path::PathBuf;

use drydock_config::client::{self, Transport};

use super::*;
use crate::workspace::Global;

fn workspace() -> Workspace {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
    let global = Global { engine: None, name_prefix: String::new() };
    Workspace::at(root.clone(), root.join(".drydock"), global)
}

fn written(client: &Client, name: &str, server: Option<&str>, way: &Transport) -> InstalledEntry {
    let entry = match way {
        Transport::Stdio(launch) => client.stdio_entry(name, launch),
        Transport::Http(endpoint) => client.http_entry(Scope::User, name, endpoint).unwrap(),
    };
    InstalledEntry {
        client: client.id.clone(),
        shared_with: Vec::new(),
        scope: Scope::User,
        file: PathBuf::from("/f"),
        at: Vec::new(),
        name: name.to_owned(),
        server: server.map(str::to_owned),
        entry,
        replaced: None,
        previous: Vec::new(),
    }
}

/// The words behind the client, for an entry in the shape of each of these clients.
#[track_caller]
fn becomes(ws: &Workspace, name: &str, server: Option<&str>, way: &Transport, expected: &str) {
    for id in ["cursor", "claude-code", "codex", "opencode", "goose", "continue", "zed"] {
        let client = client::pick(&ws.root, &[id.to_owned()]).unwrap().remove(0);
        let words = entry(ws, &client, &written(&client, name, server, way));
        let words: Vec<_> = words.iter().map(|it| quoted(it)).collect();
        assert_eq!(words.join(" "), expected, "{id}");
    }
}

fn start(command: &str, args: &[&str]) -> Transport {
    Transport::Stdio(StdioCommand {
        command: command.to_owned(),
        args: strings(args),
        ..StdioCommand::default()
    })
}

#[test]
fn an_entry_for_a_server_says_how_it_gets_there() {
    let ws = workspace();
    let exec = start("/usr/bin/docker", &["exec", "-i", "mcp-weather", "/mcp", "stdio"]);
    becomes(&ws, "weather", Some("weather"), &exec, "--server weather");
    becomes(&ws, "sky", Some("weather"), &exec, "--name sky --server weather");
    let run = start("docker", &["run", "-i", "--rm", "drydock/weather:0.1.0", "stdio"]);
    becomes(&ws, "weather", Some("weather"), &run, "--server weather --via run");
    let host = start("/w/target/release/weather", &["stdio"]);
    becomes(&ws, "weather", Some("weather"), &host, "--server weather --via host");
}

#[test]
fn what_the_command_line_was_given_besides_is_given_again() {
    let ws = workspace();
    let exec = start("podman", &["exec", "-i", "t-mcp-weather", "/mcp", "stdio"]);
    let expected = "--server weather --name-prefix t- --engine podman";
    becomes(&ws, "weather", Some("weather"), &exec, expected);
    let global = Global { engine: Some("podman".to_owned()), name_prefix: "t-".to_owned() };
    let given = Workspace::at(ws.root.clone(), ws.state.clone(), global);
    becomes(&given, "weather", Some("weather"), &exec, expected); // else the next command would take docker
    let global = Global { engine: Some("host".to_owned()), name_prefix: "t-".to_owned() };
    let ws = Workspace::at(workspace().root, workspace().state, global);
    let exec = start("docker", &["exec", "-i", "mcp-weather", "/mcp", "stdio"]);
    let expected = "--server weather --via exec --name-prefix \"\" --engine docker";
    becomes(&ws, "weather", Some("weather"), &exec, expected);
}

#[test]
fn a_command_of_ones_own_can_be_pasted() {
    let args = ["exec", "-i", "mcp-node", "sh", "-c", "echo $HOME 'x'"];
    let expected = r#"--name "My MCP" --container mcp-node -- sh -c 'echo $HOME '\''x'\'''"#;
    let ws = workspace();
    for id in ["cursor", "opencode"] {
        let client = client::pick(&ws.root, &[id.to_owned()]).unwrap().remove(0);
        let words = entry(&ws, &client, &written(&client, "My MCP", None, &start("docker", &args)));
        let words: Vec<_> = words.iter().map(|it| quoted(it)).collect();
        assert_eq!(words.join(" "), expected, "{id}");
    }
    becomes(&ws, "mcp-node", None, &start("docker", &args[..4]), "--container mcp-node -- sh");
}

#[test]
fn a_server_over_http_has_its_headers_in_our_form() {
    let headers = vec![("Authorization".to_owned(), "Bearer ${TOKEN}".to_owned())];
    let remote = Transport::Http(HttpEndpoint { url: "https://example.com/mcp".to_owned(), headers });
    let expected = "--name far --url https://example.com/mcp --header 'Authorization: Bearer ${TOKEN}'";
    let ws = workspace();
    for id in ["cursor", "codex", "goose"] {
        let client = client::pick(&ws.root, &[id.to_owned()]).unwrap().remove(0);
        let words = entry(&ws, &client, &written(&client, "far", None, &remote));
        let words: Vec<_> = words.iter().map(|it| quoted(it)).collect();
        assert_eq!(words.join(" "), expected, "{id}");
    }
}

#[test]
fn what_cannot_be_read_back_is_still_named() {
    let ws = workspace();
    let client = client::pick(&ws.root, &["cursor".to_owned()]).unwrap().remove(0);
    let mut broken = written(&client, "weather", Some("weather"), &start("x", &[]));
    broken.entry.clear();
    assert_eq!(entry(&ws, &client, &broken), ["--server", "weather"]);
    broken.server = None;
    assert_eq!(entry(&ws, &client, &broken), ["--name", "weather"]);
}

#[test]
fn another_projects_folder_is_named() {
    let (ws, temp) = (workspace(), tempfile::tempdir().unwrap());
    let ledger = Ledger::load(temp.path()).unwrap();
    let client = client::pick(&ws.root, &["cursor".to_owned()]).unwrap().remove(0);
    let of = |project: &Path| {
        let config_file =
            ClientConfigFile::at(&client, Scope::Project, project.join(".cursor/mcp.json")).unwrap();
        let listed = |state, needs_force| ListedEntry {
            name: "weather".to_owned(),
            state,
            server: None,
            differences: Vec::new(),
            needs_force,
            runs_as_written: !needs_force,
        };
        let by_force = command(&ws, &config_file, &ledger, &listed(EntryState::Modified, true));
        let plain = command(&ws, &config_file, &ledger, &listed(EntryState::Missing, false));
        assert_eq!(by_force.replace(" --force --name", " --name"), plain);
        plain
    };
    let here = "cargo xtask install-client cursor --scope project --name weather";
    assert_eq!(of(&ws.root), here);
    let there = temp.path().join("a b");
    let project = format!("--scope project --project \"{}\"", there.display());
    assert_eq!(of(&there), here.replace("--scope project", &project));
}
