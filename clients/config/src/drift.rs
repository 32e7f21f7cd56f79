//! How an entry in a file differs from the one that we wrote.
//!
//! Entry as written + value as found -> the fields that differ, and a line for each. Invariant: what somebody added is
//! told apart from what somebody changed; of two long lists only what differs is shown.

use std::fmt;

use drydock_edit::Entry;
use serde::Serialize;
use serde_json::Value;

/// A field that is not as we wrote it.
///
/// ```
/// use drydock_config::drift::differences;
/// use serde_json::json;
///
/// let written = json!({"command": "docker", "args": ["exec", "a"]});
/// let found = json!({"command": "docker", "args": ["exec", "b"], "disabled": true});
/// let all = differences(written.as_object().unwrap(), &found);
/// assert_eq!(all[0].to_string(), r#"args: we wrote .. "a", found .. "b""#);
/// assert!(all[0].is_drift() && !all[1].is_drift());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Its keys, joined by dots; empty for the whole entry.
    pub field: String,
    /// `None`: somebody added the field.
    pub written: Option<Value>,
    /// `None`: somebody took it out.
    pub found: Option<Value>,
}

impl Difference {
    /// An added field is the user's own business; one of ours that is different is not what was approved.
    pub fn is_drift(&self) -> bool {
        self.written.is_some()
    }
}

/// As in `args: we wrote .. "a" .., found .. "b" ..`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = if self.field.is_empty() { "the entry" } else { &self.field };
        match (&self.written, &self.found) {
            (Some(written), Some(found)) => {
                let (written, found) = narrowed(written, found);
                write!(f, "{field}: we wrote {written}, found {found}")
            }
            (Some(written), None) => write!(f, "{field}: we wrote {written}, and it is gone"),
            (None, Some(_)) => write!(f, "{field}: added by somebody else"),
            (None, None) => f.write_str(field),
        }
    }
}

/// Every field of `found` that is not as in `written`; none if they are the same.
pub fn differences(written: &Entry, found: &Value) -> Vec<Difference> {
    let mut all = Vec::new();
    match found {
        Value::Object(found) => compare("", written, found, &mut all),
        other => all.push(Difference {
            field: String::new(),
            written: Some(Value::Object(written.clone())),
            found: Some(other.clone()),
        }),
    }
    all
}

fn compare(prefix: &str, written: &Entry, found: &Entry, all: &mut Vec<Difference>) {
    for (key, old) in written {
        let field = format!("{prefix}{key}");
        match (old, found.get(key)) {
            (Value::Object(old), Some(Value::Object(new))) => compare(&format!("{field}."), old, new, all),
            (old, Some(new)) if old == new => {}
            (old, new) => all.push(Difference { field, written: Some(old.clone()), found: new.cloned() }),
        }
    }
    for (key, new) in found.iter().filter(|(key, _)| !written.contains_key(*key)) {
        all.push(Difference { field: format!("{prefix}{key}"), written: None, found: Some(new.clone()) });
    }
}

/// Of two long lists only what differs: command lines have dozens of words.
fn narrowed(written: &Value, found: &Value) -> (String, String) {
    let (Value::Array(a), Value::Array(b)) = (written, found) else {
        return (written.to_string(), found.to_string());
    };
    let head = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a_rest, b_rest) = (&a[head..], &b[head..]);
    let tail = a_rest.iter().rev().zip(b_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    (middle(a, head, tail), middle(b, head, tail))
}

/// As in `.. "a", "b" ..`, where the dots stand for what is the same on both sides.
fn middle(all: &[Value], head: usize, tail: usize) -> String {
    let words: Vec<_> = all[head..all.len() - tail].iter().map(Value::to_string).collect();
    let words = if words.is_empty() { "nothing".to_owned() } else { words.join(", ") };
    let dots = |count: usize| if count == 0 { "" } else { ".." };
    [dots(head), &words, dots(tail)].iter().filter(|it| !it.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_changed_field_is_shown() {
        let ours = json!({"command": "docker", "args": ["x"], "env": {"A": "1", "B": "2"}});
        let ours = ours.as_object().unwrap();
        let found = json!({"command": "evil", "env": {"A": "1", "B": "3", "C": "4"}, "disabled": true});
        let all = differences(ours, &found);
        let shown: Vec<_> = all.iter().map(|it| (it.field.as_str(), it.is_drift())).collect();
        assert_eq!(
            shown,
            [("command", true), ("args", true), ("env.B", true), ("env.C", false), ("disabled", false)]
        );
        assert!(differences(ours, &Value::Object(ours.clone())).is_empty());
        assert!(differences(ours, &json!(null))[0].is_drift());
    }

    #[test]
    fn of_long_lists_only_what_differs_is_shown() {
        let shown = |written: Value, found: Value| {
            Difference { field: "args".into(), written: Some(written), found: Some(found) }.to_string()
        };
        let (a, b) = (json!(["run", "a", "b", "c"]), json!(["run", "a", "x", "c"]));
        assert_eq!(shown(a.clone(), b), "args: we wrote .. \"b\" .., found .. \"x\" ..");
        let longer = json!(["run", "--privileged", "a", "b", "c"]);
        assert_eq!(shown(a.clone(), longer), "args: we wrote .. nothing .., found .. \"--privileged\" ..");
        assert_eq!(shown(a, json!(["c"])), "args: we wrote \"run\", \"a\", \"b\" .., found nothing ..");
        assert_eq!(shown(json!("x"), json!(1)), "args: we wrote \"x\", found 1");
    }
}
