//! How far a session has come to its end.
//!
//! Events -> the phase. Invariant: it only goes forward, and that the client has closed its end is never forgotten: it
//! makes the difference between an end that was expected and one that was not.

use std::time::Instant;

use drydock_runtime::contract::ServerExit;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The server may still answer.
    Relaying {
        /// When input ended and was passed on.
        client_eof_at: Option<Instant>,
        /// When the server closed its output: what answers no more is of no use, even if it still runs.
        server_eof_at: Option<Instant>,
    },
    /// The supervisor was told to end the server.
    Terminating { terminate_sent_at: Instant, is_client_closed: bool },
    /// The server's process is gone; what it wrote may still be on its way.
    Exited { exit: ServerExit, is_client_closed: bool },
}

impl Phase {
    pub(super) const START: Self = Self::Relaying { client_eof_at: None, server_eof_at: None };

    /// Whether input had ended, and that was passed on, while the server still ran.
    pub(super) fn is_client_closed(self) -> bool {
        match self {
            Self::Relaying { client_eof_at, .. } => client_eof_at.is_some(),
            Self::Terminating { is_client_closed, .. } | Self::Exited { is_client_closed, .. } => {
                is_client_closed
            }
        }
    }

    pub(super) fn is_exited(self) -> bool {
        matches!(self, Self::Exited { .. })
    }

    pub(super) fn client_closed(&mut self, now: Instant) {
        match self {
            Self::Relaying { client_eof_at, .. } => *client_eof_at = Some(now),
            Self::Terminating { is_client_closed, .. } => *is_client_closed = true,
            Self::Exited { .. } => {}
        }
    }

    pub(super) fn server_closed(&mut self, now: Instant) {
        if let Self::Relaying { server_eof_at, .. } = self {
            *server_eof_at = Some(now);
        }
    }

    pub(super) fn terminate_sent(&mut self, now: Instant) {
        *self = Self::Terminating { terminate_sent_at: now, is_client_closed: self.is_client_closed() };
    }

    pub(super) fn exited(&mut self, exit: ServerExit) {
        *self = Self::Exited { exit, is_client_closed: self.is_client_closed() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_closes_while_the_server_is_terminated_is_remembered_to_the_end() {
        let now = Instant::now();
        let mut phase = Phase::START;
        phase.server_closed(now);
        assert_eq!(phase, Phase::Relaying { client_eof_at: None, server_eof_at: Some(now) });
        phase.terminate_sent(now);
        assert_eq!(phase, Phase::Terminating { terminate_sent_at: now, is_client_closed: false });
        assert!(!phase.is_client_closed());
        phase.client_closed(now);
        phase.exited(ServerExit::Code(0));
        assert_eq!(phase, Phase::Exited { exit: ServerExit::Code(0), is_client_closed: true });
    }

    #[test]
    fn a_client_that_closes_after_the_server_is_gone_was_not_the_reason() {
        let mut phase = Phase::START;
        phase.exited(ServerExit::Signal(9));
        phase.client_closed(Instant::now());
        phase.server_closed(Instant::now());
        assert!(phase.is_exited() && !phase.is_client_closed());
    }
}
