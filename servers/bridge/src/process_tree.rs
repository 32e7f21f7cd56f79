//! The processes below one, and how they end.
//!
//! A pid -> its descendants, signals to them. Invariant: a signal reaches only the process that was seen: the pid is
//! held by a pidfd while its start time is compared, so a pid that was reused is not hit.
//!
//! A walk through `/proc` is not atomic, so nobody may conclude from an empty one that all are gone. Who is certain is
//! the kernel: a subreaper has no child left (`ECHILD`) only when nothing is left below it.

use std::fs;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, getpid, kill_process, pidfd_open, pidfd_send_signal,
    set_child_subreaper, wait,
};
use signal_hook::consts::SIGCHLD;

use crate::error::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    parent: i32,
    /// In clock ticks since boot: with the pid it names a process for ever.
    start: u64,
    /// Processor time in clock ticks.
    cpu_ticks: u64,
    /// It has nothing to do: its main thread neither runs, nor waits for a processor or the disk.
    is_idle: bool,
}

/// All descendants of a process that a walk finds.
pub(crate) fn descendants(root: i32) -> Vec<Process> {
    let all = all_processes();
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for it in all.iter().filter(|it| it.parent == parent) {
            if !found.contains(it) {
                found.push(*it);
                parents.push(it.pid);
            }
        }
    }
    found
}

/// Its children.
pub(crate) fn children(root: i32) -> Vec<Process> {
    all_processes().into_iter().filter(|it| it.parent == root).collect()
}

/// Processor time that everything below a process has used, if all of it is idle. On a busy machine a process may get
/// none for long although it has much to do, so that the time alone says nothing.
pub(crate) fn cpu_ticks_if_idle(root: i32) -> Option<u64> {
    let all = descendants(root);
    all.iter().all(|it| it.is_idle).then(|| all.iter().map(|it| it.cpu_ticks).sum())
}

/// Sends a signal to everything below a process.
pub(crate) fn signal_descendants(root: i32, signal: Signal) {
    for it in descendants(root) {
        it.send_signal(signal);
    }
}

/// Kills everything below a process. First all are stopped, so that none can start another meanwhile.
pub(crate) fn kill_descendants(root: i32) {
    const MAX_ROUNDS: usize = 8;
    let mut seen = Vec::new();
    for _ in 0..MAX_ROUNDS {
        let new: Vec<Process> = descendants(root).into_iter().filter(|it| !seen.contains(&it.pid)).collect();
        if new.is_empty() {
            break;
        }
        for it in new {
            it.send_signal(Signal::STOP);
            seen.push(it.pid);
        }
    }
    signal_descendants(root, Signal::KILL);
}

impl Process {
    pub(crate) fn send_signal(self, signal: Signal) {
        let Some(pid) = Pid::from_raw(self.pid) else { return };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(held) if self.is_same_process() => {
                let _ = pidfd_send_signal(held, signal);
            }
            // An old kernel, or a sandbox that forbids it.
            Err(Errno::NOSYS | Errno::PERM) if self.is_same_process() => {
                let _ = kill_process(pid, signal);
            }
            _ => {}
        }
    }

    fn is_same_process(self) -> bool {
        read(self.pid).is_some_and(|it| it.start == self.start)
    }
}

fn all_processes() -> Vec<Process> {
    let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
    folder.filter_map(|it| read(it.ok()?.file_name().to_str()?.parse().ok()?)).collect()
}

fn read(pid: i32) -> Option<Process> {
    parse(pid, &fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// `PID (NAME) STATE PPID ..`: a name may hold anything, also `)`.
fn parse(pid: i32, stat: &[u8]) -> Option<Process> {
    let end = stat.iter().rposition(|it| *it == b')')?;
    let fields: Vec<&str> = std::str::from_utf8(&stat[end + 1..]).ok()?.split_ascii_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        start: number(22)?,
        cpu_ticks: number(14)? + number(15)?,
        is_idle: !matches!(*fields.first()?, "R" | "D"),
    })
}

/// A stream that becomes readable when a child of this process has ended.
pub(crate) fn child_exits() -> io::Result<UnixStream> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(SIGCHLD, writer)?;
    Ok(reader)
}

/// Makes what is orphaned below this process a child of it.
pub(crate) fn become_subreaper() -> Result<(), Error> {
    set_child_subreaper(Some(getpid())).map_err(|e| Error::io("cannot be a subreaper")(e.into()))
}

/// Empties such a stream, so that it becomes readable again with the next child.
pub(crate) fn drain(mut stream: &UnixStream) {
    let mut chunk = [0; 64];
    while stream.read(&mut chunk).is_ok_and(|it| it > 0) {}
}

/// What became of our children.
#[derive(Debug, Default)]
pub(crate) struct Reaped {
    pub(crate) exited: Vec<(i32, WaitStatus)>,
    /// There is no child any more, so nothing at all is left below us.
    pub(crate) none_left: bool,
}

/// Takes the status of every child that has ended, so that none stays a zombie.
pub(crate) fn reap() -> Reaped {
    let mut reaped = Reaped::default();
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => reaped.exited.push((pid.as_raw_pid(), status)),
            Ok(None) => return reaped,
            Err(Errno::INTR) => {}
            Err(_) => {
                reaped.none_left = true;
                return reaped;
            }
        }
    }
}

/// `exit code 3`, or `signal 9 (SIGKILL)`.
pub(crate) fn describe(status: WaitStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (_, Some(signal)) => describe_signal(signal),
        _ => "an unknown end".into(),
    }
}

pub(crate) fn describe_signal(signal: i32) -> String {
    match signal_hook::low_level::signal_name(signal) {
        Some(name) => format!("signal {signal} ({name})"),
        None => format!("signal {signal}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_pretend_to_be_more_fields() {
        let stat = b"7 (a) R 1 (b)) S 42 7 7 0 -1 4194304 1 0 0 0 30 12 0 0 20 0 1 0 9876 1 2 3";
        assert_eq!(
            parse(7, stat),
            Some(Process { pid: 7, parent: 42, start: 9876, cpu_ticks: 42, is_idle: true })
        );
        assert_eq!(parse(7, b"7 (cut"), None);
    }

    #[test]
    fn what_wants_a_processor_is_not_idle() {
        let process =
            |state| parse(7, format!("7 (a) {state} 1 7 7 0 -1 0 1 0 0 0 30 12 0 0 20 0 1 0 1").as_bytes());
        let idle = ["S", "R", "D", "Z"].map(|state| process(state).unwrap().is_idle);
        assert_eq!(idle, [true, false, false, true]);
    }

    #[test]
    fn we_are_among_the_children_of_our_parent() {
        let us = std::process::id().cast_signed();
        let it = read(us).unwrap();
        assert!(it.is_same_process() && descendants(it.parent).iter().any(|it| it.pid == us));
        assert!(!Process { start: it.start + 1, ..it }.is_same_process());
    }
}
