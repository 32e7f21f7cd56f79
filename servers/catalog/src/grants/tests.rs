//! What a `drydock.toml` may say, and how it is told what it may not.

use super::*;

fn read(text: &str) -> Result<Grants, Error> {
    read_of(text, Owner::Server(Kind::Node))
}

fn read_of(text: &str, owner: Owner) -> Result<Grants, Error> {
    parse(Path::new("servers/it/drydock.toml"), text, owner)
}

fn refused(text: &str) -> String {
    match read(text) {
        Ok(_) => panic!("{text} was accepted"),
        Err(err) => err.to_string(),
    }
}

const WHOLE: &str = r#"
network = "internet"
memory = "64m"
cpus = 0.5
pids = 32
sessions = 7
warm = 0
writable = ["/app/data", "/var/cache/it"]
volumes = [{ name = "data", path = "/data" }]
install-scripts = true
args = ["--read-write", ""]
[env]
LOG_LEVEL = "debug"
"#;

#[test]
fn a_whole_file_is_read_and_an_empty_one_grants_nothing() {
    let it = read(WHOLE).unwrap();
    assert_eq!((it.network, it.memory, it.cpus), (Some(Network::Internet), Some(64 << 20), Some(0.5)));
    assert_eq!((it.pids, it.sessions, it.warm), (Some(32), Some(7), Some(0)));
    assert_eq!(it.writable, ["/app/data", "/var/cache/it"]);
    assert_eq!(it.volumes, [Volume { name: "data".to_owned(), path: "/data".to_owned() }]);
    assert_eq!((it.install_scripts, it.args.len()), (true, 2));
    assert_eq!(it.env, [("LOG_LEVEL".to_owned(), "debug".to_owned())]);
    let none = read("# nothing\n").unwrap();
    assert!(none.keys.is_empty() && none.network.is_none() && !none.install_scripts);
    assert_eq!(read("cpus = 2\nnetwork = \"none\"").unwrap().cpus, Some(2.0));
}

#[test]
fn an_error_names_file_line_key_and_rule() {
    for (text, expected) in [
        ("\n\nmemory = \"1t\"", "3: `memory` must be a size from \"16m\" to \"64g\", found \"1t\""),
        (
            "cpus = 1\nnetwork = internet # for maps\n",
            "2: a string stands in quotation marks: `network = \"internet\"`",
        ),
        ("cpus = 1\nnetwrok = 1", "2: `netwrok` is unknown; known are network, memory, cpus, pids,"),
        ("network = \"host\"", "1: `network` must be \"none\" or \"internet\", found \"host\""),
        (
            "\nvolumes = [\n  { name = \"a\", path = \"/a\" },\n  { name = \"b\", path = \"b\" },\n]",
            "4: `volumes[1].path` must be an absolute path of the server's own, such as \"/data\", without `.`, `..` and empty parts, found \"b\"",
        ),
        ("[env]\nA = \"1\"\nB = 2", "3: `env.B` must be a string, in quotation marks, found 2"),
        ("warm = 1\nwarm = 1", "2: duplicate key"),
        ("args = [\"\\u001b]0;x\"]", "1: `args[0]` must not hold control characters, found \"\\u{1b}]0;x\""),
    ] {
        let said = refused(text);
        let expected = format!("servers/it/drydock.toml:{expected}");
        assert!(said.starts_with(&expected), "{text}\n{said}\n{expected}");
    }
    let unknown = read("netwrok = 1").unwrap_err();
    assert_eq!(unknown.unknown_name().map(|it| it.0), Some("netwrok"));
}

