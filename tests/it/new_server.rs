//! A server of one's own: made by `new-server`, compiled, checked, and taken away by `remove`.
//!
//! A copy of the workspace -> the same bytes again, whatever happens in between. Invariant: what is compared is the whole tree.

mod images;
mod interrupted;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use drydock_tests::process::{BUILD_TIMEOUT, TIMEOUT, run_with, wait};
use drydock_tests::test_env::{TestEnv, copy_workspace};
use drydock_tests::{full_or_skip, wrapped};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::realclients::terminal;

/// Of every file and folder: its mode, and its bytes or where it leads.
type Tree = BTreeMap<PathBuf, (u32, Vec<u8>)>;

struct Clone {
    folder: TempDir,
    env: TestEnv,
}

impl Clone {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy_workspace(folder.path(), env!("CARGO_PKG_VERSION"));
        let env = TestEnv::without_engine(name).with_root(folder.path());
        Self { folder, env }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        collect(self.root(), self.root(), &mut tree);
        tree
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.root().join(file)).expect("a file of the workspace")
    }

    /// Cargo, compiling where all copies do.
    fn cargo(&self, args: &str) -> Command {
        let mut cargo = self.env.command("cargo");
        cargo.args(args.split(' ')).env("CARGO_TARGET_DIR", wrapped::shared_target_dir());
        cargo
    }
}

fn collect(root: &Path, folder: &Path, tree: &mut Tree) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let (path, about) = (entry.path(), entry.metadata().expect("what is there"));
        let bytes = match about.is_dir() {
            true => {
                collect(root, &path, tree);
                Vec::new()
            }
            false => fs::read(&path).expect("a file"),
        };
        let name = path.strip_prefix(root).expect("it is below").to_path_buf();
        tree.insert(name, (about.permissions().mode(), bytes));
    }
}

/// What is in one and not, or otherwise, in the other one.
fn difference(a: &Tree, b: &Tree) -> Vec<PathBuf> {
    let differs = |it: &&PathBuf| a.get(*it) != b.get(*it);
    let mut all: Vec<_> = a.keys().chain(b.keys()).filter(differs).cloned().collect();
    all.sort();
    all.dedup();
    all
}

#[track_caller]
fn same(before: &Tree, after: &Tree, what: &str) {
    let other = difference(before, after);
    assert!(other.is_empty(), "{what}: {other:?}");
}

#[test]
fn one_line_and_one_folder_are_new_and_go_again() {
    let clone = Clone::new("new-server");
    let before = clone.tree();
    let made = clone.env.ok(&["new-server", "demo", "--title", "My demo"]);
    for step in ["cargo test -p demo", "cargo xtask up demo", "cargo xtask install-client --server demo"] {
        assert!(made.stderr.contains(step), "{made}");
    }
    let after = clone.tree();
    let new = difference(&before, &after);
    let beside: Vec<_> = new.iter().filter(|it| !it.starts_with("servers/demo")).collect();
    assert_eq!(beside, [Path::new("Cargo.lock"), Path::new("Cargo.toml")]);
    let of = |tree: &Tree, file: &str| String::from_utf8(tree[Path::new(file)].1.clone()).expect("text");
    let line = "    \"servers/contract\",\n";
    let expected = of(&before, "Cargo.toml").replace(line, &format!("{line}    \"servers/demo\",\n"));
    assert_eq!(of(&after, "Cargo.toml"), expected);
    let lock = of(&after, "Cargo.lock");
    let others: Vec<_> =
        lock.split("\n[[package]]\n").filter(|it| !it.starts_with("name = \"demo\"")).collect();
    assert_eq!(others.join("\n[[package]]\n"), of(&before, "Cargo.lock"));
    let mode = |file: &str| after[Path::new(file)].0;
    assert_eq!(mode("servers/demo"), mode("servers/weather"));
    assert_eq!(mode("servers/demo/src/main.rs"), mode("servers/weather/src/main.rs"));

    is_a_server(&clone);
    let removed = clone.env.ok(&["remove", "demo", "--yes"]);
    assert!(removed.stderr.contains("no git repository holds it"), "{removed}");
    same(&before, &clone.tree(), "after `remove`");
    clone.env.run(&["remove", "demo", "--yes"]).fails();
}

