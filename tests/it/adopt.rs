//! What a clone made before it lost `.drydock`, and what belongs to other clones.

use std::fs;
use std::path::PathBuf;

use drydock_tests::engine::Engine;
use drydock_tests::process::{BUILD_TIMEOUT, CommandOutput, command, run, run_with};
use drydock_tests::test_env::{TestEnv, copy_workspace};
use drydock_tests::{engine_or_skip, skip, weather};

const VERSION: &str = "0.1.0-lost";
const CURSOR: &str = "{ // mine\n  \"mcpServers\": { \"notes\": { \"command\": \"notes\" } }\n}\n";

/// A clone with a state of its own, and with an image that it built.
struct Clone<'e> {
    env: TestEnv,
    engine: &'e Engine,
    root: PathBuf,
    _folder: tempfile::TempDir,
}

impl<'e> Clone<'e> {
    fn new(engine: &'e Engine) -> Self {
        drop(weather::test_env(engine, "lost-image")); // the image that ours is made from
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("clone");
        copy_workspace(&root, VERSION);
        let env = TestEnv::on(engine, "lost").with_root(&root);
        let it = Self { env, engine, root, _folder: folder };
        run(command("git").current_dir(&it.root).args(["init", "--quiet"])).ok();
        run(command("git").current_dir(&it.root).args(["add", "--all"])).ok();
        it.run(&["status"]).ok();
        let (image, id) = (it.image(&it.id()), format!("dev.drydock.workspace={}", it.id()));
        let labels = ["--label", "dev.drydock.server=weather", "--label", &id];
        let mut build =
            engine.command(&[&["build", "--quiet", "--tag", &image], &labels[..], &["-"]].concat());
        run_with(&mut build, format!("FROM {}\n", weather::IMAGE).as_bytes(), BUILD_TIMEOUT).ok();
        it
    }

    /// As a person runs it, with the state in the clone.
    fn run(&self, args: &[&str]) -> CommandOutput {
        run_with(self.env.xtask(args).env_remove("DRYDOCK_STATE"), b"", BUILD_TIMEOUT)
    }

    /// The tag of the image that it is to have built.
    fn image(&self, id: &str) -> String {
        format!("drydock/weather/{id}:{VERSION}")
    }

    fn id(&self) -> String {
        fs::read_to_string(self.root.join(".drydock/workspace-id")).expect("the id")
    }

    fn container(&self) -> serde_json::Value {
        self.engine.inspect(&self.env.container("weather"))["Id"].clone()
    }

    fn states(&self) -> Vec<String> {
        let rows = self.run(&["clients", "cursor", "--json"]).ok().json();
        let entries = rows[0]["files"][0]["entries"].as_array().expect("entries").clone();
        entries.iter().map(|it| format!("{} {}", it["name"], it["state"]).replace('"', "")).collect()
    }
}

impl Drop for Clone<'_> {
    fn drop(&mut self) {
        self.engine.remove(self.env.prefix());
        let ours = format!("reference=drydock/weather/*:{VERSION}");
        let images = self.engine.run(&["images", "--quiet", "--filter", &ours]).stdout;
        images.lines().for_each(|it| drop(self.engine.run(&["rmi", "--force", it])));
    }
}

