//! What a server asks its client: sampling, elicitation, roots, ping.
//!
//! A server's request -> the same one with an id that no other server's request ever has; the client's answer -> the
//! server's own id. Invariant: only what the server that lives now has asked is kept, so a late answer finds nobody.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::frame::{Id, replaced};
use crate::messages::quoted;
use crate::method::Params;

/// A server that asks more than that without an answer gets an error.
const MAX_OPEN: usize = 1024;

/// Tasks of the client that are remembered; the oldest goes first.
const MAX_TASKS: usize = 1024;

#[derive(Debug)]
struct Open {
    /// The id that the client knows it by, and the server's own; their texts.
    ours: String,
    theirs: String,
    /// The server's token for its progress, where it wants to hear of any; its text.
    token: Option<String>,
    /// The client has answered that it works on it: the task's id.
    task: Option<Id>,
}

/// An answer that says that the client works on it, of revision 2025-11-25.
#[derive(Deserialize)]
struct Created<'a> {
    #[serde(borrow)]
    task: Option<Task<'a>>,
}

#[derive(Deserialize)]
struct Task<'a> {
    #[serde(borrow, rename = "taskId")]
    id: &'a RawValue,
}

/// The requests of the server that the client has not answered, and the tasks that it has made of them.
#[derive(Debug)]
pub(crate) struct Callbacks {
    /// What our ids begin with.
    prefix: String,
    next: u64,
    /// By the number in the id that the client knows it by; in the order in which they were made.
    open: BTreeMap<u64, Open>,
    tasks: BTreeMap<u64, Open>,
}

impl Callbacks {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), next: 0, open: BTreeMap::new(), tasks: BTreeMap::new() }
    }

    /// The request as the client gets it; `None` where it gets no more of them.
    pub(crate) fn open(&mut self, line: &str, id: &str, params: Option<&str>) -> Option<String> {
        if self.open.len() >= MAX_OPEN {
            return None;
        }
        self.next += 1;
        let ours = quoted(&format!("{}{}", self.prefix, self.next));
        let token = Params::read(params).meta().progress_token.map(|it| it.get());
        let mut parts = vec![(id, &*ours)];
        parts.extend(token.map(|it| (it, &*ours)));
        parts.sort_by_key(|it| it.0.as_ptr());
        let renamed = replaced(line, &parts);
        let open = Open { ours, theirs: id.to_owned(), token: token.map(str::to_owned), task: None };
        self.open.insert(self.next, open);
        Some(renamed)
    }

    /// The client has answered: the id that the server knows, if it is still there to hear of it.
    pub(crate) fn close(&mut self, id: &str, result: Option<&str>) -> Option<String> {
        let number = self.number(id)?;
        let mut open = self.open.remove(&number)?;
        let theirs = open.theirs.clone();
        let created = result.and_then(|it| serde_json::from_str::<Created<'_>>(it).ok());
        if let Some(task) = created.and_then(|it| it.task) {
            open.task = Some(Id::read(task.id.get()));
            self.tasks.insert(number, open);
            if self.tasks.len() > MAX_TASKS {
                self.tasks.pop_first();
            }
        }
        Some(theirs)
    }

    /// The token that the server knows this progress by.
    pub(crate) fn token(&self, token: &str) -> Option<&str> {
        let number = self.number(token)?;
        self.open.get(&number).or_else(|| self.tasks.get(&number))?.token.as_deref()
    }

    /// Whether the client made this task for the server that is there.
    pub(crate) fn has_task(&self, id: &str) -> bool {
        let id = Some(Id::read(id));
        self.tasks.values().any(|it| it.task == id)
    }

    /// The server has lost interest: the id that the client knows.
    pub(crate) fn cancel(&mut self, theirs: &str) -> Option<String> {
        let id = Id::read(theirs);
        let number = *self.open.iter().find(|(_, it)| Id::read(&it.theirs) == id)?.0;
        self.open.remove(&number).map(|it| it.ours)
    }

    /// The server is gone: the ids that the client knows, in the order in which they were asked.
    pub(crate) fn close_all(&mut self) -> Vec<String> {
        self.tasks.clear();
        std::mem::take(&mut self.open).into_values().map(|it| it.ours).collect()
    }

    /// The number in an id of ours.
    fn number(&self, id: &str) -> Option<u64> {
        id.strip_prefix('"')?.strip_prefix(&*self.prefix)?.strip_suffix('"')?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = r#""hold:1""#;

    fn asked() -> (Callbacks, String) {
        let mut callbacks = Callbacks::new("hold:");
        let line =
            r#"{"params":{"_meta":{"progressToken":7},"x":7},"id":1,"method":"sampling/createMessage"}"#;
        let params = &line[10..line.find(r#","id""#).unwrap()];
        let id = &line[line.find("1,").unwrap()..][..1];
        let renamed = callbacks.open(line, id, Some(params)).unwrap();
        assert_eq!(renamed, line.replacen('7', OURS, 1).replacen("\"id\":1", &format!("\"id\":{OURS}"), 1));
        (callbacks, renamed)
    }

    #[test]
    fn ids_and_tokens_are_renamed_and_back() {
        let (mut callbacks, _) = asked();
        assert_eq!(callbacks.token(OURS), Some("7"));
        assert_eq!(callbacks.close(OURS, Some("{}")).as_deref(), Some("1"));
        assert_eq!((callbacks.close(OURS, None), callbacks.token(OURS)), (None, None));
    }

    #[test]
    fn a_task_of_the_client_goes_on_until_its_server_ends() {
        let (mut callbacks, _) = asked();
        callbacks.close(OURS, Some(r#"{"task":{"taskId":"t","status":"working"}}"#));
        assert!(callbacks.has_task("\"t\"") && !callbacks.has_task("\"u\""));
        assert_eq!(callbacks.token(OURS), Some("7"));
        assert!(callbacks.close_all().is_empty());
        assert!(!callbacks.has_task("\"t\"") && callbacks.token(OURS).is_none());
    }

    #[test]
    fn what_a_dead_server_asked_is_closed() {
        let mut callbacks = Callbacks::new("hold:");
        for id in ["1", "\"a\"", "2"] {
            let line = format!(r#"{{"id":{id},"method":"roots/list"}}"#);
            callbacks.open(&line, &line[6..6 + id.len()], None);
        }
        assert_eq!(callbacks.cancel(r#""\u0061""#).as_deref(), Some(r#""hold:2""#));
        assert_eq!(callbacks.close_all(), [r#""hold:1""#, r#""hold:3""#]);
        assert_eq!(callbacks.close(r#""hold:1""#, None), None);
    }

    #[test]
    fn a_server_that_only_asks_is_told_so() {
        let mut callbacks = Callbacks::new("hold:");
        let line = r#"{"id":1,"method":"ping"}"#;
        let took = (0..2 * MAX_OPEN).filter(|_| callbacks.open(line, &line[6..7], None).is_some()).count();
        assert_eq!(took, MAX_OPEN);
    }
}
