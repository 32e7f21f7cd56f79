//! Whose entry it is: a person's, or a project's.
//!
//! `user`, `project` <-> `Scope`. Invariant: the words on the command line, in the ledger and in JSON are the same.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// Whose entry it is.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// This person's, in every project.
    User,
    /// One project's, shared with everybody who works on it.
    Project,
}

impl Scope {
    /// Every scope, the person's first.
    pub const ALL: [Self; 2] = [Self::User, Self::Project];
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Project => "project",
        })
    }
}

/// The inverse of `Display`.
impl FromStr for Scope {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown =
            || Error::new(ErrorKind::InvalidInput, format!("{text:?} is no scope: `user` or `project`"));
        Self::ALL.into_iter().find(|it| it.to_string() == text).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_as_it_is_written() {
        for scope in Scope::ALL {
            assert_eq!(scope.to_string().parse::<Scope>().unwrap(), scope);
            assert_eq!(serde_json::to_string(&scope).unwrap(), format!("\"{scope}\""));
        }
        assert_eq!("User".parse::<Scope>().unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}
