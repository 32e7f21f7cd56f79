//! Folders and their manifests, and what the catalogue makes of them.

mod registry;

use std::fs;

use super::*;
use crate::grants::Grants;

/// The problem and its causes, as a person sees them.
fn chain(err: &dyn std::error::Error) -> String {
    let cause = err.source().map(|it| format!(": {}", chain(it)));
    format!("{err}{}", cause.unwrap_or_default())
}

fn workspace(folders: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (folder, manifest) in folders {
        let dir = root.path().join("servers").join(folder);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("Cargo.toml"), "").unwrap();
        fs::write(dir.join("server.json"), manifest).unwrap();
    }
    root
}

const WEATHER: &str = r#"{
    "name": "io.github.ana/weather", "description": "Weather", "version": "1.2.3+b4",
    "packages": [{
        "registryType": "cargo", "identifier": "weather", "transport": { "type": "stdio" },
        "environmentVariables": [
            { "name": "URL", "default": "https://example.com" },
            { "name": "UNITS", "choices": ["metric", "imperial"], "isRequired": true },
            { "name": "KEY", "isSecret": true }
        ]
    }]
}"#;

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect()
}

#[test]
fn a_server_is_named_by_its_folder() {
    let root = workspace(&[("weather", WEATHER), ("abc-1", WEATHER)]);
    fs::create_dir_all(root.path().join("servers/kit")).unwrap();
    let all = load(root.path()).unwrap();
    assert_eq!(all.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["abc-1", "weather"]);
    assert_eq!(all[1].image(), "drydock/weather:1.2.3_b4");
    assert_eq!(all[1].own_image("0123456789abcdef"), "drydock/weather/0123456789abcdef:1.2.3_b4");
    assert_eq!(all[1].container("t-"), "t-mcp-weather");
    assert_eq!(all[1].kind, Kind::Rust);
    assert_eq!(all[1].sandbox.network, Network::None, "strict by default");
}

#[test]
fn names_that_could_be_flags_or_paths_are_refused() {
    for bad in ["-v", "Weather", "we ather", "wetter_1", &"a".repeat(33)] {
        let err = load(workspace(&[(bad, WEATHER)]).path()).unwrap_err();
        assert!(err.to_string().contains("a server's folder is named"), "{bad}: {err}");
    }
}

#[test]
fn an_unknown_server_is_an_error_that_lists_the_known() {
    let root = workspace(&[("weather", WEATHER)]);
    let hint = |name: &str| pick(root.path(), name).unwrap_err().hint().map(str::to_owned);
    assert_eq!(hint("nobody").as_deref(), Some("the servers of this workspace: weather"));
    let wether = pick(root.path(), "wether").unwrap_err();
    assert_eq!(wether.unknown_name(), Some(("wether", &["weather".to_owned()][..])));
    let twice = pick_each(root.path(), &["weather".into(), "weather".into()]).unwrap();
    assert_eq!(twice.len(), 1);
}

#[test]
fn a_server_that_is_described_wrongly_is_in_nobody_elses_way() {
    let root = workspace(&[("weather", WEATHER), ("broken", "{")]);
    assert_eq!(pick(root.path(), "weather").unwrap().name, "weather");
    let problem = chain(&pick(root.path(), "broken").unwrap_err());
    assert!(problem.contains("servers/broken/server.json"), "{problem}");
    for names in [&["weather".to_owned(), "broken".to_owned()][..], &[]] {
        let each = pick_each(root.path(), names).unwrap();
        let is_good = |name: &str| each.iter().find(|it| it.0 == name).unwrap().1.is_ok();
        assert_eq!((each.len(), is_good("weather"), is_good("broken")), (2, true, false));
    }
    let (good, bad) = load_partial(root.path()).unwrap();
    assert_eq!((good[0].name.as_str(), good.len(), bad.len()), ("weather", 1, 1));
}

