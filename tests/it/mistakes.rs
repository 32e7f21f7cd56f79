//! Usual mistakes in a server in Rust, and where the compiler points at them.
//!
//! The small servers in `tests/cases/mistakes` -> what `cargo check` says of each. Where a line ends with `//~ CODE WORDS`, an error
//! has to point at that line, with that code (`-`: an attribute's own, which has none), and these words in it. Invariant: there is
//! no error at any other line, and what has no mark compiles without a warning.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use drydock_tests::full_or_skip;
use drydock_tests::process::{BUILD_TIMEOUT, run_with};
use drydock_tests::scratch_crate::{self, name};
use drydock_tests::test_env::workspace_root;
use serde_json::Value;

/// What one line has to be told.
#[derive(Debug, PartialEq)]
struct Mark {
    line: u64,
    code: Option<String>,
    words: Vec<String>,
}

/// What the compiler says.
#[derive(Debug)]
struct Diagnostic {
    level: String,
    code: Option<String>,
    /// Where it points, in the author's own file.
    lines: Vec<u64>,
    /// Whether it points anywhere else.
    is_elsewhere: bool,
    text: String,
}

/// More lines for one mistake hide what is wrong.
const MAX_ERRORS: usize = 8;

fn cases() -> Vec<PathBuf> {
    let folder = workspace_root().join("tests/cases/mistakes");
    let mut files: Vec<_> = fs::read_dir(folder).expect("a folder").flatten().map(|it| it.path()).collect();
    files.sort();
    files
}

fn marks(text: &str) -> Vec<Mark> {
    let mark = |(index, line): (usize, &str)| {
        let mut words = line.split_once("//~ ")?.1.split(' ').map(str::to_owned);
        let code = words.next().filter(|it| it != "-");
        Some(Mark { line: index as u64 + 1, code, words: words.collect() })
    };
    text.lines().enumerate().filter_map(mark).collect()
}

/// By the names of the files.
fn diagnostics(files: &[PathBuf]) -> BTreeMap<String, Vec<Diagnostic>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    scratch_crate::make(folder.path(), files, "");
    let args = ["check", "--bins", "--keep-going", "--offline", "--message-format=json"];
    let said = run_with(&mut scratch_crate::cargo(folder.path(), &args), &[], BUILD_TIMEOUT);
    let mut found = BTreeMap::<_, Vec<_>>::new();
    let mut checked = 0;
    for message in said.stdout.lines().map(|it| serde_json::from_str::<Value>(it).expect("JSON")) {
        let target = message["target"]["src_path"].as_str().unwrap_or_default();
        let Some(file) = files.iter().find(|it| **it == Path::new(target)) else { continue };
        match message["reason"].as_str() {
            Some("compiler-message") => {
                found.entry(name(file)).or_default().extend(diagnostic(file, &message["message"]));
            }
            Some("compiler-artifact") => checked += 1,
            _ => {}
        }
    }
    assert!(checked > 0 && found.len() + checked >= files.len(), "cargo did not get there: {said}");
    found
}

/// `None` of what only counts the others.
fn diagnostic(file: &Path, message: &Value) -> Option<Diagnostic> {
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let list = |it: &Value| it.as_array().cloned().unwrap_or_default();
    let spans = list(&message["spans"]);
    let primary: Vec<_> = spans.iter().filter(|it| it["is_primary"] == true).collect();
    if primary.is_empty() {
        return None;
    }
    let is_ours = |it: &&&Value| file.ends_with(text(&it["file_name"]));
    let lines: Vec<_> = primary.iter().filter(is_ours).filter_map(|it| it["line_start"].as_u64()).collect();
    let mut words = vec![text(&message["message"])];
    words.extend(spans.iter().map(|it| text(&it["label"])));
    words.extend(list(&message["children"]).iter().map(|it| text(&it["message"])));
    Some(Diagnostic {
        level: text(&message["level"]),
        code: message["code"]["code"].as_str().map(str::to_owned),
        is_elsewhere: lines.len() < primary.len(),
        lines,
        text: words.join("\n"),
    })
}

#[test]
fn the_compiler_points_at_what_is_wrong_and_names_it() {
    full_or_skip!(); // kit and all below it are compiled once more
    let files = cases();
    let said = diagnostics(&files);
    let mut wrong = Vec::new();
    for file in &files {
        let name = name(file);
        let marks = marks(&fs::read_to_string(file).expect("a server"));
        let found = said.get(&name).map(Vec::as_slice).unwrap_or_default();
        wrong.extend(misfits(&marks, found).iter().map(|it| format!("{name}: {it}")));
    }
    assert!(wrong.is_empty(), "{} problems:\n{}", wrong.len(), wrong.join("\n"));
    let mistakes = said.values().filter(|it| !it.is_empty()).count();
    assert!(mistakes >= 20, "only {mistakes} mistakes");
}

fn misfits(marks: &[Mark], found: &[Diagnostic]) -> Vec<String> {
    let mut wrong = Vec::new();
    let errors: Vec<_> = found.iter().filter(|it| it.level == "error").collect();
    if marks.is_empty() && !found.is_empty() {
        return vec![format!("it has no mark, and {found:#?}")];
    }
    for mark in marks {
        let is_it = |it: &&&Diagnostic| {
            it.lines.contains(&mark.line)
                && it.code == mark.code
                && mark.words.iter().all(|word| it.text.contains(word.as_str()))
        };
        if errors.iter().find(is_it).is_none() {
            wrong.push(format!("not told: {mark:?}; but {errors:#?}"));
        }
    }
    let is_marked = |it: &&&Diagnostic| {
        !it.is_elsewhere && it.lines.iter().all(|line| marks.iter().any(|mark| mark.line == *line))
    };
    wrong.extend(errors.iter().filter(|it| !is_marked(it)).map(|it| format!("points elsewhere: {it:#?}")));
    if errors.len() > MAX_ERRORS * marks.len() {
        wrong.push(format!("{} errors for {} mistakes: {errors:#?}", errors.len(), marks.len()));
    }
    wrong
}

#[test]
fn a_mark_that_is_not_met_is_a_failure() {
    let mark = |line, code: &str| Mark { line, code: Some(code.to_owned()), words: vec!["Roll".to_owned()] };
    let error = |line, text: &str| Diagnostic {
        level: "error".to_owned(),
        code: Some("E0277".to_owned()),
        lines: vec![line],
        is_elsewhere: false,
        text: text.to_owned(),
    };
    let right = error(3, "the trait bound `Roll: JsonSchema`");
    assert_eq!(marks("a\nb\nc //~ E0277 Roll"), [mark(3, "E0277")]);
    assert!(misfits(&[mark(3, "E0277")], std::slice::from_ref(&right)).is_empty());
    for (mark, found) in [
        (mark(3, "E0277"), vec![]),
        (mark(3, "E0277"), vec![error(3, "something")]),
        (mark(3, "E0277"), vec![error(4, "Roll")]),
        (mark(3, "E0308"), vec![right]),
        (mark(3, "E0277"), vec![error(3, "Roll"), error(4, "more")]),
        (mark(3, "E0277"), vec![Diagnostic { is_elsewhere: true, ..error(3, "Roll") }]),
        (mark(3, "E0277"), (0..9).map(|_| error(3, "Roll")).collect()),
    ] {
        assert!(!misfits(std::slice::from_ref(&mark), &found).is_empty(), "{mark:?} {found:?}");
    }
}
