//! Every `tests/cases/clients/*`: `before.*`, installed twice, is `after.*`; taken out again it is
//! `before.*`, byte for byte. Where there is a `refused.txt` instead, that is the complaint, and nothing changes.
//!
//! A new case is a new folder. `UPDATE_EXPECT=1` writes the `after.*` that is missing or different: read it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Spot, Wanted};
use crate::client::{self, Client, Launch, Machine, Scope, System};

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
    let machine = Machine::new(System::Linux, home.path(), &[]);
    let spot = Spot::of(client, Scope::User, &machine, home.path()).unwrap();
    let ending = spot.path.extension().unwrap().to_str().unwrap();
    let before = fs::read(case.join("before").with_extension(ending)).ok();
    if let Some(before) = &before {
        fs::create_dir_all(spot.path.parent().unwrap()).unwrap();
        fs::write(&spot.path, before).unwrap();
    }
    let env = spec.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let launch = Launch { command: spec.command.clone(), args: spec.args.clone(), env, ..Launch::default() };
    let wanted = [Wanted { name: spec.name.clone(), server: None, entry: client.entry(&spec.name, &launch) }];
    let state = home.path().join("state");
    let installed = spot.install(&state, &wanted, false, false);
    if let Ok(complaint) = fs::read_to_string(case.join("refused.txt")) {
        let err = format!("{:#}", installed.unwrap_err());
        let expected = format!("{}:{}; file left unchanged", spot.path.display(), complaint.trim_end());
        assert!(err.contains(&expected), "{label}: {err}");
        assert_eq!(fs::read(&spot.path).ok(), before, "{label}");
        return;
    }
    installed.unwrap_or_else(|err| panic!("{label}: {err:#}"));
    let after = fs::read(&spot.path).unwrap();
    compare(&case.join("after").with_extension(ending), &after, label);
    assert_eq!(client.read_entry(&machine, home.path(), Scope::User, &spec.name).unwrap(), launch, "{label}");
    assert!(
        !spot.install(&state, &wanted, false, false).unwrap().done.changed,
        "{label}: a second install changed it"
    );
    spot.uninstall(&state, std::slice::from_ref(&spec.name), false, false).unwrap();
    assert_eq!(fs::read(&spot.path).ok(), before, "{label}: in and out again is not the original");
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
