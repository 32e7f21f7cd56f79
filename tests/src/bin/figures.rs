//! The figures of the example server and of `install-client`, measured: `cargo run --package drydock-tests --bin figures`.
//!
//! The image that `build-images weather` makes -> size, memory, cost of a call, beside their budgets; files of 10 MB ->
//! time and memory of an edit by xtask as everybody builds it. Invariant: what is measured is the file from the image;
//! both sides of a ratio are measured in the same run, in turns.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use drydock_tests::callgrind::instructions_per_call;
use drydock_tests::engine::Engine;
use drydock_tests::large::{LARGE_CONFIGS, LargeConfig};
use drydock_tests::process::{BUILD_TIMEOUT, command, run, run_with, run_with_peak_memory};
use drydock_tests::session::{LEGACY, Session};
use drydock_tests::test_env::{TestEnv, build, copy_workspace, workspace_root};
use drydock_tests::weather::IMAGE;
use drydock_tests::wrapped::shared_target_dir;
use serde_json::{Value, json};

const ROUNDS: usize = 5;
const CALLS: u32 = 10_000;

/// A profile of its own: as fast as the compiler can, whatever `release` is tuned for.
const LIMIT: [&str; 6] = [
    "--profile",
    "limit",
    "--config",
    "profile.limit.inherits='dev'",
    "--config",
    "profile.limit.opt-level=3",
];

fn main() -> ExitCode {
    match figures() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn figures() -> Result<bool, String> {
    let mut good = LARGE_CONFIGS.iter().map(large_file).fold(true, |all, it| all & it);
    let engine = Engine::find()?;
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let server = server(&engine, folder.path())?;
    good &= row("image of weather", image_size(&engine, IMAGE)?, "MiB", 5.0);
    good &= made_by_new_server(&engine, folder.path())?;

    uncached(&server);
    let mut session = start(&server, "stdio");
    session.tools();
    good &= row("memory of an idle session (RSS)", session_memory(&session, "VmRSS"), "MB", 4.0);
    good &= row("of that its own (RssAnon)", session_memory(&session, "RssAnon"), "MB", 0.7);

    let lookup = json!({"name": "Springfield, Illinois"});
    match instructions_per_call(&server, "find_place", &lookup) {
        Ok(it) => good &= row("instructions of a call of find_place", it as f64 / 1e3, "thousand", 300.0),
        Err(why) => eprintln!("instructions of a call of find_place: not counted: {why}"),
    }

    let (tool, arguments) =
        ("sun_times", json!({"latitude": 46.95, "longitude": 7.45, "date": "2026-06-21"}));
    let result = session.request("tools/call", json!({"name": tool, "arguments": arguments}));
    let file = folder.path().join("result");
    fs::write(&file, result.to_string()).map_err(|e| e.to_string())?;
    let raw = build(
        &[&LIMIT[..], &["--package", "drydock-tests", "--bin", "raw-weather"][..]].concat(),
        "raw-weather",
    );
    Ok(good & compare(&server, &raw, &file, tool, &arguments))
}

/// The file in the image of weather.
fn server(engine: &Engine, folder: &Path) -> Result<PathBuf, String> {
    // What is there may come from the tests, which build with another profile.
    TestEnv::on(engine, "figures").ok(&["build-images", "weather"]);
    program(engine, IMAGE, &folder.join("mcp"))
}

/// The file in an image, as it is.
fn program(engine: &Engine, image: &str, to: &Path) -> Result<PathBuf, String> {
    let container = engine.ok(&["create", image]);
    let copied = engine.run(&["cp", &format!("{container}:/mcp"), to.to_str().ok_or("a strange path")?]);
    engine.ok(&["rm", &container]);
    copied.ok();
    Ok(to.to_owned())
}

/// In MiB.
fn image_size(engine: &Engine, image: &str) -> Result<f64, String> {
    let size = engine.ok(&["image", "inspect", "--format", "{{.Size}}", image]);
    let size: f64 = size.parse().map_err(|e| format!("{size}: {e}"))?;
    Ok(size / f64::from(1 << 20))
}

/// Images of servers as `new-server` makes them; then one with kit's example `forecast` in its place, which answers 1.2 KB.
fn made_by_new_server(engine: &Engine, folder: &Path) -> Result<bool, String> {
    let root = folder.join("workspace");
    copy_workspace(&root, env!("CARGO_PKG_VERSION"));
    let env = TestEnv::on(engine, "figures-made").with_root(&root);
    let build = |name: &str| {
        let mut build = env.xtask(&["build-images", name]);
        build.env("CARGO_TARGET_DIR", shared_target_dir());
        run_with(&mut build, &[], BUILD_TIMEOUT).ok();
        format!("drydock/{name}:0.1.0")
    };
    let mut good = true;
    for (name, with, budget) in [("made", &[][..], 4.0), ("made-client", &["--with", "http-client"], 5.0)] {
        let words = [&["new-server", name], with].concat();
        env.ok(&words);
        let what = format!("image of `{}`", words.join(" "));
        good &= row(&what, image_size(engine, &build(name))?, "MiB", budget);
    }
    let example = workspace_root().join("servers/kit/examples/forecast.rs");
    fs::copy(example, root.join("servers/made/src/main.rs")).map_err(|e| e.to_string())?;
    let forecast = program(engine, &build("made"), &folder.join("forecast"))?;
    match instructions_per_call(&forecast, "forecast", &json!({"place": "Bern", "days": 7})) {
        Ok(it) => {
            good &= row("instructions of a call that answers 1.2 KB", it as f64 / 1e3, "thousand", 90.0)
        }
        Err(why) => eprintln!("instructions of a call that answers 1.2 KB: not counted: {why}"),
    }
    Ok(good)
}

/// CPU time per call of the server and of the loop by hand, in turns; the median of the ratios counts.
fn compare(server: &Path, raw: &Path, result: &Path, tool: &str, arguments: &Value) -> bool {
    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|_| {
            let ours = cost(start(server, "stdio"), tool, arguments);
            let limit = cost(start(raw, result), tool, arguments);
            (ours, limit)
        })
        .collect();
    rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let (ours, limit) = rounds[ROUNDS / 2];
    let what = format!("CPU of a call of {tool}: {ours:.1} us, by hand {limit:.1} us: ratio");
    row(&what, ours / limit, "", 4.5)
}

