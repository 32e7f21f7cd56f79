//! The container engine, as the tests look at it: beside xtask, never through it.
//!
//! Arguments -> output of the real command line. Invariant: only things with this run's prefix are removed.

use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::process::{CommandOutput, command, run};

/// The command line of a container engine that answers.
#[derive(Debug, Clone)]
pub struct Engine {
    program: String,
}

/// The start of every container name of this run.
pub fn run_prefix() -> String {
    format!("drydock-test-{}-", std::process::id())
}

/// The workspace that all environments of this run belong to, so that they share one image. Sixteen hexadecimal digits.
pub fn workspace_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_nanos());
        format!("{:016x}", now as u64 ^ u64::from(std::process::id()))
    })
}

impl Engine {
    /// The engine that answers, or why there is none.
    pub fn find() -> Result<Self, String> {
        static FOUND: OnceLock<Result<Engine, String>> = OnceLock::new();
        FOUND.get_or_init(Self::detect).clone()
    }

    fn detect() -> Result<Self, String> {
        let program = std::env::var("DRYDOCK_ENGINE").unwrap_or_else(|_| "docker".to_owned());
        if program == "host" {
            return Err("needs containers, and engine `host` was asked for".to_owned());
        }
        let asked = command(&program)
            .args(["version", "--format", "{{.Server.Version}}"])
            .stdin(Stdio::null())
            .output()
            .map_err(|e| format!("needs a container engine: `{program}` cannot be started: {e}"))?;
        if !asked.status.success() {
            let said = String::from_utf8_lossy(&asked.stderr).trim().replace('\n', " ");
            return Err(format!("needs a container engine: `{program}` does not answer: {said}"));
        }
        let engine = Self { program };
        engine.spawn_cleanup();
        Ok(engine)
    }

    /// The name of its command line: `docker`.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// `docker ARGS`, not started yet.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut it = command(&self.program);
        it.args(args);
        it
    }

    /// The outcome of `docker ARGS`, whatever it is.
    pub fn run(&self, args: &[&str]) -> CommandOutput {
        run(&mut self.command(args))
    }

    /// What `docker ARGS` prints, without the final newline.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> String {
        self.run(args).ok().line().to_owned()
    }

    /// `docker inspect` of a container.
    #[track_caller]
    pub fn inspect(&self, container: &str) -> Value {
        let all: Value = serde_json::from_str(&self.ok(&["container", "inspect", container]))
            .expect("inspect prints JSON");
        all[0].clone()
    }

    /// Removes all containers whose names start with `prefix`, which starts with this run's.
    pub fn remove(&self, prefix: &str) {
        assert!(prefix.starts_with(&run_prefix()), "{prefix} is not ours");
        let filter = format!("name=^/?{prefix}");
        let ids = self.ok(&["ps", "--all", "--quiet", "--filter", &filter]);
        let ids: Vec<&str> = ids.lines().collect();
        if !ids.is_empty() {
            self.run(&[&["rm", "--force", "--volumes"], ids.as_slice()].concat());
        }
        let volumes = self.ok(&["volume", "ls", "--quiet", "--filter", &format!("name=^{prefix}")]);
        let volumes: Vec<&str> = volumes.lines().filter(|it| it.starts_with(prefix)).collect();
        if !volumes.is_empty() {
            self.run(&[&["volume", "rm"], volumes.as_slice()].concat());
        }
    }

    /// A process that cleans up as soon as this run is over, in whatever way it ends: it waits for the end of a pipe
    /// that only we hold. Holding our stdout, it makes `cargo xtask test` wait for it.
    fn spawn_cleanup(&self) {
        static CLEANUP: Mutex<Option<Child>> = Mutex::new(None);
        let format = "{{.ID}}\t{{.Repository}}:{{.Tag}}";
        let images = self.ok(&["images", "--no-trunc", "--format", format, "drydock/*"]);
        let child = command("sh")
            .args(["-c", CLEANUP_SCRIPT, &self.program, &run_prefix(), workspace_id()])
            .args(images.split_whitespace())
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell to clean up after the tests");
        *CLEANUP.lock().expect("no test holds it") = Some(child);
    }
}

/// Removes this run's containers and volumes, those of its builds, too, gives the tags back to the images that had them, removes this run's images.
const CLEANUP_SCRIPT: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
exec >/dev/null 2>&1
prefix=$1 workspace=$2
shift 2
for id in $("$0" ps --all --quiet --filter "name=^/?$prefix") \
    $("$0" ps --all --quiet --filter "label=dev.drydock.workspace=$workspace" --filter label=dev.drydock.build); do
    "$0" rm --force --volumes "$id"
done
for id in $("$0" volume ls --quiet --filter "label=dev.drydock.workspace=$workspace"); do "$0" volume rm "$id"; done
while [ $# -gt 1 ]; do "$0" tag "$1" "$2"; shift 2; done
for id in $("$0" images --quiet --no-trunc --filter "label=dev.drydock.workspace=$workspace"); do "$0" rmi --force "$id"; done
"#;
