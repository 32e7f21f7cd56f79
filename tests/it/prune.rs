//! `prune`: images of this clone without a name go, and nothing else.

use std::fs;

use drydock_tests::engine::Engine;
use drydock_tests::engine_or_skip;
use drydock_tests::test_env::TestEnv;

/// An image with one file, for this workspace's label.
fn image(engine: &Engine, env: &TestEnv, content: &str, labels: &[&str], tag: Option<&str>) -> String {
    let folder = env.project().join(content);
    fs::create_dir(&folder).expect("a new folder");
    fs::write(folder.join("file"), content).expect("a new file");
    fs::write(folder.join("Dockerfile"), "FROM scratch\nCOPY file /file\n").expect("a new file");
    let mut args = vec!["build", "--quiet"];
    labels.iter().for_each(|it| args.extend(["--label", it]));
    tag.iter().for_each(|it| args.extend(["--tag", it]));
    let path = folder.display().to_string();
    args.push(&path);
    engine.ok(&args)
}

#[test]
fn only_what_is_ours_and_has_no_name_is_removed() {
    let engine = engine_or_skip!();
    let env = TestEnv::on(&engine, "prune");
    // An id of its own: tests that run beside this one build images.
    let id = format!("{:016x}", u64::from(std::process::id()) ^ 0xd00d_0000_0000_0000);
    fs::write(env.state().join("workspace-id"), &id).unwrap();
    let (ours, server) = (format!("dev.drydock.workspace={id}"), "dev.drydock.server=weather");
    let tag = format!("{}kept:1", env.prefix());
    let goes = image(&engine, &env, "goes", &[&ours, server], None);
    let stage = image(&engine, &env, "stage", &[&ours], None);
    let used = image(&engine, &env, "used", &[&ours], None);
    let named = image(&engine, &env, "named", &[&ours], Some(&tag));
    let others = image(&engine, &env, "others", &["dev.drydock.workspace=0123456789abcdef"], None);
    let container = env.container("holds");
    engine.ok(&["create", "--name", &container, &used, "/file"]);
    let is_there = |id: &str| engine.run(&["image", "inspect", id]).code == Some(0);

    let shown = env.ok(&["prune", "--dry-run"]);
    assert!(shown.stdout.contains(&goes) && shown.stdout.contains(&stage), "{shown}");
    assert!(![&used, &named, &others].iter().any(|it| shown.stdout.contains(it.as_str())), "{shown}");
    assert!(shown.stderr.contains("2 images would go"), "{shown}");
    assert!(is_there(&goes) && is_there(&stage), "a preview removed something");

    let pruned = env.ok(&["prune"]);
    assert!(pruned.stderr.contains("2 images removed; freed: "), "{pruned}");
    assert!(!is_there(&goes) && !is_there(&stage));
    assert!(is_there(&used) && is_there(&named) && is_there(&others));
    assert!(env.ok(&["prune"]).stderr.contains("0 images removed"));
    engine.ok(&["rm", &container]);
    engine.ok(&["rmi", &tag, &used, &others]);
}