/// To whoever reads it: the registry's schema, our commands, a client, cargo.
#[track_caller]
fn is_a_server(clone: &Clone) {
    let manifest: Value = serde_json::from_str(&clone.text("servers/demo/server.json")).expect("JSON");
    registry_takes(&manifest);
    assert_eq!(manifest["title"], "My demo");
    let status = clone.env.ok(&["--engine", "host", "status", "--json"]).json();
    assert!(status.to_string().contains("\"demo\""), "{status}");
    let entry = clone.env.ok(&["install-client", "cursor", "--server", "demo", "--dry-run"]);
    assert!(entry.stdout.contains("mcp-demo"), "{entry}");
    run_with(&mut clone.cargo("fmt --check -p demo"), &[], TIMEOUT).ok();
    run_with(&mut clone.cargo("tree -p demo --locked --offline --depth 0"), &[], TIMEOUT).ok();
}

#[track_caller]
fn registry_takes(manifest: &Value) {
    let schema: Value =
        serde_json::from_str(include_str!("new_server/server.schema.json")).expect("a schema");
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource("registry.json", schema).expect("a schema");
    let index = compiler.compile("registry.json", &mut schemas).expect("a schema that is right");
    let judged = |it: &Value| schemas.validate(it, index).map_err(|err| format!("{err:#}"));
    judged(manifest).expect("a server.json that the registry accepts");
    let mut wrong = manifest.clone();
    wrong["name"] = json!("demo");
    assert!(judged(&wrong).is_err(), "the judge takes anything");
}

/// All sixteen, in one workspace: cargo compiles once what they share. The last has the longest name, and a title that a
/// compiler could stumble over.
#[test]
fn every_choice_of_parts_compiles_without_a_warning_and_passes_its_tests() {
    full_or_skip!(); // kit and all below it, with clippy and for tests: minutes from cold
    let clone = Clone::new("parts");
    let parts = ["http-client", "state", "resources", "prompts"];
    let mut packages = String::new();
    for choice in 0..16_usize {
        let chosen: Vec<_> =
            parts.iter().enumerate().filter(|(bit, _)| choice >> bit & 1 == 1).map(|it| *it.1).collect();
        let (name, title) = match choice {
            15 => (format!("parts-15-{}", "x".repeat(23)), "It's {} & `天気` // a title, 60 bytes"),
            _ => (format!("parts-{choice}"), "Parts"),
        };
        let with = chosen.join(",");
        let with = if with.is_empty() { vec![] } else { vec!["--with", with.as_str()] };
        clone.env.ok(&[&["new-server", name.as_str(), "--title", title], &with[..]].concat());
        packages += &format!(" -p {name}");
    }
    for args in [
        format!("fmt --check{packages}"),
        format!("clippy{packages} --all-targets --locked --offline -- -D warnings"),
        format!("test{packages} --locked --offline"),
    ] {
        let done = run_with(&mut clone.cargo(&args), &[], BUILD_TIMEOUT).ok();
        // Those that keep something have one more.
        let passed = ["3 passed", "4 passed"].map(|it| done.stdout.matches(it).count());
        assert!(!args.starts_with("test") || passed == [8, 8], "{done}");
    }
}

#[test]
fn what_cannot_be_made_leaves_nothing() {
    let clone = Clone::new("refused");
    let before = clone.tree();
    for (args, what) in [
        (&["new-server"][..], "has no name"),
        (&["new-server", "weather"], "servers/weather is there already"),
        (&["new-server", "serde"], "a crate that this workspace builds"),
        (&["new-server", "Demo"], "this would be one: demo"),
        (&["new-server", "demo", "--title", "a\"b"], "cannot be a title"),
        (&["new-server", "demo", "--title", ""], "cannot be a title"),
    ] {
        let refused = clone.env.run(args).fails();
        assert!(refused.code == Some(2) && refused.stderr.contains(what), "{refused}");
        same(&before, &clone.tree(), what);
    }
}

