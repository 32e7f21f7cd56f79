//! Steps of builds, and what comes out of them, with `docker/engine` itself: what a hostile step can do to the rest.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use drydock_catalog::Network;
use drydock_engine::archive::{Kind as EntryKind, ROOT, Rules};
use drydock_engine::workbench::{self, Leftover};
use drydock_engine::{Cli, Error, Expected, Limits, Step, Workbench, examine};
use drydock_tests::engine::{Engine, workspace_id};
use drydock_tests::wrapped::{self, Kind};
use drydock_tests::{engine_or_skip, skip};

const IMAGE: &str = "node:22-slim";
const RULES: Rules<'_> =
    Rules { strip: "", places: &["app"], below: "", owner: ROOT, max_bytes: 1 << 20, max_entries: 100 };

/// The same engine, as xtask has it.
fn cli(engine: &Engine) -> Cli {
    match drydock_engine::find(Some(engine.program())).expect("it answers") {
        drydock_engine::Engine::Cli(cli) => cli,
        drydock_engine::Engine::Host => panic!("an engine of containers"),
    }
}

macro_rules! cli_or_skip {
    ($name:expr) => {{
        let engine = engine_or_skip!();
        if let Err(why) = wrapped::test_env(&engine, Kind::Node, $name) {
            skip!("{why}");
        }
        (cli(&engine), engine)
    }};
}

fn bench<'a>(cli: &'a Cli, server: &'a str) -> Workbench<'a> {
    Workbench::new(cli, workspace_id(), server, IMAGE).expect("a work folder")
}

fn sh(script: &str) -> [String; 3] {
    ["sh", "-euc", script].map(str::to_owned)
}

fn step(command: &[String]) -> Step<'_> {
    Step {
        what: "the test's step",
        image: IMAGE,
        command,
        folder: "",
        env: &[],
        env_names: &[],
        network: Network::None,
        limits: Limits { time: Duration::from_secs(100), ..Limits::default() },
        is_cancelled: &|| false,
    }
}

fn run(bench: &Workbench<'_>, script: &str) -> Result<(), Error> {
    bench.run(&step(&sh(script)), &|_| ())
}

fn leftover(cli: &Cli, server: &str) -> Option<Leftover> {
    let all = workbench::leftovers(cli, workspace_id()).expect("a list");
    all.into_iter().find(|it| it.server == server)
}

#[test]
fn steps_share_a_folder_and_nothing_else() {
    let (cli, _engine) = cli_or_skip!("workbench");
    let staged = tempfile::tempdir().unwrap();
    fs::create_dir(staged.path().join("inner")).unwrap();
    fs::write(staged.path().join("inner/file"), "from here").unwrap();
    let bench = bench(&cli, "shares");
    bench.put_folder(staged.path(), "deps/it").unwrap();
    // What the sandbox is, from inside; each line fails the step where it is not so.
    let script = r#"
        test "$(id -u):$(id -g)" = 65532:65532
        test "$(grep -c '^Cap.*	0000000000000000$' /proc/self/status)" = 5
        grep -q '^NoNewPrivs:	1$' /proc/self/status
        test "$(cat /proc/1/comm)" != sh
        grep -q '^[^ ]* / [^ ]* ro[, ]' /proc/mounts
        for folder in / /usr /etc /root /dev; do if touch "$folder/x" 2>/dev/null; then exit 1; fi; done
        test "$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ')" = lo
        test "$HOME $TMPDIR $(pwd)" = '/work/home /work/tmp /work/deps'
        test "$GIVEN $CARGO_PKG_NAME" = 'a b drydock-tests'
        test "$(cat it/inner/file)" = 'from here'
        cp /bin/true "$TMPDIR/run" && "$TMPDIR/run"
        cp /bin/true /tmp/run
        if /tmp/run 2>/dev/null; then exit 1; fi
        touch "$HOME/x" it/inner/x
        rm it/inner/file
        mkdir -p /work/out/app/lib && echo one > /work/out/app/b && cp /bin/true /work/out/app/a
        ln -s ../b /work/out/app/lib/link && ln /work/out/app/b /work/out/app/hard
        echo '{"start":"b"}' > /work/plan.json
        echo said; echo also said >&2"#;
    let lines = std::sync::Mutex::new(Vec::new());
    let names = ["CARGO_PKG_NAME".to_owned()]; // cargo sets it for every test
    let env = [("GIVEN".to_owned(), "a b".to_owned())];
    let command = sh(script);
    let step = Step { folder: "deps", env: &env, env_names: &names, ..step(&command) };
    bench.run(&step, &|line| lines.lock().unwrap().push(line.to_owned())).unwrap();
    let mut lines = lines.into_inner().unwrap();
    lines.sort();
    assert_eq!(lines, ["also said", "said"]);

    run(&bench, "test -e /work/deps/it/inner/x; test ! -e /tmp/run").unwrap();
    assert_eq!(bench.read("plan.json", 100).unwrap(), b"{\"start\":\"b\"}\n");
    assert!(bench.read("plan.json", 3).is_err() && bench.read("none", 100).is_err());
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    let contents = bench.take("out", &mut once, &RULES).unwrap();
    assert_eq!(contents.kind("app/a"), Some(EntryKind::File));
    assert_eq!(contents.kind("app/lib/link"), Some(EntryKind::Link));
    run(&bench, "touch /work/out/app/b; chmod 600 /work/out/app/b").unwrap();
    bench.take("out", &mut twice, &RULES).unwrap();
    assert!(once == twice, "time and mode are ours");

    // What is kept goes in again, as the user's own.
    bench.put_archive(once.as_slice(), "again").unwrap();
    let same = "cd /work/again/app && echo more >> hard && test \"$(cat b)\" = \"$(printf 'one\\nmore')\" && ./a && test -L lib/link";
    run(&bench, same).unwrap();
    bench.put_from_image(IMAGE, "/bin/true", "bin/other").unwrap();
    run(&bench, "/work/bin/other && rm /work/bin/other").unwrap();
    assert!(bench.put_from_image(IMAGE, "/none", "bin/other").is_err());

    let own = leftover(&cli, "shares").expect("it is at work");
    assert_eq!((own.containers.len(), own.volumes.len()), (1, 1), "each step's container is gone");
    drop(bench);
    assert_eq!(leftover(&cli, "shares"), None);
}

