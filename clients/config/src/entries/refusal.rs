//! Why entries were not written: in words that name the client, the file and the way out.
//!
//! Failure + what was to be done -> the error for people. Invariant: a message that names a change says that the file is
//! as it was.

use drydock_edit as edit;

use super::{ClientConfigFile, DesiredEntry};
use crate::error::{Error, ErrorKind};

/// What was to be done with the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    Add,
    Remove,
}

impl ClientConfigFile<'_> {
    /// Refuses for the whole file: of several entries, the hint names the others.
    pub(super) fn unmanaged(&self, name: &str, desired: &[DesiredEntry]) -> Error {
        let path = self.path.display();
        let problem =
            format!("{path} has an entry {name:?} that is not managed by Drydock; file left unchanged");
        let others = desired.iter().filter(|it| it.name != name).filter_map(|it| it.server.as_deref());
        let others: Vec<_> = others.map(|it| format!("--server {it}")).collect();
        let another = match others.as_slice() {
            [] => "take another name with `--name`".to_owned(),
            some => format!("write the others alone with `{}`", some.join(" ")),
        };
        Error::new(ErrorKind::Unmanaged, problem)
            .with_path(&self.path)
            .with_hint(format!("{another}, or `--force`: an unmanaged entry comes back when ours goes"))
    }

    /// A refusal of the file's text with the file's name, in the form that editors understand.
    pub(super) fn refused(&self, err: edit::Error, operation: Operation) -> Error {
        let left = if operation == Operation::Read { "" } else { "; file left unchanged" };
        let path = self.path.display();
        let Some(position) = err.position() else {
            return Error::new(ErrorKind::InvalidFile, format!("{path}: {err}{left}")).with_path(&self.path);
        };
        let cure = err.hint().map_or_else(String::new, |it| format!(" ({it})"));
        let fix = format!("fix line {}{cure}", position.line);
        let hint = match operation {
            Operation::Add => format!("{fix}, or run with `--print` and paste the entry yourself"),
            Operation::Read | Operation::Remove => format!("{fix} and try again"),
        };
        Error::new(ErrorKind::InvalidFile, format!("{path}:{err}{left}"))
            .with_path(&self.path)
            .with_position(position)
            .with_hint(hint)
    }

    /// As in ``cannot add `a`, `b` to Cursor``.
    pub(super) fn named<'n>(
        &self,
        err: Error,
        operation: Operation,
        names: impl Iterator<Item = &'n str>,
    ) -> Error {
        let names: Vec<_> = names.map(|it| format!("`{it}`")).collect();
        let (what, way) = if operation == Operation::Add { ("add", "to") } else { ("remove", "from") };
        err.context(format!("cannot {what} {} {way} {}", names.join(", "), self.client.name()))
    }
}
