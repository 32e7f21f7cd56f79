//! What clients are told, beside what they were told when somebody last looked at it.
//!
//! Lists + a file -> nothing, or what differs and how that is accepted. Invariant: the file is written only where that was asked
//! for by `UPDATE_EXPECT`, and never where `CI` is set; and it is the same whatever order a map of serde_json has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::check::Listing;

/// As the workspace's other snapshots (expect-test).
const UPDATE: &str = "UPDATE_EXPECT";

/// More differences say nothing more.
const MAX_SHOWN: usize = 20;

/// By their names, so that what differs has a place.
pub(super) fn of(listing: &Listing<'_>) -> Value {
    fn by_name(all: impl Iterator<Item = Value>) -> Value {
        let named = all.map(|mut it| {
            let name = it.as_object_mut().and_then(|it| it.remove("name"));
            (name.and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default(), it)
        });
        Value::Object(named.collect())
    }
    fn values<T: serde::Serialize>(all: &[T]) -> impl Iterator<Item = Value> {
        all.iter().map(|it| serde_json::to_value(it).unwrap_or_default())
    }
    sorted(&json!({"tools": by_name(values(listing.tools)), "prompts": by_name(values(&listing.prompts))}))
}

/// Fields in the order of the alphabet, also where another crate of the build asks serde_json to keep theirs.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let names: BTreeSet<_> = fields.keys().collect();
            Value::Object(
                names.into_iter().map(|it| (it.clone(), sorted(&fields[it]))).collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// How this run treats a file.
#[derive(Debug, Clone, Copy)]
struct Mode {
    update: bool,
    ci: bool,
}

pub(super) fn compare(file: &Path, now: &Value) -> Result<(), String> {
    let is_set =
        |name: &str| std::env::var_os(name).is_some_and(|it| !it.is_empty() && it != "0" && it != "false");
    // Cargo runs tests in their package's folder; other programs that run them name it.
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    compare_in(&folder.join(file), file, now, Mode { update: is_set(UPDATE), ci: is_set("CI") })
}

fn compare_in(path: &Path, shown: &Path, now: &Value, mode: Mode) -> Result<(), String> {
    let shown = shown.display();
    let problem = match fs::read_to_string(path) {
        Ok(text) => match serde_json::from_str::<Value>(&text) {
            Ok(before) if before == *now => return Ok(()),
            Ok(before) => {
                format!("clients are told something else than {shown} says:\n{}", differences(&before, now))
            }
            Err(problem) => format!("{shown} is no JSON: {problem}"),
        },
        Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => format!("there is no {shown} yet"),
        Err(problem) => return Err(format!("{shown} cannot be read: {problem}")),
    };
    match mode {
        Mode { update: false, .. } => Err(format!(
            "{problem}\nIf that is what you want, `{UPDATE}=1 cargo test` writes it: commit the file"
        )),
        Mode { ci: true, .. } => Err(format!(
            "{problem}\n{UPDATE} is set, but so is CI, where nobody would see it: run it on your machine, and commit the file"
        )),
        Mode { .. } => {
            let text = serde_json::to_string_pretty(now).unwrap_or_default() + "\n";
            fs::write(path, text).map_err(|problem| format!("{shown} cannot be written: {problem}"))
        }
    }
}

/// A line for each value that is not the same, with its path.
fn differences(before: &Value, now: &Value) -> String {
    let mut lines = Vec::new();
    collect(before, now, String::new(), &mut lines);
    let more = lines.len().saturating_sub(MAX_SHOWN);
    lines.truncate(MAX_SHOWN);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines.join("\n")
}

fn collect(before: &Value, now: &Value, path: String, lines: &mut Vec<String>) {
    match (before, now) {
        (Value::Object(old), Value::Object(new)) => {
            let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match (old.get(name), new.get(name)) {
                    (Some(old), Some(new)) => collect(old, new, path, lines),
                    (Some(old), None) => lines.push(format!("  {path} is gone, and was {old}")),
                    (None, Some(new)) => lines.push(format!("  {path} is new: {new}")),
                    (None, None) => {}
                }
            }
        }
        (old, new) if old != new => lines.push(format!("  {path} is {new}, and was {old}")),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Mode = Mode { update: false, ci: false };
    const UPDATE_IT: Mode = Mode { update: true, ci: false };

    #[test]
    fn a_file_is_written_where_that_was_asked_for_and_else_compared() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("schemas.json");
        let compare = |now: &Value, mode| compare_in(&file, Path::new("schemas.json"), now, mode);
        let old = json!({"tools": {"a": {"title": "A", "inputSchema": {"maximum": 3, "minimum": 1}}}});
        let mut new = old.clone();
        new["tools"]["a"]["inputSchema"] = json!({"maximum": 4, "default": 2});

        let said = compare(&old, READ).unwrap_err();
        assert!(said.contains("there is no schemas.json yet") && said.contains("UPDATE_EXPECT=1"), "{said}");
        assert!(compare(&old, Mode { update: true, ci: true }).unwrap_err().contains("CI"));
        assert!(!file.exists());
        compare(&old, UPDATE_IT).unwrap();
        let written = fs::read_to_string(&file).unwrap();
        compare(&old, READ).unwrap();
        compare(&old, Mode { update: false, ci: true }).unwrap();

        let said = compare(&new, READ).unwrap_err();
        for line in [
            "tools.a.inputSchema.default is new: 2",
            "tools.a.inputSchema.maximum is 4, and was 3",
            "tools.a.inputSchema.minimum is gone, and was 1",
        ] {
            assert!(said.contains(line), "{line} in {said}");
        }
        assert!(!said.contains("title"), "{said}");
        compare(&new, Mode { update: true, ci: true }).unwrap_err();
        assert_eq!(fs::read_to_string(&file).unwrap(), written);
        compare(&new, UPDATE_IT).unwrap();
        compare(&new, READ).unwrap();

        fs::write(&file, "<<<<<<< ours").unwrap();
        assert!(compare(&new, READ).unwrap_err().contains("is no JSON"));
    }

    #[test]
    fn many_differences_are_counted() {
        let many: Value = (0..50).collect();
        let old = Value::Object(Map::from_iter((0..50).map(|it| (it.to_string(), many.clone()))));
        let said = differences(&old, &json!({}));
        assert!(said.lines().count() == MAX_SHOWN + 1 && said.ends_with("and 30 more"), "{said}");
    }
}