#[test]
fn a_step_that_fails_says_why_and_does_not_run_on() {
    let (cli, _engine) = cli_or_skip!("workbench-fails");
    let bench = bench(&cli, "fails");
    let err = run(&bench, "for i in $(seq 100); do echo line $i; done; exit 7").unwrap_err().to_string();
    assert!(err.starts_with("the test's step failed (exit code 7):\nline 41\n"), "{err}");
    assert!(err.ends_with("line 100"), "{err}");

    let command = sh("sleep 600 & trap '' TERM INT; sleep 600");
    let start = Instant::now();
    let limits = Limits { time: Duration::from_secs(2), ..step(&command).limits };
    let err = bench.run(&Step { limits, ..step(&command) }, &|_| ()).unwrap_err();
    assert!(err.to_string().contains("took more than 2 s") && err.hint().is_some(), "{err}");
    let is_cancelled = || start.elapsed() > Duration::from_secs(3);
    let err = bench.run(&Step { is_cancelled: &is_cancelled, ..step(&command) }, &|_| ()).unwrap_err();
    assert!(err.to_string().contains("was interrupted"), "{err}");
    assert!(start.elapsed() < Duration::from_secs(100));

    let command =
        ["node", "-e", "const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))"].map(str::to_owned);
    let limits = Limits { memory: 128 << 20, ..step(&command).limits };
    let err = bench.run(&Step { limits, ..step(&command) }, &|_| ()).unwrap_err();
    assert!(err.to_string().contains("needs more than its 128 MiB of memory"), "{err}");
    let command = ["/none".to_owned()];
    assert!(bench.run(&step(&command), &|_| ()).is_err());

    let own = leftover(&cli, "fails").expect("it is at work");
    assert_eq!(own.containers.len(), 1, "none runs on: {own:?}");
}

#[test]
fn what_a_hostile_step_leaves_does_not_come_out() {
    let (cli, _engine) = cli_or_skip!("workbench-hostile");
    let bench = bench(&cli, "hostile");
    let long = "é".repeat(60);
    for (script, expected) in [
        ("cp /bin/sh app/sh && chmod 4755 app/sh".to_owned(), "out/app/sh: whoever runs it"),
        ("cp /bin/sh app/sh && chmod 2755 app/sh".to_owned(), "out/app/sh: whoever runs it"),
        ("ln -s /mcp app/link".to_owned(), "out/app/link: it is a link that leads out (to /mcp)"),
        ("ln -s ../../.. app/link".to_owned(), "out/app/link: it is a link that leads out"),
        ("mkdir etc && echo x > etc/passwd".to_owned(), "out/etc/: it is outside"),
        ("echo x > mcp".to_owned(), "out/mcp: it is outside"),
        ("mkfifo app/pipe".to_owned(), "out/app/pipe: it is a named pipe"),
        ("head -c 2000000 /dev/zero > app/large".to_owned(), "more than 1048576 bytes"),
        ("cd app && touch $(seq 200)".to_owned(), "more than 100 files"),
        ("rm -r app && ln -s /etc app".to_owned(), "out/app: it is a link that leads out"),
        ("cd .. && rm -r out && ln -s /etc out".to_owned(), "it is outside"),
        // A name that pretends to be a record of the archive's own.
        (format!("touch 'app/{long}\n12 path=mcp\n' && mkfifo 'app/{long}z'"), "z: it is a named pipe"),
    ] {
        run(&bench, &format!("rm -rf /work/out && mkdir -p /work/out/app && cd /work/out && {script}"))
            .unwrap();
        let err = bench.take("out", io::sink(), &RULES).expect_err(&script).to_string();
        assert!(err.contains(expected), "{script}: {err}");
    }
    // No step can make these, whatever it is.
    for script in
        ["mknod /work/x c 1 3", "chown 0 /work/home", "mount -t tmpfs x /work/home", "nsenter -t 1 -m true"]
    {
        assert!(run(&bench, script).is_err(), "{script}");
    }
    // A link in the place of a file that is read, or of a folder that something is put into.
    run(&bench, "ln -s /etc/passwd /work/plan.json && ln -s /etc /work/deps").unwrap();
    assert!(bench.read("plan.json", 1 << 20).unwrap_err().to_string().contains("no regular file"));
    let staged = tempfile::tempdir().unwrap();
    fs::write(staged.path().join("file"), "x").unwrap();
    assert!(bench.put_folder(staged.path(), "deps").is_err(), "nothing goes through a link");
}

