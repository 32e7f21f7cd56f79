//! However clients of wrapped servers end, and whatever these servers do, nothing is left in the container.

mod blocked;

use std::fmt::Write as _;
use std::io::Write;
use std::process::Child;
use std::thread;
use std::time::Duration;

use drydock_tests::engine::Engine;
use drydock_tests::process::{TIMEOUT, command, print_note, run, wait, wait_until};
use drydock_tests::session::LEGACY;
use drydock_tests::test_env::{TestEnv, copy_workspace};
use drydock_tests::wrapped::{self, Kind};
use drydock_tests::{engine_or_skip, full_or_skip, is_full, rounds, skip, weather};
use serde_json::{Value, json};

use crate::kills::client;
use crate::own::{add, build};

/// How long a session's output may be blocked in these tests, in seconds.
const STALL: &str = "MCP_STALL_TIMEOUT=5";
/// At the same time: there are two processors.
const AT_ONCE: usize = 4;

/// A server that is hard to end: it ignores the end of its input and SIGTERM, and each call leaves a process in a session
/// of its own, whose parent is gone, and that ignores signals, too. `echo` answers with what it got.
const WORST: &str = r#"
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
const deaf = "['SIGTERM', 'SIGHUP', 'SIGINT'].forEach((it) => process.on(it, () => {})); setInterval(() => {}, 1000);";
const orphan = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(deaf)}], { detached: true, stdio: 'ignore' }).unref()`;
process.on('SIGTERM', () => {});
setInterval(() => {}, 1000);
const answers = {
  initialize: (it) => ({ protocolVersion: it.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'worst', version: '1' } }),
  'tools/list': () => ({ tools: [{ name: 'echo', inputSchema: { type: 'object' } }] }),
  'tools/call': (it) => {
    if (it.name === 'echo') return { content: [{ type: 'text', text: it.arguments.text }] };
    spawn(process.execPath, ['-e', orphan], { stdio: 'ignore' });
    return { content: [] };
  },
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  console.log(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method](params) }));
});
"#;

/// How clients end.
const ENDS: [fn(&mut Child); 4] = [
    // The command line is killed,
    |it| it.kill().expect("a client to kill"),
    // or asked to end,
    |it| drop(run(command("kill").args(["-TERM", &it.id().to_string()])).ok()),
    // or its input is closed, and a while later its output, which nobody read,
    |it| {
        drop(it.stdin.take());
        thread::sleep(Duration::from_secs(1));
        drop(it.stdout.take());
    },
    // or whoever started it is killed, and both its pipes break.
    |it| drop((it.stdin.take(), it.stdout.take())),
];

/// What they were doing then: waiting, receiving answers that they do not read, sending.
const DOING: [fn(&mut Child); 3] = [
    |_| {},
    |it| {
        let requests = (1..400).fold(String::new(), |mut all, id| {
            let _ = writeln!(all, "{}", json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"}));
            all
        });
        say(it, &requests);
    },
    |it| say(it, r#"{"jsonrpc": "2.0", "id": 7, "method": "tools/ca"#),
];

fn say(client: &mut Child, text: &str) {
    client.stdin.as_mut().expect("a pipe").write_all(text.as_bytes()).expect("it fits into the pipes");
}

/// What runs in a container.
#[derive(Debug)]
struct Running {
    processes: usize,
    zombies: usize,
    /// All of them wait for something.
    resting: bool,
    /// Of all, and of those that are not the server's, in KB.
    memory: u64,
    ours: u64,
    /// Open files and sockets, where we may look.
    descriptors: Result<usize, String>,
    listing: String,
}

impl Running {
    fn look(engine: &Engine, container: &str) -> Self {
        let listing = engine.ok(&["top", container, "-eo", "pid,stat,rss,args"]);
        let rows = || listing.lines().skip(1).map(|it| it.split_whitespace().collect::<Vec<_>>());
        let memory = |it: Vec<&str>| it[2].parse::<u64>().ok();
        let open = |pid: &str| {
            let folder = format!("/proc/{pid}/fd");
            Ok(std::fs::read_dir(&folder)
                .map_err(|e| format!("cannot count open files in {folder}: {e}"))?
                .count())
        };
        Self {
            processes: rows().count(),
            zombies: rows().filter(|it| it[1].starts_with('Z')).count(),
            resting: rows().all(|it| it[1].starts_with('S')),
            memory: rows().filter_map(memory).sum(),
            ours: rows().filter(|it| it[3..].contains(&"/mcp")).filter_map(memory).sum(),
            descriptors: rows().map(|it| open(it[0])).sum(),
            listing: listing.clone(),
        }
    }
}

fn health(engine: &Engine, container: &str) -> Value {
    let health = engine.ok(&["exec", container, "/mcp", "health", "--json"]);
    serde_json::from_str(&health).expect("JSON")
}

/// Nobody is served, and the next one can be at once.
#[track_caller]
fn until_at_rest(engine: &Engine, container: &str) -> Running {
    let mut last = Value::Null;
    let rests = wait_until(TIMEOUT, || {
        last = health(engine, container);
        last["sessions"] == 0 && last["warm"] != 0 // servers in Rust keep none
    });
    assert!(rests, "{last}\n{}", engine.ok(&["top", container]));
    // On a busy machine a child may count as started while it waits for a processor: until none works, or grows.
    let mut now = Running::look(engine, container);
    let settled = wait_until(TIMEOUT, || {
        thread::sleep(Duration::from_secs(1));
        let before = std::mem::replace(&mut now, Running::look(engine, container));
        now.resting && before.resting && now.listing == before.listing
    });
    assert!(settled, "{}", now.listing);
    now
}

/// As often as asked for: in a container of its own each time.
#[track_caller]
fn end_in_every_way(
    engine: &Engine,
    env: &TestEnv,
    server: &str,
    count: usize,
    disturb: fn(&mut Child),
) -> Result<(), String> {
    (0..rounds()).try_for_each(|_| end_once(engine, env, server, count, disturb))
}

/// Clients come in handfuls and end, each in its way; then all is as it was before the first one.
#[track_caller]
fn end_once(
    engine: &Engine,
    env: &TestEnv,
    server: &str,
    count: usize,
    disturb: fn(&mut Child),
) -> Result<(), String> {
    env.ok(&["up", server, "--env", STALL]);
    let container = env.container(server);
    let before = until_at_rest(engine, &container);
    for first in (0..count).step_by(AT_ONCE) {
        thread::scope(|scope| {
            for number in first..first + AT_ONCE {
                let container = &container;
                scope.spawn(move || {
                    let mut client = client(engine, container);
                    disturb(&mut client);
                    DOING[number / ENDS.len() % DOING.len()](&mut client);
                    ENDS[number % ENDS.len()](&mut client);
                    wait(&mut client, TIMEOUT).expect("the command line ends");
                });
            }
        });
        // A killed client's session may last for the stall time-out: the next ones must find room.
        let few = wait_until(TIMEOUT, || health(engine, &container)["sessions"].as_u64() < Some(6));
        assert!(few, "{}", engine.ok(&["top", &container]));
    }
    let after = until_at_rest(engine, &container);
    assert_eq!((after.processes, after.zombies), (before.processes, 0), "{}", after.listing);
    // The child that waits now is another one than before: on a busy machine, one may be further in its start.
    let (kb_before, kb) = (before.memory, after.memory);
    let told = format!("{kb_before} KB before, {kb} KB after\n{}\n{}", before.listing, after.listing);
    assert!(after.ours * 10 <= before.ours * 11 && kb * 2 <= kb_before * 3, "{told}");
    assert_eq!(health(engine, &container)["served"], count, "{container}");
    assert_eq!(engine.inspect(&container)["State"]["OOMKilled"], false);
    let (open_before, open) = (before.descriptors?, after.descriptors?);
    assert_eq!(open, open_before, "open files and sockets\n{}", after.listing);
    let left = after.processes - before.processes;
    print_note(&format!(
        "{server}: {count} clients ended; {left} processes left, 0 zombies, {open} of {open_before} descriptors, {kb} of {kb_before} KB"
    ));
    env.ok(&["down", server]);
    Ok(())
}

fn count() -> usize {
    if is_full() { 200 } else { 12 }
}

#[test]
fn clients_of_node_and_python_servers_leave_nothing_however_they_end() {
    let engine = engine_or_skip!();
    for (kind, servers) in
        [(Kind::Node, ["context7", "sequential-thinking"]), (Kind::Python, ["python-example", "time"])]
    {
        let env = match wrapped::env_with_servers(&engine, kind, "wrapped-ends") {
            Ok(env) => env,
            Err(why) => skip!("{why}"),
        };
        for server in &servers[..if is_full() { 2 } else { 1 }] {
            if let Err(why) = end_in_every_way(&engine, &env, server, count(), |_| {}) {
                skip!("{why}")
            }
        }
    }
}

#[test]
fn clients_of_a_server_in_rust_leave_nothing_either() {
    let engine = engine_or_skip!();
    full_or_skip!();
    let env = weather::test_env(&engine, "rust-ends");
    if let Err(why) = end_in_every_way(&engine, &env, "weather", count(), |_| {}) {
        skip!("{why}")
    }
}

/// A workspace with one more server in it.
fn workspace_with_the_worst(engine: &Engine, folder: &std::path::Path) -> TestEnv {
    copy_workspace(folder, "0.1.1-ends");
    let env = TestEnv::on(engine, "worst").with_root(folder);
    let package = json!({"registryType": "npm", "identifier": "worst", "version": "1.0.0", "transport": {"type": "stdio"}});
    let manifest = r#"{"name": "worst", "version": "1.0.0", "type": "module", "bin": "server.js"}"#;
    add(folder, "worst", &package, &[("package.json", manifest), ("server.js", WORST)]);
    build(engine, &env, "worst", "drydock/worst:1.0.0");
    env
}

#[test]
fn a_server_that_ignores_its_end_and_leaves_orphans_is_ended_for_certain() {
    let engine = engine_or_skip!();
    full_or_skip!();
    if let Err(why) = wrapped::test_env(&engine, Kind::Node, "worst-base") {
        skip!("{why}")
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let env = workspace_with_the_worst(&engine, folder.path());
    let leave_orphans = |client: &mut Child| {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "orphan", "arguments": {}}});
        say(client, &format!("{call}\n"));
    };
    if let Err(why) = end_in_every_way(&engine, &env, "worst", 200, leave_orphans) {
        skip!("{why}")
    }
    fifty_megabytes(&engine, &env);
    a_client_that_stops_reading(&engine, &env);
}

/// There and back, byte for byte, while what is not the server's stays small.
fn fifty_megabytes(engine: &Engine, env: &TestEnv) {
    env.ok(&["up", "worst", "--env", STALL]);
    let container = env.container("worst");
    let text: String = (0_u32..)
        .map(|it| char::from(b'a' + (it.wrapping_mul(2_654_435_761) >> 28) as u8))
        .take(50_000_000)
        .collect();
    let mut session = wrapped::session(engine, &container);
    session.open(LEGACY[1]);
    let answer = session.call("echo", json!({"text": text}));
    assert!(answer.text == text, "{} of {} bytes came back", answer.text.len(), text.len());
    let listing = Running::look(engine, &container).listing;
    let rows = listing.lines().skip(1).map(|it| it.split_whitespace().collect::<Vec<_>>());
    let ours: Vec<(u64, String)> = rows
        .filter(|it| it[3] == "/mcp")
        .map(|it| (it[2].parse().expect("a number of KB"), it[3..].join(" ")))
        .collect();
    assert!(ours.len() >= 4 && ours.iter().all(|it| it.0 < 3_000), "{listing}");
    print_note(&format!("50 MB there and back; the bridge's processes have {ours:?} KB"));
}

/// Its session ends after the time-out; another one goes on, and what is executed in the container ends as ever.
fn a_client_that_stops_reading(engine: &Engine, env: &TestEnv) {
    let container = env.container("worst");
    let before = until_at_rest(engine, &container).processes;
    let mut other = wrapped::session(engine, &container);
    other.open(LEGACY[1]);
    let mut deaf = client(engine, &container);
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "x".repeat(5_000_000)}}});
    say(&mut deaf, &format!("{call}\n"));
    let ended = wait_until(TIMEOUT, || {
        assert_eq!(other.call("echo", json!({"text": "still here"})).text, "still here");
        health(engine, &container)["sessions"] == 1
    });
    assert!(ended, "{}", engine.ok(&["top", &container]));
    let log = engine.run(&["logs", &container]).ok();
    assert!(log.stderr.contains("output was blocked for too long"), "{log}");
    drop((deaf.stdin.take(), deaf.stdout.take()));
    wait(&mut deaf, TIMEOUT).expect("the command line ends");
    other.close();
    assert_eq!(until_at_rest(engine, &container).processes, before);
}
