//! The stand-in for the weather service, in the network namespace of a weather container.
//!
//! Container -> the same container with Open-Meteo on its loopback. Invariant: nothing outside of that container
//! reaches it, and it ends with the run.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;

use crate::engine::{Engine, run_prefix, workspace_id};
use crate::process::{TIMEOUT, command, run, wait_until};
use crate::test_env::build_with;

/// What `up --env` is given.
pub const URL: &str = "OPEN_METEO_URL=http://127.0.0.1:8091";
/// And this, as a server reaches no private address by itself.
pub const ALLOWED: &str = "MCP_ALLOW_PRIVATE=127.0.0.1";
const ADDRESS: &str = "127.0.0.1:8091";

/// Starts the stand-in beside `container`; its own container's name.
#[track_caller]
pub fn start_beside(engine: &Engine, container: &str) -> String {
    let name = format!("{container}-open-meteo");
    let network = format!("container:{container}");
    engine.ok(&[
        "run",
        "--detach",
        "--name",
        &name,
        "--network",
        &network,
        image(engine),
        "/open-meteo",
        ADDRESS,
    ]);
    let listens = wait_until(TIMEOUT, || engine.run(&["logs", &name]).stderr.contains("listening"));
    assert!(listens, "the stand-in for Open-Meteo does not come up: {}", engine.run(&["logs", &name]));
    name
}

/// The requests that reached the stand-in, in order.
pub fn requests(engine: &Engine, stand_in: &str) -> Vec<String> {
    let log = engine.run(&["logs", stand_in]).ok().stderr;
    log.lines().filter_map(|it| it.strip_prefix("GET ")).map(str::to_owned).collect()
}

/// A static program and nothing else, in an image that goes with the run.
fn image(engine: &Engine) -> &'static str {
    static IMAGE: OnceLock<String> = OnceLock::new();
    IMAGE.get_or_init(|| {
        let tag = format!("{}open-meteo", run_prefix());
        let program = program();
        let label = format!("LABEL dev.drydock.workspace={}", workspace_id());
        let mut tar = command("tar")
            .args(["--create", "--directory"])
            .arg(program.parent().expect("a folder"))
            .arg("open-meteo")
            .stdout(Stdio::piped())
            .spawn()
            .expect("tar");
        let tarball = tar.stdout.take().expect("a pipe");
        let made = engine
            .command(&["import", "--change", &label, "-", &tag])
            .stdin(tarball)
            .output()
            .expect("the engine's command line");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        assert!(tar.wait().expect("tar ends").success(), "tar failed");
        tag
    })
}

fn program() -> PathBuf {
    let version = run(command("rustc").arg("-vV")).ok().stdout;
    let host = version.lines().find_map(|it| it.strip_prefix("host: ")).expect("rustc names its host");
    let args = ["-p", "drydock-tests", "--bin", "open-meteo", "--target", host];
    build_with(&args, "open-meteo", &[("RUSTFLAGS", "-C target-feature=+crt-static")])
}
