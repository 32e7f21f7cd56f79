//! What a keeper says when its child is gone: to the session, or to `serve`, or to a session that comes too late.
//!
//! How a child ended -> lines. Invariant: the last of them is the verdict; before it come the child's last words.

use std::time::{Duration, Instant};

use rustix::process::WaitStatus;

use crate::job::Job;
use crate::wire::{Lines, SHORT};

/// How long a keeper without a child stays to tell a session that is on its way to it.
const LINGER: Duration = Duration::from_secs(2);

/// `code 3` or `signal 9`.
pub(super) fn number(status: Option<WaitStatus>) -> String {
    match status.map(|it| (it.exit_status(), it.terminating_signal())) {
        Some((Some(code), _)) => format!("code {code}"),
        Some((_, Some(signal))) => format!("signal {signal}"),
        _ => "unknown".into(),
    }
}

pub(super) fn tell(peer: &Lines, words: &[String], last: &str) {
    for word in words {
        let _ = peer.send(&format!("last {word}"));
    }
    let _ = peer.send(last);
}

/// A session came to a child that is dead: a fresh one may do, unless this one was fresh.
pub(super) fn answer(job: &Job, session: &Lines, problem: &str, words: &[String]) {
    if job.warm {
        let _ = session.send("again");
    } else {
        tell(session, words, &format!("refused the server did not start: {problem}"));
    }
}

/// Tells `serve` of a child that died before a session had it, and such a session as is on its way.
pub(super) fn report_death(job: &Job, mut control: Lines, problem: &str, words: &[String]) {
    tell(&control, words, &format!("died {problem}"));
    let until = Instant::now() + LINGER;
    while let Some(line) = control.line_by(until) {
        let session = control.fds.pop().and_then(|it| Lines::new(it.into(), SHORT).ok());
        if let Some(session) = session.filter(|_| line.starts_with("session ")) {
            return answer(job, &session, problem, words);
        }
    }
}