/// Without its log: that is a matter of its own.
fn start(program: &Path, argument: impl AsRef<OsStr>) -> Session {
    let mut it = command(program);
    it.arg(argument).env("MCP_LOG", "error");
    let mut session = Session::start(it);
    session.open(LEGACY[1]);
    session
}

/// Microseconds of CPU per call, one call at a time.
fn cost(mut session: Session, tool: &str, arguments: &Value) -> f64 {
    let mut calls = |count: u32| {
        for _ in 0..count {
            session.request("tools/call", json!({"name": tool, "arguments": arguments}));
        }
        cpu(session.id())
    };
    let before = calls(500);
    (calls(CALLS) - before) / f64::from(CALLS)
}

/// User and system time of a process and its threads, in microseconds. The kernel counts it in hundredths of a second.
fn cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a running process");
    let after_name = stat.rsplit(')').next().expect("a name in parentheses");
    let ticks: f64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|it| it.parse::<f64>().ok()).sum();
    let per_second: f64 = run(command("getconf").arg("CLK_TCK")).ok().line().parse().expect("a number");
    ticks / per_second * 1e6
}

/// A file as after a restart of the machine: the kernel maps what surrounds a page that is used, in larger pieces where the
/// file was written just now (up to 0.2 MB more).
fn uncached(file: &Path) {
    let name = file.to_str().expect("a name in UTF-8");
    run(command("sync").arg(name)).ok();
    run(command("dd").args([&format!("if={name}"), "iflag=nocache", "count=0", "status=none"])).ok();
}

/// What the kernel counts under this name, in MB (of a million bytes).
fn session_memory(session: &Session, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", session.id())).expect("a running process");
    let line =
        status.lines().find_map(|it| it.strip_prefix(name)?.strip_prefix(':')).expect("the kernel says it");
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes * 1024.0 / 1e6
}

/// The best of some rounds: what else the machine does at the time is not ours.
fn large_file(large: &LargeConfig) -> bool {
    let rounds = (0..ROUNDS).map(|_| {
        let env = TestEnv::without_engine("figures");
        large.write(&env);
        let began = Instant::now();
        let (output, peak) = run_with_peak_memory(&mut env.xtask(&large.install()));
        output.ok();
        (began.elapsed().as_secs_f64(), peak as f64 / 1e6)
    });
    let (time, memory) =
        rounds.fold((f64::MAX, 0.0_f64), |(time, memory), it| (time.min(it.0), memory.max(it.1)));
    let what = format!("install-client, {} with 50,000 servers:", large.path);
    row(&format!("{what} time"), time, "s", 2.0) & row(&format!("{what} memory"), memory, "MB", 200.0)
}

fn row(what: &str, value: f64, unit: &str, budget: f64) -> bool {
    let good = value <= budget;
    let verdict = if good { "" } else { "  OVER BUDGET" };
    let line = format!("{what} {value:.2} {unit}").trim_end().to_owned();
    let _ = writeln!(std::io::stdout(), "{line} (budget {budget}){verdict}");
    good
}
