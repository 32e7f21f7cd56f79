//! Generated entries that try to get more than they may: `DRYDOCK_CASES` is how many, `DRYDOCK_CASE=SEED` runs one alone.
//!
//! Seed -> `server.json` -> what the engine is told. Invariant that is tested: besides values behind our own flags, that is
//! what a harmless entry of the same kind gets, word for word.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use drydock_catalog::{Kind, Server};
use serde_json::{Map, Value, json};

use super::*;

const CASES: u64 = 10_000;

/// What an entry would like to be taken for.
const HOSTILE: [&str; 40] = [
    "--privileged",
    "-v",
    "-v=/:/host",
    "--mount",
    "type=bind,source=/,target=/host",
    "--network=host",
    "--network",
    "host",
    "--cap-add=ALL",
    "-e",
    "--env=LD_PRELOAD=/x",
    "--user=0",
    "--pid=host",
    "--security-opt=seccomp=unconfined",
    "--memory=1t",
    "--volume-driver=x",
    "--entrypoint",
    "/bin/sh",
    "a\n--privileged",
    "a --privileged",
    "a\0b",
    "\u{1b}]0;x\u{7}",
    "\u{202e}",
    "../../etc/passwd",
    "/var/run/docker.sock",
    "file:///etc/passwd",
    "git+https://example.com/x",
    "a@file:..",
    "a; b",
    "$(id)",
    "`id`",
    "{v0}",
    "${HOME}",
    "--index-url=https://example.com",
    "-r/etc/passwd",
    "a,source=/",
    "a=b",
    "--",
    "=",
    "",
];
const HARMLESS: [&str; 16] = [
    "it",
    "@ana/it",
    "it-server",
    "1.0.0",
    "1.2.3-rc.1",
    "serve",
    "--zone",
    "UTC",
    "it[cli]==1.0.0",
    "3.13",
    "--from",
    "--with",
    "-y",
    "true",
    "https://example.com",
    "io.github.ana/it",
];
const NAMES: [&str; 16] = [
    "LOG_LEVEL",
    "KEY",
    "URL",
    "PATH",
    "LD_PRELOAD",
    "NODE_OPTIONS",
    "PYTHONPATH",
    "MCP_SOCKET",
    "MCP_ARGS",
    "HOME",
    "DOCKER_HOST",
    "A B",
    "A=B",
    "--env",
    "",
    "ENV",
];
/// Variables that decide what is run, or are `/mcp`'s own.
const RESERVED: [&str; 8] =
    ["PATH=", "LD_PRELOAD=", "NODE_OPTIONS=", "PYTHONPATH=", "MCP_SOCKET=", "MCP_ARGS=", "HOME=", "ENV="];

struct Rng(u64);

impl Rng {
    /// Below `n` (splitmix64).
    fn roll(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((it ^ (it >> 31)) % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.roll(n) == 0
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.roll(all.len())]
    }

    /// Mostly harmless: an entry in which all is hostile is refused at its first field.
    fn text(&mut self, usual: &str) -> Value {
        match self.roll(16) {
            0 => json!(self.pick(&HOSTILE)),
            1 => json!(self.pick(&HARMLESS)),
            2 => json!([null, 7, true, [], {}])[self.roll(5)].clone(),
            _ => json!(usual),
        }
    }

    fn word(&mut self) -> Value {
        let words: &[&str] = if self.one_in(2) { &HOSTILE } else { &HARMLESS };
        json!(self.pick(words))
    }

    fn input(&mut self) -> Map<String, Value> {
        let mut input = Map::new();
        for key in ["value", "default", "valueHint", "format"] {
            if self.one_in(2) {
                input.insert(key.to_owned(), self.word());
            }
        }
        for key in ["isRequired", "isSecret"] {
            if self.one_in(6) {
                input.insert(key.to_owned(), json!(self.one_in(2)));
            }
        }
        if self.one_in(4) {
            input.insert(
                "variables".to_owned(),
                json!({ "v0": { "value": self.word() }, "HOME": { "default": self.word() } }),
            );
        }
        input
    }

    fn arguments(&mut self) -> Value {
        (0..self.roll(4))
            .map(|_| {
                let mut input = self.input();
                let named = self.one_in(2);
                input.insert("type".to_owned(), json!(if named { "named" } else { "positional" }));
                if named {
                    input.insert("name".to_owned(), self.word());
                }
                Value::Object(input)
            })
            .collect()
    }

    fn variables(&mut self) -> Value {
        (0..self.roll(3))
            .map(|_| {
                let mut input = self.input();
                input.insert("name".to_owned(), json!(self.pick(&NAMES)));
                Value::Object(input)
            })
            .collect()
    }

    fn entry(&mut self) -> Value {
        let registry = self.pick(&["npm", "pypi"]);
        json!({
            "name": self.text("io.github.ana/it"), "title": self.text("It"), "description": self.text("It"),
            "version": self.text("1.0.0"), "repository": { "source": "github", "url": self.text("https://example.com") },
            "packages": [{
                "registryType": registry, "identifier": self.text("it-server"), "version": self.text("1.0.0"),
                "runtimeHint": self.pick(&["npx", "uvx", "node", "python", "docker"]),
                "transport": { "type": "stdio" }, "runtimeArguments": self.arguments(),
                "packageArguments": self.arguments(), "environmentVariables": self.variables(),
            }],
            "_meta": { "io.modelcontextprotocol.registry/publisher-provided": { "dev.drydock": {
                "network": "internet", "memory": "64g", "mounts": [{ "volume": self.word(), "path": "/x" }],
                "writable": ["/x"], "install-scripts": true, "args": [self.word()],
            } } },
        })
    }
}