#[test]
fn what_a_killed_build_left_goes_with_the_next_one() {
    let (cli, engine) = cli_or_skip!("workbench-left");
    let (first, other) = (bench(&cli, "left"), bench(&cli, "left-other"));
    std::mem::forget(first);
    let before = leftover(&cli, "left").expect("it is still there");
    // Its step runs on.
    let labels = [format!("dev.drydock.workspace={}", workspace_id()), "dev.drydock.build=left".to_owned()];
    let mount = format!("type=volume,source={},target=/work", before.volumes[0]);
    let args = ["run", "--detach", "--label", &labels[0], "--label", &labels[1], "--mount", &mount, IMAGE];
    engine.ok(&[&args[..], &["sleep", "600"]].concat());
    let second = bench(&cli, "left");
    let after = leftover(&cli, "left").expect("the new one");
    assert!(after.volumes.len() == 1 && after.volumes != before.volumes, "{before:?} {after:?}");
    assert!(leftover(&cli, "left-other").is_some(), "a build of another server goes on");
    run(&other, "true").unwrap();
    std::mem::forget(second);
    workbench::remove_leftovers(&cli, &after).unwrap();
    assert_eq!(leftover(&cli, "left"), None);
}

/// An image of an archive that the engine unpacks: with modes and links that no build of ours leaves.
fn image(engine: &Engine, folder: &std::path::Path, script: &str) -> String {
    let root = folder.join("root");
    drop(fs::remove_dir_all(&root));
    fs::create_dir_all(root.join("etc/mcp")).expect("a new file");
    fs::write(root.join("etc/mcp/bridge.json"), "{}").expect("a new file");
    fs::copy(folder.join("binary"), root.join("mcp")).expect("a new file");
    let script =
        format!("cd '{}' && chmod 755 mcp && {{ {script}; }} && tar -cf ../root.tar .", root.display());
    drydock_tests::process::run(drydock_tests::process::command("sh").args(["-euc", &script])).ok();
    fs::write(folder.join("Dockerfile"), "FROM scratch\nADD root.tar /\nCMD [\"/mcp\"]\n")
        .expect("a new file");
    fs::write(folder.join(".dockerignore"), "root\n").expect("a new file");
    let label = format!("dev.drydock.workspace={}", workspace_id());
    let labels = ["--label", &label, "--label", "dev.drydock.server=looked-at"];
    engine.ok(&[&["build", "--quiet"], &labels[..], &[&folder.display().to_string()]].concat())
}

#[test]
fn a_finished_image_is_looked_at() {
    let engine = engine_or_skip!();
    let cli = cli(&engine);
    let temp = tempfile::tempdir().unwrap();
    let binary = temp.path().join("binary");
    fs::write(&binary, [7; 300_000]).unwrap();
    let expected = Expected { entry_point: &binary, bridge_config: b"{}" };
    let look = |image: &str| examine(&cli, workspace_id(), "looked-at", image, &expected);
    look(&image(&engine, temp.path(), "mkdir app && ln -s /mcp app/link")).unwrap();
    for (script, said) in [
        ("mkdir app && cp mcp app/sh && chmod 4755 app/sh", "/app/sh in the image: whoever runs it"),
        ("mkdir app && mv mcp app/x && ln -s /app/x mcp", "/mcp in the image: it is no regular file"),
        ("mkdir app && ln mcp app/x", "/mcp in the image: it is no regular file"),
        ("echo >> mcp", "/mcp in the image: it holds something other"),
        ("rm mcp", "/mcp in the image: it is not there"),
        ("mv etc/mcp x && ln -s /x etc/mcp", "/etc/mcp in the image: it is no folder"),
        ("echo > etc/mcp/bridge.json", "/etc/mcp/bridge.json in the image: it holds something other"),
        ("mkdir app && mkfifo app/x", "/app/x in the image: it is no file"),
    ] {
        let err = look(&image(&engine, temp.path(), script)).expect_err(script).to_string();
        assert!(err.contains(said), "{script}: {err}");
    }
    assert_eq!(leftover(&cli, "looked-at"), None, "the container that it is read from is gone");
}
