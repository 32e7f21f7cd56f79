//! Clients that others wrote, at fixed versions: each reads the file that we wrote to, gets through to every server in
//! it, ours and theirs, and finds the rest of the file as it was.
//!
//! Package -> installed, a home with a file as its owner has it -> our entries in, seen by the client, out again.
//! Invariant: every entry that a test counts on was used by the client itself.

mod ask;
mod calls;
mod drift;
pub(crate) mod packages;
mod run;
mod table;
pub(crate) mod terminal;

use std::fs;

use drydock_tests::engine::Engine;
use drydock_tests::{engine_or_skip, full_or_skip, is_full, process, skip, weather};
use serde_json::Value;

use self::run::{Run, TOKEN};
use self::table::{
    AMP, AUGGIE, CLAUDE_CODE, CLINE, CODEX, CONTINUE, COPILOT_CLI, Client, DROID, FASTMCP_FOR_CLAUDE_DESKTOP,
    FASTMCP_FOR_CURSOR, GEMINI_CLI, GROK, HERMES, INSPECTOR, KILO, KIMI_CODE, MCPORTER, MISTRAL_VIBE,
    OPENCLAW, OPENCODE, QODER_CLI, QWEN_CODE,
};

/// As people paste it from guides.
const NAME: &str = "Context7 MCP (Docker exec)";

macro_rules! round_trip {
    ($client:expr) => {{
        let engine = engine_or_skip!();
        if let Err(why) = round_trip(&engine, &$client) {
            skip!("{why}");
        }
    }};
}

#[test]
fn claude_code() {
    round_trip!(CLAUDE_CODE);
}

#[test]
fn codex() {
    round_trip!(CODEX);
}

#[test]
fn gemini_cli() {
    round_trip!(GEMINI_CLI);
}

#[test]
fn mcporter() {
    round_trip!(MCPORTER);
}

#[test]
fn fastmcp_for_cursor() {
    round_trip!(FASTMCP_FOR_CURSOR);
}

#[test]
fn fastmcp_for_claude_desktop() {
    round_trip!(FASTMCP_FOR_CLAUDE_DESKTOP);
}

#[test]
fn qwen_code() {
    full_or_skip!();
    round_trip!(QWEN_CODE);
}

#[test]
fn opencode() {
    full_or_skip!();
    round_trip!(OPENCODE);
}

#[test]
fn copilot_cli() {
    full_or_skip!();
    round_trip!(COPILOT_CLI);
}

#[test]
fn auggie() {
    full_or_skip!();
    round_trip!(AUGGIE);
}

#[test]
fn continues() {
    full_or_skip!();
    round_trip!(CONTINUE);
}

#[test]
fn kilo() {
    full_or_skip!();
    round_trip!(KILO);
}

#[test]
fn droid() {
    full_or_skip!();
    round_trip!(DROID);
}

#[test]
fn amp() {
    full_or_skip!();
    round_trip!(AMP);
}

#[test]
fn kimi_code() {
    full_or_skip!();
    round_trip!(KIMI_CODE);
}

#[test]
fn cline() {
    full_or_skip!();
    round_trip!(CLINE);
}

#[test]
fn grok() {
    full_or_skip!();
    round_trip!(GROK);
}

#[test]
fn qoder_cli() {
    full_or_skip!();
    round_trip!(QODER_CLI);
}

#[test]
fn hermes() {
    full_or_skip!();
    round_trip!(HERMES);
}

#[test]
fn mistral_vibe() {
    full_or_skip!();
    round_trip!(MISTRAL_VIBE);
}

#[test]
fn openclaw() {
    full_or_skip!();
    round_trip!(OPENCLAW);
}

#[test]
fn inspector() {
    full_or_skip!();
    round_trip!(INSPECTOR);
}

/// The client's own server, then ours beside it, then ours out again; the same with the project's file.
fn round_trip(engine: &Engine, client: &Client) -> Result<(), String> {
    let env = weather::test_env(engine, &format!("real-{}-{}", client.program, client.id));
    let mut run = Run::without_its_file(&env, client)?;
    env.ok(&["up", "weather"]);
    if is_full() {
        first_start(&mut run);
    }
    run.furnish();
    let far = run.far_server();
    sees(&mut run, &["theirs"]);

    // Some write to their file when they start: what counts is how they leave it.
    let before = run.text();
    run.xtask("install-client", &["--server", "weather"]);
    let container = env.container("weather");
    let by_name = ["--container", &container, "--name", NAME, "--", "/mcp", "stdio"];
    if client.any_name {
        run.xtask("install-client", &by_name);
    } else {
        let unchanged = run.text();
        let refused = env.run(&[&["install-client", client.id], &by_name[..]].concat()).fails();
        assert!(refused.stderr.contains("does not take") && refused.stderr.contains(NAME), "{refused}");
        assert_eq!(run.text(), unchanged);
    }
    if client.http {
        let header = "Authorization: Bearer ${FAR_TOKEN}";
        run.xtask("install-client", &["--name", "far", "--url", &far.url, "--header", header]);
    }
    let installed = run.text();
    assert!(!installed.contains(TOKEN), "a secret stands in {installed}");
    let all = [("theirs", true), ("weather", true), (NAME, client.any_name), ("far", client.http)];
    let all: Vec<_> = all.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
    sees(&mut run, &all);
    out_again(&run, Some(&before), &installed);

    if client.project.is_empty() {
        return Ok(());
    }
    if client.program == "fastmcp" && std::env::var_os("DOCKER_HOST").is_some() {
        return Err(
            "of the project's file: its entry names no engine, and fastmcp keeps DOCKER_HOST from servers"
                .into(),
        );
    }
    in_the_project(&mut run);
    Ok(())
}

