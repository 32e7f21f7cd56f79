//! Everything that is said on the control socket of `serve`, in both directions.
//!
//! `ControlMessage` <-> one line of text. Invariant: what is formatted is one line, whatever stands in it, and parses
//! back to the same message.
//!
//! A connection asks one thing. [`HealthRequest`](ControlMessage::HealthRequest) is answered and the connection closed.
//! [`SessionRequest`](ControlMessage::SessionRequest) is answered with acceptance, refusal or a word to retry; an accepted
//! session counts for as long as its connection is open, and says [`SessionEnded`](ControlMessage::SessionEnded) last.
//! Where the session's server is a child that `serve` gave it, its two pipes come beside the acceptance, and its end is
//! told on the same connection.

use std::fmt;
use std::str::FromStr;

use crate::Health;

/// Which server a session speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// One that `serve` gives it.
    Provided,
    /// The session's own process, or a child of its own: it is only counted.
    Own,
}

/// How a session's server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerExit {
    /// By itself, with this exit code.
    Code(u8),
    /// By a signal of this number.
    Signal(u8),
    /// By the kernel, which had no memory left for it.
    OutOfMemory,
    /// Nobody knows: whoever watched it was killed.
    Unknown,
}

/// One message; the comment says who sends it.
///
/// ```
/// use drydock_contract::ControlMessage;
///
/// let accepted = ControlMessage::SessionAccepted { log_pid: Some(1), session: 7 };
/// assert_eq!(accepted.to_string(), "accepted 1 7");
/// assert_eq!("accepted 1 7".parse(), Ok(accepted));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlMessage {
    /// Anybody: how is the server? `health`
    HealthRequest,
    /// `serve`: so it is. `health JSON`
    HealthReport(Health),
    /// A session: may I? `session` or `session own`
    SessionRequest(SessionKind),
    /// `serve`: yes. `accepted PID SESSION`
    SessionAccepted {
        /// The process whose stderr takes the log lines; `None` for the session's own.
        log_pid: Option<u32>,
        /// The number of the session, from 1.
        session: u64,
    },
    /// `serve`: no, and why. `refused REASON`
    SessionRefused(String),
    /// `serve`: the child that it would have been is dead, ask again. `retry`
    SessionRetry,
    /// A session: its client has closed its end. `closed`
    ClientClosed,
    /// A session: end my server. `terminate`
    TerminateServer,
    /// A session: it is over, and lost so many log lines. `ended LINES`
    SessionEnded {
        /// Log lines that were lost because nobody read them.
        dropped: u64,
    },
    /// `serve`: one of the last lines that the session's server wrote to stderr. `stderr LINE`
    StderrLine(String),
    /// `serve`: the session's server is gone. `exited code N`, `exited signal N`, `exited memory` or `exited unknown`
    ServerExited(ServerExit),
}

/// A line that is no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageError;

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a message of the control protocol")
    }
}

impl std::error::Error for MessageError {}

impl fmt::Display for ControlMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HealthRequest => f.write_str("health"),
            Self::HealthReport(health) => write!(f, "health {}", health.to_json()),
            Self::SessionRequest(SessionKind::Provided) => f.write_str("session"),
            Self::SessionRequest(SessionKind::Own) => f.write_str("session own"),
            Self::SessionAccepted { log_pid, session } => {
                write!(f, "accepted {} {session}", log_pid.unwrap_or(0))
            }
            Self::SessionRefused(reason) => write!(f, "refused {}", OneLine(reason)),
            Self::SessionRetry => f.write_str("retry"),
            Self::ClientClosed => f.write_str("closed"),
            Self::TerminateServer => f.write_str("terminate"),
            Self::SessionEnded { dropped } => write!(f, "ended {dropped}"),
            Self::StderrLine(line) => write!(f, "stderr {}", OneLine(line)),
            Self::ServerExited(exit) => write!(f, "exited {exit}"),
        }
    }
}

