//! A server's process group: what is signalled when it has to end, with whatever it started itself.
//!
//! Invariant: the only place with code for one kind of system. Elsewhere than on unix, a child is simply killed.

use tokio::process::{Child, Command};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    Term,
    Kill,
}

/// A group of its own also keeps Ctrl-C from the server: we end it ourselves, in order.
#[cfg(unix)]
pub(crate) fn isolate(command: &mut Command) {
    command.process_group(0);
}

#[cfg(unix)]
pub(crate) fn signal(group: Option<u32>, _child: &mut Child, signal: Signal) {
    use rustix::process::{Pid, kill_process_group};
    let signal = match signal {
        Signal::Term => rustix::process::Signal::TERM,
        Signal::Kill => rustix::process::Signal::KILL,
    };
    if let Some(pid) = group.and_then(|id| Pid::from_raw(id.cast_signed())) {
        let _already_gone = kill_process_group(pid, signal);
    }
}

#[cfg(not(unix))]
pub(crate) fn isolate(_command: &mut Command) {}

#[cfg(not(unix))]
pub(crate) fn signal(_group: Option<u32>, child: &mut Child, _signal: Signal) {
    let _already_gone = child.start_kill();
}
