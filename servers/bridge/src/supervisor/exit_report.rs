//! What a supervisor reports when its child is gone: to the session, to `serve`, or to a session that comes too late.
//!
//! How a child ended -> lines. Invariant: the last line says how it ended; before it come the last lines of its stderr.

use std::time::{Duration, Instant};

use rustix::process::WaitStatus;

use crate::child_spec::ChildSpec;
use crate::ipc::{LineSocket, MAX_LINE};

/// How long a supervisor without a child stays to answer a session that is on its way to it.
const LATE_SESSION_TIMEOUT: Duration = Duration::from_secs(2);

/// `code 3` or `signal 9`.
pub(super) fn exit_text(status: Option<WaitStatus>) -> String {
    match status.map(|it| (it.exit_status(), it.terminating_signal())) {
        Some((Some(code), _)) => format!("code {code}"),
        Some((_, Some(signal))) => format!("signal {signal}"),
        _ => "unknown".into(),
    }
}

pub(super) fn send_report(peer: &LineSocket, stderr_tail: &[String], last: &str) {
    for line in stderr_tail {
        let _ = peer.send(&format!("last {line}"));
    }
    let _ = peer.send(last);
}

/// A session came to a child that is dead: a fresh one may do, unless this one was fresh.
pub(super) fn refuse_session(spec: &ChildSpec, session: &LineSocket, problem: &str, stderr_tail: &[String]) {
    if spec.warm {
        let _ = session.send("again");
    } else {
        send_report(session, stderr_tail, &format!("refused the server did not start: {problem}"));
    }
}

/// Tells `serve` of a child that died before a session had it, and such a session as is on its way.
pub(super) fn report_failed_start(
    spec: &ChildSpec,
    mut control: LineSocket,
    problem: &str,
    stderr_tail: &[String],
) {
    send_report(&control, stderr_tail, &format!("died {problem}"));
    let until = Instant::now() + LATE_SESSION_TIMEOUT;
    while let Some(line) = control.read_line_by(until) {
        let session = control.fds.pop().and_then(|it| LineSocket::new(it.into(), MAX_LINE).ok());
        if let Some(session) = session.filter(|_| line.starts_with("session ")) {
            return refuse_session(spec, &session, problem, stderr_tail);
        }
    }
}