#[test]
fn after_git_clean_all_that_the_clone_made_is_its_own_again() {
    let engine = engine_or_skip!();
    if run(command("git").arg("--version")).code != Some(0) {
        skip!("needs git");
    }
    let clone = Clone::new(&engine);
    let cursor = clone.env.home().join(".cursor/mcp.json");
    fs::create_dir(cursor.parent().unwrap()).unwrap();
    fs::write(&cursor, CURSOR).unwrap();
    clone.run(&["up", "weather", "--no-build"]).ok();
    clone.run(&["install-client", "cursor", "--server", "weather"]).ok();
    let (id, container, written) = (clone.id(), clone.container(), fs::read_to_string(&cursor).unwrap());

    run(command("git").current_dir(&clone.root).args(["clean", "-xdfq"])).ok();
    assert!(!clone.root.join(".drydock").exists(), "git clean left it there");
    for args in [&["up", "weather", "--no-build"][..], &["down", "weather"]] {
        let refused = clone.run(args).fails();
        for part in ["lost its state", &id, "created 20", "--adopt", "1 image,"] {
            assert!(refused.stderr.contains(part), "{part:?} is not in {refused}");
        }
    }
    for args in [
        &["status"][..],
        &["uninstall-client", "--yes"],
        &["install-client", "cursor", "--server", "weather"],
    ] {
        let told = clone.run(args).ok();
        assert!(told.stderr.contains("up weather --adopt"), "{args:?}: {told}");
    }
    assert_ne!(clone.id(), id);
    assert_eq!(
        (clone.container(), fs::read_to_string(&cursor).unwrap()),
        (container.clone(), written.clone())
    );
    assert_eq!(clone.states(), ["notes unmanaged", "weather unmanaged"]);

    let adopted = clone.run(&["up", "weather", "--no-build", "--adopt"]).ok();
    assert!(adopted.stderr.contains("taken over: the entry \"weather\""), "{adopted}");
    assert_eq!((clone.id(), clone.container()), (id, container), "the same container, and its open sessions");
    assert_eq!(fs::read_to_string(&cursor).unwrap(), written);
    assert_eq!(clone.states(), ["notes unmanaged", "weather managed"]);
    let rows = clone.run(&["status", "--json"]).ok().json();
    let row = rows.as_array().unwrap().iter().find(|it| it["name"] == "weather").cloned().unwrap();
    assert_eq!((&row["owner"], &row["health"]), (&"this workspace".into(), &"ready".into()), "{row}");
    clone.run(&["up", "weather", "--no-build"]).ok();
    clone.run(&["uninstall-client", "--yes"]).ok();
    assert_eq!(fs::read_to_string(&cursor).unwrap(), CURSOR);
    clone.run(&["down", "weather"]).ok();
    let gone = engine.run(&["container", "inspect", &clone.env.container("weather")]);
    assert_eq!(gone.code, Some(1), "down left it there: {gone}");
}

#[test]
fn a_clone_that_lives_is_not_robbed_and_one_that_is_gone_leaves_its_own() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "living");
    env.ok(&["up", "weather", "--no-build"]);
    let before = engine.inspect(&env.container("weather"))["Id"].clone();
    let second = env.project().join("second");
    let other = |args: &[&str]| run_with(env.xtask(args).env("DRYDOCK_STATE", &second), b"", BUILD_TIMEOUT);
    let refused = other(&["up", "weather", "--no-build"]).fails();
    let theirs = env.state().display().to_string();
    assert!(refused.stderr.contains(&theirs) && refused.stderr.contains("in use"), "{refused}");
    let refused = other(&["down", "weather", "--adopt"]).fails();
    assert!(refused.stderr.contains("left as it is") && refused.stderr.contains("in use"), "{refused}");
    let nothing = other(&[
        "install-client",
        "claude-code",
        "--name",
        "far",
        "--url",
        "http://127.0.0.1:9/mcp",
        "--adopt",
    ]);
    assert!(nothing.ok().stderr.contains("nothing that this clone lost"), "it found something");
    assert_eq!(engine.inspect(&env.container("weather"))["Id"], before);
    let own = fs::read_to_string(second.join("workspace-id")).unwrap();
    assert_ne!(own, drydock_tests::engine::workspace_id());

    other(&["uninstall-client", "--yes"]).ok();
    fs::rename(env.state().join("workspace-id"), env.state().join("away")).unwrap();
    let refused = other(&["down", "weather"]).fails();
    assert!(refused.stderr.contains("is gone") && refused.stderr.contains("--adopt"), "{refused}");
    other(&["down", "weather", "--adopt"]).ok();
    assert_eq!(engine.run(&["container", "inspect", &env.container("weather")]).code, Some(1));
    assert_eq!(
        fs::read_to_string(second.join("workspace-id")).unwrap(),
        drydock_tests::engine::workspace_id()
    );
}
