//! What the bridge adds to a message, in processor time: `cargo run --package drydock-tests --bin relay`.
//!
//! A wrapped server, as `build-images` makes it -> microseconds of all processes of the bridge in its container, per
//! message. Invariant: only a session's own messages pass while it is measured, one request at a time, each logged.

use std::fs;
use std::io::Write;
use std::process::ExitCode;

use drydock_tests::engine::Engine;
use drydock_tests::process::{command, run};
use drydock_tests::session::LEGACY;
use drydock_tests::wrapped::{self, Kind};
use serde_json::json;

const SERVER: &str = "sequential-thinking";
/// The kernel counts processor time in hundredths of a second.
const REQUESTS: u32 = 20_000;
const BUDGET: f64 = 20.0;

fn main() -> ExitCode {
    match measure() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<bool, String> {
    let engine = Engine::find()?;
    let env = wrapped::test_env(&engine, Kind::Node, "relay")?;
    env.ok(&["build-images", SERVER]);
    env.ok(&["up", SERVER]);
    let container = env.container(SERVER);
    let mut session = wrapped::session(&engine, &container);
    session.open(LEGACY[1]);
    let per_second: f64 = run(command("getconf").arg("CLK_TCK")).ok().line().parse().expect("a number");
    let cost = |ticks: u64| ticks as f64 / per_second * 1e6 / f64::from(2 * REQUESTS); // a request and its answer
    let mut good = true;
    for method in ["ping", "tools/list"] {
        let mut ask = |count: u32| {
            let answer = (0..count).map(|_| session.request(method, json!({}))).last();
            bridge_ticks(&engine, &container)
                .map(|ticks| (ticks, answer.map_or(0, |it| it.to_string().len())))
        };
        let (before, _) = ask(500)?;
        let (after, bytes) = ask(REQUESTS)?;
        let (ours, kernels) = (cost(after[0] - before[0]), cost(after[1] - before[1]));
        let verdict = if ours + kernels <= BUDGET { "" } else { "  OVER BUDGET" };
        let line = format!(
            "{method}, results of {bytes} bytes: {:.1} us a message, {ours:.1} of it the bridge's own code, the rest the \
             kernel's (budget {BUDGET}){verdict}",
            ours + kernels
        );
        let _ = writeln!(std::io::stdout(), "{line}");
        good &= ours + kernels <= BUDGET;
    }
    Ok(good)
}

/// User and system time of the bridge's processes: `serve`, a keeper for each child, the session.
fn bridge_ticks(engine: &Engine, container: &str) -> Result<[u64; 2], String> {
    let listing = engine.ok(&["top", container, "-eo", "pid,args"]);
    let rows = listing.lines().skip(1).filter(|it| it.contains("/mcp "));
    let pids: Vec<&str> = rows.filter_map(|it| it.split_whitespace().next()).collect();
    assert!(pids.len() >= 3, "the bridge's processes:\n{listing}");
    let mut sum = [0; 2];
    for pid in pids {
        let path = format!("/proc/{pid}/stat");
        let stat = fs::read_to_string(&path)
            .map_err(|e| format!("the engine must run on this machine: {path}: {e}"))?;
        let after_name = stat.rsplit(')').next().expect("a name in parentheses");
        let times = after_name.split_whitespace().skip(11).filter_map(|it| it.parse::<u64>().ok());
        sum.iter_mut().zip(times).for_each(|(sum, it)| *sum += it);
    }
    Ok(sum)
}
