//! Every system call of an edit that changes something on disk, failing in every way, one at a time (strace).
//!
//! A command -> its calls, listed by a run without faults; call x fault -> a run of its own, and what it leaves.
//! Invariant: each run begins in the same environment, so that the calls are the same ones.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use drydock_tests::process::{TIMEOUT, print_note, run, run_with};
use drydock_tests::test_env::{TestEnv, xtask};
use drydock_tests::{full_or_skip, strace_or_skip};

use super::{FILE, INSTALL, UNINSTALL, all_files, file, heals, left_over, reset, show};

/// What changes something on disk, or decides who may.
const CALLS: &str = "openat,write,pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,link,linkat,unlink,\
                     unlinkat,rmdir,mkdir,mkdirat,chmod,fchmod,fchmodat,fchown,fsetxattr,flock,copy_file_range,sendfile";
const FAULTS: &[&str] = &["error=ENOSPC", "error=EIO", "error=EROFS", "signal=KILL"];

/// A command, and the environment that it finds.
struct Scene {
    name: &'static str,
    original: Option<&'static str>,
    before: &'static [&'static [&'static str]],
    command: &'static [&'static str],
}

const CHANGED: &[&str] =
    &["install-client", "cursor", "--name", "remote", "--url", "http://127.0.0.1:9/other"];

const SCENES: &[Scene] = &[
    Scene { name: "install into a file", original: Some(FILE), before: &[], command: INSTALL },
    Scene { name: "install without a file", original: None, before: &[], command: INSTALL },
    Scene { name: "update", original: Some(FILE), before: &[CHANGED], command: INSTALL },
    Scene { name: "uninstall", original: Some(FILE), before: &[INSTALL], command: UNINSTALL },
    Scene { name: "uninstall, and the file goes", original: None, before: &[INSTALL], command: UNINSTALL },
    Scene {
        name: "restore",
        original: Some(FILE),
        before: &[INSTALL],
        command: &["install-client", "cursor", "--restore"],
    },
];

/// The n-th call of a name, failing in some way.
struct Fault<'s> {
    scene: &'s Scene,
    call: String,
    n: usize,
    way: &'static str,
    /// The call as it was without the fault.
    shown: String,
}

/// What a scene's file is before and after.
struct Ends {
    old: Option<Vec<u8>>,
    new: Option<Vec<u8>>,
    with: Vec<u8>,
}

#[test]
fn some_faults_tear_no_file() {
    strace_or_skip!();
    // Spread over scenes, calls and faults; the numbers have no common factor.
    all(|n| n % 19 == 3);
}

#[test]
fn no_fault_tears_a_file() {
    full_or_skip!();
    strace_or_skip!();
    all(|_| true);
}

fn all(wanted: impl Fn(usize) -> bool) {
    let mut faults = Vec::new();
    let env = TestEnv::without_engine("faults");
    let ends: Vec<Ends> = SCENES.iter().map(|it| rehearse(&env, it)).collect();
    for scene in SCENES {
        for (call, n, shown) in calls(&env, scene) {
            for way in FAULTS {
                faults.push(Fault { scene, call: call.clone(), n, way, shown: shown.clone() });
            }
        }
    }
    let faults: Vec<Fault<'_>> =
        faults.into_iter().enumerate().filter(|(n, _)| wanted(*n)).map(|it| it.1).collect();
    assert!(faults.len() > 20, "only {} faults", faults.len());
    let (next, torn) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for thread in 0..std::thread::available_parallelism().map_or(2, |it| it.get()) {
            let (faults, next, torn, ends) = (&faults, &next, &torn, &ends);
            scope.spawn(move || {
                let env = TestEnv::without_engine(&format!("faults{thread}"));
                while let Some(fault) = faults.get(next.fetch_add(1, Relaxed)) {
                    let ends = SCENES.iter().position(|it| std::ptr::eq(it, fault.scene)).map(|it| &ends[it]);
                    let one = std::panic::AssertUnwindSafe(|| inject(&env, fault, ends.expect("a scene")));
                    if std::panic::catch_unwind(one).is_err() {
                        torn.lock().expect("a list").push(fault.label());
                    }
                }
            });
        }
    });
    let torn = torn.into_inner().expect("a list");
    assert!(torn.is_empty(), "{} of {} faults, the first: {:#?}", torn.len(), faults.len(), torn);
    print_note(&format!("{} faults injected into {} commands; 0 files torn", faults.len(), SCENES.len()));
}

