//! However a client ends, its session ends too: nothing is left in the container.

use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use drydock_tests::engine::Engine;
use drydock_tests::process::{command, print_note, run, wait, wait_until};
use drydock_tests::session::LEGACY;
use drydock_tests::{engine_or_skip, weather};
use serde_json::{Value, json};

/// How long a session's output may be blocked in these tests, in seconds.
const STALL: &str = "MCP_STALL_TIMEOUT=5";
/// For fifty sessions to start, or to end, on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(300);
const CLIENTS: usize = 50;

/// Sessions that still run in the container.
fn sessions(engine: &Engine, container: &str) -> usize {
    let top = engine.ok(&["top", container, "-eo", "pid,args"]);
    top.lines().filter(|it| it.ends_with("/mcp stdio")).count()
}

/// A client that has shaken hands, with both its pipes in our hands and nobody reading.
pub(crate) fn client(engine: &Engine, container: &str) -> Child {
    let mut child = engine
        .command(&["exec", "-i", container, "/mcp", "stdio"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the engine's command line");
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "doomed", "version": "0"}}});
    let stdin = child.stdin.as_mut().expect("a pipe");
    writeln!(stdin, "{hello}\n{}", json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        .expect("it reads");
    let stdout = child.stdout.as_mut().expect("a pipe");
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\n") {
        stdout.read_exact(&mut byte).expect("an answer to `initialize`");
        answer.extend(byte);
    }
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    assert_eq!(answer["id"], 0);
    child
}

fn clients(engine: &Engine, container: &str) -> Vec<Child> {
    thread::scope(|scope| {
        let starts: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| client(engine, container))).collect();
        starts.into_iter().map(|it| it.join().expect("a client")).collect()
    })
}

fn kill(clients: Vec<Child>) {
    for mut client in clients {
        client.kill().expect("a client to kill");
        client.wait().expect("a killed client");
    }
}

/// Requests for far more than a megabyte of answers, which nobody reads.
fn ask_for_a_megabyte(clients: &mut [Child]) {
    let requests: String = (1..400)
        .map(|id| format!("{}\n", json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"})))
        .collect();
    for client in clients {
        client
            .stdin
            .as_mut()
            .expect("a pipe")
            .write_all(requests.as_bytes())
            .expect("it fits into the pipes");
    }
}

/// Requests until nothing on the way takes another byte.
fn fill_input(clients: &mut [Child]) {
    let request = format!("{}\n", json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    let block = request.repeat(200);
    for client in clients {
        let mut stdin = client.stdin.take().expect("a pipe");
        let block = block.clone();
        // Ends with the client: then the pipe breaks.
        thread::spawn(move || while stdin.write_all(block.as_bytes()).is_ok() {});
    }
}

/// Waits until no session writes a line into the log any more: all are blocked.
fn until_all_are_stuck(engine: &Engine, container: &str) {
    let mut before = String::new();
    let stuck = wait_until(TIMEOUT, || {
        let now = engine.ok(&["logs", "--tail", "1", container]);
        let still = now == before;
        before = now;
        thread::sleep(Duration::from_millis(300));
        still
    });
    assert!(stuck, "sessions go on, though nobody reads");
}

#[test]
fn a_hundred_and_fifty_killed_clients_leave_nothing() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "kills");
    let container = env.container("weather");
    // Those that were killed may still be ending when the next ones come.
    env.ok(&["up", "weather", "--env", STALL, "--env", "MCP_MAX_SESSIONS=0"]);

    let idle = clients(&engine, &container);
    assert_eq!(sessions(&engine, &container), CLIENTS);
    kill(idle);

    let mut answering = clients(&engine, &container);
    ask_for_a_megabyte(&mut answering);
    until_all_are_stuck(&engine, &container);
    let log = engine.run(&["logs", &container]).ok();
    assert!(
        !format!("{}{}", log.stdout, log.stderr).contains(" id=399 "),
        "a session is not in the middle of it"
    );
    kill(answering);

    let mut queued = clients(&engine, &container);
    fill_input(&mut queued);
    until_all_are_stuck(&engine, &container);
    kill(queued);

    let gone = wait_until(TIMEOUT, || sessions(&engine, &container) == 0);
    assert!(gone, "{} sessions are left\n{}", sessions(&engine, &container), engine.ok(&["top", &container]));
    let health = engine.ok(&["exec", &container, "/mcp", "health", "--json"]);
    let health: Value = serde_json::from_str(&health).unwrap();
    assert_eq!(health["sessions"], 0, "{health}");
    assert_eq!(health["ready"], true, "{health}");
    assert_eq!(health["served"], 3 * CLIENTS, "{health}");
    assert_eq!(engine.inspect(&container)["State"]["OOMKilled"], false);
}

/// `nohup` ignores a signal for all that it starts, and a program in Go keeps it so.
fn is_ignored(signal: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|it| it.strip_prefix("SigIgn:")).unwrap_or("0");
    let mask = u64::from_str_radix(mask.trim(), 16).expect("hexadecimal digits");
    mask & (1 << (signal - 1)) != 0
}