#[test]
fn only_declared_open_variables_can_be_set() {
    let root = workspace(&[("weather", WEATHER)]);
    let server = load(root.path()).unwrap().remove(0);
    let set = pairs(&[("UNITS", "metric"), ("MCP_LOG", "debug")]);
    let expected = [
        ("MCP_LOG", "debug"),
        ("MCP_MAX_SESSIONS", "128"),
        ("UNITS", "metric"),
        ("URL", "https://example.com"),
    ];
    assert_eq!(server.environment(&set).unwrap(), pairs(&expected));
    for bad in [("UNITS", "kelvin"), ("KEY", "x"), ("LD_PRELOAD", "x"), ("URL", "a\nb")] {
        assert!(server.environment(&pairs(&[("UNITS", "metric"), bad])).is_err(), "{bad:?}");
    }
    assert!(server.environment(&[]).unwrap_err().to_string().contains("needs the variable UNITS"));
}

#[test]
fn the_cap_on_sessions_fits_memory_and_pids() {
    let cap = |kind: Kind, memory: u64, pids| {
        let set = Grants { memory: Some(memory << 20), pids: Some(pids), ..Grants::default() };
        kind.capacity(&set, &kind.sandbox(&set)).sessions
    };
    assert_eq!(cap(Kind::Rust, 64, 1000), 32);
    assert_eq!(cap(Kind::Rust, 1024, 32), 16);
    assert_eq!(cap(Kind::Node, 256, 512), 3, "a warm child takes a share as well");
    assert_eq!(cap(Kind::Node, 16, 8), 1, "at least one");
}

