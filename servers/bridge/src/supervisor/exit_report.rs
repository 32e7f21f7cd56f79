//! What a supervisor reports when its child is gone: to the session, to `serve`, or to a session that comes too late.
//!
//! How a child ended -> messages. Invariant: the last one says how it ended; before it come the last lines of its stderr.

use std::time::{Duration, Instant};

use drydock_runtime::contract::{ControlMessage, ServerExit};
use drydock_runtime::ipc::{LineSocket, MAX_LINE};
use rustix::process::WaitStatus;

use super::message::SupervisorMessage;
use crate::child_spec::ChildSpec;

/// How long a supervisor without a child stays to answer a session that is on its way to it.
const LATE_SESSION_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) fn server_exit(status: Option<WaitStatus>) -> ServerExit {
    let byte = |it: i32| u8::try_from(it).ok();
    let status = status.map(|it| (it.exit_status().and_then(byte), it.terminating_signal().and_then(byte)));
    match status {
        Some((Some(code), _)) => ServerExit::Code(code),
        Some((_, Some(signal))) => ServerExit::Signal(signal),
        _ => ServerExit::Unknown,
    }
}

/// Tells a session how its server ended, or why it has none.
pub(super) fn tell_session(session: &LineSocket, stderr_tail: &[String], last: ControlMessage) {
    for line in stderr_tail {
        let _ = session.send(ControlMessage::StderrLine(line.clone()));
    }
    let _ = session.send(last);
}

/// A session came to a child that is dead: a fresh one may do, unless this one was fresh.
pub(super) fn refuse_session(spec: &ChildSpec, session: &LineSocket, problem: &str, stderr_tail: &[String]) {
    if spec.warm {
        let _ = session.send(ControlMessage::SessionRetry);
    } else {
        let reason = format!("the server did not start: {problem}");
        tell_session(session, stderr_tail, ControlMessage::SessionRefused(reason));
    }
}

/// Tells `serve` of a child that died before a session had it, and such a session as is on its way.
pub(super) fn report_failed_start(
    spec: &ChildSpec,
    mut control: LineSocket,
    problem: &str,
    stderr_tail: &[String],
) {
    for line in stderr_tail {
        let _ = control.send(SupervisorMessage::StderrLine(line.clone()));
    }
    let _ = control.send(SupervisorMessage::Died(problem.to_owned()));
    let until = Instant::now() + LATE_SESSION_TIMEOUT;
    while let Some(line) = control.read_line_by(until) {
        let session = control.take_fds().pop().and_then(|it| LineSocket::new(it.into(), MAX_LINE).ok());
        if let (Some(session), Ok(SupervisorMessage::Assign(_))) = (session, line.parse()) {
            return refuse_session(spec, &session, problem, stderr_tail);
        }
    }
}