#[test]
fn a_client_that_ends_in_another_way_leaves_nothing_either() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "ends");
    let container = env.container("weather");
    env.ok(&["up", "weather", "--env", STALL]);
    let heard: Vec<_> =
        [("HUP", 1), ("INT", 2), ("TERM", 15)].into_iter().filter(|it| !is_ignored(it.1)).collect();
    print_note(&format!("signals that end the command line here: {heard:?}"));
    for (signal, _) in heard {
        let mut clients: Vec<_> = (0..5).map(|_| client(&engine, &container)).collect();
        ask_for_a_megabyte(&mut clients[..2]);
        for mut client in clients {
            run(command("kill").args([format!("-{signal}"), client.id().to_string()])).ok();
            wait(&mut client, TIMEOUT).unwrap_or_else(|| panic!("{signal} does not end the command line"));
        }
        let gone = wait_until(TIMEOUT, || sessions(&engine, &container) == 0);
        assert!(gone, "{signal}: {} sessions are left", sessions(&engine, &container));
    }
}

#[test]
fn a_slow_reader_keeps_its_session() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "slow");
    let container = env.container("weather");
    env.ok(&["up", "weather"]); // with a minute: a busy machine may take seconds between two looks
    let mut client = client(&engine, &container);
    ask_for_a_megabyte(std::slice::from_mut(&mut client));
    until_all_are_stuck(&engine, &container);
    // Shorter than the time-out, then everything is read.
    thread::sleep(Duration::from_secs(4));
    drop(client.stdin.take());
    let mut answers = String::new();
    client.stdout.take().unwrap().read_to_string(&mut answers).unwrap();
    let mut ids: Vec<u64> = answers
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("whole lines")["id"].as_u64().expect("an id"))
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..400).collect::<Vec<_>>());
    assert!(wait(&mut client, TIMEOUT).expect("it ends with its session").success());
}

/// An engine takes exits one after the other, and waits in each for its output to be read.
#[test]
fn clients_that_never_read_keep_no_other_command_from_ending() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "deaf");
    let container = env.container("weather");
    env.ok(&["up", "weather", "--env", STALL]);
    let open = || {
        let health = engine.ok(&["exec", &container, "/mcp", "health", "--json"]);
        serde_json::from_str::<Value>(&health).expect("JSON")["sessions"].clone()
    };
    for closes_its_end in [false, true] {
        let mut deaf: Vec<_> = (0..4).map(|_| client(&engine, &container)).collect();
        ask_for_a_megabyte(&mut deaf);
        until_all_are_stuck(&engine, &container);
        assert_eq!(open(), 4);
        if closes_its_end {
            deaf.iter_mut().for_each(|it| drop(it.stdin.take()));
        }
        assert!(wait_until(TIMEOUT, || open() == 0), "their sessions do not end");
        // What is executed now ends, though none of them has read.
        assert_eq!(open(), 0);
        let mut session = weather::session(&engine, &container);
        session.open(LEGACY[1]);
        assert_eq!(session.tools(), weather::TOOLS);
        session.close();
        env.ok(&["up", "weather", "--env", STALL]);
        env.ok(&["status"]);
        env.ok(&["logs", "weather"]);
        assert!(deaf.iter_mut().all(|it| it.try_wait().is_ok_and(|it| it.is_none())), "a client is gone");
        kill(deaf);
        assert!(wait_until(TIMEOUT, || sessions(&engine, &container) == 0), "something is left of them");
    }
}

#[test]
fn the_engine_need_not_kill_the_container_to_stop_it() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "stop");
    let container = env.container("weather");
    env.ok(&["up", "weather"]);
    let mut clients: Vec<_> = (0..3).map(|_| client(&engine, &container)).collect();
    ask_for_a_megabyte(&mut clients[..1]);
    // After these two seconds the engine kills what is still there: that would be exit code 137.
    engine.ok(&["stop", "--time", "2", &container]);
    let code = &engine.inspect(&container)["State"]["ExitCode"];
    assert!(*code == 0 || *code == 143, "exit code {code}");
    kill(clients); // one of them still waits for somebody to read
}
