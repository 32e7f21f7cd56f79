//! What `/mcp serve` does: listens on a unix socket, answers health, counts sessions, ends on SIGTERM, SIGINT or SIGHUP.
//!
//! Connections -> answers of one line. Invariants: one thread, no polling while idle, and no client of the socket can
//! block another.
//!
//! The socket speaks lines. `health` is answered with one line of JSON and closed. `session` is answered with
//! `hello PID` (or `refused REASON`), and counts as one session for as long as the connection is open; before it
//! closes, the session may say `dropped N`: the log lines that it lost.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::log;

/// Before a connection is taken again, when it could not be.
const AGAIN: Duration = Duration::from_millis(50);

/// What `health` tells. On the wire and from `/mcp health --json` as one object with these names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    pub ready: bool,
    /// Sessions that are open now.
    pub sessions: u64,
    /// Sessions since the start, open ones among them.
    pub served: u64,
    /// Log lines that sessions lost because nobody read them.
    pub dropped: u64,
    /// Wrapped servers that wait for a session, where there is one to wrap.
    pub warm: Option<u64>,
    /// Why it is not ready.
    pub reason: Option<String>,
}

impl Health {
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { ready, sessions, served, dropped, warm, reason } = self;
        let mut json =
            format!(r#"{{"ready":{ready},"sessions":{sessions},"served":{served},"dropped":{dropped}"#);
        if let Some(warm) = warm {
            json.push_str(&format!(r#","warm":{warm}"#));
        }
        if let Some(reason) = reason {
            json.push_str(&format!(r#","reason":{}"#, serde_json::Value::from(reason.as_str())));
        }
        json.push('}');
        json
    }
}

/// A connection of which the first line is not yet read, or a session's.
#[derive(Debug)]
struct Peer {
    stream: UnixStream,
    session: bool,
    input: Vec<u8>,
}

#[derive(Debug)]
struct Station {
    health: Health,
    max_sessions: usize,
    peers: Vec<Peer>,
}

/// Runs until SIGTERM, SIGINT or SIGHUP.
///
/// # Errors
/// The socket cannot be made (its folder is missing or not ours, another `serve` listens there), or signals cannot
/// be caught.
pub fn run(socket: &Path, max_sessions: usize) -> io::Result<()> {
    let listener = listen(socket)?;
    let signals = signals()?;
    let mut station =
        Station { health: Health { ready: true, ..Health::default() }, max_sessions, peers: Vec::new() };
    log::info(&format!("ready, pid {}", std::process::id()));
    loop {
        let ready = wait(&listener, &signals, &station.peers)?;
        if ready.signal {
            break;
        }
        station.serve(&ready.peers);
        if ready.listener {
            station.accept(&listener);
        }
    }
    log::info(&format!("stopping, {} sessions open", station.health.sessions));
    std::fs::remove_file(socket)
}

/// Listens without blocking, in the place of a `serve` that is gone.
///
/// # Errors
/// The socket cannot be made, or another `serve` listens there.
pub fn listen(socket: &Path) -> io::Result<UnixListener> {
    let listener = match UnixListener::bind(socket) {
        Err(e) if e.kind() == ErrorKind::AddrInUse => {
            if UnixStream::connect(socket).is_ok() {
                return Err(io::Error::new(ErrorKind::AddrInUse, "another `serve` listens there"));
            }
            std::fs::remove_file(socket)?;
            UnixListener::bind(socket)?
        }
        other => other?,
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// A stream that becomes readable when the process is told to end.
///
/// # Errors
/// Signals cannot be caught.
pub fn signals() -> io::Result<UnixStream> {
    let (reader, writer) = UnixStream::pair()?;
    // Also a hang-up that whoever started us ignores (`nohup`): a session whose client is gone must not stay for that.
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        signal_hook::low_level::pipe::register(signal, writer.try_clone()?)?;
    }
    Ok(reader)
}

struct Ready {
    signal: bool,
    listener: bool,
    peers: Vec<bool>,
}

fn wait(listener: &UnixListener, signals: &UnixStream, peers: &[Peer]) -> io::Result<Ready> {
    let fds: Vec<BorrowedFd<'_>> = [signals.as_fd(), listener.as_fd()]
        .into_iter()
        .chain(peers.iter().map(|it| it.stream.as_fd()))
        .collect();
    let mut polled: Vec<PollFd<'_>> = fds.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    loop {
        match poll(&mut polled, None) {
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
            Ok(_) => break,
        }
    }
    let ready: Vec<bool> = polled.iter().map(|it| !it.revents().is_empty()).collect();
    Ok(Ready { signal: ready[0], listener: ready[1], peers: ready[2..].to_vec() })
}

impl Station {
    fn accept(&mut self, listener: &UnixListener) {
        loop {
            match listener.accept() {
                Ok((stream, _)) if stream.set_nonblocking(true).is_ok() => {
                    self.peers.push(Peer { stream, session: false, input: Vec::new() });
                }
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(e) => {
                    log::warn(&format!("cannot take a connection: {e}"));
                    std::thread::sleep(AGAIN); // no descriptors are left, say; it stays readable
                    return;
                }
            }
        }
    }

    fn serve(&mut self, ready: &[bool]) {
        let mut peers = std::mem::take(&mut self.peers);
        let mut ready = ready.iter();
        peers.retain_mut(|peer| {
            let keep = !ready.next().is_some_and(|it| *it) || self.read(peer).is_some();
            if !keep && peer.session {
                self.health.sessions -= 1;
            }
            keep
        });
        self.peers = peers;
    }

    /// Reads what there is and answers whole lines; `None` when the connection is over.
    fn read(&mut self, peer: &mut Peer) -> Option<()> {
        /// No line of the protocol is nearly that long.
        const LONGEST: usize = 256;
        let mut chunk = [0; LONGEST];
        loop {
            match peer.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(n) => peer.input.extend_from_slice(&chunk[..n]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Some(()),
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return None,
            }
            while let Some(end) = peer.input.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = peer.input.drain(..=end).collect();
                self.answer(peer, String::from_utf8_lossy(&line).trim_end())?;
            }
            if peer.input.len() >= LONGEST {
                return None;
            }
        }
    }

    fn answer(&mut self, peer: &mut Peer, line: &str) -> Option<()> {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("health", "") => {
                let _ = writeln!(peer.stream, "{}", self.health.to_json());
                None
            }
            ("session", "") if !peer.session => {
                if self.max_sessions > 0 && self.health.sessions >= self.max_sessions as u64 {
                    let _ = writeln!(
                        peer.stream,
                        "refused all {} sessions of this server are taken",
                        self.max_sessions
                    );
                    return None;
                }
                peer.session = true;
                self.health.sessions += 1;
                self.health.served += 1;
                writeln!(peer.stream, "hello {}", std::process::id()).ok()
            }
            ("dropped", count) if peer.session => {
                self.health.dropped = self.health.dropped.saturating_add(count.parse().unwrap_or(0));
                Some(())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;

    fn station(max_sessions: usize) -> Station {
        Station { health: Health { ready: true, ..Health::default() }, max_sessions, peers: Vec::new() }
    }

    fn connect(station: &mut Station) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        station.peers.push(Peer { stream: theirs, session: false, input: Vec::new() });
        ours
    }

    fn ask(station: &mut Station, peer: &mut UnixStream, line: &str) -> String {
        writeln!(peer, "{line}").unwrap();
        station.serve(&vec![true; station.peers.len()]);
        let mut answer = String::new();
        BufReader::new(peer).read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    #[test]
    fn sessions_are_counted_while_their_connection_is_open() {
        let mut station = station(0);
        let mut one = connect(&mut station);
        let mut two = connect(&mut station);
        assert!(ask(&mut station, &mut one, "session").starts_with("hello "));
        assert!(ask(&mut station, &mut two, "session").starts_with("hello "));
        writeln!(one, "dropped 3").unwrap();
        drop(one);
        station.serve(&[true, true]);
        let mut asking = connect(&mut station);
        let health = ask(&mut station, &mut asking, "health");
        assert_eq!(health, r#"{"ready":true,"sessions":1,"served":2,"dropped":3}"#);
    }

    #[test]
    fn one_session_too_many_is_refused_with_the_reason() {
        let mut station = station(1);
        let mut one = connect(&mut station);
        let mut two = connect(&mut station);
        assert!(ask(&mut station, &mut one, "session").starts_with("hello "));
        assert_eq!(ask(&mut station, &mut two, "session"), "refused all 1 sessions of this server are taken");
        assert_eq!(station.health.sessions, 1);
    }

    #[test]
    fn noise_on_the_socket_closes_only_its_own_connection() {
        let mut station = station(0);
        let mut good = connect(&mut station);
        let mut bad = connect(&mut station);
        ask(&mut station, &mut good, "session");
        bad.write_all(&[b'x'; 1000]).unwrap();
        station.serve(&[true, true]);
        assert_eq!((station.peers.len(), station.health.sessions), (1, 1));
    }
}
