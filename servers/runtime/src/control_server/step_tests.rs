//! A control server that is not running, one step of it at a time, at times that the test says.

use std::io::{BufRead, BufReader, Read};

use super::*;

/// Has no slot free, and gives nothing.
struct Full;

const SLOT_TIMEOUT: Duration = Duration::from_millis(300);

impl Handler for Full {
    type Source = std::convert::Infallible;

    fn health(&self) -> Health {
        Health::default()
    }

    fn sessions(&self) -> usize {
        1
    }

    fn slot_timeout(&self) -> Duration {
        SLOT_TIMEOUT
    }
}

struct Stopped<H> {
    server: ControlServer<H>,
    folder: tempfile::TempDir,
    _stop: UnixStream,
}

impl<H: Handler> Stopped<H> {
    fn new(handler: H) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = ControlSocket::bind(&folder.path().join("mcp.sock")).unwrap();
        let (signals, stop) = UnixStream::pair().unwrap();
        let log = Log::to_file(std::fs::File::create(folder.path().join("log")).unwrap());
        Self { server: ControlServer::new(socket, signals, 1, log, handler), folder, _stop: stop }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    fn connect(&mut self, state: State) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut connection = Connection::new(ours, Instant::now()).unwrap();
        connection.state = state;
        self.server.connections.push(connection);
        theirs
    }
}

fn is_closed(mut peer: &UnixStream) -> bool {
    peer.set_nonblocking(true).unwrap();
    peer.read(&mut [0]).is_ok_and(|it| it == 0)
}

fn line(peer: &UnixStream) -> String {
    let mut line = String::new();
    BufReader::new(peer).read_line(&mut line).unwrap();
    line
}

#[test]
fn nobody_at_the_door_is_no_problem() {
    let mut it = Stopped::new(CountOnly);
    it.server.accept(Instant::now());
    assert_eq!((it.server.problem, it.server.accept_at), (None, None));
}

#[test]
fn a_door_that_cannot_be_opened_is_tried_again_in_a_moment() {
    let mut it = Stopped::new(CountOnly);
    it.server.socket.break_listener();
    let now = Instant::now();
    it.server.accept(now);
    assert!(it.server.problem.as_ref().unwrap().starts_with("cannot take a connection"));
    assert_eq!(it.server.accept_at, Some(now + RETRY_INTERVAL));
    it.server.close_silent(now);
    assert!(it.server.accept_at.is_some());
    it.server.close_silent(now + RETRY_INTERVAL);
    assert!(it.server.accept_at.is_none());
}

#[test]
fn of_too_many_silent_ones_the_oldest_go_and_no_more() {
    let mut it = Stopped::new(CountOnly);
    let since = Instant::now();
    let peers: Vec<_> = (0..MAX_SILENT + 2).map(|_| it.connect(State::Silent { since })).collect();
    it.server.close_silent(since);
    let closed: Vec<_> = (0..peers.len()).filter(|&it| is_closed(&peers[it])).collect();
    assert_eq!(closed, [0, 1]);
    assert_eq!(it.log().matches("closed 2 connections that asked nothing").count(), 1, "{}", it.log());
    it.server.close_silent(since + REQUEST_TIMEOUT - Duration::from_nanos(1));
    assert_eq!((it.server.connections.len(), it.log().lines().count()), (MAX_SILENT, 1));
    it.server.close_silent(since + REQUEST_TIMEOUT);
    assert_eq!((it.server.connections.len(), it.log().lines().count()), (0, 2));
}

#[test]
fn the_sockets_path_is_looked_at_every_few_seconds() {
    let mut it = Stopped::new(CountOnly);
    let now = it.server.path_check_at;
    it.server.check_path(now);
    assert_eq!(it.server.path_check_at, now + PATH_CHECK_INTERVAL);
}

#[test]
fn a_session_that_asks_for_health_is_no_session_any_more() {
    let mut it = Stopped::new(CountOnly);
    let peer = it.connect(State::Counted { session: 1, since: Instant::now() });
    assert!(!it.server.on_message(0, ControlMessage::HealthRequest, Instant::now()));
    it.server.close(vec![0], Instant::now());
    assert!(is_closed(&peer), "it got an answer");
}

#[test]
fn so_many_may_wait_for_a_slot_and_no_more() {
    let mut it = Stopped::new(Full);
    let since = Instant::now();
    let mut peers = Vec::new();
    for waiting in 0..=MAX_WAITING {
        peers.push(it.connect(State::Silent { since }));
        let is_kept = it.server.on_session_request(waiting, SessionKind::Provided, since);
        assert_eq!(is_kept, waiting < MAX_WAITING, "{waiting} wait");
    }
    assert!(line(&peers[MAX_WAITING]).contains("all 1 sessions of this server are taken"));
}

#[test]
fn who_waits_for_a_slot_in_vain_is_told_when_the_time_is_over() {
    let mut it = Stopped::new(Full);
    let since = Instant::now();
    let peer = it.connect(State::Waiting { since });
    it.server.assign_waiting(since + SLOT_TIMEOUT - Duration::from_nanos(1));
    assert_eq!(it.server.connections.len(), 1);
    it.server.assign_waiting(since + SLOT_TIMEOUT);
    assert!(line(&peer).contains("all 1 sessions of this server are taken"));
}

#[test]
fn where_sessions_have_servers_of_their_own_none_is_given() {
    let mut it = Stopped::new(CountOnly);
    let peer = it.connect(State::Waiting { since: Instant::now() });
    it.server.assign_waiting(Instant::now());
    assert!(line(&peer).contains("no server is given here"));
}
