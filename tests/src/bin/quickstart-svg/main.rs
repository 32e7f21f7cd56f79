//! The picture in README.md: `cargo run --package drydock-tests --bin quickstart-svg [--record | --check]`.
//!
//! `docs/quickstart.txt`, a recorded session -> `docs/quickstart.svg`. `--record` records it again, on an engine, in a
//! fresh copy with an empty HOME; `--check` fails where the picture is not what the text gives. Invariant: the picture is
//! made of the text alone, so that the same text always gives the same bytes.

mod svg;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use drydock_tests::engine::Engine;
use drydock_tests::recording;
use drydock_tests::test_env::{TestEnv, copy_workspace, workspace_root};

/// A version of its own, so that nobody's image is replaced.
const VERSION: &str = "0.1.1-recording";
const USAGE: &str = "usage: cargo run -p drydock-tests --bin quickstart-svg [--record | --check]";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => write(),
        ["--record"] => record().and_then(|()| write()),
        ["--check"] => check(),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn record() -> Result<(), String> {
    let engine = Engine::find()?;
    let folder = tempfile::tempdir().map_err(|e| format!("no temporary folder: {e}"))?;
    copy_workspace(folder.path(), VERSION);
    let env = TestEnv::on(&engine, "recording").with_root(folder.path());
    let text = recording::session(&recording::run(&env), &env, VERSION);
    drop(env);
    engine.run(&["image", "rm", &format!("drydock/weather:{VERSION}")]);
    let path = recording::path();
    fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

fn write() -> Result<(), String> {
    let path = picture();
    fs::write(&path, svg::render(&text()?)).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

fn check() -> Result<(), String> {
    let path = picture();
    let old = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    if old == svg::render(&text()?) {
        return Ok(());
    }
    Err("docs/quickstart.svg is not what docs/quickstart.txt gives\n\n\
         hint: cargo run -p drydock-tests --bin quickstart-svg"
        .to_owned())
}

fn text() -> Result<String, String> {
    let path = recording::path();
    fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

fn picture() -> PathBuf {
    workspace_root().join("docs/quickstart.svg")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_picture_is_that_of_the_committed_text() {
        super::check().unwrap();
    }
}
