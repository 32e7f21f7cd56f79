//! Two clones on one engine: what one builds is in no way of the other.

use drydock_tests::engine_or_skip;
use drydock_tests::process::{BUILD_TIMEOUT, CommandOutput, run_with};
use drydock_tests::weather::{self, IMAGE};

use crate::images::inspect;

/// The image that an entry of `--via run` starts.
#[track_caller]
fn image_of(printed: CommandOutput) -> String {
    let printed = printed.ok().stdout;
    let image = printed.split('"').find(|it| it.starts_with("drydock/"));
    image.unwrap_or_else(|| panic!("no image in {printed}")).to_owned()
}

#[test]
fn what_one_clone_builds_is_in_no_way_of_the_other() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "clones");
    let container = env.container("weather");
    env.ok(&["up", "weather"]);
    let before = engine.inspect(&container)["Id"].clone();

    let second = env.project().join("second");
    let other = |args: &[&str]| run_with(env.xtask(args).env("DRYDOCK_STATE", &second), b"", BUILD_TIMEOUT);
    other(&["build-images", "weather", "--profile", "quick"]).ok();
    let id = |state: &std::path::Path| std::fs::read_to_string(state.join("workspace-id")).expect("an id");
    let (ours, theirs) = (id(&env.state()), id(&second));
    assert_ne!(ours, theirs);
    let workspace =
        |image: &str| inspect(&engine, image)["Config"]["Labels"]["dev.drydock.workspace"].clone();
    assert_eq!(workspace(IMAGE), theirs.as_str(), "what people read is the last one's");

    let again = env.ok(&["up", "weather"]);
    assert!(again.stderr.contains("already up") && !again.stderr.contains("building"), "{again}");
    assert_eq!(engine.inspect(&container)["Id"], before);
    let rows = env.ok(&["status", "--json"]).json();
    let row = rows.as_array().unwrap().iter().find(|it| it["container"] == container.as_str()).cloned();
    assert_eq!(row.map(|it| it["image"].clone()), Some(IMAGE.into()), "a name, not an id");

    let run = ["install-client", "cursor", "--server", "weather", "--via", "run", "--print"];
    for (image, owner) in [(image_of(env.run(&run)), &ours), (image_of(other(&run)), &theirs)] {
        assert!(image.contains(owner.as_str()), "{image}");
        assert_eq!(workspace(&image), owner.as_str());
    }
    let image = inspect(&engine, IMAGE)["Id"].as_str().expect("an id").to_owned();
    engine.ok(&["rmi", "--force", &image]);
}
