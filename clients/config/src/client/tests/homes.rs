//! Every client, in each scope that it has: our entries go into an empty home and into `tests/cases/homes/ID/*`, a
//! file as such a client has it; they are read back, the unmanaged ones are still there, and out again all is as it was.

use super::*;
use crate::entries::{ChangeOptions, ClientConfigFile, DesiredEntry, EntryAction, EntryState};
use crate::ledger::Ledger;
use drydock_edit as edit;

/// Where it costs nothing to have each of some thousand writes synced to the disk.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn rich(client: &Client) -> Vec<u8> {
    let folder = root().join("tests/cases/homes").join(&client.id);
    let mut files = fs::read_dir(&folder).unwrap_or_else(|_| panic!("{} is missing", folder.display()));
    fs::read(files.next().unwrap().unwrap().path()).unwrap()
}

fn started() -> StdioCommand {
    StdioCommand {
        command: "/usr/local/bin/docker".into(),
        args: ["exec", "-i", "mcp-weather", "/mcp", "stdio", "", "ü \"x\" \\"].map(String::from).to_vec(),
        env: vec![("DOCKER_HOST".into(), "unix:///run/user/1000/docker.sock".into())],
        ..StdioCommand::default()
    }
}

fn reached(client: &Client, scope: Scope) -> Option<HttpEndpoint> {
    client.http()?;
    let bearer = ("Authorization".to_owned(), "Bearer ${TOKEN}".to_owned());
    let takes_headers =
        client.http() != Some(HeaderSupport::None) && (client.id != "kilo" || scope == Scope::User);
    let headers = if takes_headers { vec![bearer] } else { Vec::new() };
    Some(HttpEndpoint { url: "http://127.0.0.1:8080/mcp".into(), headers })
}

fn desired(client: &Client, scope: Scope) -> Vec<DesiredEntry> {
    let mut all = vec![DesiredEntry {
        name: "weather".into(),
        server: Some("weather".into()),
        entry: client.stdio_entry("weather", &started()),
    }];
    all.extend(reached(client, scope).map(|it| DesiredEntry {
        name: "remote-weather".into(),
        server: None,
        entry: client.http_entry(scope, "remote-weather", &it).unwrap(),
    }));
    all
}

