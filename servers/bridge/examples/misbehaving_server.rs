//! A server to be wrapped in tests: it answers, remembers, and misbehaves in every way that was asked for.
//!
//! `misbehaving_server MARKER [BEHAVIOUR..]`: MARKER stands in the command line of everything it starts, so that tests
//! find it. Behaviours: `ignore-eof`, `ignore-term`, `leave-orphans` (processes that nobody can attribute), `die` (at
//! its start), `greet` (a line on stdout before any request), `strict` (ends at any line before `initialize`); of an orphan
//! itself: `daemonize` (start another one and end), `stay` (sleep for ever).

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::zombie_processes,
    reason = "a test server: its stdout is the protocol, and it may break"
)]

use std::io::{BufRead, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::{Value, json};
use signal_hook::consts::SIGTERM;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let marker = args[0].clone();
    let has = |it: &str| args[1..].iter().any(|arg| arg == it);
    if has("ignore-term") {
        signal_hook::flag::register(SIGTERM, Arc::new(AtomicBool::new(false))).unwrap();
    }
    if has("leave-orphans") {
        start(&marker, &["daemonize", "ignore-term"]);
        start(&marker, &["stay", "ignore-term"]);
    }
    if has("daemonize") {
        // As daemons do: a session of its own, a parent that is gone, an environment that says nothing.
        rustix::process::setsid().unwrap();
        start(&marker, &["stay", "ignore-term"]);
        return;
    }
    if has("stay") {
        sleep_for_ever();
    }
    if has("die") {
        eprintln!("one reason\nanother reason");
        std::process::exit(3);
    }
    eprintln!("{marker} is up");
    if has("greet") {
        println!("{{\"greeting\": 1}}");
    }
    serve(&marker, has("strict"));
    if has("ignore-eof") {
        sleep_for_ever();
    }
}

fn start(marker: &str, behaviours: &[&str]) {
    let exe = std::env::current_exe().unwrap();
    Command::new(exe).arg(marker).args(behaviours).env_clear().stdin(Stdio::null()).spawn().unwrap();
}

fn sleep_for_ever() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

fn serve(marker: &str, strict: bool) {
    let mut thoughts: Vec<String> = Vec::new();
    let mut is_initialized = false;
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        is_initialized |= line.contains("\"initialize\"");
        if strict && !is_initialized {
            std::process::exit(4);
        }
        let Ok(request) = serde_json::from_str::<Value>(&line) else { continue };
        if request["id"].is_null() || request["method"].is_null() {
            continue;
        }
        let arguments = &request["params"]["arguments"];
        let number = || arguments["n"].as_u64().unwrap();
        let result = match request["params"]["name"].as_str().unwrap_or_default() {
            "think" => {
                thoughts.push(arguments["text"].as_str().unwrap().to_owned());
                json!({"thoughts": thoughts})
            }
            "pid" => json!({"pid": std::process::id()}),
            "echo" => arguments.clone(),
            "flood" => json!({"text": "x".repeat(usize::try_from(number()).unwrap())}),
            "fail" => json!({"isError": true, "content": []}),
            "leave-orphans" => {
                start(marker, &["daemonize", "ignore-term"]);
                start(marker, &["stay", "ignore-term"]);
                json!({})
            }
            "say" => {
                (0..number()).for_each(|it| eprintln!("word {it} {}", "y".repeat(100)));
                json!({})
            }
            "half" => {
                print!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"resu", request["id"]);
                std::io::stdout().flush().unwrap();
                sleep_for_ever()
            }
            "sleep" => {
                std::thread::sleep(Duration::from_millis(number()));
                json!({})
            }
            "die" => std::process::exit(i32::try_from(number()).unwrap()),
            "abort" => std::process::abort(),
            "noise" => {
                println!("this is no JSON");
                json!({})
            }
            _ => json!({"method": request["method"]}),
        };
        let answer = json!({"jsonrpc": "2.0", "id": request["id"], "result": result}).to_string();
        // Line by line, as a server does that writes to a pipe that nobody reads.
        let mut stdout = std::io::stdout().lock();
        if stdout.write_all(answer.as_bytes()).and_then(|()| stdout.write_all(b"\n")).is_err() {
            return;
        }
        stdout.flush().unwrap();
    }
}
