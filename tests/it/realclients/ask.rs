//! Asks a client which servers it is connected to, each in its own way.
//!
//! A run of the client -> names, and tools where it tells. Invariant: a server counts only when the client says that
//! it is connected, or lists its tools; from those that connect to nothing without a login, when they list it as enabled.

use std::fs;
use std::process::Command;

use drydock_tests::process::{CommandOutput, run};
use drydock_tests::session::Session;
use drydock_tests::weather;
use serde_json::{Value, json};

use super::run::Run;
use super::tools_of;

pub(super) type Ask = fn(&Run<'_>) -> Vec<Seen>;

#[derive(Debug)]
pub(super) struct Seen {
    pub(super) name: String,
    /// Absent where the client does not tell.
    pub(super) tools: Option<Vec<String>>,
}

fn with_tools(name: &str, tools: &Value) -> Seen {
    let tools = tools.as_array().into_iter().flatten();
    let names = tools.map(|it| it["name"].as_str().expect("a tool has a name").to_owned());
    Seen { name: name.to_owned(), tools: Some(names.collect()) }
}

fn enabled(name: &str) -> Seen {
    Seen { name: name.to_owned(), tools: None }
}

/// `claude`, `gemini`, `qwen`, `opencode`: a line for each server.
pub(super) fn lines(of: &Run<'_>) -> Vec<Seen> {
    let answer = run(&mut of.client(&["mcp", "list"])).ok();
    let text = plain(&format!("{}\n{}", answer.stdout, answer.stderr));
    text.lines().filter_map(connected).map(enabled).collect()
}

/// `NAME: command - ✔ Connected`, `✓ NAME: command (stdio) - Connected`, `●  ✓ NAME connected`.
fn connected(line: &str) -> Option<&str> {
    let marked = line.trim_start_matches(['●', ' ']);
    let line = marked.trim_start_matches(['✓', ' ']).trim_end().trim_end_matches(" · Direct MCP Server");
    if line.ends_with(" - Connected") || line.ends_with(" - ✔ Connected") {
        return line.split_once(": ").map(|(name, _)| name);
    }
    line.strip_suffix(" connected").filter(|_| marked.starts_with('✓'))
}

/// Without the sequences that colour it.
fn plain(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.filter_map(|it| it.split_once('m')).map(|(_, rest)| rest).collect::<String>()
}

pub(super) fn mcporter(of: &Run<'_>) -> Vec<Seen> {
    let answer = run(&mut of.client(&["list", "--json", "--exit-code"])).ok().json();
    let servers = answer["servers"].as_array().expect("a list of servers");
    let connected = servers.iter().filter(|it| it["status"] == "ok");
    connected.map(|it| with_tools(it["name"].as_str().expect("a name"), &it["tools"])).collect()
}

/// It lists one server at a time.
pub(super) fn fastmcp(of: &Run<'_>, source: &str) -> Vec<Seen> {
    let list = |name: &&str| {
        let answer = run(&mut of.client(&["list", &format!("{source}:{name}"), "--json"])).ok();
        with_tools(name, &answer.json()["tools"])
    };
    of.wanted.iter().map(list).collect()
}

pub(super) fn inspector(of: &Run<'_>) -> Vec<Seen> {
    let file = of.env.home().join(of.client.file);
    let config = ["--cli", "--config", file.to_str().expect("a plain path"), "--method", "tools/list"];
    let list = |name: &&str| {
        let answer = run(&mut of.client(&[&config[..], &["--server", name]].concat())).ok();
        with_tools(name, &answer.json()["tools"])
    };
    of.wanted.iter().map(list).collect()
}

/// Its command lists what stands in the files; what it is connected to only its app server knows, and that one knows
/// the person's file alone.
pub(super) fn codex(of: &Run<'_>) -> Vec<Seen> {
    let listed: CommandOutput = run(&mut of.client(&["mcp", "list", "--json"])).ok();
    let listed = listed.json();
    let listed = listed.as_array().expect("a list of servers");
    let in_files = listed.iter().filter(|it| it["enabled"] == true).filter_map(|it| it["name"].as_str());
    if of.in_project {
        return in_files.map(enabled).collect();
    }
    let mut server = opened(of.client(&["app-server"]));
    let answer = answer_of(&mut server, "mcpServerStatus/list", json!({}));
    server.finish();
    let servers = answer["data"].as_array().unwrap_or_else(|| panic!("no list: {answer}"));
    let seen = servers.iter().map(|it| {
        let name = it["name"].as_str().expect("a name");
        assert!(in_files.clone().any(|listed| listed == name), "`codex mcp list` does not know {name}");
        assert!(it["toolsError"].is_null(), "{name}: {}", it["toolsError"]);
        let tools = it["tools"].as_object().expect("tools by name");
        Seen { name: name.to_owned(), tools: Some(tools.keys().cloned().collect()) }
    });
    seen.collect()
}

/// An app server after its handshake.
fn opened(command: Command) -> Session {
    let mut server = Session::start(command);
    let me = json!({"clientInfo": {"name": "drydock-tests", "version": "0"}});
    answer_of(&mut server, "initialize", me);
    server.send(&json!({"jsonrpc": "2.0", "method": "initialized", "params": {}}));
    server
}

/// The result of a request, whatever an app server says before it.
#[track_caller]
fn answer_of(server: &mut Session, method: &str, params: Value) -> Value {
    let id = server.send_request(method, params);
    let mut receive = || serde_json::from_str::<Value>(&server.receive_line()).expect("lines of JSON");
    let is_answer = |it: &Value| it["id"] == id && it["method"].is_null();
    let mut answer = std::iter::repeat_with(&mut receive).find(is_answer).expect("an answer");
    assert!(answer["result"].is_object(), "to {method}: {answer}");
    answer["result"].take()
}

/// `vibe` works with the file; what its `/mcp` shows, the app server behind it tells. That one keeps lists of tools from one
/// session to the next: only a refresh asks the servers.
pub(super) fn vibe(of: &Run<'_>) -> Vec<Seen> {
    run(&mut of.client(of.client.prompt)).ok();
    let mut server = opened(of.program("vibe-app-server", &[]));
    let started = answer_of(&mut server, "session/start", json!({}));
    let session = json!({"sessionId": started["state"]["session"]["id"]});
    let answer = answer_of(&mut server, "mcp/refresh", session);
    server.finish();
    let mcp = &answer["runtime"]["mcp"];
    assert_eq!(mcp["discoveryErrors"], json!({}));
    let servers = mcp["sources"].as_array().unwrap_or_else(|| panic!("no list: {answer}")).iter();
    let connected = servers.filter(|it| it["status"] == "enabled" || it["status"] == "connected");
    connected.map(|it| with_tools(it["name"].as_str().expect("a name"), &it["tools"])).collect()
}

/// It has no command that lists servers; but before it asks a model, which nobody answers here, it notes which tools it
/// would offer: its own, and those of each server that it is connected to.
pub(super) fn continues(of: &Run<'_>) -> Vec<Seen> {
    let log = of.env.home().join(".continue/logs/cn.log");
    let _ = fs::remove_file(&log);
    run(&mut of.client(&["--print", "hello", "--verbose"])).fails();
    let log = fs::read_to_string(log).expect("its log");
    let prepared = log.lines().find_map(|it| it.split_once("Tools prepared "));
    let (_, prepared) = prepared.unwrap_or_else(|| panic!("no tools are prepared: {log}"));
    let prepared: Value = serde_json::from_str(prepared).expect("JSON in its log");
    let mut offered: Vec<_> = prepared["toolNames"].as_array().expect("tools").iter().collect();
    let mut seen = Vec::new();
    // Two servers may have the same tools, whose names do not say whose they are: each takes its own from the list.
    for name in &of.wanted {
        let places = tools_of(name).iter().map(|tool| offered.iter().position(|it| *it == tool));
        let Some(mut places) = places.collect::<Option<Vec<_>>>() else { continue };
        places.sort_unstable();
        let mut tools: Vec<_> = places.iter().rev().map(|at| offered.remove(*at)).collect();
        tools.reverse();
        let tools = tools.iter().filter_map(|it| it.as_str()).map(str::to_owned).collect();
        seen.push(Seen { name: (*name).to_owned(), tools: Some(tools) });
    }
    let more =
        offered.iter().any(|it| tools_of("theirs").iter().chain(&weather::TOOLS).any(|tool| *it == tool));
    assert!(!more, "the tools of a server that should not be there: {offered:?}");
    seen
}

/// Its command lists what stands in the files; it connects when it is to ask its model.
pub(super) fn copilot(of: &Run<'_>) -> Vec<Seen> {
    let answer = run(&mut of.client(&["mcp", "list", "--json"])).ok().json();
    let servers = answer["mcpServers"].as_object().expect("servers by name").iter();
    let mut listed: Vec<_> = servers.filter(|(_, it)| it["enabled"] == true).map(|(name, _)| name).collect();
    let mut wanted = of.wanted.clone();
    listed.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(listed, wanted, "what `copilot mcp list` shows");
    by_model(of)
}

/// `NAME  stdio  connected  [user]`; it shows a name without spaces.
pub(super) fn droid(of: &Run<'_>) -> Vec<Seen> {
    let answer = run(&mut of.client(&["mcp", "list"])).ok();
    let lines =
        answer.stdout.lines().map(|it| it.split("  ").map(str::trim).filter(|it| !it.is_empty()).collect());
    let connected = lines.filter(|it: &Vec<_>| it.get(2) == Some(&"connected"));
    let name_of =
        |shown: &str| of.wanted.iter().find(|it| is_like(it, shown)).map_or(shown, |it| it).to_owned();
    connected.map(|it| enabled(&name_of(it[0]))).collect()
}

/// `NAME (user settings): connected (1 tools: their_tool)`
pub(super) fn amp(of: &Run<'_>) -> Vec<Seen> {
    let answer = run(&mut of.client(&["mcp", "doctor"]));
    let seen = answer.stdout.lines().filter_map(|it| {
        let (name, tools) = it.split_once("): connected (")?;
        let tools = tools.trim_end_matches(')').split_once("tools: ")?.1.split(", ").map(str::to_owned);
        Some(Seen { name: name.rsplit_once(" (")?.0.to_owned(), tools: Some(tools.collect()) })
    });
    seen.collect()
}

/// Its doctor connects; a folder's own servers only with a word of trust.
pub(super) fn grok(of: &Run<'_>) -> Vec<Seen> {
    let trust = if of.in_project { &["--trust"][..] } else { &[] };
    let answer = run(&mut of.client(&[trust, &["mcp", "doctor", "--json"]].concat())).json();
    let servers = answer["servers"].as_array().expect("a list of servers").iter();
    servers
        .filter(|it| it["healthy"] == true)
        .map(|it| enabled(it["name"].as_str().expect("a name")))
        .collect()
}

/// It connects to one server at a time.
pub(super) fn hermes(of: &Run<'_>) -> Vec<Seen> {
    let test = |name: &&str| {
        let answer = plain(&run(&mut of.client(&["mcp", "test", name])).stdout);
        let tools =
            tools_of(name).iter().filter(|it| answer.lines().any(|line| line.trim().starts_with(**it)));
        Seen { name: (*name).to_owned(), tools: Some(tools.map(|it| (*it).to_owned()).collect()) }
    };
    of.wanted.iter().map(test).collect()
}

/// A tool is called `NAME__TOOL`, with another character for each that a model would not take; prompts and resources get some
/// tools, too.
pub(super) fn openclaw(of: &Run<'_>) -> Vec<Seen> {
    let answer = run(&mut of.client(&["mcp", "probe", "--json"])).ok().json();
    assert_eq!(answer["diagnostics"], json!([]));
    let tools: Vec<_> = answer["tools"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let tools_of = |name: &str| {
        let named = tools.iter().filter_map(|it| it.split_once("__")).filter(|it| is_like(it.0, name));
        let own =
            named.map(|it| it.1).filter(|it| !it.starts_with("prompts_") && !it.starts_with("resources_"));
        own.map(str::to_owned).collect()
    };
    let servers = answer["servers"].as_object().expect("servers by name");
    servers.keys().map(|name| Seen { name: name.clone(), tools: Some(tools_of(name)) }).collect()
}

fn is_like(name: &str, shown: &str) -> bool {
    let plain = |text: &str| text.replace(|it: char| !it.is_ascii_alphanumeric(), "");
    plain(name) == plain(shown)
}

/// It reads its file, and connects to nothing before somebody has logged in, which cannot be stood in for.
pub(super) fn auggie(of: &Run<'_>) -> Vec<Seen> {
    let answer = run(&mut of.client(&["mcp", "list", "--json"])).ok().json();
    let servers = answer["servers"].as_array().expect("a list of servers").iter();
    servers
        .filter(|it| it["enabled"] == true)
        .map(|it| enabled(it["name"].as_str().expect("a name")))
        .collect()
}

/// As [`continues`], from what a stand-in for the model is offered: a tool's name holds its server's, in one way or another.
pub(super) fn by_model(of: &Run<'_>) -> Vec<Seen> {
    let plain = |text: &str| text.to_lowercase().replace(|it: char| !it.is_ascii_alphanumeric(), "");
    let mut offered: Vec<_> = of.offered().iter().map(|it| plain(it)).collect();
    let mut seen = Vec::new();
    for name in &of.wanted {
        let mut tools = Vec::new();
        for tool in tools_of(name) {
            let wanted = plain(&format!("{name}{tool}"));
            let Some(at) = offered.iter().position(|it| names(it, &wanted)) else { continue };
            offered.remove(at);
            tools.push((*tool).to_owned());
        }
        if !tools.is_empty() {
            seen.push(Seen { name: (*name).to_owned(), tools: Some(tools) });
        }
    }
    let theirs = tools_of("theirs").iter().chain(&weather::TOOLS).map(|it| plain(it));
    let more: Vec<_> = theirs.filter(|tool| offered.iter().any(|it| names(it, tool))).collect();
    assert!(more.is_empty(), "the tools of a server that should not be there: {more:?} in {offered:?}");
    seen
}

/// Whether what was offered ends with this; some put eight digits of a hash behind a name that they had to change.
fn names(offered: &str, wanted: &str) -> bool {
    let without_hash = offered.len().checked_sub(8).and_then(|end| offered.get(..end));
    offered.ends_with(wanted) || without_hash.is_some_and(|it| it.ends_with(wanted))
}