/// The scene without faults.
fn rehearse(env: &TestEnv, scene: &Scene) -> Ends {
    begin(env, scene);
    let old = fs::read(file(env)).ok();
    env.ok(scene.command);
    let new = fs::read(file(env)).ok();
    assert_ne!(show(old.as_deref()), show(new.as_deref()), "{}: nothing happens", scene.name);
    env.ok(INSTALL);
    Ends { old, new, with: fs::read(file(env)).expect("a file with our entry") }
}

fn begin(env: &TestEnv, scene: &Scene) {
    reset(env, scene.original);
    for command in scene.before {
        env.ok(command);
    }
}

/// The calls of the scene's command that change something in the environment: name, which one of that name, the line.
fn calls(env: &TestEnv, scene: &Scene) -> Vec<(String, usize, String)> {
    begin(env, scene);
    let log = env.project().join("calls");
    let mut strace = env.command("strace");
    strace.args(["-y", "-s", "0", "-o"]).arg(&log).args(["-e", &format!("trace={CALLS}")]);
    run_with(strace.arg(xtask()).args(scene.command), &[], TIMEOUT).ok();
    let folder = env.home().parent().expect("a folder").to_string_lossy().into_owned();
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut found = Vec::new();
    for line in fs::read_to_string(&log).expect("strace's list").lines() {
        let Some((name, rest)) = line.split_once('(') else { continue };
        let n = counts.entry(name.to_owned()).or_default();
        *n += 1;
        let reads = name == "openat" && !["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|it| rest.contains(it));
        if rest.contains(&folder) && !reads {
            found.push((name.to_owned(), *n, line.replace(&folder, "")));
        }
    }
    assert!(found.len() > 10, "{}: strace shows only {found:?}", scene.name);
    found
}

impl Fault<'_> {
    fn label(&self) -> String {
        format!("{}: {} {}:when={} at {}", self.scene.name, self.call, self.way, self.n, self.shown)
    }
}

fn inject(env: &TestEnv, fault: &Fault<'_>, ends: &Ends) {
    let what = fault.label();
    begin(env, fault.scene);
    let log = env.project().join("injected");
    let mut strace = env.command("strace");
    strace.args(["-o"]).arg(&log).args(["-e", &format!("trace={}", fault.call)]);
    strace.args(["-e", &format!("inject={}:{}:when={}", fault.call, fault.way, fault.n)]);
    let output = run(strace.arg(xtask()).args(fault.scene.command));
    let log = fs::read_to_string(&log).expect("strace's list");
    assert!(
        log.contains("(INJECTED)") || log.contains("killed by SIGKILL"),
        "{what}: nothing happened: {log}"
    );

    let killed = fault.way == "signal=KILL";
    assert_eq!(killed, output.code.is_none_or(|it| it > 128), "{what}: {output}");
    assert!(output.code != Some(101) && !output.stderr.contains("panicked"), "{what}: {output}");
    let now = fs::read(file(env)).ok();
    let whole = now == ends.old || now == ends.new;
    assert!(whole, "{what}: torn: {:?}\n{output}", show(now.as_deref()));
    if !killed {
        let expected = if output.code == Some(0) { &ends.new } else { &ends.old };
        assert_eq!(
            show(now.as_deref()),
            show(expected.as_deref()),
            "{what}: the exit code says otherwise: {output}"
        );
        let left: Vec<_> = [left_over(&env.home()), left_over(&env.state())].concat();
        assert!(left.is_empty() || fault.call.starts_with("unlink"), "{what}: {left:?}\n{output}");
    }
    if let (Some(_), Ok(metadata)) = (fault.scene.original, fs::metadata(file(env))) {
        assert_eq!(metadata.mode() & 0o7777, 0o640, "{what}");
    }
    for it in all_files(&env.state().join("backups")) {
        let temporary = it.file_name().is_some_and(|it| it.to_string_lossy().contains(".drydock-"));
        let bytes = fs::read(&it).ok();
        let known = [&ends.old, &ends.new].contains(&&bytes) || bytes.as_ref() == Some(&ends.with);
        assert!(
            temporary || known || bytes.as_deref() == fault.scene.original.map(str::as_bytes),
            "{what}: {it:?}"
        );
    }
    heals(env, fault.scene.original, &ends.with, &what);
}