/// Each step fails once: what was done before it is undone.
#[test]
fn what_fails_half_way_leaves_nothing() {
    let clone = Clone::new("fails");
    let manifest = clone.root().join("Cargo.toml");
    let fails = |what: &str, change: &dyn Fn(&mut Command)| {
        let before = clone.tree();
        let mut make = clone.env.xtask(&["new-server", "demo"]);
        change(&mut make);
        let failed = run_with(&mut make, &[], TIMEOUT).fails();
        assert!(failed.stderr.contains(what) && failed.stderr.contains("nothing was made"), "{failed}");
        same(&before, &clone.tree(), what);
    };
    // Cargo.toml cannot be replaced.
    fs::set_permissions(&manifest, fs::Permissions::from_mode(0o444)).expect("a mode");
    fails("is read-only", &|_| {});
    fs::set_permissions(&manifest, fs::Permissions::from_mode(0o644)).expect("a mode");
    // Nor can Cargo.lock, which comes after it.
    let lock = clone.root().join("Cargo.lock");
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o444)).expect("a mode");
    fails("Cargo.lock is read-only", &|_| {});
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o644)).expect("a mode");
    // Cargo cannot tell what it will hold: it knows no registry.
    let empty = tempfile::tempdir().expect("a temporary folder");
    fails("cargo cannot resolve the workspace", &|it| {
        it.env("CARGO_HOME", empty.path()).env("CARGO_NET_OFFLINE", "true");
    });
    // Somebody has left a merge half done.
    let whole = fs::read(&lock).expect("a lock");
    fs::write(&lock, [&b"<<<<<<< HEAD\n"[..], &whole].concat()).expect("a file");
    fails("git restore Cargo.lock", &|_| {});
    fs::write(&lock, whole).expect("a file");
    // Something has taken the folder's place.
    fs::write(clone.root().join("servers/demo"), "mine").expect("a file");
    let before = clone.tree();
    clone.env.run(&["new-server", "demo"]).fails();
    same(&before, &clone.tree(), "a file in its place");
}

#[test]
fn a_person_is_asked_for_name_and_title() {
    let clone = Clone::new("asked");
    let (mut keyboard, program) = terminal::terminal().expect("a terminal");
    let stream = || Stdio::from(program.try_clone().expect("one more of it"));
    let mut make = clone.env.xtask(&["new-server"]);
    let mut child = make.stdin(stream()).stdout(stream()).stderr(stream()).spawn().expect("xtask");
    // A terminal keeps what is typed too early.
    keyboard.write_all(b"to-do-list\nMy list\n").expect("a terminal that takes keys");
    let screen = terminal::read(keyboard.try_clone().expect("one more of it"));
    let ended = wait(&mut child, TIMEOUT);
    let seen: Vec<u8> = screen.try_iter().flatten().collect();
    let seen = String::from_utf8_lossy(&seen);
    assert!(ended.is_some_and(|it| it.success()), "{seen}");
    assert!(seen.contains("name (words of") && seen.contains("title [To do list]: "), "{seen}");
    assert!(clone.text("servers/to-do-list/server.json").contains("\"title\": \"My list\""));
}

#[test]
fn what_is_no_server_or_was_not_agreed_to_stays() {
    let clone = Clone::new("stays");
    let before = clone.tree();
    for (args, code, what) in [
        (&["remove", "kit", "--yes"][..], 2, "servers/kit is no server"),
        (&["remove", "catalog", "--yes"], 2, "servers/catalog is no server"),
        (&["remove", "node", "--yes"], 2, "is a runtime image"),
        (&["remove", "wether", "--yes"], 2, "did you mean `weather`?"),
        (&["remove", "../clients", "--yes"], 2, "there is no server"),
        (&["remove", "weather"], 1, "stdin is not a terminal"),
        (&["remove", "time", "--dry-run"], 0, "folder servers/time"),
    ] {
        let it = clone.env.run(args);
        assert!(it.code == Some(code) && it.stderr.contains(what), "{it}");
        same(&before, &clone.tree(), what);
    }
}

/// A server whose code is not ours has no line in Cargo.toml; entries in clients' files go with it, and theirs alone.
#[test]
fn any_server_goes_with_its_entries() {
    let clone = Clone::new("entries");
    let file = clone.env.home().join(".cursor/mcp.json");
    fs::create_dir_all(file.parent().expect("a folder")).expect("a new folder");
    let mine = "{ // mine\n  \"mcpServers\": { \"notes\": { \"command\": \"n\" } }\n}\n";
    fs::write(&file, mine).expect("a new file");
    clone.env.ok(&["install-client", "cursor", "--name", "time", "--url", "http://127.0.0.1:9/mcp"]);
    // As an entry of the server's is recorded, which only an engine could make.
    let ledger = clone.env.state().join("ledger.json");
    let mut record: Value =
        serde_json::from_str(&fs::read_to_string(&ledger).expect("a ledger")).expect("JSON");
    record["entries"][0]["server"] = json!("time");
    fs::write(&ledger, record.to_string()).expect("a ledger");

    let before = clone.tree();
    let removed = clone.env.ok(&["remove", "time", "--yes"]);
    assert!(removed.stderr.contains("entry cursor: \"time\""), "{removed}");
    assert_eq!(fs::read_to_string(&file).expect("the file"), mine);
    let gone = difference(&before, &clone.tree());
    assert!(!gone.is_empty() && gone.iter().all(|it| it.starts_with("servers/time")), "{gone:?}");
}
