//! Every `tests/cases/clients/*`: `before.*`, installed twice, is `after.*`; taken out again it is
//! `before.*`, byte for byte. Where there is a `refused.txt` instead, that is the complaint, and nothing changes.
//!
//! A new case is a new folder. `UPDATE_EXPECT=1` writes the `after.*` that is missing or different: read it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ChangeOptions, ClientConfigFile, DesiredEntry};
use crate::client::{self, Client, HostEnv, Scope, StdioCommand, System};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Spec {
    client: String,
    name: String,
    command: String,
    args: Vec<String>,
    env: std::collections::BTreeMap<String, String>,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            client: "cursor".into(),
            name: "weather".into(),
            command: "/usr/bin/docker".into(),
            args: ["exec", "-i", "mcp-weather", "/mcp", "stdio"].map(String::from).to_vec(),
            env: Default::default(),
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

#[test]
fn every_case() {
    let mut cases: Vec<_> =
        fs::read_dir(root().join("tests/cases/clients")).unwrap().map(|it| it.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 15, "the cases have gone");
    for case in cases {
        let spec: Spec = toml::from_str(&fs::read_to_string(case.join("spec.toml")).unwrap()).unwrap();
        let client = client::pick(&root(), std::slice::from_ref(&spec.client)).unwrap().remove(0);
        run(&case, &spec, &client);
    }
}

fn run(case: &Path, spec: &Spec, client: &Client) {
    let label = case.file_name().unwrap().to_str().unwrap();
    let home = tempfile::tempdir().unwrap();
    let host_env = HostEnv::new(System::Linux, home.path(), &[]);
    client.mark_started(&host_env);
    let config_file = ClientConfigFile::of(client, Scope::User, &host_env, home.path()).unwrap();
    let ending = config_file.path.extension().unwrap().to_str().unwrap();
    let before = fs::read(case.join("before").with_extension(ending)).ok();
    if let Some(before) = &before {
        fs::create_dir_all(config_file.path.parent().unwrap()).unwrap();
        fs::write(&config_file.path, before).unwrap();
    }
    let env = spec.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let launch = StdioCommand {
        command: spec.command.clone(),
        args: spec.args.clone(),
        env,
        ..StdioCommand::default()
    };
    let desired = [DesiredEntry {
        name: spec.name.clone(),
        server: None,
        entry: client.stdio_entry(&spec.name, &launch),
    }];
    let state = home.path().join("state");
    let installed = config_file.install(&state, &desired, ChangeOptions::default());
    if let Ok(complaint) = fs::read_to_string(case.join("refused.txt")) {
        let err = format!("{:#}", installed.unwrap_err());
        let expected =
            format!("{}:{}; file left unchanged", config_file.path.display(), complaint.trim_end());
        assert!(err.contains(&expected), "{label}: {err}");
        assert_eq!(fs::read(&config_file.path).ok(), before, "{label}");
        return;
    }
    installed.unwrap_or_else(|err| panic!("{label}: {err:#}"));
    let after = fs::read(&config_file.path).unwrap();
    compare(&case.join("after").with_extension(ending), &after, label);
    assert_eq!(
        client.stdio_command(&host_env, home.path(), Scope::User, &spec.name).unwrap(),
        launch,
        "{label}"
    );
    assert!(
        !config_file.install(&state, &desired, ChangeOptions::default()).unwrap().report.changed,
        "{label}: a second install changed it"
    );
    config_file.uninstall(&state, std::slice::from_ref(&spec.name), ChangeOptions::default()).unwrap();
    assert_eq!(fs::read(&config_file.path).ok(), before, "{label}: in and out again is not the original");
}

fn compare(path: &Path, found: &[u8], label: &str) {
    if fs::read(path).ok().as_deref() != Some(found) && std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, found).unwrap();
    }
    let expected = fs::read(path).unwrap_or_default();
    let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(show(&expected), show(found), "{label}");
    assert_eq!(expected, found, "{label}");
}