#[test]
fn in_and_out_again_is_the_original() {
    let mut tried = 0;
    for client in load(&root()).unwrap() {
        for scope in [Scope::User, Scope::Project] {
            for before in [None, Some(rich(&client))] {
                let home = in_memory();
                let host_env = |system| HostEnv::new(system, &home.path().join("home"), &[]);
                let host_envs = [System::Linux, System::Windows].map(host_env);
                if let Some(host_env) = host_envs.iter().find(|it| client.has_scope(it, scope)) {
                    in_and_out(&client, host_env, scope, home.path(), before.as_deref());
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 80, "{tried}");
}

fn in_and_out(client: &Client, host_env: &HostEnv, scope: Scope, temp: &Path, before: Option<&[u8]>) {
    let (project, state) = (temp.join("project"), temp.join("state"));
    client.mark_started(host_env);
    let config_file = ClientConfigFile::of(client, scope, host_env, &project).unwrap();
    if let Some(before) = before {
        fs::create_dir_all(config_file.path.parent().unwrap()).unwrap();
        fs::write(&config_file.path, before).unwrap();
    }
    let label = format!("{} {scope} {:?}", client.id, host_env.system);
    let unmanaged = edit::entries(before.unwrap_or_default(), client.servers_path(scope)).unwrap();
    assert_eq!(before.is_some(), !unmanaged.is_empty(), "{label}: no unmanaged entries to lose");

    let desired = desired(client, scope);
    let installed = config_file.install(&state, &desired, ChangeOptions::default());
    let installed = installed.unwrap_or_else(|err| panic!("{label}: {err:#}"));
    assert!(
        installed.entries.iter().all(|(_, action)| *action == EntryAction::Added),
        "{label}: {installed:?}"
    );
    check(client, host_env, scope, &project, &unmanaged, &label);
    assert!(
        !config_file.install(&state, &desired, ChangeOptions::default()).unwrap().report.changed,
        "{label}: a second time"
    );
    let listed = config_file.list(&Ledger::load(&state).unwrap()).unwrap();
    let ours = listed.iter().filter(|it| it.state == EntryState::Managed).count();
    assert_eq!((ours, listed.len()), (desired.len(), desired.len() + unmanaged.len()), "{label}: {listed:?}");

    let names: Vec<_> = desired.iter().map(|it| it.name.clone()).collect();
    config_file.uninstall(&state, &names, ChangeOptions::default()).unwrap();
    let show = |it: Option<&[u8]>| it.map(|it| String::from_utf8_lossy(it).into_owned());
    let after = fs::read(&config_file.path).ok();
    assert_eq!(show(after.as_deref()), show(before), "{label}");
    assert_eq!(after.as_deref(), before, "{label}");
    if before.is_none() {
        // What its first start has left, and nothing else.
        for started in [".config/kilo/.bash-permission-migrated", ".config/kilo", ".config", ""] {
            let started = host_env.home.join(started);
            let _ = fs::remove_file(&started).or_else(|_| fs::remove_dir(&started));
        }
        for folder in [&host_env.home, &project] {
            assert!(
                !folder.exists() || fs::read_dir(folder).unwrap().next().is_none(),
                "{label}: folders stay"
            );
        }
    }
}

fn check(
    client: &Client,
    host_env: &HostEnv,
    scope: Scope,
    project: &Path,
    unmanaged: &[(String, Value)],
    label: &str,
) {
    let bytes = fs::read(client.file(host_env, project, scope).unwrap()).unwrap();
    let entries = edit::entries(&bytes, client.servers_path(scope)).unwrap();
    let others: Vec<_> = entries.iter().filter(|(name, _)| !name.ends_with("weather")).cloned().collect();
    assert_eq!(others, unmanaged, "{label}");
    let mut launch = client.stdio_command(host_env, project, scope, "weather").unwrap();
    launch.cwd = None;
    assert_eq!(launch, started(), "{label}");
    let remote = entries.iter().find(|(name, _)| name == "remote-weather");
    assert_eq!(remote.map(|(_, entry)| client.parse_http(entry).unwrap()), reached(client, scope), "{label}");
}

#[test]
fn of_several_files_the_one_with_servers_is_written_to() {
    for (id, scope, with_servers, beside) in [
        ("opencode", Scope::User, ".config/opencode/opencode.jsonc", ".config/opencode/opencode.json"),
        ("opencode", Scope::Project, "opencode.jsonc", "opencode.json"),
        ("kilo", Scope::User, ".config/kilo/kilo.json", ".config/kilo/kilo.jsonc"),
        ("kilo", Scope::Project, ".kilo/kilo.jsonc", "kilo.jsonc"),
        ("amp", Scope::Project, ".amp/settings.jsonc", ".amp/settings.json"),
    ] {
        let home = in_memory();
        let host_env = HostEnv::new(System::Linux, home.path(), &[]);
        let client = known(id);
        let beside = home.path().join(beside);
        for (file, text) in [(home.path().join(with_servers), rich(&client)), (beside.clone(), b"{}".into())]
        {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        client.mark_started(&host_env);
        let config_file = ClientConfigFile::of(&client, scope, &host_env, home.path()).unwrap();
        assert_eq!(config_file.path, home.path().join(with_servers), "{id}");
        config_file
            .install(&home.path().join("state"), &desired(&client, scope), ChangeOptions::default())
            .unwrap();
        assert_eq!(fs::read_to_string(beside).unwrap(), "{}", "{id}");
        let found = client.stdio_command(&host_env, home.path(), scope, "weather").unwrap();
        assert_eq!(found.command, started().command);
    }
}

/// It reads the first that is there, whatever stands in that, and none behind it.
#[test]
fn where_a_file_hides_another_that_one_is_written() {
    let home = in_memory();
    let host_env = HostEnv::new(System::Linux, home.path(), &[]);
    let client = known("copilot-cli");
    let chosen = || {
        let file = client.file(&host_env, home.path(), Scope::Project).unwrap();
        file.strip_prefix(home.path()).unwrap().to_owned()
    };
    assert_eq!(chosen(), Path::new(".mcp.json"));
    fs::create_dir(home.path().join(".github")).unwrap();
    fs::write(home.path().join(".github/mcp.json"), rich(&client)).unwrap();
    assert_eq!(chosen(), Path::new(".github/mcp.json"));
    let (first, second) = (home.path().join(".mcp.json"), home.path().join(".github/mcp.json"));
    assert_eq!(client.no_longer_reads(home.path(), &first), Some(second.clone()));
    assert_eq!(client.no_longer_reads(home.path(), &second), None);
    assert_eq!(client.no_longer_reads(home.path(), &home.path().join(".cursor/mcp.json")), None);
    fs::write(&first, "{\"servers\": {}}").unwrap();
    assert_eq!(chosen(), Path::new(".mcp.json"));
    assert_eq!(client.no_longer_reads(home.path(), &second), None);
}

#[test]
fn a_projects_file_is_read_as_its_own_parser_does() {
    let client = known("copilot-cli");
    let reads = |scope, text: &str| edit::entries(text.as_bytes(), client.servers_path(scope)).is_ok();
    for text in ["{} // mine", "{\"mcpServers\": {},}"] {
        assert_eq!((reads(Scope::User, text), reads(Scope::Project, text)), (true, false), "{text}");
    }
    let opencode = known("opencode");
    let commas = [Scope::User, Scope::Project].map(|it| opencode.servers_path(it).trailing_commas);
    assert_eq!(commas, [true, true]);
}

/// Claude Code and Visual Studio read the same `.mcp.json`, at two keys; both VS Codes the same entries.
#[test]
fn one_file_of_two_clients() {
    for (file, ids, kept) in [
        (".mcp.json", ["claude-code", "visual-studio"], false),
        (".vscode/mcp.json", ["vscode", "vscode-insiders"], true),
    ] {
        let temp = in_memory();
        let (project, state) = (temp.path().join("project"), temp.path().join("state"));
        let host_env = HostEnv::new(System::Linux, temp.path(), &[]);
        let path = project.join(file);
        let original = rich(&known(ids[1]));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &original).unwrap();
        let clients = ids.map(known);
        let spots: Vec<_> = clients
            .iter()
            .map(|it| ClientConfigFile::of(it, Scope::Project, &host_env, &project).unwrap())
            .collect();
        for (config_file, client) in spots.iter().zip(&clients) {
            assert_eq!(config_file.path, path);
            config_file.install(&state, &desired(client, Scope::Project), ChangeOptions::default()).unwrap();
        }
        let reads = |client: &Client| {
            let launch = client.stdio_command(&host_env, &project, Scope::Project, "weather");
            launch.is_ok_and(|it| it.args == started().args)
        };
        assert!(clients.iter().all(reads), "{file}");
        let names = ["weather".to_owned(), "remote-weather".to_owned()];
        let gone = spots[0].uninstall(&state, &names, ChangeOptions::default()).unwrap();
        let stays = EntryAction::Kept(vec![ids[1].to_owned()]);
        assert_eq!(gone.entries[0].1, if kept { stays } else { EntryAction::Removed }, "{file}");
        assert!(reads(&clients[1]), "{file}: the other client lost its entry");
        assert_eq!(reads(&clients[0]), kept, "{file}");
        spots[1].uninstall(&state, &names, ChangeOptions::default()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), original, "{file}");
    }
}

/// An entry of one client in a file that another one reads at the same place must be right for both.
#[test]
fn entries_at_the_same_place_have_the_same_shape() {
    let clients = load(&root()).unwrap();
    let host_env = HostEnv::new(System::Linux, Path::new("/h"), &[]);
    let mut shared = 0;
    for scope in [Scope::User, Scope::Project] {
        let file = |it: &Client| {
            Some((it.file(&host_env, Path::new("/p"), scope).ok()?, it.servers_path(scope).at.to_vec()))
        };
        for (n, one) in clients.iter().enumerate() {
            for other in &clients[n + 1..] {
                if file(one).is_some_and(|it| file(other).as_ref() == Some(&it)) {
                    assert_eq!(
                        one.stdio_entry("x", &started()),
                        other.stdio_entry("x", &started()),
                        "{} {}",
                        one.id,
                        other.id
                    );
                    assert_eq!(reached(one, scope), reached(other, scope), "{} and {}", one.id, other.id);
                    shared += 1;
                }
            }
        }
    }
    assert_eq!(shared, 3 + 3, "three of VS Code at `.vscode/mcp.json`, and three that read `.mcp.json`");
}
