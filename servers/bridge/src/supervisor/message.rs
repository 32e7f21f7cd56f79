//! What `serve` (or a session without one) and a supervisor say to each other.
//!
//! `SupervisorMessage` <-> one line. Invariant: what is formatted is one line and parses back to the same message.
//!
//! To a session a supervisor speaks as `serve` does: see `drydock_contract::ControlMessage`.

use std::fmt;
use std::str::FromStr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SupervisorMessage {
    /// To a supervisor: your child is this session's, whose connection comes beside the message. `assign SESSION`
    Assign(u64),
    /// From one: the waiting child has done what it does at its start. `started`
    Started,
    /// The session's client is gone, the child is not yet. `ending`
    Ending,
    /// So many log lines were lost. `dropped LINES`
    Dropped(u64),
    /// One of the last lines that the child wrote to stderr. `stderr LINE`
    StderrLine(String),
    /// The child died before a session had it. `died PROBLEM`
    Died(String),
}

/// A line that is no message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MessageError;

impl fmt::Display for SupervisorMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one_line = |text: &str| text.replace(['\n', '\r'], " ");
        match self {
            Self::Assign(session) => write!(f, "assign {session}"),
            Self::Started => f.write_str("started"),
            Self::Ending => f.write_str("ending"),
            Self::Dropped(lines) => write!(f, "dropped {lines}"),
            Self::StderrLine(line) => write!(f, "stderr {}", one_line(line)),
            Self::Died(problem) => write!(f, "died {}", one_line(problem)),
        }
    }
}

impl FromStr for SupervisorMessage {
    type Err = MessageError;

    fn from_str(line: &str) -> Result<Self, MessageError> {
        let number = |text: &str| text.parse().map_err(|_| MessageError);
        match line.split_once(' ').unwrap_or((line, "")) {
            ("assign", session) => number(session).map(Self::Assign),
            ("started", "") => Ok(Self::Started),
            ("ending", "") => Ok(Self::Ending),
            ("dropped", lines) => number(lines).map(Self::Dropped),
            ("stderr", line) => Ok(Self::StderrLine(line.to_owned())),
            ("died", problem) => Ok(Self::Died(problem.to_owned())),
            _ => Err(MessageError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_one_line_and_comes_back() {
        use SupervisorMessage as M;
        let all = [
            M::Assign(7),
            M::Started,
            M::Ending,
            M::Dropped(3),
            M::StderrLine(" at x ".into()),
            M::Died("exit code 3".into()),
        ];
        for message in all {
            assert_eq!(message.to_string().parse(), Ok(message));
        }
        assert_eq!(M::Died("a\nstarted".into()).to_string(), "died a started");
        for line in ["", "assign", "assign x", "started now", "warm"] {
            assert_eq!(line.parse::<M>(), Err(MessageError), "{line:?}");
        }
    }
}
