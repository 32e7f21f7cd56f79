//! How long a client waits for its first answer, four ways: `cargo run --package drydock-tests --bin starts`.
//!
//! Wrapped servers, as `build-images` makes them -> median times from the start of `docker exec` to the answer of
//! `initialize`: the package's runner with a filled cache in the base, the plain command in the server's container, the
//! bridge with a warm child; and `docker exec CONTAINER /mcp health`, which is what an exec itself takes here. Invariant:
//! all ways are measured in the same run, in turns, each alone: the one before has ended.

use std::io::Write;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use drydock_tests::engine::Engine;
use drydock_tests::process::{BUILD_TIMEOUT, TIMEOUT, run, run_with, wait_until};
use drydock_tests::session::{LEGACY, Session};
use drydock_tests::test_env::{TestEnv, workspace_root};
use drydock_tests::wrapped::{self, Kind};
use serde_json::Value;

const ROUNDS: usize = 20;
const WAYS: [&str; 4] = ["runner", "plain", "bridge", "health"];
const BUDGET: f64 = 1.3;

/// What runs a server in the base, as a guide would have it.
const SERVERS: [(Kind, &str, &[&str]); 4] = [
    (Kind::Node, "context7", &["npx", "-y", "@upstash/context7-mcp@4.1.1"]),
    (
        Kind::Node,
        "sequential-thinking",
        &["npx", "-y", "@modelcontextprotocol/server-sequential-thinking@2026.8.31"],
    ),
    (Kind::Python, "time", &["uvx", "mcp-server-time==2026.10.19"]),
    (
        Kind::Python,
        "python-example",
        &["uv", "run", "--no-project", "--with-requirements", "requirements.txt", "custom_mcp_server.py"],
    ),
];

fn main() -> ExitCode {
    match measure_all() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure_all() -> Result<bool, String> {
    let engine = Engine::find()?;
    let asked: Vec<String> = std::env::args().skip(1).collect();
    say(&format!("medians of {ROUNDS}, in ms; runner: npx, uvx or uv run in the base, from its cache\n"));
    say(&format!(
        "{:<20} {:>8} {:>8} {:>8} {:>8}  bridge / health\n",
        "", "runner", "plain", "bridge", "health"
    ));
    let mut good = true;
    for kind in [Kind::Node, Kind::Python] {
        let env = wrapped::test_env(&engine, kind, "starts")?;
        for (_, server, runner) in SERVERS.iter().filter(|it| it.0 == kind) {
            if asked.is_empty() || asked.iter().any(|it| it == server) {
                good &= measure(&engine, &env, kind, server, runner);
            }
        }
    }
    Ok(good)
}

fn measure(engine: &Engine, env: &TestEnv, kind: Kind, server: &str, runner: &[&str]) -> bool {
    let base = if kind == Kind::Node { "node" } else { "python" };
    env.ok(&["build-images", server, base]);
    env.ok(&["up", server, base]);
    let (container, base) = (env.container(server), env.container(base));
    if server == "python-example" {
        copy_sources(engine, &base);
    }
    let plain = plain_command(engine, &container);
    let start = |way: &str| match way {
        "runner" => engine.command(&[&["exec", "-i", &base], runner].concat()),
        "plain" => engine.command(&plain.iter().map(String::as_str).collect::<Vec<_>>()),
        _ => engine.command(&["exec", "-i", &container, "/mcp", "stdio"]),
    };
    // The first start fills the cache.
    run_with(&mut start("runner"), &[], BUILD_TIMEOUT).ok();
    let mut times = WAYS.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (way, times) in WAYS.iter().zip(&mut times) {
            until_warm(engine, &container);
            times.push(match *way {
                "health" => {
                    timed(|| drop(run(&mut engine.command(&["exec", &container, "/mcp", "health"])).ok()))
                }
                way => until_initialized(start(way)),
            });
        }
    }
    let [runner, plain, bridge, health] = times.map(median);
    let ratio = bridge / health;
    let verdict = if ratio <= BUDGET { "" } else { "  OVER BUDGET" };
    say(&format!(
        "{server:<20} {runner:>8.0} {plain:>8.0} {bridge:>8.0} {health:>8.0}  {ratio:.2} (budget {BUDGET}){verdict}\n"
    ));
    env.ok(&["down", server]);
    ratio <= BUDGET
}

/// `docker exec` of what the bridge would start, without the bridge.
fn plain_command(engine: &Engine, container: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("bridge.json");
    engine.ok(&["cp", &format!("{container}:/etc/mcp/bridge.json"), file.to_str().expect("a plain path")]);
    let text = std::fs::read_to_string(file).expect("a copied file");
    let config: Value = serde_json::from_str(&text).expect("JSON");
    let text = |it: &Value| it.as_str().expect("a string").to_owned();
    let mut it: Vec<String> = ["exec", "-i"].map(str::to_owned).to_vec();
    if let Some(cwd) = config["cwd"].as_str() {
        it.extend(["-w".to_owned(), cwd.to_owned()]);
    }
    for (name, value) in config["env"].as_object().into_iter().flatten() {
        it.extend(["-e".to_owned(), format!("{name}={}", text(value))]);
    }
    it.extend([container.to_owned(), text(&config["command"])]);
    it.extend(config["args"].as_array().into_iter().flatten().map(text));
    it
}

/// The server of one's own, where the base can run it.
fn copy_sources(engine: &Engine, base: &str) {
    for name in ["requirements.txt", "custom_mcp_server.py"] {
        let text =
            std::fs::read(workspace_root().join("servers/python-example").join(name)).expect("a source");
        let mut write = engine.command(&["exec", "-i", base, "sh", "-c", &format!("cat >/cache/{name}")]);
        run_with(&mut write, &text, TIMEOUT).ok();
    }
}

/// Until a child waits for the next session.
fn until_warm(engine: &Engine, container: &str) {
    let warm = wait_until(TIMEOUT, || {
        let health = engine.ok(&["exec", container, "/mcp", "health", "--json"]);
        let health: Value = serde_json::from_str(&health).expect("JSON");
        health["warm"] == 1 && health["sessions"] == 0
    });
    assert!(warm, "{container} has no warm child");
}

/// From the start of the program to the answer of `initialize`; then the session is ended.
fn until_initialized(command: Command) -> f64 {
    let mut opened = None;
    let time = timed(|| {
        let mut it = Session::start(command);
        it.open(LEGACY[1]);
        opened = Some(it);
    });
    let _ = opened.map(Session::finish);
    // What ended with it in the container is not to be measured with the next one.
    std::thread::sleep(Duration::from_millis(200));
    time
}

fn timed(act: impl FnOnce()) -> f64 {
    let began = Instant::now();
    act();
    began.elapsed().as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn say(text: &str) {
    let _ = write!(std::io::stdout(), "{text}");
}