#[test]
fn every_number_has_a_ceiling() {
    for bad in [
        "memory = 64",
        "memory = \"m\"",
        "memory = \"+64m\"",
        "memory = \"15m\"",
        "memory = \"65g\"",
        "memory = \"18446744073709551615g\"",
        "memory = \"64é\"",
        "cpus = 0",
        "cpus = 65",
        "cpus = nan",
        "cpus = inf",
        "cpus = \"1\"",
        "pids = -1",
        "pids = 1.5",
        "pids = 7",
        "pids = 4097",
        "sessions = 0",
        "sessions = 1001",
        "warm = 5",
        "warm = true",
        "install-scripts = \"true\"",
        "install-scripts = 1",
    ] {
        refused(bad);
    }
    let many = |item: &str, n: usize| vec![item; n].join(", ");
    assert!(refused(&format!("args = [{}]", many("\"a\"", 65))).contains("at most 64 items"));
    assert!(refused(&format!("args = [\"{}\"]", "a".repeat(4097))).contains("at most 4096 characters"));
    let env: String = (0..65).map(|i| format!("A{i} = \"\"\n")).collect();
    assert!(refused(&format!("[env]\n{env}")).contains("at most 64 variables"));
}

#[test]
fn folders_are_the_servers_own_and_apart_from_each_other() {
    for bad in [
        "data",
        "/",
        "",
        "/data/",
        "/data/../etc",
        "/data//x",
        "/data,readonly",
        "/da ta",
        "/proc",
        "/proc/self",
        "/sys/fs",
        "/dev/shm",
        "/run",
        "/run/docker.sock",
        "/var/run",
        "/var",
        "/tmp",
        "/tmp/x",
        "/etc/ssl",
        "/mcp",
        "/usr",
        "/usr/lib/x",
        "/bin",
        "/app",
        "/app/lib",
        "/app/node_modules",
        "/app/own",
        "/app/source",
        "/ä",
    ] {
        refused(&format!("writable = [\"{bad}\"]"));
        refused(&format!("volumes = [{{ name = \"a\", path = \"{bad}\" }}]"));
    }
    for fine in ["/data", "/app/data", "/app/lib2", "/srv/a-b_c.d", "/home/mcp", "/var/lib/it", "/processes"]
    {
        read(&format!("writable = [\"{fine}\"]")).unwrap();
    }
    for (a, b) in [("/data", "/data"), ("/data", "/data/x"), ("/data/x", "/data")] {
        let said = refused(&format!("writable = [\"{b}\"]\nvolumes = [{{ name = \"a\", path = \"{a}\" }}]"));
        assert!(said.contains("lie in each other"), "{said}");
    }
}

#[test]
fn volumes_have_names_of_their_own() {
    for bad in ["", "-a", "a b", "../x", "a,source=/", "A", &"a".repeat(33)] {
        refused(&format!("volumes = [{{ name = \"{bad}\", path = \"/data\" }}]"));
    }
    let twice = "volumes = [{ name = \"a\", path = \"/a\" }, { name = \"a\", path = \"/b\" }]";
    assert!(refused(twice).contains("`volumes[1].name` must be a name of its own"));
    assert!(refused("volumes = [{ name = \"a\" }]").contains("`volumes[0]` must have `path`"));
    assert!(
        refused("volumes = [{ name = \"a\", path = \"/a\", source = \"/\" }]")
            .contains("known are name and path")
    );
}

#[test]
fn variables_have_names_that_a_system_takes() {
    for bad in ["\"A B\"", "1A", "\"A=B\"", "\"\"", "A-B", "\"ä\""] {
        assert!(refused(&format!("[env]\n{bad} = \"x\"")).contains("is no variable's name"), "{bad}");
    }
    refused("env = []");
    refused("[env]\nA = \"a\\nb\"");
}

#[test]
fn a_key_that_could_do_nothing_is_refused() {
    for (text, owner) in [
        ("warm = 1", Owner::Server(Kind::Rust)),
        ("args = []", Owner::Server(Kind::Rust)),
        ("install-scripts = false", Owner::Server(Kind::Rust)),
        ("args = [\"a\"]", Owner::RuntimeImage),
    ] {
        assert!(read_of(text, owner).is_err(), "{text}");
        read(text).unwrap();
    }
}