impl FromStr for ControlMessage {
    type Err = MessageError;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let has_no_more = rest.is_empty();
        Ok(match word {
            "health" if has_no_more => Self::HealthRequest,
            "health" => Self::HealthReport(rest.parse().map_err(|_| MessageError)?),
            "session" if has_no_more => Self::SessionRequest(SessionKind::Provided),
            "session" if rest == "own" => Self::SessionRequest(SessionKind::Own),
            "accepted" => {
                let (pid, session) = rest.split_once(' ').ok_or(MessageError)?;
                let pid = number(pid)?;
                Self::SessionAccepted { log_pid: (pid != 0).then_some(pid), session: number(session)? }
            }
            "refused" => Self::SessionRefused(rest.to_owned()),
            "retry" if has_no_more => Self::SessionRetry,
            "closed" if has_no_more => Self::ClientClosed,
            "terminate" if has_no_more => Self::TerminateServer,
            "ended" => Self::SessionEnded { dropped: number(rest)? },
            "stderr" => Self::StderrLine(rest.to_owned()),
            "exited" => Self::ServerExited(rest.parse()?),
            _ => return Err(MessageError),
        })
    }
}

impl fmt::Display for ServerExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::OutOfMemory => f.write_str("memory"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

impl FromStr for ServerExit {
    type Err = MessageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(' ').unwrap_or((text, "")) {
            ("code", code) => number(code).map(Self::Code),
            ("signal", signal) => number(signal).map(Self::Signal),
            ("memory", "") => Ok(Self::OutOfMemory),
            ("unknown", "") => Ok(Self::Unknown),
            _ => Err(MessageError),
        }
    }
}

fn number<T: FromStr>(text: &str) -> Result<T, MessageError> {
    text.parse().map_err(|_| MessageError)
}

/// A text of which no part can pass for another message.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.0.split(['\n', '\r']);
        f.write_str(lines.next().unwrap_or_default())?;
        lines.try_for_each(|it| write!(f, " {it}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<ControlMessage> {
        use ControlMessage as M;
        let health = Health { reason: Some("a\nb \"c\"".into()), warm: Some(2), ..Health::default() };
        vec![
            M::HealthRequest,
            M::HealthReport(health),
            M::SessionRequest(SessionKind::Provided),
            M::SessionRequest(SessionKind::Own),
            M::SessionAccepted { log_pid: Some(1), session: u64::MAX },
            M::SessionAccepted { log_pid: None, session: 3 },
            M::SessionRefused("all 1 sessions of this server are taken".into()),
            M::SessionRetry,
            M::ClientClosed,
            M::TerminateServer,
            M::SessionEnded { dropped: 3 },
            M::StderrLine("  at line 1 ".into()),
            M::StderrLine(String::new()),
            M::ServerExited(ServerExit::Code(255)),
            M::ServerExited(ServerExit::Signal(9)),
            M::ServerExited(ServerExit::OutOfMemory),
            M::ServerExited(ServerExit::Unknown),
        ]
    }

    #[test]
    fn every_message_is_one_line_and_comes_back() {
        for message in all() {
            let line = message.to_string();
            assert!(!line.contains('\n'), "{line:?}");
            assert_eq!(line.parse(), Ok(message), "{line:?}");
        }
    }

    #[test]
    fn no_text_can_pass_for_another_message() {
        let evil = ControlMessage::StderrLine("x\nexited code 0\r\n".into());
        assert_eq!(evil.to_string(), "stderr x exited code 0  ");
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        for line in [
            "",
            " ",
            "HEALTH",
            "health {",
            "session mine",
            "accepted 1",
            "accepted x 1",
            "ended",
            "ended -1",
            "exited code 256",
            "retry now",
            "exited unknown 1",
            "exited memory 1",
        ] {
            assert_eq!(line.parse::<ControlMessage>(), Err(MessageError), "{line:?}");
        }
    }
}
