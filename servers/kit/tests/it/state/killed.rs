//! Sessions that are killed while they write: what they have acknowledged is there, and nothing is there by halves.
//!
//! Writers, SIGKILL at a random moment -> what a new session finds. Invariant: a round uses the file that the rounds before it left.

use std::collections::BTreeMap;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Folder, Notes};

const SESSIONS: usize = 3;

/// How often, as in `cargo xtask test --full`.
fn rounds(usual: usize, full: usize) -> usize {
    let is_full = std::env::var("DRYDOCK_FULL").is_ok_and(|it| !it.is_empty());
    if is_full { full } else { usual }
}

/// A linear congruential generator (Knuth): any moment is as good as another one.
struct Moments(u64);

impl Moments {
    fn next(&mut self, max: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        max.mul_f64((self.0 >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

/// What stands in a note tells whether it is whole; many take several pages of the file.
fn text(name: &str, n: usize) -> String {
    format!("{name} ").repeat(1 + n * 1237 % 6000)
}

/// Writes until it is killed; says what was acknowledged.
fn write(mut session: Notes, round: usize, number: usize, begun: &Sender<()>) -> BTreeMap<String, String> {
    let mut acknowledged = BTreeMap::new();
    for n in 0.. {
        let name = format!("{round:04}/{number}/{n:04}");
        let text = text(&name, n);
        let call = json!({"jsonrpc": "2.0", "id": n, "method": "tools/call",
            "params": {"name": "write", "arguments": {"name": name, "text": text}}});
        let line = format!("{call}\n");
        let is_sent = std::io::Write::write_all(session.0.stdin.as_mut().unwrap(), line.as_bytes()).is_ok();
        let line = if is_sent { session.0.line() } else { String::new() };
        let Ok(answer) = serde_json::from_str::<Value>(&line) else { break }; // it ends in the middle
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        acknowledged.insert(name, text);
        let _ = begun.send(());
    }
    acknowledged
}

/// One round: writers that are killed at the same time, a while after each has begun.
fn kill_writers(folder: &Folder, round: usize, after: Duration) -> BTreeMap<String, String> {
    let (begun, has_begun) = channel();
    thread::scope(|scope| {
        let start = |number| {
            let session = folder.session(&[]);
            let (pid, begun) = (session.0.child.id().to_string(), begun.clone());
            (pid, scope.spawn(move || write(session, round, number, &begun)))
        };
        let (pids, writers): (Vec<_>, Vec<_>) = (0..SESSIONS).map(start).unzip();
        has_begun.recv_timeout(Duration::from_secs(60)).unwrap();
        thread::sleep(after);
        let killed = std::process::Command::new("kill").args(["-s", "KILL"]).args(&pids).status().unwrap();
        assert!(killed.success(), "a writer was gone before");
        writers.into_iter().flat_map(|it| it.join().unwrap()).collect()
    })
}

/// All notes whose names begin so.
fn read_all(session: &mut Notes, prefix: &str) -> BTreeMap<String, String> {
    let (mut found, mut after) = (BTreeMap::new(), Value::Null);
    loop {
        let mut page = session.ok("list", &json!({"prefix": prefix, "limit": 1000, "after": after}));
        for it in page["notes"].as_array_mut().unwrap() {
            assert_eq!(it["note"]["edition"], 1, "{it}");
            let text = it["note"]["text"].as_str().unwrap().to_owned();
            found.insert(it["name"].as_str().unwrap().to_owned(), text);
        }
        after = page["next"].take();
        if after.is_null() {
            return found;
        }
    }
}

/// The notes of a round are whole, those that were acknowledged are among them; says how many there are.
fn check(session: &mut Notes, round: usize, acknowledged: &BTreeMap<String, String>) -> usize {
    let found = read_all(session, &format!("{round:04}/"));
    for (name, text) in acknowledged {
        assert_eq!(found.get(name), Some(text), "{name} was acknowledged");
    }
    for (name, found) in &found {
        let n: usize = name.rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(*found, text(name, n), "{name} is torn");
    }
    let extra = found.len() - acknowledged.len();
    assert!(extra <= SESSIONS, "{extra} notes that nobody has acknowledged");
    found.len()
}

fn integrity(folder: &Folder) -> String {
    folder.sqlite().query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap()
}

#[test]
fn what_was_acknowledged_survives_a_kill_in_the_middle_of_writes() {
    let (folder, mut moments) = (Folder::new(), Moments(std::process::id().into()));
    let (mut total, mut acknowledged_in_all) = (0, 0);
    for round in 0..rounds(20, 1000) {
        let after = moments.next(Duration::from_millis(40));
        let acknowledged = kill_writers(&folder, round, after);
        assert!(!acknowledged.is_empty());
        acknowledged_in_all += acknowledged.len();
        let mut session = folder.session(&[]);
        total += check(&mut session, round, &acknowledged);
        // Of both halves of each transaction: the notes and their number.
        assert_eq!(
            session.ok("count", &json!({})),
            json!({"notes": total}),
            "round {round}, after {after:?}"
        );
    }
    assert_eq!(integrity(&folder), "ok");
    assert_eq!(read_all(&mut folder.session(&[]), "").len(), total);
    eprintln!("{acknowledged_in_all} acknowledged writes, {total} found");
}

#[test]
fn a_kill_while_the_file_is_made_is_in_nobodys_way() {
    let mut moments = Moments(std::process::id().into());
    for round in 0..rounds(20, 300) {
        let folder = Folder::new();
        let start = Instant::now();
        let mut sessions: Vec<_> = (0..SESSIONS).map(|_| folder.session(&[])).collect();
        for it in &mut sessions {
            it.0.call(1, "write", &json!({"name": "a", "text": "a"}));
        }
        // As long as all of it takes, at most: a session that was killed before is another test's.
        thread::sleep(moments.next(start.elapsed().min(Duration::from_millis(20))));
        for it in &mut sessions {
            it.0.child.kill().unwrap();
        }
        let mut session = folder.session(&[]);
        let before = session.ok("count", &json!({}));
        let is_there = session.result("read", &json!({"name": "a"}))["isError"] != true;
        assert_eq!(before, json!({"notes": u8::from(is_there)}), "round {round}");
        session.write("b", "b");
        assert_eq!(integrity(&folder), "ok");
    }
}