fn in_the_project(run: &mut Run<'_>) {
    run.in_project = true;
    run.xtask("install-client", &["--server", "weather"]);
    let installed = run.text();
    if !run.client.approve.is_empty() {
        drydock_tests::process::run(&mut run.client(run.client.approve)).ok();
    }
    if let Some(question) = &run.client.question {
        terminal::say_yes(&mut run.client(&[]), question, "weather", &run.env.home());
    }
    // The person's file counts, too; but fastmcp looks at the project's alone.
    let theirs = if run.client.in_home { &["weather"][..] } else { &["theirs", "weather"] };
    sees(run, theirs);
    out_again(run, None, &installed);
}

/// The client finds a file that it did not make, with our entry and nothing else in it: it uses it, and adds to it what we know
/// of at most (no permission, above all).
fn first_start(run: &mut Run<'_>) {
    let install = ["install-client", run.client.id, "--server", "weather"];
    if !run.client.first_start.is_empty() {
        run.env.run(&install).fails();
        assert!(!run.file().exists(), "it was refused, and written");
        process::run(&mut run.client(run.client.first_start)).ok();
    }
    let before = fs::read_to_string(run.file()).ok();
    run.env.ok(&install);
    let installed = run.text();
    if run.client.without_model.is_empty() {
        sees(run, &["weather"]);
    } else {
        process::run(&mut run.client(run.client.without_model));
    }
    let left = run.text();
    if left != installed {
        let added: Vec<_> =
            outermost(&left).into_iter().filter(|it| !outermost(&installed).contains(it)).collect();
        let known = added.iter().all(|it| run.client.adds.contains(&it.as_str()));
        assert!(known, "{} has added {added:?} to {installed}: {left}", run.client.program);
    }
    out_again(run, before.as_deref(), &installed);
}

/// The outermost keys of a file, of whatever format.
fn outermost(text: &str) -> Vec<String> {
    if let Ok(Value::Object(all)) = serde_json::from_str(text) {
        return all.keys().cloned().collect();
    }
    let lines = text.lines().filter(|it| it.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['));
    lines
        .map(|it| {
            it.split([':', '=', '.', ']']).next().unwrap_or_default().trim_matches(['[', ' ']).to_owned()
        })
        .collect()
}

/// The tools of a server, by the name of its entry.
fn tools_of(name: &str) -> &'static [&'static str] {
    if ["theirs", "far"].contains(&name) { &["their_tool"] } else { &weather::TOOLS }
}

/// The client is connected to these servers, and to no other; each has its tools, if the client tells.
#[track_caller]
fn sees<'a>(run: &mut Run<'a>, names: &[&'a str]) {
    run.wanted = names.to_vec();
    let seen = (run.client.ask)(run);
    let mut seen_names: Vec<_> = seen.iter().map(|it| it.name.as_str()).collect();
    let mut names = names.to_vec();
    seen_names.sort_unstable();
    names.sort_unstable();
    assert_eq!(seen_names, names, "{} is connected to the left ones", run.client.program);
    for it in &seen {
        let Some(mut found) = it.tools.clone() else { continue };
        found.sort_unstable();
        assert_eq!(
            found,
            tools_of(&it.name),
            "the tools of {}, as {} lists them",
            it.name,
            run.client.program
        );
    }
}

/// Takes our entries out. What the client did not write is as it was `before` they came; what it wrote stays.
#[track_caller]
fn out_again(run: &Run<'_>, before: Option<&str>, installed: &str) {
    let left = run.text();
    run.xtask("uninstall-client", &[]);
    let after = fs::read_to_string(run.file()).ok();
    if left == installed {
        assert_eq!(after.as_deref(), before, "not as it was before our entries came");
        return;
    }
    let after = after.expect("a file that the client has written to");
    let head = left.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    let tail = left.bytes().rev().zip(after.bytes().rev()).take_while(|(a, b)| a == b).count();
    assert!(head + tail >= after.len(), "more than our entries has gone from {left}\nleft over: {after}");
    assert!(left.contains("weather") && !after.contains("weather"), "ours are not gone: {after}");
    assert_eq!(left.contains("theirs"), after.contains("theirs"), "theirs are gone: {after}");
}