#[test]
fn what_loads_programs_is_not_an_entrys_to_set() {
    let manifest = WEATHER.replace(r#""name": "URL""#, r#""name": "LD_PRELOAD""#);
    let root = workspace(&[("weather", &manifest)]);
    let server = load(root.path()).unwrap().remove(0);
    assert_eq!(server.requests, ["env.LD_PRELOAD = \"https://example.com\""]);
    let names = |server: &Server| {
        let all = server.environment(&pairs(&[("UNITS", "metric")])).unwrap();
        all.into_iter().map(|it| it.0).collect::<Vec<_>>()
    };
    assert_eq!(names(&server), ["MCP_MAX_SESSIONS", "UNITS"]);
    grant(&root, "[env]\nLD_PRELOAD = \"/x\"");
    let server = load(root.path()).unwrap().remove(0);
    assert_eq!((server.requests.len(), names(&server).len()), (0, 3), "the person's word");
}

fn grant(root: &tempfile::TempDir, text: &str) {
    fs::write(root.path().join("servers/weather/drydock.toml"), text).unwrap();
}

#[test]
fn only_the_persons_own_file_grants() {
    let root = workspace(&[("weather", WEATHER)]);
    assert!(load(root.path()).unwrap()[0].beyond_default().is_empty());
    let text = "network = \"internet\"\nmemory = \"1g\"\ncpus = 0.5\nvolumes = [{ name = \"d\", path = \"/data\" }]\n\
                writable = [\"/w\"]\n[env]\nUNITS = \"metric\"\nEXTRA = \"1\"\nMCP_LOG = \"debug\"\n";
    grant(&root, text);
    let server = load(root.path()).unwrap().remove(0);
    let beyond = [
        "network = \"internet\"",
        "memory 1024 MiB",
        "volume d at /data",
        "writable /w",
        "env UNITS EXTRA MCP_LOG",
    ];
    assert_eq!(server.beyond_default(), beyond);
    let tmpfs = server.sandbox.tmpfs.last().unwrap();
    assert_eq!((tmpfs.path.as_str(), tmpfs.mode, tmpfs.owner), ("/w", 0o700, server.sandbox.user));
    let set = pairs(&[("EXTRA", "2")]);
    let expected = [
        ("EXTRA", "2"),
        ("MCP_LOG", "debug"),
        ("MCP_MAX_SESSIONS", "128"),
        ("UNITS", "metric"),
        ("URL", "https://example.com"),
    ];
    assert_eq!(server.environment(&set).unwrap(), pairs(&expected), "the command line comes first");
    for (bad, rule) in [
        ("KEY = \"x\"", "servers/weather/drydock.toml: `env.KEY`: KEY is a secret of `weather`"),
        ("UNITS = \"kelvin\"", "must be one of metric, imperial"),
        ("MCP_SOCKET = \"/x\"", "what /mcp is told by Drydock alone"),
    ] {
        grant(&root, &format!("[env]\n{bad}"));
        let said = load(root.path()).unwrap()[0].environment(&pairs(&[])).unwrap_err().to_string();
        assert!(said.contains(rule), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed_out_of_a_servers_folder() {
    for file in ["server.json", "drydock.toml"] {
        let root = workspace(&[("weather", WEATHER)]);
        let secret = root.path().join("secret");
        fs::write(&secret, "hunter2 = 1").unwrap();
        let path = root.path().join("servers/weather").join(file);
        let _missing = fs::remove_file(&path);
        std::os::unix::fs::symlink(&secret, &path).unwrap();
        let said = chain(&load(root.path()).unwrap_err());
        assert!(said.contains("is not a file of its own") && !said.contains("hunter2"), "{said}");
    }
}

/// A workspace with one server in `servers/it`: its manifest, and files by name.
fn one(manifest: &serde_json::Value, files: &[(&str, &str)]) -> Result<Server, Error> {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("servers/it");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("server.json"), manifest.to_string()).unwrap();
    for (name, text) in files {
        fs::write(dir.join(name), text).unwrap();
    }
    Ok(load(root.path())?.remove(0))
}

fn entry(registry: &str, package: &str) -> serde_json::Value {
    serde_json::json!({
        "name": "io.github.ana/it", "description": "It", "version": "1.0.0",
        "packages": [
            { "registryType": "oci", "identifier": "ana/it:1.0.0", "transport": { "type": "stdio" },
              "environmentVariables": [{ "name": "OCI_ONLY" }] },
            { "registryType": registry, "identifier": package, "version": "1.0.0", "runtimeHint": "uvx",
              "transport": { "type": "stdio" }, "environmentVariables": [{ "name": "KEY", "isSecret": true }],
              "runtimeArguments": [{ "type": "positional", "value": "-y" }],
              "packageArguments": [{ "type": "named", "name": "--zone", "value": "UTC" }] },
        ],
    })
}

fn pinned(name: &str) -> Option<Pinned> {
    Some(Pinned { name: name.to_owned(), version: "1.0.0".to_owned() })
}

#[test]
fn an_entry_of_the_registry_is_a_server() {
    let npm = one(&entry("npm", "@ana/it"), &[]).unwrap();
    assert_eq!((npm.kind, &npm.program.package), (Kind::Node, &pinned("@ana/it")));
    assert_eq!(npm.program.args, ["--zone", "UTC"]);
    assert_eq!(npm.variables.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["KEY"]);
    assert_eq!(npm.warm, 1);
    let pypi = one(&entry("pypi", "it-server"), &[]).unwrap();
    assert_eq!((pypi.kind, &pypi.program.package), (Kind::Python, &pinned("it-server")));

    let mut http = entry("npm", "@ana/it");
    http["packages"][1]["transport"] = serde_json::json!({ "type": "sse", "url": "https://example.com" });
    assert!(chain(&one(&http, &[]).unwrap_err()).contains("over HTTP only"));
}

#[test]
fn a_folder_without_a_description_is_named() {
    let root = workspace(&[("weather", WEATHER)]);
    for (folder, file) in [
        ("mine", "package.json"),
        ("yours", "drydock.toml"),
        ("library", "Cargo.toml"),
        (".cache", "package.json"),
    ] {
        let dir = root.path().join("servers").join(folder);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(file), "").unwrap();
    }
    assert_eq!(names(root.path()).unwrap(), ["mine", "weather", "yours"]);
    let (good, bad) = load_partial(root.path()).unwrap();
    assert_eq!((good.len(), bad.len()), (1, 2));
    assert_eq!(pick(root.path(), "mine").unwrap_err().to_string(), "servers/mine: has no server.json");
}

/// As one has that is being made, or taken away.
#[test]
fn a_hidden_folder_is_no_server() {
    let root = workspace(&[("weather", WEATHER), (".drydock-x", WEATHER), (".drydock-y", "broken")]);
    assert_eq!(names(root.path()).unwrap(), ["weather"]);
    assert_eq!(load(root.path()).unwrap().len(), 1);
}

#[test]
fn a_folders_own_program_comes_first() {
    let own = one(&entry("npm", "@ana/it"), &[("package.json", r#"{"name": "@ana/it"}"#)]).unwrap();
    assert_eq!((own.kind, own.program.package), (Kind::Node, None));
    assert_eq!(own.program.args, ["--zone", "UTC"]);
    let locked = [("package.json", r#"{"dependencies": {"@ana/it": "1.0.0"}}"#)];
    assert_eq!(one(&entry("npm", "@ana/it"), &locked).unwrap().program.package, pinned("@ana/it"));
    let loose = [("package.json", r#"{"dependencies": {"@ana/it": "^1.0.0"}}"#)];
    assert!(one(&entry("npm", "@ana/it"), &loose).is_err());
    let project = one(&entry("npm", "@ana/it"), &[("pyproject.toml", "")]).unwrap();
    assert_eq!((project.kind, project.program.package), (Kind::Python, None));
}

#[test]
fn the_python_file_is_the_only_one_or_has_the_usual_name() {
    let file = |names: &[&str]| {
        let mut files = vec![("requirements.txt", "")];
        files.extend(names.iter().map(|it| (*it, "")));
        one(&entry("oci", "ana/it:2"), &files).map(|it| it.program.file.unwrap())
    };
    assert_eq!(file(&["mine.py"]).unwrap(), "mine.py");
    assert_eq!(file(&["a.py", "server.py"]).unwrap(), "server.py");
    assert!(chain(&file(&["a.py", "b.py"]).unwrap_err()).contains("which of a.py, b.py"));
    assert!(file(&[]).is_err());
}

#[test]
fn runtime_images_are_there_by_name_alone() {
    let root = workspace(&[("weather", WEATHER)]);
    let dir = root.path().join("docker/node");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("server.json"), WEATHER).unwrap();
    let names = |all: Vec<Named>| all.into_iter().map(|it| it.0).collect::<Vec<_>>();
    assert_eq!(names(pick_each_with_runtimes(root.path(), &[]).unwrap()), ["weather"]);
    let node = pick_each_with_runtimes(root.path(), &["node".into()]).unwrap().remove(0).1.unwrap();
    assert!(node.is_runtime && node.kind == Kind::Node);
    let problem = pick(root.path(), "node").unwrap_err();
    assert!(problem.to_string().contains("a runtime image"), "{problem}");
    let taken = load(workspace(&[("node", WEATHER)]).path()).unwrap_err();
    assert!(taken.to_string().contains("the name of a runtime image"), "{taken}");
}

#[test]
fn the_bridge_takes_its_settings_from_the_environment() {
    let grants = "warm = 3\nmemory = \"800m\"\nargs = [\"--a b\", \"\"]\n";
    let server = one(&entry("npm", "@ana/it"), &[("drydock.toml", grants)]).unwrap();
    let expected = [("MCP_ARGS", r#"["--a b",""]"#), ("MCP_MAX_SESSIONS", "9"), ("MCP_WARM", "3")];
    assert_eq!(server.environment(&[]).unwrap(), pairs(&expected));
    assert!(server.environment(&pairs(&[("MCP_WARM", "0")])).is_ok());
    let problem = server.environment(&pairs(&[("MCP_WARM", "9")])).unwrap_err();
    assert_eq!(problem.to_string(), "MCP_WARM must be a whole number from 0 to 4, found \"9\"");
    assert!(problem.is_usage());
    let granted = one(&entry("npm", "@ana/it"), &[("drydock.toml", "env = { MCP_LOG = \"all\" }")]).unwrap();
    let problem = granted.environment(&[]).unwrap_err();
    assert!(problem.to_string().contains("`env.MCP_LOG`: MCP_LOG must be one of"), "{problem}");
    assert!(!problem.is_usage());
    assert!(
        server.environment(&pairs(&[("MCP_MAX_CALLS", "1")])).is_err(),
        "the bridge has no calls of its own"
    );
}
