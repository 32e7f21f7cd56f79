//! Others write at the same time: a client at hundreds of times a second, and a second installer.
//!
//! Real processes on one file -> what each of them wrote. Invariant: an update is there in the end, or was refused.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use drydock_tests::process::{TIMEOUT, wait_until};
use drydock_tests::test_env::TestEnv;
use serde_json::Value;

use super::{FILE, INSTALL, UNINSTALL, file, left_over, reset};

#[test]
fn two_installers_at_once_both_get_their_entry() {
    let env = TestEnv::without_engine("two");
    for original in [Some(FILE), None] {
        for _ in 0..10 {
            reset(&env, original);
            let install = |name: &str| {
                let args = [INSTALL[0], INSTALL[1], "--name", name, INSTALL[4], INSTALL[5]];
                env.run(&[&args[..], &INSTALL[6..]].concat())
            };
            std::thread::scope(|scope| {
                for name in ["one", "two"] {
                    scope.spawn(move || install(name).ok());
                }
            });
            let text = fs::read_to_string(file(&env)).unwrap();
            assert!(text.contains("\"one\"") && text.contains("\"two\""), "{text}");
            let ledger = fs::read_to_string(env.state().join("ledger.json")).unwrap();
            let ledger: Value = serde_json::from_str(&ledger).unwrap();
            assert_eq!(ledger["entries"].as_array().map(Vec::len), Some(2), "{ledger}");
            env.ok(UNINSTALL);
            assert_eq!(fs::read_to_string(file(&env)).ok().as_deref(), original);
            assert_eq!(left_over(&env.home()).len() + left_over(&env.state()).len(), 0);
        }
    }
}

/// It has started, and waits for another installer, when somebody writes.
#[test]
fn what_is_written_while_a_restore_waits_is_not_given_up() {
    let env = TestEnv::without_engine("waits");
    reset(&env, Some(FILE));
    env.ok(INSTALL);
    let lock = fs::File::open(env.state().join("ledger.lock")).unwrap();
    lock.lock().unwrap();
    let restore =
        env.xtask(&["install-client", "cursor", "--restore"]).stderr(Stdio::piped()).spawn().unwrap();
    let waits = wait_until(TIMEOUT, || {
        let open = fs::read_dir(format!("/proc/{}/fd", restore.id())).into_iter().flatten().flatten();
        open.filter_map(|it| fs::read_link(it.path()).ok()).any(|it| it.ends_with("ledger.lock"))
    });
    assert!(waits, "it does not wait");
    let theirs = fs::read_to_string(file(&env)).unwrap() + "\n";
    fs::write(file(&env), &theirs).unwrap();
    drop(lock);
    let said = restore.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(!said.status.success() && words.contains("was changed since our last change"), "{words}");
    assert_eq!(fs::read_to_string(file(&env)).unwrap(), theirs);
    assert_eq!(env.ok(&["clients", "cursor", "--json"]).stdout.matches("\"managed\"").count(), 1);
}

/// A client that keeps its state in the file, and rewrites it whole, as they do: mostly at once, sometimes long after it
/// has read it, and now and then it rests.
struct Client<'w> {
    file: &'w Path,
    written: u64,
}

impl Client<'_> {
    /// Raises its number, and keeps everything else that it finds.
    fn write(&mut self) {
        let Ok(text) = fs::read_to_string(self.file) else { return };
        let Some((before, rest)) = text.split_once("\"n\": ") else { return };
        let behind = rest.trim_start_matches(|it: char| it.is_ascii_digit() || it == 'e');
        self.written += 1;
        let (thinks, rests) = match self.written % 20 {
            0 => (60, 1),
            10 => (0, 100),
            _ => (0, 1),
        };
        std::thread::sleep(Duration::from_millis(thinks));
        let temp = self.file.with_extension("rival");
        fs::write(&temp, format!("{before}\"n\": {}{behind}", self.written)).expect("a new file");
        fs::rename(&temp, self.file).expect("the client's own file");
        std::thread::sleep(Duration::from_millis(rests));
    }

    /// Between two steps of an exchange another one may be seen for a moment.
    fn is_there(&self) -> bool {
        let expected = format!("\"n\": {}\n", self.written);
        wait_until(TIMEOUT, || fs::read_to_string(self.file).is_ok_and(|it| it.contains(&expected)))
    }
}

#[test]
fn no_update_of_a_client_that_writes_all_the_time_is_lost() {
    let env = TestEnv::without_engine("busy");
    reset(&env, Some(FILE));
    let (path, done) = (file(&env), AtomicBool::new(false));
    let (mut added, mut brought_back, mut refused) = (0, 0, 0);
    let take_over = [INSTALL, &["--force"]].concat();
    std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut client = Client { file: &path, written: 0 };
            while !done.load(Relaxed) {
                client.write();
                assert!(client.is_there(), "update {} of the client is lost", client.written);
            }
            client.written
        });
        for n in 0..40 {
            let output = env.run(if n % 2 == 0 { INSTALL } else { UNINSTALL });
            assert!(
                output.code == Some(0) || output.stderr.contains("another program keeps writing"),
                "{output}"
            );
            refused += usize::from(output.code != Some(0));
            added += usize::from(output.stderr.contains("\"remote\": added"));
            // It had read the file before a removal, and wrote it after it, as clients do that run: nobody can see that.
            if output.stderr.contains("there already, not managed by Drydock") {
                brought_back += 1;
                env.run(&take_over);
            }
        }
        done.store(true, Relaxed);
        assert!(client.join().expect("the client") > 40, "the client wrote too rarely");
    });
    println!("added {added} times, brought back {brought_back} times, refused {refused} times");
    assert!(added > 0, "never got through");
    env.ok(&take_over);
    env.ok(UNINSTALL);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("// mine") && text.contains("\"notes\"") && !text.contains("remote"), "{text}");
    assert_eq!(left_over(&env.home()).len(), 0);
}