/// The words without the values that an entry may set: what stands behind `--env`, `--label` and `--tag`, and the image.
fn fixed(args: &[String]) -> Vec<&str> {
    let mut all = vec![];
    for (i, it) in args.iter().enumerate() {
        let is_value = i > 0 && ["--env", "--label", "--tag"].contains(&args[i - 1].as_str());
        let is_flag_of_value = ["--env", "--label", "--tag"].contains(&it.as_str());
        if !is_value && !is_flag_of_value && !it.starts_with("drydock/it/w:") {
            all.push(it.as_str());
        }
    }
    all
}

/// Everything that the engine is told of a server.
fn told(server: &Server) -> Option<[Vec<String>; 4]> {
    let env = server.environment(&[]).ok()?;
    let origin = Origin {
        workspace: "w",
        license: "",
        profile: "p",
        sources: "s",
        cached: true,
        proxies: &[],
        id_file: None,
    };
    let build = build(server, &origin, &[], Path::new("/context"));
    let trial = Trial {
        server,
        image: "sha256:ab",
        workspace: "w",
        build: "it.1",
        env: &env,
        limit: std::time::Duration::ZERO,
        is_cancelled: &|| false,
    };
    let trial = run_trial(&trial, "drydock-trial-w-it");
    Some([create(server, "mcp-it", "w", &env).args, run_stdio(server, "w", &env), build, trial])
}

/// A harmless entry's server, and what the engine is told of it.
type Harmless = (Server, [Vec<String>; 4]);

fn check(server: &Server, (harmless, harmless_told): &Harmless) -> bool {
    assert_eq!(server.sandbox, harmless.sandbox);
    assert!(server.beyond_default().is_empty(), "{:?}", server.beyond_default());
    for it in server.program.requirements() {
        let line = it.to_string();
        let known = line.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-[],=<>!~+".contains(&b));
        let is_npm_name =
            server.kind == Kind::Node && line.starts_with('@') && !line.contains(char::is_whitespace);
        assert!((known || is_npm_name) && !line.starts_with('-'), "{line:?}");
    }
    assert!(server.program.script.as_ref().is_none_or(|it| !it.starts_with('-') && !it.contains('/')));
    let Some(all) = told(server) else { return false };
    for (args, expected) in all.iter().zip(harmless_told) {
        assert_eq!(fixed(args), fixed(expected));
        assert!(args.iter().all(|it| !it.contains(char::is_control)), "{args:?}");
        for pair in args.windows(2).filter(|it| it[0] == "--env" && !expected.contains(&it[1])) {
            assert!(RESERVED.iter().all(|it| !pair[1].starts_with(it)), "{pair:?}");
        }
    }
    true
}

/// The servers of an entry; none where it is refused.
fn load(root: &Path, entry: &Value) -> Option<Server> {
    fs::write(root.join("servers/it/server.json"), entry.to_string()).unwrap();
    drydock_catalog::load(root).ok()?.pop()
}

#[test]
fn no_entry_gains_an_option_a_mount_or_a_grant() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("servers/it")).unwrap();
    let [node, python] = ["npm", "pypi"].map(|registry| {
        let package = json!({ "registryType": registry, "identifier": "it", "version": "1.0.0", "transport": { "type": "stdio" } });
        let entry = json!({ "name": "a/it", "description": "It", "version": "1.0.0", "packages": [package] });
        let server = load(root.path(), &entry).expect("a harmless entry");
        let told = told(&server).expect("it can be started");
        (server, told)
    });
    let number = |name: &str| std::env::var(name).ok().map(|it| it.parse::<u64>().expect("a number"));
    let seeds = match number("DRYDOCK_CASE") {
        Some(one) => one..one + 1,
        None => 0..number("DRYDOCK_CASES").unwrap_or(CASES),
    };
    let (mut refused, mut started, mut failed) = (0, 0, String::new());
    for seed in seeds.clone() {
        let entry = Rng(seed).entry();
        let case = std::panic::AssertUnwindSafe(|| {
            let server = load(root.path(), &entry);
            server.map(|it| check(&it, if it.kind == Kind::Node { &node } else { &python }))
        });
        match std::panic::catch_unwind(case) {
            Ok(None) => refused += 1,
            Ok(Some(is_started)) => started += u64::from(is_started),
            Err(_) if failed.is_empty() => {
                let again = format!("DRYDOCK_CASE={seed} cargo test -p drydock-engine no_entry_gains");
                write!(failed, "{again}\n{entry:#}").unwrap();
            }
            Err(_) => {}
        }
    }
    assert!(failed.is_empty(), "the first that failed: {failed}");
    // Not `eprintln!`, which the test runner keeps to itself.
    let line = format!(
        "{} generated entries, {refused} refused, {started} started; no option, mount or grant gained\n",
        seeds.end - seeds.start
    );
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
    let is_many = seeds.end - seeds.start > 100;
    assert!(!is_many || (refused > 0 && started * 20 > seeds.end), "the cases try nothing any more");
}
