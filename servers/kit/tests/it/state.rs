//! What a server keeps: `examples/notes.rs` in sessions that share a folder, and files that it must not touch.
//!
//! Calls -> answers, in this session and in others. Invariant: a file that is refused has the same bytes afterwards.

mod killed;

use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{Session, example};

/// A folder for what sessions keep.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("state.sqlite")
    }

    fn session(&self, options: &[&str]) -> Notes {
        Notes::start(self.0.path(), options)
    }

    /// As another program sees it.
    fn sqlite(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }
}

/// A session of the example.
struct Notes(Session);

impl Notes {
    fn start(folder: &Path, options: &[&str]) -> Self {
        let mut command = Command::new(example("notes"));
        command.arg("stdio").args(options).env("MCP_STATE", folder);
        Self(Session::start_command(command).with_handshake())
    }

    fn result(&mut self, tool: &str, arguments: &Value) -> Value {
        self.0.call(1, tool, arguments);
        self.0.answer()["result"].take()
    }

    #[track_caller]
    fn ok(&mut self, tool: &str, arguments: &Value) -> Value {
        let mut result = self.result(tool, arguments);
        assert_ne!(result["isError"], true, "{tool}: {result}");
        result["structuredContent"].take()
    }

    #[track_caller]
    fn refusal(&mut self, tool: &str, arguments: &Value) -> String {
        let result = self.result(tool, arguments);
        assert_eq!(result["isError"], true, "{tool}: {result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }

    fn write(&mut self, name: &str, text: &str) -> Value {
        self.ok("write", &json!({"name": name, "text": text}))
    }
}

#[test]
fn what_one_session_keeps_another_one_reads() {
    let folder = Folder::new();
    let (mut one, mut two) = (folder.session(&[]), folder.session(&[]));
    assert_eq!(two.ok("count", &json!({})), json!({"notes": 0}));
    assert_eq!(one.write("milk", "two litres"), json!({"notes": 1}));
    assert_eq!(two.ok("read", &json!({"name": "milk"})), json!({"text": "two litres", "edition": 1}));
    two.result("append", &json!({"name": "milk", "text": ", please"}));
    drop(two);
    assert_eq!(one.ok("read", &json!({"name": "milk"})), json!({"text": "two litres, please", "edition": 2}));
    let none = one.refusal("append", &json!({"name": "tea", "text": "green"}));
    assert_eq!(none, "there is no such note: write it first");
    drop(one);
    let mut three = folder.session(&[]);
    assert_eq!(three.ok("remove", &json!({"name": "milk"})), json!({"notes": 0}));
    assert_eq!(three.refusal("remove", &json!({"name": "milk"})), "there is no such note");
    assert_eq!(
        three.ok("count", &json!({})),
        json!({"notes": 0}),
        "a transaction that failed changed something"
    );
}

#[test]
fn pages_follow_each_other_without_a_gap() {
    let folder = Folder::new();
    let mut session = folder.session(&[]);
    for name in ["a/1", "b", "b/1", "b/2", "b/3", "b/\u{10ffff}", "b0", "c"] {
        session.write(name, name);
    }
    let (mut names, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = session.ok("list", &json!({"prefix": "b/", "limit": 2, "after": after}));
        let notes = page["notes"].as_array().unwrap();
        assert!((1..=2).contains(&notes.len()), "{page}");
        names.extend(notes.iter().map(|it| it["name"].as_str().unwrap().to_owned()));
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!(names, ["b/1", "b/2", "b/3", "b/\u{10ffff}"]);
}

#[test]
fn sessions_that_change_one_value_at_the_same_time_lose_no_change() {
    const SESSIONS: usize = 4;
    const CHANGES: usize = 50;
    let folder = Folder::new();
    folder.session(&[]).write("log", "");
    std::thread::scope(|scope| {
        for _ in 0..SESSIONS {
            scope.spawn(|| {
                let mut session = folder.session(&[]);
                for _ in 0..CHANGES {
                    session.result("append", &json!({"name": "log", "text": "x"}));
                }
            });
        }
    });
    let log = folder.session(&[]).ok("read", &json!({"name": "log"}));
    assert_eq!(log["text"], "x".repeat(SESSIONS * CHANGES));
    assert_eq!(log["edition"], 1 + SESSIONS * CHANGES);
}

#[test]
fn calls_of_one_session_at_the_same_time_lose_no_change() {
    let folder = Folder::new();
    let mut session = folder.session(&[]);
    session.write("log", "");
    for id in 10..60 {
        session.0.call(id, "append", &json!({"name": "log", "text": "x"}));
    }
    for _ in 10..60 {
        assert_ne!(session.0.answer()["result"]["isError"], true);
    }
    assert_eq!(session.ok("read", &json!({"name": "log"}))["edition"], 51);
}

#[test]
fn a_call_waits_for_others_only_until_its_deadline_and_then_nothing_is_written() {
    let folder = Folder::new();
    let mut session = folder.session(&["--call-timeout", "1"]);
    session.write("a", "a");
    let other = folder.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let late = session.refusal("write", &json!({"name": "b", "text": "b"}));
    assert!(late.starts_with("the call timed out after 1 s"), "{late}");
    assert_eq!(session.ok("count", &json!({})), json!({"notes": 1}), "readers do not wait");
    other.execute_batch("COMMIT").unwrap();
    // Behind whatever of the call was still waiting.
    session.result("append", &json!({"name": "a", "text": "b"}));
    assert_eq!(session.refusal("read", &json!({"name": "b"})), "there is no such note");
    session.0.close();
    let (status, log) = session.0.ended();
    assert!(status.success() && !log.contains("is blocked"), "{log}");
}

#[test]
fn without_its_folder_a_server_says_which_grant_it_lacks() {
    let folder = Folder::new();
    let file = folder.0.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    for folder in [folder.0.path().join("nowhere"), file, "/proc".into()] {
        let mut session = Notes::start(&folder, &[]);
        let said = session.refusal("write", &json!({"name": "a", "text": "a"}));
        assert!(said.starts_with(&format!("cannot keep anything in {}: ", folder.display())), "{said}");
        for cure in ["`volumes = [{ name = \"data\", path = \"/data\" }]`", "drydock.toml", "MCP_STATE"] {
            assert!(said.contains(cure), "{said}");
        }
        session.0.close();
        let (_, log) = session.0.ended();
        let is_told = log.contains("cannot keep anything in");
        assert!(is_told || folder == Path::new("/proc"), "the log has no warning: {log}");
    }
}

/// How a file is made, and what is said of it.
type Case = (Box<dyn Fn(&Folder)>, &'static str);

#[test]
fn a_file_that_is_not_understood_is_left_as_it_is() {
    let make = |sql: &'static str| move |folder: &Folder| folder.sqlite().execute_batch(sql).unwrap();
    let write = |bytes: Vec<u8>| move |folder: &Folder| std::fs::write(folder.file(), &bytes).unwrap();
    let notes = |cut: bool| {
        move |folder: &Folder| {
            let mut session = folder.session(&[]);
            for n in 0..100 {
                session.write(&format!("{n:03}"), &"text ".repeat(200));
            }
            session.0.close();
            session.0.ended(); // the log of writes is now in the file
            let mut bytes = std::fs::read(folder.file()).unwrap();
            match cut {
                true => bytes.truncate(bytes.len() / 2),
                false => bytes[100..].fill(0xaa),
            }
            std::fs::write(folder.file(), bytes).unwrap();
        }
    };
    let text = vec![b'x'; 5000];
    let cases: [Case; 6] = [
        (Box::new(make("CREATE TABLE entry (a)")), "is not one of a Drydock server"),
        (Box::new(make("PRAGMA application_id = 7")), "is not one of a Drydock server"),
        (
            Box::new(make(
                "PRAGMA application_id = 0x44727953; PRAGMA user_version = 2; CREATE TABLE it (a)",
            )),
            "is of version 2, and this server knows 1",
        ),
        (Box::new(write(text)), "is not one of a Drydock server"),
        (Box::new(notes(true)), "is damaged"),
        (Box::new(notes(false)), "is damaged"),
    ];
    for (make, expected) in cases {
        let folder = Folder::new();
        make(&folder);
        let before = std::fs::read(folder.file()).unwrap();
        let mut session = folder.session(&[]);
        for _ in 0..2 {
            let said = session.refusal("write", &json!({"name": "050", "text": "new"}));
            assert!(said.contains(expected) && said.contains("left as it is"), "{said}");
        }
        drop(session);
        assert!(std::fs::read(folder.file()).unwrap() == before, "{expected}: the file has changed");
    }
}

#[test]
fn a_value_of_another_type_is_named_and_stays() {
    let folder = Folder::new();
    let mut session = folder.session(&[]);
    session.write("a", "a");
    let set = |json: &str| {
        folder.sqlite().execute("UPDATE entry SET value = ?1 WHERE collection = 'notes'", (json,)).unwrap();
    };
    set("{\"text\": 7}");
    for (tool, arguments) in
        [("read", json!({"name": "a"})), ("list", json!({})), ("append", json!({"name": "a", "text": "b"}))]
    {
        let said = session.refusal(tool, &arguments);
        assert!(said.starts_with("the value of `a` in `notes`: invalid type"), "{tool}: {said}");
    }
    set("{\"text\": \"b\", \"edition\": 3}");
    assert_eq!(session.ok("read", &json!({"name": "a"}))["edition"], 3);
}
